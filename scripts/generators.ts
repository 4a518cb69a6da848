// The generators: each writes committed files of the checkout, and names here what it makes them from. The build runs one again when
// something of that changed, and fails when a scripts/generate-*.ts is in no row.
import { listFiles } from './files.ts';
import { importClosure } from './import-closure.ts';

export interface Generator {
  readonly script: string;
  /** What it reads beside its own source and what that imports: files and folders of the checkout. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** In the order in which they run: one may read what another before it writes. */
export const generators: readonly Generator[] = [
  {
    script: 'scripts/generate-state.ts',
    reads: ['package-lock.json', '.prettierrc.json'],
    writes: ['src/core/state-layout.generated.ts', 'src/core/state-area.generated.ts'],
  },
  {
    script: 'scripts/generate-decoder.ts',
    reads: ['src/core/assembly/core/handlers'],
    writes: ['src/core/assembly/core/decode-table.generated.ts'],
  },
  {
    script: 'scripts/generate-contributions.ts',
    reads: ['package.json', 'package-lock.json', '.prettierrc.json'],
    writes: ['package.json', 'docs/launch.md'],
  },
  {
    script: 'scripts/generate-session-states.ts',
    reads: ['package-lock.json', '.prettierrc.json'],
    writes: ['docs/session.md'],
  },
  {
    script: 'scripts/generate-conformance.ts',
    reads: ['package-lock.json', '.prettierrc.json'],
    writes: ['docs/guest-debug.md'],
  },
];

/** Every file that decides what a generator writes. */
export function inputsOf({ script, reads }: Generator): string[] {
  const read = reads.flatMap((place) => (/\.\w+$/.test(place) ? [place] : listFiles(place)));
  return [...new Set([...importClosure([script]), ...read])].sort();
}

/** Generators of the checkout that no row names. */
export function unnamedGenerators(): string[] {
  const isGenerator = (file: string): boolean =>
    /^scripts\/generate-[\w-]+\.ts$/.test(file) && !file.endsWith('.test.ts');
  const named = new Set(generators.map(({ script }) => script));
  return listFiles('scripts', isGenerator).filter((file) => !named.has(file));
}
