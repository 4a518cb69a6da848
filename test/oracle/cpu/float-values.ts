// Operands and control words for floating-point instructions: numbers where results round, overflow, become tiny or invalid,
// with all rounding modes, masks, DAZ and FTZ.
import type { Decoded } from '../../../src/core/disassembler/instruction.ts';
import type { OpcodeRow } from '../../../src/core/opcodes/index.ts';
import { mmxRows } from '../../../src/core/opcodes/mmx.ts';
import { sseFloatRows } from '../../../src/core/opcodes/sse-float.ts';
import { pick, type Random } from '../../harness/random.ts';

/** An interchange format (IEEE 754-2019, 3.4). */
interface Format {
  readonly width: 32 | 64;
  readonly fractionBits: number;
  readonly bias: number;
}
const BINARY32: Format = { width: 32, fractionBits: 23, bias: 127 };
const BINARY64: Format = { width: 64, fractionBits: 52, bias: 1023 };

const conversions = mmxRows.filter(({ mnemonic }) => mnemonic.startsWith('CVT'));
const rows = new Set<OpcodeRow>([...sseFloatRows, ...conversions]);
export const isFloatRow = (row: OpcodeRow): boolean => rows.has(row);

function randomBits(random: Random, bits: number): bigint {
  let value = 0n;
  for (let have = 0; have < bits; have += 16) value = (value << 16n) | BigInt(random(0x10000));
  return BigInt.asUintN(bits, value);
}

/** Random, or with runs of equal bits, so that sums and products come to lie on and beside the middle of two results. */
function fraction(random: Random, bits: number): bigint {
  const kind = random(6);
  if (kind === 0) return 0n;
  if (kind === 1) return (1n << BigInt(bits)) - 1n - BigInt(random(4));
  if (kind === 2) return BigInt(random(8));
  if (kind === 3) return BigInt.asUintN(bits, BigInt(random(64)) << BigInt(bits - 6 + random(3)));
  if (kind === 4) return BigInt.asUintN(bits, (randomBits(random, bits) << BigInt(bits >> 1)) | BigInt(random(3)));
  return randomBits(random, bits);
}
function encode({ width, fractionBits }: Format, random: Random, exponent: number, significand: bigint): bigint {
  const sign = BigInt(random(2)) << BigInt(width - 1);
  return sign | (BigInt(exponent) << BigInt(fractionBits)) | significand;
}

/** Where the exponents of a case lie: so that not every case has one operand that decides everything. */
type Range = 'ordinary' | 'close' | 'integers' | 'half way to the ends' | 'ends' | 'any';
const RANGES: readonly Range[] = [
  'ordinary',
  'close',
  'close',
  'integers',
  'half way to the ends',
  'ends',
  'any',
  'any',
];

function finite(format: Format, range: Range, random: Random): bigint {
  const { bias, fractionBits, width } = format;
  const top = 2 * bias + 1;
  const exponents: Readonly<Record<Range, () => number>> = {
    ordinary: () => 1 + random(top - 1),
    close: () => bias + random(8) - 4,
    integers: () => bias - 2 + random(width === 32 ? 70 : 68),
    'half way to the ends': () =>
      (random(2) === 0 ? bias >> 1 : bias + (bias >> 1)) + random(fractionBits * 2) - fractionBits,
    ends: () => (random(2) === 0 ? random(fractionBits + 3) : top - 1 - random(3)),
    any: () => random(top),
  };
  return encode(format, random, exponents[range](), fraction(random, fractionBits));
}
function special(format: Format, random: Random): bigint {
  const { bias, fractionBits } = format;
  const infinity = 2 * bias + 1;
  const quiet = 1n << BigInt(fractionBits - 1);
  switch (random(6)) {
    case 0:
      return encode(format, random, 0, 0n);
    case 1:
      return encode(format, random, infinity, 0n);
    case 2: // QNaN
      return encode(format, random, infinity, quiet | randomBits(random, fractionBits - 1));
    case 3: // SNaN
      return encode(format, random, infinity, 1n + (randomBits(random, fractionBits - 1) % (quiet - 1n)));
    case 4: // denormal
      return encode(format, random, 0, 1n + BigInt(random(0x7fffff)));
    default: // around the smallest normal number
      return encode(format, random, random(2), random(2) === 0 ? 0n : (quiet << 1n) - 1n);
  }
}
function operand(format: Format, range: Range, specials: number, random: Random): bigint {
  return random(100) < specials ? special(format, random) : finite(format, range, random);
}

/** Formats of the elements of destination and source, `undefined` for integers. */
function formats(mnemonic: string): readonly [Format | undefined, Format | undefined] {
  const named = (text: string): Format | undefined =>
    /^[PS]S$/.test(text) ? BINARY32 : /^[PS]D$/.test(text) ? BINARY64 : undefined;
  const conversion = /^CVTT?(..)2(..)$/.exec(mnemonic);
  if (conversion !== null) return [named(conversion[2] ?? ''), named(conversion[1] ?? '')];
  if (mnemonic.startsWith('MOVS')) return [BINARY32, BINARY32];
  const format = /[PS]S$/.test(mnemonic) ? BINARY32 : BINARY64;
  return [format, format];
}

/** An integer that needs more digits than a significand has, about half of the time. */
function integer(width: 32 | 64, random: Random): bigint {
  const bits = 1 + random(width);
  const magnitude =
    (1n << BigInt(bits - 1)) | (fraction(random, Math.max(bits - 1, 7)) & ((1n << BigInt(bits - 1)) - 1n));
  return BigInt.asUintN(width, random(2) === 0 ? magnitude : -magnitude);
}

export interface FloatState {
  /** 16 registers of 16 bytes. */
  readonly xmm: Uint8Array;
  /** The memory operand. */
  readonly patch: Uint8Array;
  readonly mxcsr: number;
  /** For the general register that is the source. */
  readonly integer: bigint;
}

const MASKS = 0x1f80;
function controlWord(random: Random): number {
  const kind = random(8);
  const masks = kind === 0 ? random(64) << 7 : kind === 1 ? MASKS & ~(0x80 << random(6)) : MASKS;
  const sticky = random(3) === 0 ? random(64) : random(2) === 0 ? 0x20 : 0;
  const rounding = random(2) === 0 ? 0 : random(4) << 13;
  return masks | sticky | rounding | (random(6) === 0 ? 0x40 : 0) | (random(6) === 0 ? 0x8000 : 0);
}

/** The floating-point part of a case. */
export function floatState(decoded: Decoded, random: Random): FloatState {
  const [destination, source] = formats(decoded.row.mnemonic);
  const range = pick(random, RANGES);
  const specials = pick(random, [0, 0, 5, 20, 60]);
  const put = (bytes: Uint8Array, at: number, size: number, format: Format | undefined): void => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const width = format?.width ?? (decoded.operandSize === 8 ? 64 : 32);
    for (let offset = 0; offset < size; offset += width / 8) {
      const bits = format === undefined ? integer(width, random) : operand(format, range, specials, random);
      if (width === 32) view.setUint32(at + offset, Number(bits), true);
      else view.setBigUint64(at + offset, bits, true);
    }
  };
  const xmm = new Uint8Array(256);
  const patch = new Uint8Array(16);
  for (let i = 0; i < 16; i++) put(xmm, i * 16, 16, destination);
  if (decoded.memory === undefined) put(xmm, decoded.rm * 16, 16, source);
  put(patch, 0, 16, source);
  if (destination === source && random(4) === 0) {
    // the source close to the destination: cancellation, equality, neighbours
    const target = decoded.memory === undefined ? xmm.subarray(decoded.rm * 16, decoded.rm * 16 + 16) : patch;
    target.set(xmm.subarray(decoded.reg * 16, decoded.reg * 16 + 16));
    const step = (destination?.width ?? 32) / 8;
    for (let at = 0; at < 16; at += step) {
      target[at] = (target[at] ?? 0) ^ random(4);
      target[at + step - 1] = (target[at + step - 1] ?? 0) ^ (random(2) << 7);
    }
  }
  return { xmm, patch, mxcsr: controlWord(random), integer: integer(decoded.operandSize === 8 ? 64 : 32, random) };
}
