// The debug adapter on a listening socket: who comes in, one client at a time, and how it all ends.
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { tokenAdmission, everyone } from '../dap/admission.ts';
import { errorIds } from '../dap/errors.ts';
import { encodeMessage, FrameReader } from '../dap/framing.ts';
import { serve, type Door } from '../dap/server.ts';
import { isDapClient } from './first-bytes.ts';
import { createNodeAdapterHost } from './node-adapter-host.ts';
import { streamConnection, type StreamConnection } from './stream-connection.ts';
import { isToken } from './token.ts';

/** Connections at a time, with those that are about to be refused. */
const CONNECTIONS = 16;
/** Milliseconds in which a client shows the token; it keeps others out meanwhile. */
const TOKEN_PATIENCE = 60_000;
/** Milliseconds in which the other end takes the rest and closes. */
const CLOSING = 1000;
const BUSY =
  'Another client is connected to this debug adapter, which serves one at a time: end its session, or start another adapter.';

export interface ListenerOptions {
  /** What a client has to show; undefined: whoever reaches the socket is served. */
  readonly token: string | undefined;
  /** One line for the user. */
  readonly say: (line: string) => void;
}

export class DapListener {
  private readonly options: ListenerOptions;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private client: StreamConnection | undefined;
  private clientSocket: Socket | undefined;
  private ending = false;

  constructor(options: ListenerOptions) {
    this.options = options;
    this.server = createServer({ noDelay: true }, (socket) => void this.accept(socket));
    this.server.maxConnections = CONNECTIONS;
  }

  /** Listens; answers the port, 0 for a socket file. Rejects with the system's error. */
  listen(where: ListenOptions): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(where, () => {
        const address = this.server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  /** Ends the client's session and all other connections; resolves when nothing is open any more. */
  close(): Promise<void> {
    this.ending = true;
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.client?.close();
      for (const socket of this.sockets) if (socket !== this.clientSocket) socket.destroy();
    });
  }

  private async accept(socket: Socket): Promise<void> {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined); // a client that vanishes is its own business
    const { say } = this.options;
    const isClient = await isDapClient(socket, (why) => say(`closed a connection that is no debugger's: ${why}.`));
    if (!isClient) return;
    if (this.ending) socket.destroy();
    else if (this.client === undefined) await this.serve(socket);
    else refuse(socket);
  }

  private async serve(socket: Socket): Promise<void> {
    const { token, say } = this.options;
    const connection = streamConnection(socket, socket, () => endSocket(socket));
    this.client = connection;
    this.clientSocket = socket;
    const timer = setTimeout(() => {
      say(`let a client go: it showed no token within ${TOKEN_PATIENCE / 1000} s.`);
      connection.close();
    }, TOKEN_PATIENCE);
    if (token === undefined) clearTimeout(timer);
    const door: Door = {
      admission:
        token === undefined
          ? everyone
          : tokenAdmission(
              (given) => isToken(token, given),
              () => clearTimeout(timer),
            ),
      onBroken: (sentence) => say(`closed a client's connection: ${sentence}`),
    };
    try {
      await serve(connection, createNodeAdapterHost(), door);
    } finally {
      clearTimeout(timer);
      this.client = undefined;
      this.clientSocket = undefined;
    }
  }
}

/** Lets what was written out; a client that does not take it, or does not close its own end, is not waited for. */
function endSocket(socket: Socket): void {
  socket.end();
  const timer = setTimeout(() => socket.destroy(), CLOSING);
  socket.once('close', () => clearTimeout(timer));
}

/** Tells a second client why, in the answer to its first request. */
function refuse(socket: Socket): void {
  const reader = new FrameReader({ strict: true });
  const timer = setTimeout(() => socket.destroy(), CLOSING);
  socket.once('close', () => clearTimeout(timer));
  socket.on('data', (bytes) => {
    for (const frame of reader.push(bytes)) {
      const answer = frame.ok ? refusalOf(frame.message) : undefined;
      if (answer !== undefined) socket.write(encodeMessage(answer));
      socket.removeAllListeners('data');
      socket.resume(); // unread bytes would make the system reset the connection, and the answer be lost
      socket.end();
      return;
    }
  });
  socket.resume();
}

function refusalOf(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return undefined;
  const { seq, command } = message as Readonly<Record<string, unknown>>;
  if (typeof seq !== 'number' || typeof command !== 'string') return undefined;
  const error = { id: errorIds.busy, format: BUSY, showUser: true };
  return { seq: 1, type: 'response', request_seq: seq, command, success: false, message: BUSY, body: { error } };
}
