// Operands of x87 instructions: numbers of all classes, at the edges of the formats, and control words of all kinds.
import type { OpcodeRow } from '../../../src/core/opcodes/index.ts';
import { x87Rows } from '../../../src/core/opcodes/x87.ts';
import { pick, type Random } from '../../harness/random.ts';
import type { X87State } from './protocol.ts';
import { bytesOfValues, random64, value64, type ValueSource } from './values.ts';

const EXTENDED = { fraction: 63n, bias: 0x3fff, maximum: 0x7fff };
const DOUBLE = { fraction: 52n, bias: 1023, maximum: 0x7ff };
const SINGLE = { fraction: 23n, bias: 127, maximum: 0xff };
interface Format {
  readonly fraction: bigint;
  readonly bias: number;
  readonly maximum: number;
}

/** Fractions of n bits: few ones, many ones, halves of the shorter formats' last places, anything. */
function fraction(n: bigint, random: Random): bigint {
  const kind = random(8);
  const all = (1n << n) - 1n;
  if (kind === 0) return 0n;
  if (kind === 1) return all;
  if (kind === 2) return BigInt.asUintN(Number(n), random64(random) << BigInt(random(64)));
  if (kind === 3) return BigInt.asUintN(Number(n), 1n << BigInt(random(Number(n))));
  if (kind === 4) return all ^ (1n << BigInt(random(Number(n))));
  // near a tie of binary32 or binary64 within the extended format
  if (kind === 5) return BigInt.asUintN(Number(n), (random64(random) << 40n) + (1n << 39n) + BigInt(random(3)) - 1n);
  if (kind === 6) return BigInt.asUintN(Number(n), (random64(random) << 11n) + (1n << 10n) + BigInt(random(3)) - 1n);
  return random64(random) & all;
}
/** Biased exponents: around 1, around those of the integer types and of the shorter formats' ends, anything. */
function exponent({ bias, maximum, fraction: bits }: Format, random: Random): number {
  const near = (centre: number, width: number): number =>
    Math.min(Math.max(centre + random(2 * width) - width, 0), maximum);
  const kind = random(16);
  if (kind < 5) return near(bias, 4);
  if (kind < 9) return near(bias, 70);
  if (kind === 9) return near(bias + pick(random, [15, 31, 59, 63, 127, 1023]), 3);
  if (kind === 10) return near(bias - pick(random, [126, 149, 1022, 1074]), 3);
  if (kind === 11) return near(maximum, 3);
  if (kind === 12) return near(0, 3);
  if (kind === 13) return near(bias, Number(bits));
  return random(maximum + 1);
}
function bitsOf(format: Format, random: Random): bigint {
  const { fraction: n, maximum } = format;
  const kind = random(16);
  const [e, f] =
    kind === 0
      ? [0, 0n]
      : kind === 1
        ? [maximum, 0n]
        : kind === 2
          ? [maximum, fraction(n, random)]
          : kind === 3
            ? [0, fraction(n, random)]
            : [exponent(format, random), fraction(n, random)];
  const sign = BigInt(random(2));
  const width = BigInt(maximum.toString(2).length);
  return (sign << (n + width)) | (BigInt(e) << n) | f;
}
/** An 80-bit number: significand, and sign and exponent. */
export interface Extended {
  readonly low: bigint;
  readonly high: number;
}
export function extended(random: Random): Extended {
  const bits = bitsOf(EXTENDED, random);
  const high = Number(bits >> 63n);
  const fractionBits = bits & 0x7fff_ffff_ffff_ffffn;
  // the integer bit follows the exponent but in unnormals, pseudo-NaNs and pseudo-denormals
  const integer = ((high & 0x7fff) !== 0) !== (random(24) === 0);
  return { low: fractionBits | (integer ? 1n << 63n : 0n), high };
}
/** A number beside another: for cancellation, comparisons and remainders. */
export function related(of: Extended, random: Random): Extended {
  const kind = random(4);
  const sign = random(2) << 15;
  if (kind === 0) return { low: of.low, high: of.high ^ sign };
  if (kind === 1) return { low: BigInt.asUintN(64, of.low + BigInt(random(5)) - 2n), high: of.high ^ sign };
  const e = Math.min(Math.max((of.high & 0x7fff) + random(140) - 70, 0), 0x7fff);
  return { low: (kind === 2 ? of.low : random64(random)) | (1n << 63n), high: sign | e };
}

const FLAGS = 0x3f;
const SUMMARY = 0x8080;
function state(random: Random): X87State {
  const masks = random(3) === 0 ? random(64) : FLAGS;
  const precision = pick(random, [0, 2, 3, 3, 3, 3]);
  const control = masks | 0x40 | (precision << 8) | (random(4) << 10) | (random(16) === 0 ? 0x1000 : 0);
  // sticky flags; one case in 32 has an exception pending
  const flags = random(4) === 0 ? random(128) & (random(8) === 0 ? 0x7f : masks | 0x40) : 0;
  const pending = (flags & ~control & FLAGS) !== 0 ? SUMMARY : 0;
  const top = random(8);
  const status = flags | pending | (top << 11) | (random(16) << 8 && (random(8) << 8) | (random(2) << 14));
  const registers = new Uint8Array(128);
  const view = new DataView(registers.buffer);
  const first = extended(random);
  for (let i = 0; i < 8; i++) {
    const value = i === 0 ? first : random(3) === 0 ? related(first, random) : extended(random);
    view.setBigUint64(i * 16, value.low, true);
    view.setUint16(i * 16 + 8, value.high, true);
  }
  // most registers in use for most instructions, ST(7) empty for the pushing ones
  const kind = random(4);
  const seventh = (top + 7) & 7;
  const tags = kind === 0 ? random(256) : kind === 1 ? 0xff : 0xff & ~(1 << seventh);
  return { control, status, tags, opcode: 0, instruction: 0n, operand: 0n, registers };
}

type Memory = ValueSource['memory'];
function numbers(size: number, make: (view: DataView, at: number, random: Random) => void): Memory {
  return (random) => {
    const bytes = bytesOfValues(random, 2);
    make(new DataView(bytes.buffer), 0, random);
    return bytes.subarray(0, Math.max(size, 16));
  };
}
const single = numbers(4, (view, at, random) => view.setUint32(at, Number(bitsOf(SINGLE, random)), true));
const double = numbers(8, (view, at, random) => view.setBigUint64(at, bitsOf(DOUBLE, random), true));
const extendedNumber = numbers(10, (view, at, random) => {
  const { low, high } = extended(random);
  view.setBigUint64(at, low, true);
  view.setUint16(at + 8, high, true);
});
const integer = numbers(8, (view, at, random) => view.setBigUint64(at, value64(random), true));
/** Decimal digits; those above 9 are undefined (SDM 2A FBLD). */
const decimal = numbers(10, (view, at, random) => {
  for (let i = 0; i < 9; i++) view.setUint8(at + i, (random(10) << 4) | random(10));
  view.setUint8(at + 9, random(2) << 7);
});
/** FLDENV, FRSTOR, FLDCW: anything goes into the words, registers follow. */
const environment: Memory = (random) => {
  const bytes = new Uint8Array(112);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 8) view.setBigUint64(at, random64(random), true);
  view.setUint16(0, random(3) === 0 ? random(0x10000) : 0x37f | (random(16) << 8), true);
  return bytes;
};

const ofX87 = new Set<OpcodeRow>(x87Rows);
function memoryOf(row: OpcodeRow): Memory {
  const [operand] = row.operands;
  if (operand?.kind !== 'M') return integer;
  if (operand.size === 'n' || row.mnemonic === 'FLDCW') return environment;
  if (row.mnemonic === 'FBLD') return decimal;
  if (operand.size === 't') return extendedNumber;
  if (row.mnemonic.startsWith('FI') || operand.size === 'w') return integer;
  return operand.size === 'd' ? single : double;
}
/** Sources of the x87 rows, by what their memory operand holds. */
export const x87Sources: readonly (readonly [(row: OpcodeRow) => boolean, Partial<ValueSource>])[] = [
  single,
  double,
  extendedNumber,
  integer,
  decimal,
  environment,
].map((memory) => [(row) => ofX87.has(row) && memoryOf(row) === memory, { memory, x87: state }]);
