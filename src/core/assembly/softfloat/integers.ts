// Integer arithmetic on 64 and 128 bits that softfloat stands on. A 128-bit number is a pair (high, low) of u64; since
// a function has one result, what answers a pair is two functions, each of which the compiler inlines.

// ---- sums and differences -------------------------------------------------------------------------------------------
/** High half of (aHigh, aLow) + (bHigh, bLow) modulo 2^128; the low half is aLow + bLow. */
@inline export function addHigh128(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): u64 {
  return aHigh + bHigh + <u64>(aLow + bLow < aLow);
}
/** High half of (aHigh, aLow) - (bHigh, bLow) modulo 2^128; the low half is aLow - bLow. */
@inline export function subHigh128(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): u64 {
  return aHigh - bHigh - <u64>(aLow < bLow);
}
/** (aHigh, aLow) < (bHigh, bLow), unsigned. */
@inline export function less128(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): bool {
  return aHigh < bHigh || (aHigh == bHigh && aLow < bLow);
}
/** -1, 0 or 1 as (aHigh, aLow) is less than, equal to or greater than (bHigh, bLow), unsigned. */
@inline export function compare128(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): i32 {
  if (aHigh != bHigh) return aHigh < bHigh ? -1 : 1;
  return aLow == bLow ? 0 : aLow < bLow ? -1 : 1;
}

// ---- shifts ---------------------------------------------------------------------------------------------------------
/** (high, low) << n, its high half; n 0 to 63. The low half is low << n. */
@inline export function shiftLeftHigh128(high: u64, low: u64, n: u32): u64 {
  return n ? (high << n) | (low >> (64 - n)) : high;
}
/** (high, low) >> n, its low half; n 0 to 63. The high half is high >> n. */
@inline export function shiftRightLow128(high: u64, low: u64, n: u32): u64 {
  return n ? (low >> n) | (high << (64 - n)) : low;
}
/**
 * a >> n for any n, "jammed": the lowest bit also says whether anything that was shifted out was not zero, so that a
 * rounding with at least one more bit below it is the same as of the exact value.
 */
@inline export function shiftRightJam64(a: u64, n: u32): u64 {
  if (n == 0) return a;
  if (n > 63) return <u64>(a != 0);
  return (a >> n) | <u64>((a << (64 - n)) != 0);
}
/** High half of (high, low) >> n, any n. */
@inline export function shiftRightHigh128(high: u64, n: u32): u64 { return n > 63 ? 0 : high >> n; }
/** Low half of (high, low) >> n jammed, any n; the high half is shiftRightHigh128. */
export function shiftRightJamLow128(high: u64, low: u64, n: u32): u64 {
  if (n == 0) return low;
  if (n < 64) return (high << (64 - n)) | (low >> n) | <u64>((low << (64 - n)) != 0);
  if (n == 64) return high | <u64>(low != 0);
  if (n > 127) return <u64>((high | low) != 0);
  return (high >> (n - 64)) | <u64>(((high << (128 - n)) | low) != 0);
}
/** (high, low) with its low half jammed into one bit: for roundings that look at the high half alone. */
@inline export function jamHigh(high: u64, low: u64): u64 { return high | <u64>(low != 0); }

// ---- products -------------------------------------------------------------------------------------------------------
/** High half of the 128-bit product a * b; the low half is a * b in u64. */
@inline export function mulHigh64(a: u64, b: u64): u64 {
  let aLow = a & 0xffffffff, aHigh = a >> 32, bLow = b & 0xffffffff, bHigh = b >> 32;
  let cross = aHigh * bLow + ((aLow * bLow) >> 32); // at most (2^32-1)^2 + 2^32-1: no carry out
  let middle = aLow * bHigh + (cross & 0xffffffff);
  return aHigh * bHigh + (cross >> 32) + (middle >> 32);
}

// ---- quotients ------------------------------------------------------------------------------------------------------
/**
 * Quotient of (high, low) / divisor, where high < divisor, so that it fits; the remainder is low - quotient * divisor
 * in u64. Long division by digits of 32 bits, each estimated by the divisor's first digit and then too large by at most
 * 2 (Knuth, The Art of Computer Programming 2, 4.3.1 theorem B).
 */
export function divide128By64(high: u64, low: u64, divisor: u64): u64 {
  if (high == 0) return low / divisor;
  let n = <u32>clz<u64>(divisor), d = divisor << n;
  let first = shiftLeftHigh128(high, low, n), rest = low << n;
  let dHigh = d >> 32, dLow = d & 0xffffffff;
  let q1 = digit(first, rest >> 32, dHigh, dLow);
  let middle = (first << 32 | rest >> 32) - q1 * d;
  let q0 = digit(middle, rest & 0xffffffff, dHigh, dLow);
  return (q1 << 32) + q0;
}
/** One digit of the quotient of the three-digit number (top, next) by (dHigh, dLow). */
@inline function digit(top: u64, next: u64, dHigh: u64, dLow: u64): u64 {
  let q = top / dHigh, remainder = top - q * dHigh;
  if (q >> 32 || q * dLow > (remainder << 32 | next)) {
    q--; remainder += dHigh;
    if (!(remainder >> 32) && (q >> 32 || q * dLow > (remainder << 32 | next))) q--;
  }
  return q;
}

// ---- square roots ---------------------------------------------------------------------------------------------------
/** Floor of the square root. The estimate in binary64 is off by at most one. */
export function sqrt64(a: u64): u64 {
  let root = <u64>sqrt<f64>(<f64>a);
  if (root > 0xffffffff) root = 0xffffffff;
  if (root * root > a) root--;
  else if (root < 0xffffffff && (root + 1) * (root + 1) <= a) root++;
  return root;
}
/**
 * Floor of the square root of (high, low), high >= 2^62; the remainder, up to 2 * root, is subHigh128 and subLow of the
 * square. One step of "Karatsuba square root" (Zimmermann, INRIA RR-3805): the root of the high half gives the next 32
 * bits by a division, at most one too large.
 */
export function sqrt128(high: u64, low: u64): u64 {
  let s = sqrt64(high), remainder = high - s * s;
  let dividend = (remainder << 31) + (low >> 33); // half of the digits, for half of the divisor: remainder has 33 bits
  let q = dividend / s, rest = ((dividend - q * s) << 1) + ((low >> 32) & 1);
  let root = (s << 32) + q;
  // root is one too large when rest * 2^32 + the last digit is less than q * q
  let restHigh = rest >> 32, restLow = rest << 32 | (low & 0xffffffff);
  let squareHigh = q >> 32 ? <u64>1 : <u64>0, squareLow = q >> 32 ? <u64>0 : q * q;
  return less128(restHigh, restLow, squareHigh, squareLow) ? root - 1 : root;
}
