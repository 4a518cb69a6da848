/** gcc, objdump and gdb for the tests: found or missed with a reason, and run with time limits. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLocalSymbols, type SymbolFile } from '../../src/symbols/index.ts';

/** Why a tool cannot be used, or null. Give it to node:test's `skip`. */
export function missing(...tools: readonly string[]): string | false {
  const absent = tools.filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
  return absent.length > 0 && `needs ${absent.join(', ')}, which is not installed`;
}

export function run(
  tool: string,
  given: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): string {
  const result = spawnSync(tool, given, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', ...environment },
    maxBuffer: 1 << 30,
    timeout: 300_000,
  });
  if (result.status !== 0) {
    throw new Error(`${tool} ${given.join(' ')} ended with ${result.status ?? result.signal}: ${result.stderr}`);
  }
  return result.stdout;
}

/** A directory that is gone when the process ends. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'symbols-'));
  process.on('exit', () => rmSync(path, { recursive: true, force: true }));
  return path;
}

const here = fileURLToPath(new URL('.', import.meta.url));

/** Compiles one of programs/ into a static executable without a C library. */
export function compile(program: string, output: string, options: readonly string[]): string {
  run('gcc', [
    '-g',
    '-static',
    '-nostdlib',
    '-ffreestanding',
    '-fno-stack-protector',
    '-no-pie',
    '-Wl,--defsym=from_assembly=0x405000',
    ...options,
    join(here, 'programs', program),
    '-o',
    output,
  ]);
  return output;
}

/** Runs a task of judge.py in gdb. */
export function askGdb(task: string, names: readonly string[], files: readonly string[], directory: string): unknown {
  const output = join(directory, `${task}.json`);
  run(
    'gdb',
    [
      '-nx',
      '-batch',
      '-iex',
      'set auto-load off',
      '-iex',
      'set debuginfod enabled off',
      ...files,
      '-x',
      join(here, 'judge.py'),
    ],
    { JUDGE_TASK: task, JUDGE_OUTPUT: output, JUDGE_NAMES: JSON.stringify(names) },
  );
  return JSON.parse(readFileSync(output, 'utf8'));
}

/** Opens a file with the symbol reader in this thread. */
export async function openSymbols(path: string): Promise<SymbolFile> {
  const symbols = createLocalSymbols({
    openFile: () => {
      throw new Error('not used here');
    },
  });
  return symbols.open({ kind: 'bytes', bytes: new Uint8Array(readFileSync(path)) }, path);
}
