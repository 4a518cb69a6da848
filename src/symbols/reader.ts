/** A bounds-checked cursor over little-endian bytes. Every read past the end is a `SymbolError` with its place. */

import { SymbolError } from './api.ts';

/** Where bytes came from, for error messages. */
export interface ByteOrigin {
  /** The file's name. */
  readonly file: string;
  /** Section name, or null for headers. */
  readonly section: string | null;
  /** File offset of the reader's byte 0. */
  readonly fileOffset: number;
}

export class Reader {
  readonly bytes: Uint8Array;
  readonly origin: ByteOrigin;
  readonly #view: DataView;
  /** Index of the next byte. */
  position: number;
  /** Reads stop here. */
  readonly end: number;

  /** @param of a reader of the same bytes */
  constructor(bytes: Uint8Array, origin: ByteOrigin, position = 0, end = bytes.length, of?: Reader) {
    this.bytes = bytes;
    this.origin = origin;
    this.#view = of === undefined ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) : of.#view;
    this.position = position;
    this.end = Math.min(end, bytes.length);
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** A reader of the next `length` bytes; this one moves behind them. */
  slice(length: number): Reader {
    this.#need(length);
    const start = this.position;
    this.position += length;
    return new Reader(this.bytes, this.origin, start, start + length, this);
  }

  /** A reader of the same bytes at another place. */
  at(position: number, end: number = this.end): Reader {
    if (!(position >= 0 && position <= this.end)) throw this.malformed(`an offset (${position}) points outside`);
    return new Reader(this.bytes, this.origin, position, Math.min(end, this.end), this);
  }

  u8(): number {
    this.#need(1);
    return this.#view.getUint8(this.position++);
  }

  i8(): number {
    this.#need(1);
    return this.#view.getInt8(this.position++);
  }

  u16(): number {
    this.#need(2);
    const value = this.#view.getUint16(this.position, true);
    this.position += 2;
    return value;
  }

  i16(): number {
    this.#need(2);
    const value = this.#view.getInt16(this.position, true);
    this.position += 2;
    return value;
  }

  u24(): number {
    return this.u16() | (this.u8() << 16);
  }

  u32(): number {
    this.#need(4);
    const value = this.#view.getUint32(this.position, true);
    this.position += 4;
    return value;
  }

  i32(): number {
    this.#need(4);
    const value = this.#view.getInt32(this.position, true);
    this.position += 4;
    return value;
  }

  u64(): bigint {
    this.#need(8);
    const value = this.#view.getBigUint64(this.position, true);
    this.position += 8;
    return value;
  }

  i64(): bigint {
    this.#need(8);
    const value = this.#view.getBigInt64(this.position, true);
    this.position += 8;
    return value;
  }

  /** An unsigned integer of 1, 2, 4 or 8 bytes. */
  unsigned(size: number): bigint {
    switch (size) {
      case 1:
        return BigInt(this.u8());
      case 2:
        return BigInt(this.u16());
      case 4:
        return BigInt(this.u32());
      case 8:
        return this.u64();
      default:
        throw this.malformed(`an integer of ${size} bytes`);
    }
  }

  /** A 4- or 8-byte offset or length; one beyond 2^53 is malformed. */
  offset(size: 4 | 8): number {
    return size === 4 ? this.u32() : this.safe(this.u64());
  }

  /** DWARF 5, 7.6. At most 10 bytes count; the value is cut to 64 bits. */
  uleb(): bigint {
    let byte = this.u8();
    if (byte < 0x80) return BigInt(byte);
    let small = byte & 0x7f;
    let shift = 7;
    while (shift < 28) {
      byte = this.u8();
      small |= (byte & 0x7f) << shift;
      shift += 7;
      if (byte < 0x80) return BigInt(small);
    }
    let value = BigInt(small);
    for (;;) {
      byte = this.u8();
      if (shift < 70) value |= BigInt(byte & 0x7f) << BigInt(shift);
      else if (shift > 1024) throw this.malformed('an LEB128 number that does not end');
      shift += 7;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  }

  /** DWARF 5, 7.6. */
  sleb(): bigint {
    let value = 0n;
    let shift = 0;
    for (;;) {
      const byte = this.u8();
      if (shift < 70) value |= BigInt(byte & 0x7f) << BigInt(shift);
      else if (shift > 1024) throw this.malformed('an LEB128 number that does not end');
      shift += 7;
      if (byte < 0x80) {
        return BigInt.asIntN(64, BigInt.asIntN(Math.min(shift, 70), value));
      }
    }
  }

  /** An unsigned LEB128 that counts or indexes something. */
  ulebNumber(): number {
    return this.safe(this.uleb());
  }

  slebNumber(): number {
    const value = this.sleb();
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
      throw this.malformed(`a number out of range (${value})`);
    }
    return Number(value);
  }

  /** A view of the next bytes. */
  take(length: number): Uint8Array {
    this.#need(length);
    const start = this.position;
    this.position += length;
    return this.bytes.subarray(start, start + length);
  }

  skip(length: number): void {
    this.#need(length);
    this.position += length;
  }

  /** A string up to its NUL, which is consumed. */
  cString(): string {
    const nul = this.bytes.indexOf(0, this.position);
    if (nul < 0 || nul >= this.end) throw this.truncated('a string has no end');
    const text = decodeUtf8(this.bytes.subarray(this.position, nul));
    this.position = nul + 1;
    return text;
  }

  skipCString(): void {
    const nul = this.bytes.indexOf(0, this.position);
    if (nul < 0 || nul >= this.end) throw this.truncated('a string has no end');
    this.position = nul + 1;
  }

  /** A number from a 64-bit field; beyond 2^53 it cannot be an offset or a size of anything here. */
  safe(value: bigint): number {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.malformed(`a number out of range (${value})`);
    return Number(value);
  }

  malformed(what: string): SymbolError {
    return this.#error('malformed', `is malformed: ${what}`);
  }

  truncated(what: string): SymbolError {
    return this.#error('truncated', `is truncated: ${what}`);
  }

  #error(code: 'malformed' | 'truncated', problem: string): SymbolError {
    const { file, section } = this.origin;
    const offset = this.origin.fileOffset + this.position;
    const place = section === null ? '' : ` (section ${section})`;
    return new SymbolError({
      code,
      message: `${file} ${problem}, at file offset 0x${offset.toString(16)}${place}. Rebuild or copy the file again.`,
      file,
      offset,
      section,
    });
  }

  #need(length: number): void {
    if (!(length >= 0 && length <= this.end - this.position)) {
      throw this.truncated(`${length} bytes are needed and ${Math.max(0, this.end - this.position)} are there`);
    }
  }
}

const utf8 = new TextDecoder('utf-8');

/** Decodes UTF-8; bytes that are none become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}
