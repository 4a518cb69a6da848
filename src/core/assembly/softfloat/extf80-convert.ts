// Conversions between the extended format and binary32, binary64, integers and packed BCD (SDM 1 4.8, 8.1.2; FLD, FST,
// FILD, FIST, FISTTP, FBLD, FBSTP).
import * as L from '../../layout';
import { answer, BIAS, C1, EXPONENT, EXTENDED_DENORMAL, exponentOf, INDEFINITE_HIGH, INDEFINITE_LOW, INTEGER_BIT,
  INVALID, isNaN,
  isSignaling, isUnsupported, normalisedExponent, normalisedLow, OVERFLOW, PRECISION, QUIET_BIT, roundsUp, SIGN, signOf,
  UNDERFLOW } from './extf80';
import { shiftRightHigh128, shiftRightJamLow128 } from './integers';

// ---- into the extended format: exact --------------------------------------------------------------------------------
/** Answers the significand, and in FLOAT_EXTENDED_HIGH the rest; a denormal is marked, an SNaN stays one. */
@inline function widened(sign: u32, exponent: u32, fraction: u64, exponentMax: u32, bias: i32): u64 {
  let high: u32, low: u64;
  if (exponent == exponentMax) { high = EXPONENT; low = INTEGER_BIT | fraction; }
  else if (exponent) { high = <u32>(<i32>exponent - bias + BIAS); low = INTEGER_BIT | fraction; }
  else if (fraction) {
    let n = <u32>clz<u64>(fraction);
    high = <u32>(1 - bias + BIAS - <i32>n) | EXTENDED_DENORMAL; low = fraction << n;
  } else { high = 0; low = 0; }
  store<u64>(L.FLOAT_EXTENDED_LOW, low);
  store<u32>(L.FLOAT_EXTENDED_HIGH, high | sign);
  return low;
}
export function f32_to_extF80(bits: u32): u64 {
  return widened(bits >> 16 & SIGN, bits >> 23 & 0xff, <u64>(bits & 0x7fffff) << 40, 0xff, 127);
}
export function f64_to_extF80(bits: u64): u64 {
  return widened(<u32>(bits >> 48) & SIGN, <u32>(bits >> 52) & 0x7ff, (bits & 0xfffffffffffff) << 11, 0x7ff, 1023);
}
export function i64_to_extF80(value: i64): u64 {
  let magnitude = <u64>(value < 0 ? -value : value), n = <u32>clz<u64>(magnitude), low = magnitude ? magnitude << n : 0;
  store<u64>(L.FLOAT_EXTENDED_LOW, low);
  store<u32>(L.FLOAT_EXTENDED_HIGH, magnitude ? (value < 0 ? SIGN : 0) | <u32>(BIAS + 63 - <i32>n) : 0);
  return low;
}
/** Packed BCD (SDM 1 4.7): 16 digits in low, two more and the sign in high. Digits above 9 count as what they are. */
export function bcd_to_extF80(low: u64, high: u32): u64 {
  let value: u64 = (high >> 4 & 15) * 10 + (high & 15);
  for (let shift = 60; shift >= 0; shift -= 4) value = value * 10 + (low >> shift & 15);
  i64_to_extF80(<i64>value);
  store<u32>(L.FLOAT_EXTENDED_HIGH, load<u32>(L.FLOAT_EXTENDED_HIGH) & EXPONENT | (high & SIGN));
  return load<u64>(L.FLOAT_EXTENDED_LOW);
}

// ---- out of it, to a shorter format ---------------------------------------------------------------------------------
@inline function packed(bits: u64, flags: u32): u32 { return answer(bits, 0, flags); }
/**
 * Converts to a format of `fractionBits` and `exponentMax`. An unmasked overflow or underflow stores nothing (SDM 1
 * 8.5.4, 8.5.5), so then there is no result.
 */
function narrowed(low: u64, high: u32, fractionBits: u32, exponentMax: u32, control: u32): u32 {
  let width: u64 = fractionBits == 23 ? 31 : 63, sign = signOf(high) ? <u64>1 << width : 0;
  let bias = <i32>(exponentMax >> 1);
  let infinity = <u64>exponentMax << fractionBits, dropped = 63 - fractionBits, integer = <u64>1 << fractionBits;
  if (isUnsupported(low, high)) return packed(<u64>1 << width | infinity | integer >> 1, INVALID);
  if (exponentOf(high) == <i32>EXPONENT) {
    if (!isNaN(low, high)) return packed(sign | infinity, 0);
    return packed(sign | infinity | ((low | QUIET_BIT) & ~INTEGER_BIT) >> dropped, isSignaling(low, high) ? INVALID
      : 0);
  }
  if (!low) return packed(sign, 0);
  let value = normalisedLow(low), e = normalisedExponent(low, high) - BIAS + bias;
  let kept = value >> dropped, tail = value << (64 - dropped);
  let up = roundsUp(signOf(high), (kept & 1) != 0, tail, control);
  let rounded = kept + <u64>up, carried = rounded >> (fractionBits + 1) ? 1 : 0;
  if (e + carried <= 0) {
    if (!(control & UNDERFLOW)) return UNDERFLOW;
    let shift = <u32>(1 - e) + dropped;
    kept = shiftRightHigh128(value, shift); tail = shiftRightJamLow128(value, 0, shift);
    up = roundsUp(signOf(high), (kept & 1) != 0, tail, control);
    return packed(sign | kept + <u64>up, tail ? (up ? UNDERFLOW | PRECISION | C1 : UNDERFLOW | PRECISION) : 0);
  }
  if (e + carried >= <i32>exponentMax) {
    if (!(control & OVERFLOW)) return OVERFLOW;
    if (roundsUp(signOf(high), true, ~(<u64>0), control)) return packed(sign | infinity, OVERFLOW | PRECISION | C1);
    return packed(sign | infinity - 1, OVERFLOW | PRECISION);
  }
  // a carry makes the fraction 0 and the exponent one more
  return packed(sign | (<u64>e << fractionBits) + (rounded - integer), tail ? (up ? PRECISION | C1 : PRECISION) : 0);
}
export function extF80_to_f32(low: u64, high: u32, control: u32): u32 { return narrowed(low, high, 23, 0xff, control); }
export function extF80_to_f64(low: u64, high: u32, control: u32): u32 {
  return narrowed(low, high, 52, 0x7ff, control);
}

// ---- out of it, to integers -----------------------------------------------------------------------------------------
/**
 * Rounds a finite number to an integer of at most 2^64 - 1: answers it with PRECISION and C1; INVALID when it is
 * larger.
 */
function integral(low: u64, high: u32, control: u32): u32 {
  let e = exponentOf(high) - BIAS;
  if (e > 63) return INVALID;
  let shift = <u32>(63 - (exponentOf(high) ? e : 1 - BIAS));
  let kept = shiftRightHigh128(low, shift), tail = shiftRightJamLow128(low, 0, shift);
  let up = roundsUp(signOf(high), (kept & 1) != 0, tail, control);
  if (up && ++kept == 0) return INVALID;
  return answer(kept, high, tail ? (up ? PRECISION | C1 : PRECISION) : 0);
}
/** To a signed integer of `bits`; what does not fit gives the integer indefinite (SDM 1 8.5.1.2). */
export function extF80_to_integer(low: u64, high: u32, bits: u32, control: u32): u32 {
  let limit = <u64>1 << (bits - 1), negative = signOf(high) != 0;
  let flags = isUnsupported(low, high) ? INVALID : integral(low, high, control);
  let value = load<u64>(L.FLOAT_EXTENDED_LOW);
  if (flags & INVALID || value > (negative ? limit : limit - 1)) return packed(-limit, INVALID);
  return packed(negative ? -value : value, flags);
}
const LARGEST_BCD: u64 = 999_999_999_999_999_999;
/** To 18 decimal digits; what does not fit gives the packed BCD indefinite, whose bits are those of the QNaN. */
export function extF80_to_bcd(low: u64, high: u32, control: u32): u32 {
  let flags = isUnsupported(low, high) ? INVALID : integral(low, high, control);
  let value = load<u64>(L.FLOAT_EXTENDED_LOW), digits: u64 = 0;
  if (flags & INVALID || value > LARGEST_BCD) return answer(INDEFINITE_LOW, INDEFINITE_HIGH, INVALID);
  for (let shift = 0; shift < 64; shift += 4) {
    let rest = value / 10;
    digits |= (value - rest * 10) << shift;
    value = rest;
  }
  let tens = <u32>value / 10;
  return answer(digits, signOf(high) | tens << 4 | (<u32>value - tens * 10), flags);
}
