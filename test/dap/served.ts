/** `trapline dap` in a process of its own, listening, and clients of it on sockets. */
import { spawn, type ChildProcess } from 'node:child_process';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { encodeMessage, FrameReader } from '../../src/dap/framing.ts';
import { repository } from './story.ts';

export type Message = Readonly<Record<string, unknown>>;

const cli = path.join(repository, 'src/entry/cli.ts');

/** Starts the command line from its sources. */
export function startCli(args: readonly string[], stdio: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', cli, ...args], { cwd: repository, stdio: [stdio, stdio, 'pipe'] });
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** An adapter that listens. */
export class Served {
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
  stderr = '';
  private watchers: (() => void)[] = [];

  constructor(args: readonly string[]) {
    this.child = startCli(['dap', ...args]);
    this.child.stderr?.on('data', (bytes: Buffer) => {
      this.stderr += bytes.toString();
      for (const watcher of this.watchers.splice(0)) watcher();
    });
    this.exit = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve({ code, signal })));
  }
  /** The first match on standard error. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stderr);
      if (match !== null) return match;
      const more = new Promise<void>((resolve) => this.watchers.push(resolve));
      const gone = await Promise.race([more, this.exit]);
      if (gone !== undefined && pattern.exec(this.stderr) === null)
        throw new Error(`the adapter ended (${gone.code ?? gone.signal}) without saying ${pattern}: ${this.stderr}`);
    }
  }
  async port(): Promise<number> {
    return Number((await this.says(/127\.0\.0\.1:(\d+)\n/))[1]);
  }
  async token(): Promise<string> {
    return (await this.says(/token ([0-9a-f]{40})\n/))[1] ?? '';
  }
  /** Ends it, if it has not ended. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.exit;
  }
}

/** One client on a socket. */
export class SocketClient {
  readonly socket: Socket;
  readonly messages: Message[] = [];
  /** Everything that came, as it came. */
  bytes = Buffer.alloc(0);
  readonly closed: Promise<void>;
  error: Error | undefined;
  private readonly reader = new FrameReader();
  private watchers: (() => void)[] = [];
  private over = false;
  private sequence = 1;

  constructor(where: NetConnectOpts) {
    this.socket = connect(where);
    this.socket.on('error', (error) => (this.error = error));
    this.socket.on('data', (bytes) => {
      this.bytes = Buffer.concat([this.bytes, bytes]);
      for (const frame of this.reader.push(bytes)) if (frame.ok) this.messages.push(frame.message as Message);
      this.wake();
    });
    this.closed = new Promise((resolve) =>
      this.socket.once('close', () => {
        this.over = true;
        this.wake();
        resolve();
      }),
    );
  }
  private wake(): void {
    for (const watcher of this.watchers.splice(0)) watcher();
  }
  /** Sends a request; resolves with its response, rejects when the connection ends before. */
  request(command: string, argument: unknown = {}): Promise<Message> {
    const seq = this.sequence++;
    this.socket.write(encodeMessage({ seq, type: 'request', command, arguments: argument }));
    return this.until((message) => message['request_seq'] === seq);
  }
  event(name: string): Promise<Message> {
    return this.until((message) => message['event'] === name);
  }
  async until(accept: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(accept);
      if (found !== undefined) return found;
      if (this.over) throw new Error(`the connection ended: ${this.error?.message ?? 'closed'}`);
      await new Promise<void>((resolve) => this.watchers.push(resolve));
    }
  }
}
