/** A debug adapter on a byte stream: standard input and output, or a socket. */
import { createAdapter } from './adapter.ts';
import { encodeMessage, FrameReader } from './framing.ts';
import type { AdapterHost } from './host.ts';
import type { P } from './protocol.ts';

/** One client's byte stream, in both directions. */
export interface Connection {
  onBytes(listener: (bytes: Uint8Array) => void): void;
  /** The client is gone: it closed its end, or the stream broke. Called once. */
  onEnd(listener: () => void): void;
  write(bytes: Uint8Array): void;
  /** Lets what was written out, then closes. */
  end(): void;
}

/** Serves one client until it is gone or has disconnected; never rejects because of what a client does. */
export function serve(connection: Connection, host: AdapterHost): Promise<void> {
  return new Promise((resolve) => {
    const reader = new FrameReader();
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
      finish,
    );
    const take = (frames: ReturnType<FrameReader['push']>): void => {
      for (const frame of frames) {
        if (frame.ok) adapter.server.handleMessage(frame.message as P.ProtocolMessage);
        else adapter.complain(frame.error.message);
      }
    };
    connection.onBytes((bytes) => take(reader.push(bytes)));
    connection.onEnd(() => {
      take(reader.end());
      finish();
    });
  });
}
