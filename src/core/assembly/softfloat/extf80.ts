// The 80-bit double extended-precision format of the x87 (SDM 1 4.2.2, 8.2): what all routines on it share. A value is
// a pair (low, high): the significand with its explicit integer bit, and sign and exponent in 16 bits. Routines are
// named as in Berkeley SoftFloat; each answers the bits that it sets in the status word (SDM 1 8.1.3: the exception
// flags in their places, and C1 when the result was rounded up in magnitude) and leaves its result in
// FLOAT_EXTENDED_LOW and _HIGH. What is not masked in the control word decides only how an overflow or underflow is
// delivered; everything else is the caller's matter.
import * as L from '../../layout';
import { shiftRightHigh128, shiftRightJamLow128 } from './integers';

// bits of the status word
export const INVALID: u32 = 1, DENORMAL: u32 = 2, ZERO_DIVIDE: u32 = 4, OVERFLOW: u32 = 8, UNDERFLOW: u32 = 16;
export const PRECISION: u32 = 32;
export const C0: u32 = 0x100, C1: u32 = 0x200, C2: u32 = 0x400, C3: u32 = 0x4000;
// the control word: masks have the places of the flags
export const PRECISION_CONTROL: u32 = 0x300, PRECISION_24: u32 = 0, PRECISION_53: u32 = 0x200;
export const PRECISION_64: u32 = 0x300;
export const ROUNDING_CONTROL: u32 = 0xc00, ROUND_NEAREST: u32 = 0, ROUND_DOWN: u32 = 0x400, ROUND_UP: u32 = 0x800;
export const ROUND_ZERO: u32 = 0xc00;

export const SIGN: u32 = 0x8000, EXPONENT: u32 = 0x7fff;
/** In a high word: the value was denormal in the narrower format that it was extended from. */
export const EXTENDED_DENORMAL: u32 = 0x10000;
export const BIAS: i32 = 0x3fff;
export const INTEGER_BIT: u64 = 0x8000000000000000, QUIET_BIT: u64 = 0x4000000000000000, HALF: u64 = 0x8000000000000000;
/** The QNaN floating-point indefinite (SDM 1 4.8.3.7). */
export const INDEFINITE_LOW: u64 = 0xc000000000000000, INDEFINITE_HIGH: u32 = 0xffff;
/** What an unmasked overflow or underflow takes from or adds to the exponent (SDM 1 8.5.4, 8.5.5). */
const BIAS_ADJUSTMENT: i32 = 24576;

@inline export function exponentOf(high: u32): i32 { return <i32>(high & EXPONENT); }
@inline export function signOf(high: u32): u32 { return high & SIGN; }
@inline export function isZero(low: u64, high: u32): bool { return low == 0 && (high & EXPONENT) == 0; }
@inline export function isInfinity(low: u64, high: u32): bool {
  return low == INTEGER_BIT && (high & EXPONENT) == EXPONENT;
}
/** Unnormals, pseudo-infinities and pseudo-NaNs: no operand of today's units (SDM 1 8.2.2). */
@inline export function isUnsupported(low: u64, high: u32): bool { return (high & EXPONENT) != 0 && !(low >> 63); }
@inline export function isNaN(low: u64, high: u32): bool { return (high & EXPONENT) == EXPONENT && low > INTEGER_BIT; }
@inline export function isSignaling(low: u64, high: u32): bool { return isNaN(low, high) && !(low & QUIET_BIT); }
/** DENORMAL for a denormal, pseudo-denormals among them, else 0. */
@inline export function denormalFlag(low: u64, high: u32): u32 {
  return (low != 0 && (high & EXPONENT) == 0) || high & EXTENDED_DENORMAL ? DENORMAL : 0;
}
/** Exponent of a number, biased and as if it had no lower bound, for the significand that normalisedLow gives. */
@inline export function normalisedExponent(low: u64, high: u32): i32 {
  let e = <i32>(high & EXPONENT);
  return e ? e : 1 - <i32>clz<u64>(low);
}
@inline export function normalisedLow(low: u64): u64 { return low << clz<u64>(low); }

@inline export function answer(low: u64, high: u32, flags: u32): u32 {
  store<u64>(L.FLOAT_EXTENDED_LOW, low);
  store<u32>(L.FLOAT_EXTENDED_HIGH, high & 0xffff);
  return flags;
}
@inline export function invalid(): u32 { return answer(INDEFINITE_LOW, INDEFINITE_HIGH, INVALID); }

/**
 * What one NaN or unsupported operand makes of an instruction: its flags, with the result answered; -1: it is neither.
 */
export function nanOperand(low: u64, high: u32): i32 {
  if (isUnsupported(low, high)) return <i32>invalid();
  if (!isNaN(low, high)) return -1;
  return <i32>answer(low | QUIET_BIT, high, low & QUIET_BIT ? 0 : INVALID);
}
/** The same for two operands: SDM 1 table 4-7, and of two equal significands the positive one. */
export function nanOperands(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32): i32 {
  if (isUnsupported(aLow, aHigh) || isUnsupported(bLow, bHigh)) return <i32>invalid();
  let a = isNaN(aLow, aHigh), b = isNaN(bLow, bHigh);
  if (!a && !b) return -1;
  let aQuiet = (aLow & QUIET_BIT) != 0, bQuiet = (bLow & QUIET_BIT) != 0;
  let flags: u32 = (a && !aQuiet) || (b && !bQuiet) ? INVALID : 0, first = a;
  if (a && b) {
    if (aQuiet != bQuiet) first = aQuiet;
    else first = aLow != bLow ? aLow > bLow : signOf(aHigh) <= signOf(bHigh);
  }
  return <i32>(first ? answer(aLow | QUIET_BIT, aHigh, flags) : answer(bLow | QUIET_BIT, bHigh, flags));
}

/** Whether a magnitude is rounded up: tail is what is cut off, in units of 2^-64 of the last place. */
@inline export function roundsUp(sign: u32, odd: bool, tail: u64, control: u32): bool {
  let mode = control & ROUNDING_CONTROL;
  if (mode == ROUND_NEAREST) return tail > HALF || (tail == HALF && odd);
  return mode == (sign ? ROUND_DOWN : ROUND_UP) && tail != 0;
}
/** Bits of a significand that the precision control cuts off (SDM 1 8.1.5.2; the reserved value is as 64 bits). */
@inline function droppedBits(control: u32): u32 {
  let precision = control & PRECISION_CONTROL;
  return precision == PRECISION_24 ? 40 : precision == PRECISION_53 ? 11 : 0;
}
/** What is below the last place that is kept: dropped bits of low, then rest, jammed. */
@inline function tailOf(low: u64, rest: u64, dropped: u32): u64 {
  return dropped ? (low << (64 - dropped)) | <u64>(rest != 0) : rest;
}

/**
 * Rounds and answers (low, rest) * 2^(exponent - BIAS - 63), where low has its top bit set and rest is a 64-bit
 * fraction that is exact or jammed. The exponent is biased and may be anything. flags: those that the operands set.
 */
export function roundAndPack(sign: u32, exponent: i32, low: u64, rest: u64, control: u32, flags: u32): u32 {
  let dropped = droppedBits(control), tail = tailOf(low, rest, dropped), unit = <u64>1 << dropped, kept = low & -unit;
  let up = roundsUp(sign, (kept & unit) != 0, tail, control);
  // the result with an exponent without bounds: it tells whether a small one is tiny (SDM 1 4.9.1.5)
  let rounded = up ? kept + unit : kept, carried = up && rounded == 0;
  let e = carried ? exponent + 1 : exponent;
  if (e <= 0 && control & UNDERFLOW) return packTiny(sign, exponent, low, rest, control, flags);
  if (carried) rounded = INTEGER_BIT;
  if (tail) flags |= up ? PRECISION | C1 : PRECISION;
  if (e <= 0) {
    flags |= UNDERFLOW; e += BIAS_ADJUSTMENT;
    // FSCALE alone may go this far (SDM 2A FSCALE)
    if (e <= 0) return answer(0, sign, flags & ~C1 | PRECISION);
  } else if (e >= <i32>EXPONENT) {
    if (control & OVERFLOW) return packHuge(sign, unit, control, flags & ~C1);
    flags |= OVERFLOW; e -= BIAS_ADJUSTMENT;
    if (e >= <i32>EXPONENT) return answer(INTEGER_BIT, sign | EXPONENT, flags | PRECISION | C1);
  }
  return answer(rounded, sign | <u32>e, flags);
}
/** Masked underflow: denormal, with the flag only when it is inexact. */
function packTiny(sign: u32, exponent: i32, low: u64, rest: u64, control: u32, flags: u32): u32 {
  let shift = <u32>(1 - exponent), high = shiftRightHigh128(low, shift), dropped = droppedBits(control);
  let tail = tailOf(high, shiftRightJamLow128(low, rest, shift), dropped), unit = <u64>1 << dropped;
  high &= -unit;
  let up = roundsUp(sign, (high & unit) != 0, tail, control);
  if (up) high += unit;
  if (tail) flags |= up ? UNDERFLOW | PRECISION | C1 : UNDERFLOW | PRECISION;
  return answer(high, sign | <u32>(high >> 63), flags);
}
/** Masked overflow (SDM 1 table 4-10): infinity, or the largest number of the precision. */
function packHuge(sign: u32, unit: u64, control: u32, flags: u32): u32 {
  flags |= OVERFLOW | PRECISION;
  if (roundsUp(sign, true, ~(<u64>0), control)) return answer(INTEGER_BIT, sign | EXPONENT, flags | C1);
  return answer(-unit, sign | (EXPONENT - 1), flags);
}
