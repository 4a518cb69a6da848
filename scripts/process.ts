import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the checkout. */
export const repositoryRoot = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export interface Finished {
  /** Exit status; 128 + n after signal n; 127 when the program could not be started. */
  readonly status: number;
  /** Standard output and standard error, in the order of arrival. */
  readonly output: string;
  /** Standard output alone. */
  readonly stdout: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds after which the program is ended. */
  readonly timeout?: number;
}

/** Runs a program to its end without a shell and without standard input. Never rejects: a failure to start is status 127. */
export function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? repositoryRoot,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.timeout === undefined ? {} : { timeout: options.timeout, killSignal: 'SIGKILL' }),
    });
    let output = '';
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', (error) => resolve({ status: 127, output: `${program}: ${error.message}\n`, stdout }));
    child.on('close', (code, signal) => {
      const note = signal === null ? '' : `${program} was ended by ${signal}\n`;
      resolve({ status: code ?? 137, output: output + note, stdout });
    });
  });
}

/** Runs a package's own JavaScript command line (`node_modules/...`) with this Node. */
export function runPackage(script: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return runProgram(process.execPath, [path.join(repositoryRoot, 'node_modules', script), ...args], options);
}

/** Runs one of the project's TypeScript files in a process of its own. */
export function runTypeScript(script: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return runProgram(process.execPath, ['--import', 'tsx', path.join(repositoryRoot, script), ...args], options);
}

/** npm as it started this process (npm tells in npm_execpath); else the one on the PATH. */
export function runNpm(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const script = process.env['npm_execpath'];
  return script !== undefined && /npm-cli\.c?js$/.test(script)
    ? runProgram(process.execPath, [script, ...args], options)
    : runProgram('npm', args, options);
}

/** Absolute path of a program on the PATH, or undefined. */
export function findOnPath(program: string): string | undefined {
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : [''];
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    for (const suffix of suffixes) {
      const candidate = path.join(folder, program + suffix);
      if (folder !== '' && isExecutable(candidate)) return candidate;
    }
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not ours to run: the next folder of the PATH may have it
  }
}

/** Message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
