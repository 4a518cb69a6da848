// The last net of a process or thread that serves sessions: a mistake of ours that nothing else caught costs one line, not the
// sessions of everybody. What is behind it is a fault all the same, so tests fail on the line.
import process from 'node:process';

/** How each line of the guard begins on standard error. */
export const GUARD_PREFIX = 'trapline: internal error, passed over: ';

/** Everything of an error that fits on one line: its message and where it was made. */
function oneLine(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.split('\n', 4).join(' ').replace(/\s+/g, ' ').trim();
}

/**
 * Keeps this thread alive whatever a promise, a timer or an event listener throws. To be called once, by an entry point.
 * @param tell receives the line beside standard error, for a client that should see it
 */
export function guardThread(tell: (line: string) => void = () => undefined): void {
  const survive = (error: unknown): void => {
    const line = `${GUARD_PREFIX}${oneLine(error)}`;
    process.stderr.write(`${line}\n`);
    tell(line);
  };
  process.on('uncaughtException', survive);
  process.on('unhandledRejection', survive);
}
