/** A debug adapter on a byte stream: standard input and output, or a socket. */
import { createAdapter } from './adapter.ts';
import type { Admission } from './admission.ts';
import { encodeMessage, FrameReader } from './framing.ts';
import type { AdapterHost } from './host.ts';
import type { Outlet } from './outlet.ts';
import type { P } from './protocol.ts';

/** One client's byte stream, in both directions. */
export interface Connection extends Outlet {
  onBytes(listener: (bytes: Uint8Array) => void): void;
  /** The client is gone: it closed its end, or the stream broke. Called once. */
  onEnd(listener: () => void): void;
  write(bytes: Uint8Array): void;
  /** Lets what was written out, then closes. */
  end(): void;
}

/** What a stream that others can reach asks of its client. */
export interface Door {
  readonly admission: Admission;
  /** Gets the one sentence when a header is broken: such a stream is closed, for what follows may be anything. */
  readonly onBroken: (sentence: string) => void;
}

/**
 * Serves one client until it is gone or has disconnected; never rejects because of what a client does.
 * @param door without one the stream is trusted, and broken headers are said to the client and passed over
 */
export function serve(connection: Connection, host: AdapterHost, door?: Door): Promise<void> {
  return new Promise((resolve) => {
    const reader = new FrameReader({ strict: door !== undefined });
    let over = false;
    const finish = (): void => {
      if (over) return;
      over = true;
      void adapter.close().finally(() => {
        connection.end();
        resolve();
      });
    };
    const adapter = createAdapter(
      host,
      (message) => {
        if (!over) connection.write(encodeMessage(message));
      },
      { onDisconnect: finish, outlet: connection, ...(door === undefined ? {} : { admission: door.admission }) },
    );
    const take = (frames: ReturnType<FrameReader['push']>): void => {
      for (const frame of frames) {
        if (frame.ok) {
          adapter.server.handleMessage(frame.message as P.ProtocolMessage);
        } else if (door !== undefined && frame.error.fatal === true) {
          door.onBroken(frame.error.message);
          finish();
        } else {
          adapter.complain(frame.error.message);
        }
      }
    };
    connection.onBytes((bytes) => take(reader.push(bytes)));
    connection.onEnd(() => {
      take(reader.end());
      finish();
    });
  });
}
