// The byte stream of the guest state. save() and digest() run the same code over two kinds of writer, so what the digest
// covers is what a snapshot holds, by construction. All numbers are little-endian.

/** Receives the guest state piece by piece. */
export interface StateWriter {
  u8(value: number): void;
  bool(value: boolean): void;
  u16(value: number): void;
  u32(value: number): void;
  u64(value: bigint): void;
  /** A bigint that may be absent. */
  optional64(value: bigint | undefined): void;
  /** Length (u32), then the bytes. */
  bytes(data: Uint8Array): void;
  /** The bytes alone; the reader has to know how many. */
  raw(data: Uint8Array): void;
  text(value: string): void;
}

/** A snapshot that does not fit: damaged, cut off, or of another machine. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly code: 'truncated' | 'format' | 'mismatch';
  /** Byte of the snapshot at which it was noticed. */
  readonly offset: number;

  constructor(code: 'truncated' | 'format' | 'mismatch', offset: number, message: string) {
    super(`Snapshot, offset 0x${offset.toString(16)}: ${message}`);
    this.code = code;
    this.offset = offset;
  }
}

/** The common part: everything comes down to raw(). */
abstract class EncodingWriter implements StateWriter {
  private readonly scratch = new Uint8Array(8);
  private readonly view = new DataView(this.scratch.buffer);
  private readonly one = this.scratch.subarray(0, 1);
  private readonly two = this.scratch.subarray(0, 2);
  private readonly four = this.scratch.subarray(0, 4);

  abstract raw(data: Uint8Array): void;

  u8(value: number): void {
    this.view.setUint8(0, value);
    this.raw(this.one);
  }
  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }
  u16(value: number): void {
    this.view.setUint16(0, value, true);
    this.raw(this.two);
  }
  u32(value: number): void {
    this.view.setUint32(0, value, true);
    this.raw(this.four);
  }
  u64(value: bigint): void {
    this.view.setBigUint64(0, value, true);
    this.raw(this.scratch);
  }
  optional64(value: bigint | undefined): void {
    this.bool(value !== undefined);
    this.u64(value ?? 0n);
  }
  bytes(data: Uint8Array): void {
    this.u32(data.length);
    this.raw(data);
  }
  text(value: string): void {
    this.bytes(new TextEncoder().encode(value));
  }
}

/** Collects the stream in memory. */
export class BufferWriter extends EncodingWriter {
  private data = new Uint8Array(1 << 16);
  private length = 0;

  override raw(data: Uint8Array): void {
    const end = this.length + data.length;
    if (end > this.data.length) {
      const larger = new Uint8Array(Math.max(end, this.data.length * 2));
      larger.set(this.data.subarray(0, this.length));
      this.data = larger;
    }
    this.data.set(data, this.length);
    this.length = end;
  }

  /** What was written so far, in a buffer of its own. */
  finish(): Uint8Array {
    return this.data.slice(0, this.length);
  }
}

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

/** MurmurHash3_x86_128 (Appleby, public domain) as a stream: stable over hosts and versions, not cryptographic. */
export class DigestWriter extends EncodingWriter {
  private h1 = 0;
  private h2 = 0;
  private h3 = 0;
  private h4 = 0;
  private total = 0;
  private readonly pending = new Uint8Array(16);
  private readonly pendingView = new DataView(this.pending.buffer);
  private pendingLength = 0;

  override raw(data: Uint8Array): void {
    this.total += data.length;
    let at = 0;
    if (this.pendingLength > 0) {
      const take = Math.min(16 - this.pendingLength, data.length);
      this.pending.set(data.subarray(0, take), this.pendingLength);
      this.pendingLength += take;
      at = take;
      if (this.pendingLength < 16) return;
      this.blocks(this.pendingView, 16);
      this.pendingLength = 0;
    }
    const whole = (data.length - at) & ~15;
    if (whole > 0) this.blocks(new DataView(data.buffer, data.byteOffset + at, whole), whole);
    this.pending.set(data.subarray(at + whole));
    this.pendingLength = data.length - at - whole;
  }

  private blocks(view: DataView, size: number): void {
    let { h1, h2, h3, h4 } = this;
    for (let i = 0; i < size; i += 16) {
      h1 ^= Math.imul(rotate(Math.imul(view.getInt32(i, true), C1), 15), C2);
      h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
      h2 ^= Math.imul(rotate(Math.imul(view.getInt32(i + 4, true), C2), 16), C3);
      h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
      h3 ^= Math.imul(rotate(Math.imul(view.getInt32(i + 8, true), C3), 17), C4);
      h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
      h4 ^= Math.imul(rotate(Math.imul(view.getInt32(i + 12, true), C4), 18), C1);
      h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
    }
    this.h1 = h1;
    this.h2 = h2;
    this.h3 = h3;
    this.h4 = h4;
  }

  /** The digest so far, 32 hexadecimal digits. Ends the stream. */
  finish(): string {
    const tail = this.total & 15;
    if (tail > 0) {
      this.pending.fill(0, tail);
      const view = this.pendingView;
      this.h4 ^= Math.imul(rotate(Math.imul(view.getInt32(12, true), C4), 18), C1);
      this.h3 ^= Math.imul(rotate(Math.imul(view.getInt32(8, true), C3), 17), C4);
      this.h2 ^= Math.imul(rotate(Math.imul(view.getInt32(4, true), C2), 16), C3);
      this.h1 ^= Math.imul(rotate(Math.imul(view.getInt32(0, true), C1), 15), C2);
    }
    let hash = [this.h1, this.h2, this.h3, this.h4].map((h) => h ^ this.total);
    const spread = ([a = 0, b = 0, c = 0, d = 0]: number[]): number[] => {
      const sum = (a + b + c + d) | 0;
      return [sum, (b + sum) | 0, (c + sum) | 0, (d + sum) | 0];
    };
    hash = spread(spread(hash).map(finalMix));
    return hash.map((h) => (h >>> 0).toString(16).padStart(8, '0')).join('');
  }
}

function finalMix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Reads the stream back; every length is checked against what is there. */
export class StateReader {
  private readonly data: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(data: Uint8Array) {
    this.data = data;
    this.view = new DataView(data.buffer, data.byteOffset, data.length);
  }
  get offset(): number {
    return this.at;
  }
  get atEnd(): boolean {
    return this.at === this.data.length;
  }
  private take(size: number): number {
    const start = this.at;
    if (size > this.data.length - start) {
      throw new SnapshotError('truncated', start, `${size} bytes are missing; take a new snapshot.`);
    }
    this.at = start + size;
    return start;
  }
  u8(): number {
    return this.view.getUint8(this.take(1));
  }
  bool(): boolean {
    return this.u8() !== 0;
  }
  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }
  u64(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }
  optional64(): bigint | undefined {
    const present = this.bool();
    const value = this.u64();
    return present ? value : undefined;
  }
  /** A view of the next size bytes. */
  raw(size: number): Uint8Array {
    const start = this.take(size);
    return this.data.subarray(start, start + size);
  }
  bytes(): Uint8Array {
    return this.raw(this.u32());
  }
  text(): string {
    return new TextDecoder().decode(this.bytes());
  }
  /** Throws unless the stream goes on with exactly this text: tells sections and options apart. */
  expect(text: string, what: string): void {
    const start = this.at;
    const found = this.text();
    if (found !== text) {
      throw new SnapshotError('mismatch', start, `${what} is '${found}' here and '${text}' in this machine.`);
    }
  }
}
