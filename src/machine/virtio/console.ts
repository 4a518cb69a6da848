// The console device (virtio 1.2, 5.3) with one port: a second line between guest and host, /dev/hvc0 to Linux.
import type { StateReader, StateWriter } from '../state-stream.ts';
import type { VirtioBackend } from './backend.ts';
import type { SplitQueue } from './queue.ts';

const RECEIVE = 0;
const TRANSMIT = 1;
const BATCH_BUFFERS = 16;
/** Bytes of one buffer that are passed on; a longer one is not what any driver sends. */
const BUFFER_BYTES = 64 * 1024;
const TURN_TICKS = 20_000n;

export class ConsoleDevice implements VirtioBackend {
  readonly name = 'virtio-console';
  readonly deviceType = 3;
  readonly classCode = 0x07_8000;
  readonly features = 0n;
  readonly queueSizes = [64, 64];
  readonly configuration = new Uint8Array(12); // columns, rows, ports: not offered
  private readonly output: (bytes: Uint8Array) => void;
  /** Host input that the guest has given no buffer for yet. Part of the guest state, since it was stamped when it was sent. */
  private waiting = new Uint8Array();

  /** @param output gets what the guest sends. */
  constructor(output: (bytes: Uint8Array) => void) {
    this.output = output;
  }
  /** Input from outside; afterwards the receive queue has to be attended to. */
  send(bytes: Uint8Array): void {
    const waiting = new Uint8Array(this.waiting.length + bytes.length);
    waiting.set(this.waiting);
    waiting.set(bytes, this.waiting.length);
    this.waiting = waiting;
  }
  /** The queue that input goes into. */
  readonly inputQueue = RECEIVE;

  service(index: number, queue: SplitQueue): bigint | undefined {
    return index === TRANSMIT ? this.transmit(queue) : this.receive(queue);
  }
  private transmit(queue: SplitQueue): bigint | undefined {
    for (let buffers = 0; buffers < BATCH_BUFFERS; buffers++) {
      const chain = queue.take();
      if (chain === undefined) return undefined;
      const bytes = chain.read(0, BUFFER_BYTES);
      if (bytes.length > 0) this.output(bytes);
      queue.complete(chain, 0);
    }
    return TURN_TICKS;
  }
  private receive(queue: SplitQueue): bigint | undefined {
    for (let buffers = 0; buffers < BATCH_BUFFERS; buffers++) {
      if (this.waiting.length === 0) return undefined;
      const chain = queue.take();
      if (chain === undefined) return undefined;
      const written = chain.write(0, this.waiting.subarray(0, BUFFER_BYTES));
      this.waiting = this.waiting.slice(written);
      queue.complete(chain, written);
    }
    return TURN_TICKS;
  }
  reset(): void {
    // what was sent is still to be delivered, to whoever comes next
  }
  save(writer: StateWriter): void {
    writer.bytes(this.waiting);
  }
  restore(reader: StateReader): void {
    this.waiting = reader.bytes().slice();
  }
}
