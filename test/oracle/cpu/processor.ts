// The processor of this machine, by way of runner.c.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CaseKind } from './generate.ts';
import { type Case, decodeResults, encodeCases, type Result } from './protocol.ts';

/** Why the processor cannot be asked on this machine; undefined when it can. */
export function unavailable(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs an x86-64 Linux machine';
  if (spawnSync('gcc', ['--version']).status !== 0) return 'needs gcc';
  return undefined;
}

const ALL_KINDS: readonly CaseKind[] = [
  { codeSize: 64, segmented: false },
  { codeSize: 32, segmented: false },
  { codeSize: 32, segmented: true },
  { codeSize: 16, segmented: true },
];

export class Processor {
  private readonly folder = mkdtempSync(join(tmpdir(), 'trapline-cpu-'));
  private readonly program = join(this.folder, 'runner');
  constructor() {
    const built = spawnSync('gcc', ['-O2', '-Wall', '-o', this.program, join(import.meta.dirname, 'runner.c')], {
      encoding: 'utf8',
    });
    if (built.status !== 0) throw new Error(`gcc does not compile runner.c: ${built.stderr}`);
    const [allowed = '', reason] = spawnSync(this.program, ['--probe'], { encoding: 'utf8' }).stdout.split('\n');
    const words = allowed.split(' ');
    if (!words.includes('fsgsbase')) throw new Error('the kernel does not let processes set their FS base');
    this.kinds = ALL_KINDS.filter(
      ({ codeSize, segmented }) => words.includes(String(codeSize)) && (!segmented || words.includes('segmented')),
    );
    this.leftOut = reason === '' ? undefined : reason;
  }
  /** Kinds of cases that this kernel allows, and why not the others. */
  readonly kinds: readonly CaseKind[];
  readonly leftOut: string | undefined;
  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
  /** Executes the cases; data: contents of the data pages before each of them. */
  run(cases: readonly Case[], data: Uint8Array): Result[] {
    const done = spawnSync(this.program, [], { input: encodeCases(cases, data), maxBuffer: 1 << 30 });
    if (done.status !== 0)
      throw new Error(`runner ended with ${done.status ?? done.signal}: ${done.stderr.toString()}`);
    const results = decodeResults(done.stdout);
    if (results.length !== cases.length) throw new Error(`runner: ${results.length} results of ${cases.length} cases`);
    return results;
  }
}
