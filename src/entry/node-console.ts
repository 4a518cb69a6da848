// Standard input and output of the command line.
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { EndSignals } from './end-signals.ts';
import type { ConsoleInput, RunEnvironment } from '../cli/environment.ts';
import { createByteFile, createTextFile, loadEngineModules } from './node-files.ts';
import { readWholeFile } from './regular-file.ts';
import { SharedDisks } from './shared-disks.ts';

/** Everything `trapline run` needs of Node. */
export function createNodeEnvironment(signals: EndSignals): RunEnvironment {
  const output = new StandardOutput();
  const input = new StandardInput(() => output.interrupt()); // what is typed may end the run
  signals.onEnd(() => {
    input.interrupt();
    output.interrupt();
  });
  return {
    loadModules: loadEngineModules,
    readFile: readWholeFile,
    createTextFile,
    createByteFile,
    openDisks: (disks) => new SharedDisks().openAll(disks, () => '--disk'),
    output: (bytes) => output.write(bytes),
    outputRead: (milliseconds) => output.read(milliseconds),
    say: (line) => void process.stderr.write(`trapline: ${line}\n`),
    input,
    now: () => performance.now(),
    pause: (milliseconds) => input.pause(milliseconds),
    get endStatus() {
      return signals.status;
    },
  };
}

/** Bytes that nobody has read yet and that a guest may be ahead of its reader. */
const UNREAD_LIMIT = 2 ** 20;

class StandardOutput {
  private readonly streams = [process.stdout, process.stderr];
  private wake: (() => void) | undefined;

  write(bytes: Uint8Array): void {
    process.stdout.write(bytes);
  }
  private get full(): boolean {
    const unread = this.streams.map((stream) => (stream.writable ? stream.writableLength : 0));
    return unread.reduce((sum, length) => sum + length, 0) > UNREAD_LIMIT;
  }
  /** Resolves when the reader has caught up, has gone, or after a while. */
  read(milliseconds: number): Promise<void> | undefined {
    if (!this.full) return undefined;
    return new Promise((resolve) => {
      const timer = Number.isFinite(milliseconds) ? setTimeout(() => done(), milliseconds) : undefined;
      const events = ['drain', 'close', 'error'];
      const done = (): void => {
        clearTimeout(timer);
        for (const stream of this.streams) for (const event of events) stream.off(event, done);
        this.wake = undefined;
        resolve();
      };
      this.wake = done;
      for (const stream of this.streams) for (const event of events) stream.on(event, done);
    });
  }
  /** Ends a wait. */
  interrupt(): void {
    this.wake?.();
  }
}

class StandardInput implements ConsoleInput {
  readonly interactive = process.stdin.isTTY;
  ended = false;
  private started = false;
  private wake: (() => void) | undefined;
  private readonly heard: () => void;

  /** @param heard called whenever input came */
  constructor(heard: () => void) {
    this.heard = heard;
  }
  start(onBytes: (bytes: Uint8Array) => void): void {
    this.started = true;
    if (this.interactive) process.stdin.setRawMode(true);
    process.stdin.on('data', (bytes: Buffer) => {
      onBytes(bytes);
      this.wake?.();
      this.heard();
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
  /** Ends a wait. */
  interrupt(): void {
    this.wake?.();
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
