/** A client for tests and the demo: speaks to an adapter in this thread and waits for what it says. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createAdapter } from '../../src/dap/adapter.ts';
import { encodeMessage, FrameReader } from '../../src/dap/framing.ts';
import { GUARD_PREFIX } from '../../src/entry/guard.ts';
import type { AdapterHost } from '../../src/dap/host.ts';
import { ProtocolSchema } from '../harness/protocol-schema.ts';

const schema = new ProtocolSchema();

export type Message = Readonly<Record<string, unknown>>;

/** An error response, as a value that tests can look at. */
export class RequestFailed extends Error {
  readonly response: P.Response;
  constructor(response: P.Response) {
    super(response.message ?? 'failed');
    this.response = response;
  }
  get id(): number | undefined {
    const body: unknown = this.response.body;
    const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
    return typeof error === 'object' && error !== null && 'id' in error ? Number(error.id) : undefined;
  }
}

/** The way to an adapter and back. */
export interface Transport {
  send(message: unknown): Promise<void>;
  close(): Promise<void>;
}
export type Connect = (receive: (message: Message) => void) => Transport;

/** An adapter in this thread. */
export function inProcess(host: AdapterHost): Connect {
  return (receive) => {
    const adapter = createAdapter(host, (message) => receive(message as unknown as Message));
    return { send: (message) => adapter.receive(message), close: () => adapter.close() };
  };
}

/** An adapter behind a socket. Closing ends it without a disconnect. */
export function overSocket(socket: Socket): Connect {
  return (receive) => {
    const reader = new FrameReader();
    socket.on('data', (bytes: Buffer) => {
      for (const frame of reader.push(bytes)) {
        if (!frame.ok) throw new Error(`the adapter sent something broken: ${frame.error.message}`);
        receive(frame.message as Message);
      }
    });
    return {
      send: (message) => {
        if (socket.writable) socket.write(encodeMessage(message));
        return Promise.resolve();
      },
      close: () =>
        new Promise((resolve) => {
          socket.once('close', () => resolve());
          socket.destroy();
        }),
    };
  };
}

/** `trapline dap` on standard input and output of a process of its own. */
export function childProcess(command: string, argument: readonly string[]): Connect {
  return (receive) => {
    const child = spawn(command, argument, { stdio: ['pipe', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      process.stderr.write(text);
    });
    const reader = new FrameReader();
    child.stdout.on('data', (bytes: Buffer) => {
      for (const frame of reader.push(bytes)) {
        if (!frame.ok) throw new Error(`the adapter sent something broken: ${frame.error.message}`);
        receive(frame.message as Message);
      }
    });
    // What only the last net caught is a fault all the same: whoever closes the connection hears of it.
    const exited = new Promise<void>((resolve, reject) =>
      child.on('close', () => {
        const faults = stderr.split('\n').filter((line) => line.includes(GUARD_PREFIX));
        if (faults.length === 0) resolve();
        else reject(new Error(`the adapter passed over errors of its own:\n${faults.join('\n')}`));
      }),
    );
    exited.catch(() => undefined); // it may close before anybody waits
    return {
      send: (message) => {
        child.stdin.write(encodeMessage(message));
        return Promise.resolve();
      },
      close: () => {
        child.stdin.end();
        return exited;
      },
    };
  };
}

interface Waiting {
  readonly accept: (message: P.Event) => boolean;
  readonly resolve: (message: P.Event) => void;
}

export class Client {
  readonly messages: Message[] = [];
  /** Called for each message in either direction. */
  onMessage: (direction: 'to' | 'from', message: Message) => void = () => undefined;
  private readonly transport: Transport;
  private readonly pending = new Map<number, (response: P.Response) => void>();
  private waiting: Waiting[] = [];
  /** Events that nobody has waited for yet. */
  private events: P.Event[] = [];
  private sequence = 1;
  /** What is not as the protocol's schema says. */
  private readonly faults: string[] = [];

  constructor(connect: Connect) {
    this.transport = connect((message) => this.take(message));
  }

  private take(message: Message): void {
    this.messages.push(message);
    const fault = schema.fault(message);
    if (fault !== undefined) this.faults.push(fault);
    this.onMessage('from', message);
    if (message['type'] === 'response') {
      const response = message as unknown as P.Response;
      this.pending.get(response.request_seq)?.(response);
      this.pending.delete(response.request_seq);
    } else if (message['type'] === 'event') {
      const event = message as unknown as P.Event;
      const waiter = this.waiting.find(({ accept }) => accept(event));
      if (waiter === undefined) this.events.push(event);
      else {
        this.waiting = this.waiting.filter((one) => one !== waiter);
        waiter.resolve(event);
      }
    }
  }

  /** Sends a request; resolves with the body, rejects with RequestFailed. */
  async request<Body = unknown>(command: string, argument?: unknown): Promise<Body> {
    const seq = this.sequence++;
    const message = { seq, type: 'request', command, ...(argument === undefined ? {} : { arguments: argument }) };
    this.onMessage('to', message);
    const answer = new Promise<P.Response>((resolve) => this.pending.set(seq, resolve));
    void this.transport.send(JSON.parse(JSON.stringify(message)));
    const response = await answer;
    if (!response.success) throw new RequestFailed(response);
    return response.body as Body;
  }
  /** Sends anything at all. */
  raw(message: unknown): Promise<void> {
    return this.transport.send(message);
  }

  /** The next event of this name that was not taken before. */
  event<Body = unknown>(name: string, accept: (body: Body) => boolean = () => true): Promise<Body> {
    const fits = (event: P.Event): boolean => event.event === name && accept(event.body as Body);
    const index = this.events.findIndex(fits);
    const found = index < 0 ? undefined : this.events.splice(index, 1)[0];
    if (found !== undefined) return Promise.resolve(found.body as Body);
    return new Promise((resolve) => {
      this.waiting.push({ accept: fits, resolve: (event) => resolve(event.body as Body) });
    });
  }
  /** The stopped event of the next stop that names the focused thread; the others of the same stop are dropped. */
  async stopped(): Promise<P.StoppedEvent['body']> {
    const body = await this.event<P.StoppedEvent['body']>('stopped', (one) => one.allThreadsStopped === true);
    return body;
  }
  forgetEvents(): void {
    this.events = [];
  }
  /** Rejects when any message of the adapter was not as the protocol says. */
  async close(): Promise<void> {
    await this.transport.close();
    assert.deepEqual(this.faults, [], 'messages that are not as the protocol says');
  }

  async launch(
    argument: Readonly<Record<string, unknown>>,
    configure: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    await this.request('initialize', {
      clientID: 'vscode',
      adapterID: 'trapline',
      linesStartAt1: true,
      columnsStartAt1: true,
    });
    await this.request('launch', argument);
    await this.event('initialized');
    await configure();
    await this.request('configurationDone');
  }
}
