/**
 * Machine code as lines of text. Backward disassembly starts at symbols (functions), so the same address always gives
 * the same instructions, whichever window a client asks for.
 */
import { hexadecimal } from './bits.ts';
import type { ModuleSet } from './modules.ts';
import type { Target } from './target.ts';

export interface DisassembledInstruction {
  readonly address: bigint;
  /** Empty where nothing can be read. */
  readonly bytes: Uint8Array;
  readonly text: string;
  /** False for bytes that are no instruction and for memory that cannot be read. */
  readonly valid: boolean;
}

/** Decodes the instruction at the start of `bytes`; undefined when they are none. */
export type Decode = (
  bytes: Uint8Array,
  address: bigint,
  bits: 16 | 32 | 64,
  names: (address: bigint) => string | undefined,
) => { readonly length: number; readonly text: string } | undefined;

const LONGEST_INSTRUCTION = 15;
/** Further back than this no symbol is taken for a start: decoding that much for a few lines is too slow. */
const ANCHOR_DISTANCE = 0x10000n;
/** Where there are no symbols, decoding starts at multiples of this. */
const BLOCK = 256n;
const PIECE = 4096;

export class Disassembly {
  private readonly target: Target;
  private readonly modules: ModuleSet;
  private readonly decode: Decode;

  constructor(target: Target, modules: ModuleSet, decode: Decode) {
    this.target = target;
    this.modules = modules;
    this.decode = decode;
  }

  /** Exactly `count` rows: the row `skip` instructions away from the one at `address`, and those that follow. */
  async rows(
    vcpu: number,
    address: bigint,
    skip: number,
    count: number,
    bits: 16 | 32 | 64,
  ): Promise<readonly DisassembledInstruction[]> {
    const rows: DisassembledInstruction[] = [];
    if (skip < 0) rows.push(...(await this.before(vcpu, address, -skip, bits)).slice(0, count));
    if (rows.length < count) {
      const forward = this.after(vcpu, address, Math.max(0, skip) + count - rows.length, bits);
      rows.push(...forward.slice(Math.max(0, skip)));
    }
    return rows;
  }

  /** `count` instructions from the address on. */
  after(vcpu: number, address: bigint, count: number, bits: 16 | 32 | 64): readonly DisassembledInstruction[] {
    const rows: DisassembledInstruction[] = [];
    let at = address;
    while (rows.length < count) {
      const memory = this.target.readLinear(vcpu, at, PIECE);
      if (memory.length === 0) {
        rows.push(unreadable(at));
        at = BigInt.asUintN(64, at + 1n);
        continue;
      }
      let offset = 0;
      while (
        rows.length < count &&
        (memory.length - offset >= LONGEST_INSTRUCTION || (memory.length < PIECE && offset < memory.length))
      ) {
        const row = this.one(memory.subarray(offset), at, bits);
        rows.push(row);
        offset += row.bytes.length;
        at = BigInt.asUintN(64, at + BigInt(row.bytes.length));
      }
    }
    return rows;
  }

  /** Instructions of [start, end); the last one is cut to bytes when it would reach beyond. */
  range(vcpu: number, start: bigint, end: bigint, bits: 16 | 32 | 64): readonly DisassembledInstruction[] {
    const rows: DisassembledInstruction[] = [];
    const memory = this.target.readLinear(vcpu, start, Number(end - start));
    let at = start;
    while (at < end) {
      const offset = Number(at - start);
      if (offset >= memory.length) {
        rows.push(unreadable(at));
        at++;
        continue;
      }
      const row = this.one(memory.subarray(offset), at, bits);
      const fits = at + BigInt(row.bytes.length) <= end;
      const kept = fits ? row : bad(memory.subarray(offset, offset + 1), at);
      rows.push(kept);
      at += BigInt(kept.bytes.length);
    }
    return rows;
  }

  /** The `count` instructions that end at the address. */
  private async before(
    vcpu: number,
    address: bigint,
    count: number,
    bits: 16 | 32 | 64,
  ): Promise<readonly DisassembledInstruction[]> {
    let rows: readonly DisassembledInstruction[] = [];
    let cursor = address;
    while (rows.length < count && cursor > 0n) {
      const start = await this.anchor(cursor);
      const piece =
        this.target.readLinear(vcpu, start, 1).length === 0
          ? this.unreadableBlock(vcpu, start, cursor, count - rows.length)
          : this.range(vcpu, start, cursor, bits);
      rows = [...piece, ...rows];
      cursor = piece[0]?.address ?? start;
    }
    if (rows.length >= count) return rows.slice(rows.length - count);
    // Below address 0 there is nothing, but the protocol wants every row.
    const missing = count - rows.length;
    return [...Array.from({ length: missing }, () => unreadable(0n)), ...rows];
  }

  private unreadableBlock(vcpu: number, start: bigint, end: bigint, count: number): readonly DisassembledInstruction[] {
    const rows: DisassembledInstruction[] = [];
    let at = end;
    while (rows.length < count && at > start && this.target.readLinear(vcpu, at - 1n, 1).length === 0)
      rows.unshift(unreadable(--at));
    return rows.length > 0 ? rows : [unreadable(end - 1n)];
  }

  /** Where decoding towards an address begins: the symbol before it, else a multiple of 256. */
  private async anchor(address: bigint): Promise<bigint> {
    const block = ((address - 1n) / BLOCK) * BLOCK;
    const hit = await this.modules.symbolAt(address - 1n);
    if (hit === undefined || hit.symbol.kind === 'object') return block;
    const start = hit.module.run(hit.symbol.address);
    const end = start + hit.symbol.size;
    if (hit.symbol.size > 0n && address > end) return block > end ? block : end;
    return address - start > ANCHOR_DISTANCE ? block : start;
  }

  private one(bytes: Uint8Array, address: bigint, bits: 16 | 32 | 64): DisassembledInstruction {
    const decoded = this.decode(bytes.subarray(0, LONGEST_INSTRUCTION), address, bits, this.modules.symbolize);
    if (decoded === undefined || decoded.length === 0 || decoded.length > bytes.length)
      return bad(bytes.subarray(0, 1), address);
    return { address, bytes: bytes.slice(0, decoded.length), text: this.withSymbols(decoded.text), valid: true };
  }

  /** Adds `<symbol+offset>` behind addresses inside known modules. */
  private withSymbols(text: string): string {
    if (text.includes('<')) return text;
    // a RIP-relative operand's address stands behind "#"
    const address = (/# (0x[0-9a-f]+)$/.exec(text) ?? /(0x[0-9a-f]{5,16})\b/i.exec(text))?.[1];
    const name = address === undefined ? undefined : this.modules.symbolize(BigInt(address));
    return name === undefined ? text : `${text} <${name}>`;
  }
}

function bad(bytes: Uint8Array, address: bigint): DisassembledInstruction {
  return { address, bytes: bytes.slice(), text: `.byte ${hexadecimal(BigInt(bytes[0] ?? 0), 2)}`, valid: false };
}
function unreadable(address: bigint): DisassembledInstruction {
  return { address, bytes: new Uint8Array(0), text: '<unreadable>', valid: false };
}

/** `48 89 e5` */
export function bytesText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
