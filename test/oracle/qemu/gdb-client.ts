// The few packets of the gdb remote protocol that the comparison needs (GDB manual, appendix E), over a socket.
import { connect, type Socket } from 'node:net';

/** Milliseconds after which a stub that says nothing is given up. */
const SILENCE = 20_000;

const checksum = (text: string): string => {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum = (sum + text.charCodeAt(i)) & 0xff;
  return sum.toString(16).padStart(2, '0');
};
const toHex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

export class GdbClient {
  private readonly socket: Socket;
  private received = '';
  private readonly packets: string[] = [];
  private waiting: ((packet: string) => void) | undefined;
  private failed: Error | undefined;
  private fail: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => this.take(data.toString('latin1')));
    const lost = (): void => this.lose(new Error('the gdb stub closed the connection'));
    socket.on('error', lost);
    socket.on('close', lost);
  }
  /** Connects to a stub that listens on a local socket. */
  static open(path: string): Promise<GdbClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new GdbClient(socket));
      });
    });
  }
  close(): void {
    this.socket.destroy();
  }
  private lose(error: Error): void {
    this.failed ??= error;
    this.fail?.(error);
  }
  private take(data: string): void {
    this.received += data;
    for (;;) {
      const start = this.received.indexOf('$');
      if (start < 0) return;
      const end = this.received.indexOf('#', start);
      if (end < 0 || this.received.length < end + 3) return;
      const packet = this.received.slice(start + 1, end);
      this.received = this.received.slice(end + 3);
      this.socket.write('+');
      const { waiting } = this;
      this.waiting = undefined;
      if (waiting === undefined) this.packets.push(packet);
      else waiting(packet);
    }
  }
  private next(): Promise<string> {
    const packet = this.packets.shift();
    if (packet !== undefined) return Promise.resolve(packet);
    if (this.failed !== undefined) return Promise.reject(this.failed);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.lose(new Error('the gdb stub does not answer')), SILENCE);
      this.waiting = (reply) => {
        clearTimeout(timer);
        resolve(reply);
      };
      this.fail = (error) => {
        clearTimeout(timer);
        reject(error);
      };
    });
  }
  private send(text: string): void {
    this.socket.write(`$${text}#${checksum(text)}`);
  }
  /** Sends a packet and answers the reply. */
  async ask(text: string): Promise<string> {
    this.send(text);
    return this.next();
  }
  private async expectOk(text: string): Promise<void> {
    const reply = await this.ask(text);
    if (reply !== 'OK') throw new Error(`the gdb stub answers ${reply} to ${text.slice(0, 60)}`);
  }
  writeMemory(address: number, data: Uint8Array): Promise<void> {
    return this.expectOk(`M${address.toString(16)},${data.length.toString(16)}:${toHex(data)}`);
  }
  insertBreakpoint(address: number): Promise<void> {
    return this.expectOk(`Z0,${address.toString(16)},1`);
  }
  removeBreakpoint(address: number): Promise<void> {
    return this.expectOk(`z0,${address.toString(16)},1`);
  }
  /** One instruction. */
  step(): Promise<string> {
    return this.ask('s');
  }
  /** Runs to the next stop; after `patience` milliseconds it is interrupted: undefined. */
  async go(patience: number): Promise<string | undefined> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.socket.write('\x03');
    }, patience);
    try {
      const stop = await this.ask('c');
      return late ? undefined : stop;
    } finally {
      clearTimeout(timer);
    }
  }
  /** A command of the monitor behind the stub; answers what it prints. */
  async monitor(command: string): Promise<string> {
    let reply = await this.ask(`qRcmd,${toHex(Buffer.from(command))}`);
    let text = '';
    while (reply !== 'OK') {
      if (!reply.startsWith('O')) throw new Error(`the monitor answers ${reply} to ${command}`);
      text += Buffer.from(reply.slice(1), 'hex').toString();
      reply = await this.next();
    }
    return text;
  }
}
