// The entropy device (virtio 1.2, 5.4). Its numbers come from a seed, so that runs repeat: fit for tests, not for keys.
import type { StateReader, StateWriter } from '../state-stream.ts';
import type { VirtioBackend } from './backend.ts';
import type { SplitQueue } from './queue.ts';

/** A turn fills at most so many buffers, of so many bytes each: a device may fill less than the driver asks for. */
const BATCH_BUFFERS = 8;
const BUFFER_BYTES = 4096;
const TURN_TICKS = 20_000n;

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** splitmix32: spreads a seed over a state. */
function* spread(seed: number): Generator<number> {
  let state = seed | 0;
  for (;;) {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    yield mixed ^ (mixed >>> 15);
  }
}

export class EntropyDevice implements VirtioBackend {
  readonly name = 'virtio-rng';
  readonly deviceType = 4;
  readonly classCode = 0x00_ff00;
  readonly features = 0n;
  readonly queueSizes = [64];
  readonly configuration = new Uint8Array();
  /** xoshiro128++ (Blackman and Vigna). It goes on over resets of the device, as entropy would. */
  private readonly state = new Uint32Array(4);

  /** @param seed 32 bits. */
  constructor(seed: number) {
    const words = spread(seed);
    for (let i = 0; i < 4; i++) this.state[i] = words.next().value ?? 0;
    if (this.state.every((word) => word === 0)) this.state[0] = 1; // the one state that gives nothing but zeros
  }
  private next(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.state;
    const result = (rotate((a + d) | 0, 7) + a) | 0;
    const [c2, d2] = [c ^ a, d ^ b];
    this.state.set([a ^ d2, b ^ c2, c2 ^ (b << 9), rotate(d2, 11)]);
    return result >>> 0;
  }

  service(_index: number, queue: SplitQueue): bigint | undefined {
    for (let buffers = 0; buffers < BATCH_BUFFERS; buffers++) {
      const chain = queue.take();
      if (chain === undefined) return undefined;
      const bytes = new Uint8Array(Math.min(chain.writableLength, BUFFER_BYTES));
      for (let at = 0; at < bytes.length; at += 4) {
        const word = this.next();
        for (let i = 0; i < 4; i++) bytes[at + i] = word >>> (8 * i); // past the end: ignored
      }
      queue.complete(chain, chain.write(0, bytes));
    }
    return TURN_TICKS;
  }
  reset(): void {
    // no request is remembered
  }
  save(writer: StateWriter): void {
    for (const word of this.state) writer.u32(word);
  }
  restore(reader: StateReader): void {
    for (let i = 0; i < 4; i++) this.state[i] = reader.u32();
  }
}
