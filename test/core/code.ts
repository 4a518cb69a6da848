// A tiny assembler for tests: bytes in order, named places, and the few instructions that every test needs.

/** Machine code at a fixed linear address. Names are places in it. */
export class Code {
  private readonly bytes: number[] = [];
  private readonly places = new Map<string, number>();
  private readonly fixups: { at: number; size: 1 | 4; name: string }[] = [];
  readonly origin: number;

  constructor(origin: number) {
    this.origin = origin;
  }
  /** Address of the next byte. */
  get here(): number {
    return this.origin + this.bytes.length;
  }
  /** Appends raw bytes, as numbers or as a string of hexadecimal pairs. */
  raw(...parts: (string | number)[]): this {
    for (const part of parts) {
      if (typeof part === 'number') this.bytes.push(part & 0xff);
      else for (const pair of part.match(/[0-9a-fA-F]{2}/g) ?? []) this.bytes.push(Number.parseInt(pair, 16));
    }
    return this;
  }
  /** A little-endian value of 2, 4 or 8 bytes. */
  value(value: number | bigint, size: 2 | 4 | 8): this {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (let i = 0; i < size; i++, rest >>= 8n) this.bytes.push(Number(rest & 0xffn));
    return this;
  }
  /** Names this place. */
  at(name: string): this {
    this.places.set(name, this.here);
    return this;
  }
  /** Address of a named place. */
  place(name: string): bigint {
    const address = this.places.get(name);
    if (address === undefined) throw new Error(`no place "${name}"`);
    return BigInt(address);
  }
  /** An opcode with a relative target of 1 or 4 bytes. */
  relative(opcode: string, name: string, size: 1 | 4): this {
    this.raw(opcode);
    this.fixups.push({ at: this.bytes.length, size, name });
    for (let i = 0; i < size; i++) this.bytes.push(0);
    return this;
  }
  /** MOV r64, imm64; register by the encoding's number 0-15. */
  load(register: number, value: number | bigint): this {
    return this.raw(register >= 8 ? 0x49 : 0x48, 0xb8 + (register & 7)).value(value, 8);
  }
  finish(): Uint8Array {
    for (const { at, size, name } of this.fixups) {
      const delta = Number(this.place(name)) - (this.origin + at + size);
      for (let i = 0; i < size; i++) this.bytes[at + i] = (delta >> (8 * i)) & 0xff;
    }
    return Uint8Array.from(this.bytes);
  }
}

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSI = 6;
export const RDI = 7;
