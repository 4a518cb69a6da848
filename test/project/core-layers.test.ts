// The layers of system.wasm's sources: no import goes up, and no circle of imports is large.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { circles, importsOf, LARGEST_CIRCLE, SYSTEM_LAYERS, upwardImports } from '../../scripts/core-layers.ts';
import { listFiles } from '../../scripts/files.ts';
import { repositoryRoot } from '../../scripts/process.ts';

const folder = 'src/core/assembly/system';
const imports = new Map(
  listFiles(folder, (name) => name.endsWith('.ts')).map((file) => {
    const name = path.posix.relative(folder, file);
    return [name, importsOf(name, readFileSync(path.join(repositoryRoot, file), 'utf8'))] as const;
  }),
);

describe('layers of the core', () => {
  it('each file is in a layer, and no import goes up', () => {
    assert.ok(imports.size > 40, 'the files were found');
    assert.ok([...imports.values()].flat().length > 200, 'and their imports');
    for (const [file, targets] of imports) {
      for (const target of targets) assert.ok(imports.has(target), `${file} imports ${target}, which is not there`);
    }
    assert.deepEqual(upwardImports(imports), []);
  });
  it(`no circle has more than ${LARGEST_CIRCLE} files`, () => {
    assert.deepEqual(
      circles(imports).filter((circle) => circle.length > LARGEST_CIRCLE),
      [],
    );
  });
  it('each layer holds something, and ARCHITECTURE names it', () => {
    const text = readFileSync(path.join(repositoryRoot, 'ARCHITECTURE.md'), 'utf8');
    for (const { folder: layer } of SYSTEM_LAYERS) {
      assert.ok(
        [...imports.keys()].some((file) => path.posix.dirname(file) === (layer || '.')),
        layer,
      );
      assert.ok(layer === '' || text.includes(`system/${layer}`), `ARCHITECTURE names ${layer}`);
    }
  });
  it('finds a planted import that goes up, a file without a layer, and a planted circle', () => {
    const planted = new Map([
      ['state/tlb.ts', ['memory/mmu.ts']],
      ['memory/mmu.ts', ['state/tlb.ts']],
      ['elsewhere/a.ts', []],
    ]);
    assert.deepEqual(upwardImports(planted), [
      'state/tlb.ts imports memory/mmu.ts, which stands above it',
      'elsewhere/a.ts is in no layer',
    ]);
    assert.deepEqual(
      circles(planted).map((circle) => circle.toSorted()),
      [['memory/mmu.ts', 'state/tlb.ts']],
    );
    assert.deepEqual(
      importsOf('memory/mmu.ts', "import { a } from '../state/tlb';\nimport * as L from '../../../layout';\n"),
      ['state/tlb.ts'],
    );
  });
});
