/** The client's end of a connection in memory, for tests that send bytes. */
import { FrameReader } from '../../src/dap/framing.ts';
import type { Connection } from '../../src/dap/server.ts';
import type { Message } from './client.ts';

export class Peer implements Connection {
  readonly messages: Message[] = [];
  private readonly reader = new FrameReader();
  private bytesListener: (bytes: Uint8Array) => void = () => undefined;
  private endListener: () => void = () => undefined;
  private watchers: (() => void)[] = [];
  ended = false;
  readonly unsent = 0;

  onDrain(): void {}
  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.bytesListener = listener;
  }
  onEnd(listener: () => void): void {
    this.endListener = listener;
  }
  write(bytes: Uint8Array): void {
    for (const frame of this.reader.push(bytes)) if (frame.ok) this.messages.push(frame.message as Message);
    for (const watcher of this.watchers.splice(0)) watcher();
  }
  end(): void {
    this.ended = true;
  }
  send(bytes: Uint8Array): void {
    this.bytesListener(bytes);
  }
  vanish(): void {
    this.endListener();
  }
  async until(accept: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(accept);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.watchers.push(resolve));
    }
  }
  response(seq: number): Promise<Message> {
    return this.until((message) => message['request_seq'] === seq);
  }
}
