// One client's byte stream on Node: standard input and output, or a socket.
import type { Readable, Writable } from 'node:stream';
import type { Connection } from '../dap/server.ts';

/** Unsent bytes above which nothing more is read: answers to what a client asks and never takes have to stay somewhere, too. */
const READING_LIMIT = 32 * 2 ** 20;

export interface StreamConnection extends Connection {
  /** Ends the connection from this side: the same to the session as a client that goes away. */
  close(): void;
}

/** @param end lets what was written out, then closes the stream */
export function streamConnection(input: Readable, output: Writable, end: () => void): StreamConnection {
  let tellEnd: () => void = () => undefined;
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    tellEnd();
  };
  let waiting = false;
  for (const event of ['end', 'close', 'error']) input.on(event, finish);
  for (const event of ['close', 'error']) output.on(event, finish);
  output.on('drain', () => {
    if (!waiting) return;
    waiting = false;
    input.resume();
  });
  return {
    onBytes: (listener) => {
      input.on('data', listener);
      input.resume();
    },
    onEnd: (listener) => {
      tellEnd = listener;
      if (over) listener();
    },
    write: (bytes) => {
      if (!output.writable) return;
      output.write(bytes);
      if (output.writableLength <= READING_LIMIT || waiting) return;
      waiting = true;
      input.pause();
    },
    get unsent() {
      return output.writable ? output.writableLength : 0;
    },
    onDrain: (listener) => {
      output.on('drain', listener);
      output.on('close', listener);
    },
    end,
    close: finish,
  };
}
