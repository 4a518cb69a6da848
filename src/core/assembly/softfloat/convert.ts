// Conversions between formats and to and from integers, and rounding to an integral number (IEEE 754-2019, 5.4.1, 5.9).
import {
  bias, biasedExponent, exponentOf, flag, fractionBits, fractionOf, infinity, isDenormal, isInfinite, isNaN,
  isSignalling, isZero, operand, quietBit, signBit, signOf, significandOf,
  NEAREST, DOWN, UP, DE, IE, PE,
} from './binary';
import { round } from './round';

/** What the processor stores when a number does not fit an integer (SDM 1 4.8.3.7, "integer indefinite"). */
@inline function integerIndefinite<I>(): u64 { return sizeof<I>() == 4 ? 0x80000000 : 0x8000000000000000; }

/** Signed integer to T, rounded. */
export function fromInteger<T>(a: i64, mxcsr: u32): u64 {
  if (a == 0) return 0;
  let magnitude = <u64>(a < 0 ? -a : a), up = <i32>clz<u64>(magnitude) - 1;
  let s = up < 0 ? magnitude >> 1 : magnitude << up; // -2^63 alone has bit 63, and nothing below it
  return round<T>(a < 0 ? signBit<T>() : 0, bias<T>() + 62 - up, s, mxcsr);
}

// A number's whole part and what is behind its point, by the exponent e (not biased) of its significand s.
@inline function whole(s: u64, e: i32): u64 { return e < 0 ? 0 : s >> (62 - e); }
/** In units of 2^-64, jammed; e at most 62. */
@inline function behindPoint(s: u64, e: i32): u64 {
  return e == 62 ? 0 : e >= -2 ? s << (e + 2) : 1;
}
@inline function roundsAway(integer: u64, rest: u64, rounding: u32, negative: bool): bool {
  if (rounding == NEAREST) return rest > 0x8000000000000000 || (rest == 0x8000000000000000 && (integer & 1) != 0);
  return rest != 0 && rounding == (negative ? DOWN : UP);
}

/** T to a signed integer I (i32, zero-extended, or i64) by a rounding mode of its own. */
export function toInteger<T, I>(a: u64, rounding: u32, mxcsr: u32): u64 {
  a = operand<T>(a, mxcsr);
  if (isZero<T>(a)) return 0;
  let e = biasedExponent<T>(a) - bias<T>(), negative = signOf<T>(a) != 0;
  if (e > 62) {
    if (sizeof<I>() == 8 && negative && e == 63 && fractionOf<T>(a) == 0) return 0x8000000000000000;
    flag(IE);
    return integerIndefinite<I>();
  }
  e = exponentOf<T>(a) - bias<T>();
  let s = significandOf<T>(a), integer = whole(s, e), rest = behindPoint(s, e);
  if (roundsAway(integer, rest, rounding, negative)) integer++;
  if (integer > integerIndefinite<I>() - <u64>!negative) {
    flag(IE);
    return integerIndefinite<I>();
  }
  if (rest) flag(PE);
  return negative ? (sizeof<I>() == 4 ? <u64><u32>-integer : -integer) : integer;
}

/** T rounded to an integral number in T; exact: inexactness is not reported (ROUNDPD's immediate, bit 3). */
export function toIntegral<T>(a: u64, rounding: u32, exact: bool, mxcsr: u32): u64 {
  if (isNaN<T>(a)) {
    if (isSignalling<T>(a)) flag(IE);
    return a | quietBit<T>();
  }
  a = operand<T>(a, mxcsr);
  let e = biasedExponent<T>(a) - bias<T>();
  if (isZero<T>(a) || e >= <i32>fractionBits<T>()) return a;
  e = exponentOf<T>(a) - bias<T>();
  let s = significandOf<T>(a), integer = whole(s, e), rest = behindPoint(s, e);
  if (roundsAway(integer, rest, rounding, signOf<T>(a) != 0)) integer++;
  if (rest && !exact) flag(PE);
  return signOf<T>(a) | fromInteger<T>(integer, 0); // at most 2^fractionBits: exact
}

/** Format From to format To. A NaN keeps the upper bits of its payload (SDM 1 4.8.3.5). */
export function toFormat<From, To>(a: u64, mxcsr: u32): u64 {
  let sign = signOf<From>(a) ? signBit<To>() : 0;
  if (isNaN<From>(a)) {
    if (isSignalling<From>(a)) flag(IE);
    let payload = sizeof<To>() < sizeof<From>() ? fractionOf<From>(a) >> 29 : fractionOf<From>(a) << 29;
    return sign | infinity<To>() | quietBit<To>() | payload;
  }
  a = operand<From>(a, mxcsr);
  if (isDenormal<From>(a)) flag(DE);
  if (isZero<From>(a)) return sign;
  if (isInfinite<From>(a)) return sign | infinity<To>();
  return round<To>(sign, exponentOf<From>(a) - bias<From>() + bias<To>(), significandOf<From>(a), mxcsr);
}
