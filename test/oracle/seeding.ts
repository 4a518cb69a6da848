// Seeds a fault into a copy of the core and asks the oracles, which are copied along: nothing that is shipped knows of it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SeededFault } from './seeded-faults.ts';

const root = join(import.meta.dirname, '../..');
/** Cases of one mnemonic: enough that a fault of an edge is met. */
const CASES = 6000;
const SEED = 0x5eed;

export interface Verdict {
  /** Whether the oracle ended with a complaint. */
  readonly found: boolean;
  readonly output: string;
}

export class SeedBed {
  private readonly folder = mkdtempSync(join(tmpdir(), 'trapline-seeds-'));
  constructor() {
    mkdirSync(join(this.folder, 'dist'));
    for (const path of [
      'src/core',
      'src/jit',
      'src/wasm',
      'test/oracle',
      'test/harness',
      'scripts',
      'package.json',
      'dist/core.wasm',
      'dist/system.wasm',
      'dist/core.stamp',
      'dist/system.stamp',
    ])
      cpSync(join(root, path), join(this.folder, path), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
  }
  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
  /** What the oracle of a fault says about a core that has it. */
  judge(fault: SeededFault): Verdict {
    const path = join(this.folder, fault.file);
    const text = readFileSync(path, 'utf8');
    assert.equal(text.split(fault.find).length, 2, `${fault.file} has "${fault.find}" not exactly once`);
    writeFileSync(
      path,
      text.replace(fault.find, () => fault.replace),
    );
    try {
      this.build();
      const { status, output } = this.ask(fault);
      return { found: status !== 0, output };
    } finally {
      writeFileSync(path, text);
    }
  }
  /** Compiles the module that has a fault, and one that had one before: their sources have changed. */
  private build(): void {
    const built = this.run(['scripts/build-core.ts', '--fast']);
    assert.equal(built.status, 0, built.output);
  }
  private ask({ oracle }: SeededFault): { status: number | null; output: string } {
    if (oracle === 'iced') return this.run(['test/oracle/iced-few.ts']);
    if ('test' in oracle) return this.run(['--test', oracle.test]);
    const options = { cases: oracle.cases ?? CASES, seed: SEED, class: oracle.cpu, show: 1 };
    return this.run([
      'test/oracle/main.ts',
      ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ]);
  }
  private run(args: readonly string[]): { status: number | null; output: string } {
    const env = { ...process.env };
    delete env['NODE_TEST_CONTEXT']; // it would make the program report to this test's runner
    const done = spawnSync(process.execPath, ['--import', 'tsx', ...args], { cwd: this.folder, encoding: 'utf8', env });
    return { status: done.status, output: done.stdout + done.stderr };
  }
}
