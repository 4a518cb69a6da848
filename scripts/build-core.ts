// Compiles src/core/assembly to dist/core.wasm and dist/system.wasm with AssemblyScript. Does nothing when nothing changed.
// usage: build-core.ts [core | system]   with a name: only that module, whatever changed, and in a hurry: not optimised
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CORE_DATA, SYSTEM_DATA } from '../src/core/layout.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const assembly = join(root, 'src/core/assembly');

/** Modules and their asc arguments. memoryBase must be decimal: a hex value is silently ignored by asc. */
const modules = [
  { name: 'core', base: CORE_DATA, extra: ['--exportTable'] },
  { name: 'system', base: SYSTEM_DATA, extra: [] },
] as const;
const common = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--importMemory',
  '--initialMemory',
  '64',
];

function sources(): string[] {
  const found = readdirSync(assembly, { recursive: true, encoding: 'utf8' });
  return found.filter((name) => name.endsWith('.ts')).sort();
}
/** What the sources import from outside of their folder. */
const layout = ['layout.ts', 'state-layout.generated.ts', 'state-values.ts'];
function stamp(): string {
  const hash = createHash('sha256').update(JSON.stringify([modules, common]));
  for (const name of layout) hash.update(readFileSync(join(root, 'src/core', name)));
  for (const name of sources()) hash.update(name).update(readFileSync(join(assembly, name)));
  return hash.digest('hex');
}

const stampFile = join(dist, 'core.stamp');
const now = stamp();
const outputs = modules.map((m) => join(dist, `${m.name}.wasm`));
const [asked] = process.argv.slice(2);
if (
  asked === undefined &&
  existsSync(stampFile) &&
  readFileSync(stampFile, 'utf8') === now &&
  outputs.every((file) => existsSync(file))
) {
  console.log('core: up to date');
} else {
  mkdirSync(dist, { recursive: true });
  const started = performance.now();
  const asc = join(createRequire(import.meta.url).resolve('assemblyscript/package.json'), '../bin/asc.js');
  for (const { name, base, extra } of modules.filter((module) => asked === undefined || module.name === asked)) {
    const output = join(dist, `${name}.wasm`);
    const result = spawnSync(
      process.execPath,
      [
        asc,
        join(assembly, `${name}.ts`),
        '-o',
        output,
        ...common,
        ...(asked === undefined ? [] : ['-O0']),
        '--memoryBase',
        String(base),
        ...extra,
      ],
      { stdio: 'inherit', cwd: root },
    );
    if (result.status !== 0) {
      console.error(`core: asc failed on src/core/assembly/${name}.ts`);
      process.exit(1);
    }
  }
  if (asked === undefined) writeFileSync(stampFile, now);
  console.log(`core: built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
