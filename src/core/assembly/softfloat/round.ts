// From the inner form to an encoding: rounding, overflow, underflow (IEEE 754-2019 clauses 4 and 7; SDM 1 4.8.4,
// 4.9.1).
import {
  flag, roundingOf, NEAREST, DOWN, UP, OE, UE, PE, OM, UM, FTZ, fractionBits, guardBits, infinity, signBit,
    specialExponent,
} from './binary';
import { shiftRightJam64 } from './integers';

/** What is added below the last place before the rest is cut off; ties are mended afterwards. */
@inline function increment(guard: u32, rounding: u32, negative: bool): u64 {
  if (rounding == NEAREST) return <u64>1 << (guard - 1);
  return rounding == (negative ? DOWN : UP) ? (<u64>1 << guard) - 1 : 0;
}
/** Significand with guard bits below its last place, rounded to it. */
@inline function rounded(s: u64, guard: u32, rounding: u32, negative: bool): u64 {
  let z = (s + increment(guard, rounding, negative)) >> guard;
  let tie = rounding == NEAREST && (s << (64 - guard)) == 0x8000000000000000;
  return tie ? z & ~(<u64>1) : z;
}

/** Overflow: infinity, or the largest finite number when the rounding leads towards zero (SDM 1 table 4-11). */
function overflow<T>(sign: u64, rounding: u32, inexact: bool, mxcsr: u32): u64 {
  flag(mxcsr & OM || inexact ? OE | PE : OE);
  return sign | (rounding == NEAREST || rounding == (sign ? DOWN : UP) ? infinity<T>() : infinity<T>() - 1);
}

/**
 * Encoding of (-1)^sign * s * 2^(e - bias - 62) in the format T, rounded as MXCSR says. s: highest bit at 62, the
 * lowest jammed; sign: 0 or the format's sign bit. An overflow or underflow that is not masked leaves the result open,
 * and PE then says whether rounding with an unbounded exponent was inexact (SDM 1 4.9.1.4, 4.9.1.5).
 */
export function round<T>(sign: u64, e: i32, s: u64, mxcsr: u32): u64 {
  let rounding = roundingOf(mxcsr), negative = sign != 0, guard = guardBits<T>(), lost = (<u64>1 << guard) - 1;
  if (e <= 0) {
    // Tiny is what lies below the smallest normal number after rounding with an unbounded exponent (SDM 1 4.9.1.5).
    let tiny = e < 0 || !(rounded(s, guard, rounding, negative) >> (fractionBits<T>() + 1));
    if (tiny && !(mxcsr & UM)) { flag(s & lost ? UE | PE : UE); return sign; }
    if (tiny && mxcsr & FTZ) { flag(UE | PE); return sign; }
    s = shiftRightJam64(s, <u32>(1 - e));
    if (s & lost) flag(tiny ? UE | PE : PE); // masked, an exact tiny result is none
    return sign | rounded(s, guard, rounding, negative); // a carry makes it the smallest normal number
  }
  if (e >= specialExponent<T>()) return overflow<T>(sign, rounding, (s & lost) != 0, mxcsr);
  let z = rounded(s, guard, rounding, negative);
  // the leading bit of z adds one to the exponent field, and a carry out of it one more
  let encoding = (<u64>(e - 1) << fractionBits<T>()) + z;
  if (encoding >= infinity<T>()) return overflow<T>(sign, rounding, (s & lost) != 0, mxcsr);
  if (s & lost) flag(PE);
  return sign | encoding;
}
/** The exact zero of a sum of opposite numbers (IEEE 754-2019, 6.3). */
@inline export function zeroOfDifference<T>(mxcsr: u32): u64 { return roundingOf(mxcsr) == DOWN ? signBit<T>() : 0; }
