// One buffer that the driver made available: pieces of guest memory, first those that the device reads, then those that
// it writes (virtio 1.2, 2.7.4.2). How a request is cut into pieces means nothing (2.7.4.3), so devices see two streams.
import type { GuestMemory } from '../device.ts';

/** A piece of guest RAM. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

const lengthOf = (segments: readonly Segment[]): number => segments.reduce((sum, { length }) => sum + length, 0);

/** The parts of segments that bytes offset .. offset + length - 1 of the stream are in. */
function* parts(segments: readonly Segment[], offset: number, length: number): Generator<Segment> {
  let skip = offset;
  let left = length;
  for (const segment of segments) {
    if (left === 0) return;
    if (skip >= segment.length) {
      skip -= segment.length;
      continue;
    }
    const size = Math.min(segment.length - skip, left);
    yield { address: segment.address + skip, length: size };
    skip = 0;
    left -= size;
  }
}

export class DescriptorChain {
  /** Index of the first descriptor: the chain's name in the used ring. */
  readonly head: number;
  readonly readableLength: number;
  readonly writableLength: number;
  private readonly readable: readonly Segment[];
  private readonly writable: readonly Segment[];
  private readonly memory: GuestMemory;

  /** All segments have to be in RAM. */
  constructor(memory: GuestMemory, head: number, readable: readonly Segment[], writable: readonly Segment[]) {
    this.memory = memory;
    this.head = head;
    this.readable = readable;
    this.writable = writable;
    this.readableLength = lengthOf(readable);
    this.writableLength = lengthOf(writable);
  }
  /** Bytes that the driver wrote; fewer when there are fewer. The caller bounds `length`. */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.readableLength - offset)));
    let at = 0;
    for (const part of parts(this.readable, offset, bytes.length)) {
      const piece = this.memory.read(part.address, part.length);
      if (piece !== undefined) bytes.set(piece, at);
      at += part.length;
    }
    return bytes;
  }
  /** Writes bytes for the driver; what does not fit is left out. Answers how many were written. */
  write(offset: number, bytes: Uint8Array): number {
    let at = 0;
    for (const part of parts(this.writable, offset, bytes.length)) {
      this.memory.write(part.address, bytes.subarray(at, at + part.length));
      at += part.length;
    }
    return at;
  }
}
