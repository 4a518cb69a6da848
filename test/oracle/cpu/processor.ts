// The processor of this machine, by way of runner.c.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, decodeResults, encodeCases, type Result } from './protocol.ts';

/** Why the processor cannot be asked on this machine; undefined when it can. */
export function unavailable(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs an x86-64 Linux machine';
  if (spawnSync('gcc', ['--version']).status !== 0) return 'needs gcc';
  return undefined;
}

export class Processor {
  private readonly folder = mkdtempSync(join(tmpdir(), 'trapline-cpu-'));
  private readonly program = join(this.folder, 'runner');
  constructor() {
    const built = spawnSync('gcc', ['-O2', '-Wall', '-o', this.program, join(import.meta.dirname, 'runner.c')], {
      encoding: 'utf8',
    });
    if (built.status !== 0) throw new Error(`gcc does not compile runner.c: ${built.stderr}`);
  }
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
