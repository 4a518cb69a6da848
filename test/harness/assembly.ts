// Files of src/core/assembly compiled by themselves, for the unit tests of what is inlined elsewhere.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const assembly = join(import.meta.dirname, '../../src/core/assembly');

/** Exports of the module that `files` (relative to src/core/assembly) become together, its memory among them. */
export function compileAssembly(...files: readonly string[]): WebAssembly.Exports {
  const folder = mkdtempSync(join(tmpdir(), 'trapline-assembly-'));
  try {
    const asc = join(createRequire(import.meta.url).resolve('assemblyscript/package.json'), '../bin/asc.js');
    const output = join(folder, 'module.wasm');
    const options = ['-O3', '--noAssert', '--runtime', 'stub', '--initialMemory', '1'];
    const entries = files.map((file) => join(assembly, file));
    const built = spawnSync(process.execPath, [asc, ...entries, '-o', output, ...options], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`asc does not compile ${files.join()}: ${built.stderr}`);
    const abort = (): never => {
      throw new Error(`an assertion of ${files.join()} failed`); // a table's bounds
    };
    return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(output)), { env: { abort } }).exports;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
