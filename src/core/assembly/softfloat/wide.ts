// The working precision of the transcendental instructions: 64 bits more than their results have, so that what is lost
// on the way is less than a thousandth of the result's last place, and integers only, so that it is the same
// everywhere.
//
// Two forms. A wide number is a significand (high, low) with its top bit set, times 2^(exponent - 127), sign apart. A
// fixed number is (high, low) / 2^127, from 0 up to 2. A function leaves its result in the variables below; their
// values mean nothing once another function was called.
import { addHigh128, divide128By64, less128, mulHigh64, shiftRightHigh128, subHigh128 } from './integers';

export let high: u64 = 0, low: u64 = 0, exponent: i32 = 0;
/** Sign of a sum or an integer: 0 or 1. */
export let negative: u32 = 0;
export const ONE_HIGH: u64 = 0x8000000000000000;

@inline function set(h: u64, l: u64, e: i32): void { high = h; low = l; exponent = e; }
/** The wide number (h, l) * 2^(e - 127), not 0. */
export function normalise(h: u64, l: u64, e: i32): void {
  if (!h) { h = l; l = 0; e -= 64; }
  let n = <u32>clz<u64>(h);
  if (n) { h = h << n | l >> (64 - n); l <<= n; }
  set(h, l, e - <i32>n);
}
/** An integer that is not 0. */
export function integerWide(n: i32): void {
  negative = n < 0 ? 1 : 0;
  normalise(<u64>abs<i32>(n), 0, 63);
}
/** Upper half of the 256-bit product, at most three too small. */
@inline function upperProduct(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): void {
  let l = aHigh * bHigh, first = mulHigh64(aHigh, bLow), second = mulHigh64(aLow, bHigh);
  let h = addHigh128(mulHigh64(aHigh, bHigh), l, 0, first);
  l += first;
  high = addHigh128(h, l, 0, second);
  low = l + second;
}
export function multiplyWide(aHigh: u64, aLow: u64, a: i32, bHigh: u64, bLow: u64, b: i32): void {
  upperProduct(aHigh, aLow, bHigh, bLow);
  normalise(high, low, a + b + 1);
}
/** One bit of the quotient a turn. */
export function divideWide(aHigh: u64, aLow: u64, a: i32, bHigh: u64, bLow: u64, b: i32): void {
  let h: u64 = 0, l: u64 = 0, over = false, e = a - b;
  if (less128(aHigh, aLow, bHigh, bLow)) { over = true; aHigh = aHigh << 1 | aLow >> 63; aLow <<= 1; e--; }
  for (let i = 0; i < 128; i++) {
    h = h << 1 | l >> 63; l <<= 1;
    if (over || !less128(aHigh, aLow, bHigh, bLow)) {
      aHigh = subHigh128(aHigh, aLow, bHigh, bLow); aLow -= bLow;
      l |= 1;
    }
    over = aHigh >> 63 != 0;
    aHigh = aHigh << 1 | aLow >> 63; aLow <<= 1;
  }
  set(h, l, e);
}
/** (h, l) >> n, its low half, any n; the high half is shiftRightHigh128. */
@inline function shiftRightLow(h: u64, l: u64, n: u32): u64 {
  return n == 0 ? l : n < 64 ? l >> n | h << (64 - n) : n < 128 ? h >> (n - 64) : 0;
}
/** Sum of two wide numbers with signs, which is not 0. */
export function addWide(aSign: u32, aHigh: u64, aLow: u64, a: i32, bSign: u32, bHigh: u64, bLow: u64, b: i32): void {
  if (a < b || (a == b && less128(aHigh, aLow, bHigh, bLow))) {
    addWide(bSign, bHigh, bLow, b, aSign, aHigh, aLow, a);
    return;
  }
  let n = <u32>(a - b), h = shiftRightHigh128(bHigh, n), l = shiftRightLow(bHigh, bLow, n);
  negative = aSign;
  if (aSign != bSign) { normalise(subHigh128(aHigh, aLow, h, l), aLow - l, a); return; }
  h = addHigh128(aHigh, aLow, h, l); l += aLow;
  if (h < aHigh || (h == aHigh && l < aLow)) set(h >> 1 | ONE_HIGH, h << 63 | l >> 1, a + 1); else set(h, l, a);
}

/** The fixed form of a wide number less than 2. */
export function toFixed(h: u64, l: u64, e: i32): void {
  let n = <u32>-e;
  set(shiftRightHigh128(h, n), shiftRightLow(h, l, n), 0);
}
export function multiplyFixed(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): void {
  upperProduct(aHigh, aLow, bHigh, bLow);
  high = high << 1 | low >> 63; low <<= 1;
}
/** By a small integer. */
@inline export function divideFixed(h: u64, l: u64, divisor: u64): void {
  high = h / divisor;
  low = divide128By64(h - high * divisor, l, divisor);
}

/**
 * 1 + s z / d(first) (1 + s z / d(first + 1) (1 + ...)) with s = -1 when alternating, else 1, and d(k) = k for step 1
 * or (2k + offset)(2k + offset + 1) for step 2: the series of exp, sin and cos, each divided by its first term. z is
 * fixed; a result that is not exactly 1 is not rounded to it.
 */
export function factorialSeries(zHigh: u64, zLow: u64, step: u32, offset: u64, first: u64, last: u64,
  alternating: bool): void {
  let h = ONE_HIGH, l: u64 = 0;
  for (let k = last; k >= first; k--) {
    multiplyFixed(zHigh, zLow, h, l);
    divideFixed(high, low, step == 1 ? k : (2 * k + offset) * (2 * k + offset + 1));
    let tiny = !(high | low);
    if (alternating) { h = subHigh128(ONE_HIGH, 0, high, low | <u64>tiny); l = -(low | <u64>tiny); }
    else { h = high + ONE_HIGH; l = low | <u64>tiny; }
  }
  set(h, l, 0);
}
/**
 * 1 + s z / 3 + z^2 / 5 + s z^3 / 7 ... with `terms` of them: atan (alternating) and atanh, divided by their arguments.
 */
export function oddSeries(zHigh: u64, zLow: u64, terms: u64, alternating: bool): void {
  let h: u64 = 0, l: u64 = 0;
  for (let k = <i64>terms; k >= 0; k--) {
    multiplyFixed(zHigh, zLow, h, l);
    let termHigh = high, termLow = low;
    if (k == 0) termLow |= <u64>!(termHigh | termLow);
    divideFixed(ONE_HIGH, 0, <u64>(2 * k + 1));
    if (alternating) { h = subHigh128(high, low, termHigh, termLow); l = low - termLow; }
    else { h = addHigh128(high, low, termHigh, termLow); l = low + termLow; }
  }
  set(h, l, 0);
}
