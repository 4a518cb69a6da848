// What the system sends to end a process: the first SIGINT, SIGTERM or SIGHUP ends every mode of the command line cleanly.
// Locks and sockets are let go, a terminal is as it was, and the exit status is 128 and the signal's number, as shells say it.
import process from 'node:process';
import type { Writable } from 'node:stream';

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
/** Milliseconds that a clean end may take; then the process ends all the same. */
const PATIENCE = 5000;
/** Milliseconds in which whoever reads our output takes the rest of it. */
const LAST_WORDS = 1000;

export class EndSignals {
  /** The exit status, once a signal has come. */
  status: number | undefined;
  private readonly listeners: (() => void)[] = [];

  /** Begins to watch, for as long as the process lives. */
  constructor() {
    for (const [name, number] of Object.entries(NUMBERS)) process.on(name, () => this.take(128 + number));
  }

  /** Called once, at the first signal; at once when it has come already. */
  onEnd(listener: () => void): void {
    if (this.status === undefined) this.listeners.push(listener);
    else listener();
  }

  private take(status: number): void {
    if (this.status !== undefined) process.exit(this.status); // asked twice: now
    this.status = status;
    setTimeout(() => process.exit(status), PATIENCE).unref();
    for (const listener of this.listeners) listener();
  }
}

/** Resolves when all output has gone out, or when it seems that nobody takes it. */
export function lastWords(...outputs: readonly Writable[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      if (outputs.every((output) => output.writableLength === 0 || output.destroyed)) resolve();
    };
    for (const output of outputs) {
      output.on('drain', done);
      output.on('close', done);
    }
    setTimeout(resolve, LAST_WORDS).unref();
    done();
  });
}
