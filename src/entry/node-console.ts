// Standard input and output of the command line.
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConsoleInput, RunEnvironment } from '../cli/environment.ts';
import { openNodeDisk } from './node-disk.ts';
import { createByteFile, createTextFile, loadEngineModules, readWholeFile } from './node-files.ts';

/** Everything `trapline run` needs of Node. */
export function createNodeEnvironment(): RunEnvironment {
  const input = new StandardInput();
  // Whoever read the output may go away (`| head`): the run goes on, and its exit status still counts.
  process.stdout.on('error', () => undefined);
  return {
    loadModules: loadEngineModules,
    readFile: readWholeFile,
    createTextFile,
    createByteFile,
    openDisk: openNodeDisk,
    output: (bytes) => void process.stdout.write(bytes),
    say: (line) => void process.stderr.write(`trapline: ${line}\n`),
    input,
    now: () => performance.now(),
    pause: (milliseconds) => input.pause(milliseconds),
  };
}

class StandardInput implements ConsoleInput {
  readonly interactive = process.stdin.isTTY;
  ended = false;
  private started = false;
  private wake: (() => void) | undefined;

  start(onBytes: (bytes: Uint8Array) => void): void {
    this.started = true;
    if (this.interactive) process.stdin.setRawMode(true);
    process.stdin.on('data', (bytes: Buffer) => {
      onBytes(bytes);
      this.wake?.();
    });
    const end = (): void => {
      this.ended = true;
      this.wake?.();
    };
    process.stdin.on('end', end);
    process.stdin.on('error', end);
    process.stdin.on('close', end);
  }
  stop(): void {
    if (!this.started) return;
    if (this.interactive) process.stdin.setRawMode(false);
    process.stdin.removeAllListeners('data');
    process.stdin.destroy(); // an open pipe would keep the process alive
  }
  /** Lets events in for a while; input ends the wait. */
  async pause(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) {
      await new Promise((resolve) => setImmediate(resolve));
      return;
    }
    const abort = new AbortController();
    this.wake = () => abort.abort();
    try {
      await delay(milliseconds, undefined, { signal: abort.signal });
    } catch (error) {
      if (!abort.signal.aborted) throw error;
    } finally {
      this.wake = undefined;
    }
  }
}
