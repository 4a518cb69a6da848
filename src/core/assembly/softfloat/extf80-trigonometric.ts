// FSIN, FCOS, FSINCOS, FPTAN (SDM 1 8.3.8): the argument is reduced by pi / 2 as the processor has it, with 66 bits.
import * as L from '../../layout';
import { answer, BIAS, C2, denormalFlag, EXPONENT, exponentOf, INTEGER_BIT, invalid, isZero, nanOperand,
  normalisedExponent,
  normalisedLow, PRECISION_64, roundAndPack, SIGN, signOf } from './extf80';
import { less128, subHigh128 } from './integers';
import { divideWide, exponent, factorialSeries, high, low, multiplyWide, normalise, ONE_HIGH, toFixed } from './wide';

/** pi / 2 * 2^65 = 3243F6A8885A308D3h (SDM 1 8.3.8: 0.C90FDAA22168C234C * 2^2). */
const HALF_PI_HIGH: u64 = 3, HALF_PI_LOW: u64 = 0x243f6a8885a308d3;
/** An operand of 2^63 and above is out of range. */
const RANGE: i32 = 63;

/** The reduced argument: a wide number of at most pi / 4, its sign, and how many times pi / 2 was taken, modulo 4. */
let rHigh: u64 = 0, rLow: u64 = 0, rExponent: i32 = 0, rNegative: bool = false, quadrant: u32 = 0;

/** Reduces |x| = m * 2^(e - 63), not 0, e < 63. */
function reduce(m: u64, e: i32): void {
  rHigh = m; rLow = 0; rExponent = e; rNegative = false; quadrant = 0;
  if (e < -1) return;
  // in units of 2^-65
  let n = <u32>(e + 2), h: u64 = 0, l = m;
  if (n == 64) { h = m; l = 0; } else if (n) { h = m >> (64 - n); l = m << n; }
  // remainder by HALF_PI, one bit of the quotient a turn
  let dividendHigh = h, dividendLow = l;
  h = 0; l = 0;
  for (let i = 0; i < 128; i++) {
    h = h << 1 | l >> 63; l = l << 1 | dividendHigh >> 63;
    dividendHigh = dividendHigh << 1 | dividendLow >> 63; dividendLow <<= 1;
    quadrant <<= 1;
    if (!less128(h, l, HALF_PI_HIGH, HALF_PI_LOW)) {
      h = subHigh128(h, l, HALF_PI_HIGH, HALF_PI_LOW); l -= HALF_PI_LOW;
      quadrant |= 1;
    }
  }
  // to the nearest multiple
  let otherHigh = subHigh128(HALF_PI_HIGH, HALF_PI_LOW, h, l), otherLow = HALF_PI_LOW - l;
  if (less128(otherHigh, otherLow, h, l)) { h = otherHigh; l = otherLow; quadrant++; rNegative = true; }
  quadrant &= 3;
  normalise(h, l, 62); // (h, l) * 2^-65
  rHigh = high; rLow = low; rExponent = exponent;
}
/** Sine of the reduced argument's magnitude, a wide number. */
function sine(): void {
  square();
  factorialSeries(high, low, 2, 0, 1, 14, true);
  multiplyWide(high, low, 0, rHigh, rLow, rExponent);
}
function cosine(): void {
  square();
  factorialSeries(high, low, 2, -1, 1, 15, true);
  normalise(high, low, 0);
}
@inline function square(): void {
  multiplyWide(rHigh, rLow, rExponent, rHigh, rLow, rExponent);
  toFixed(high, low, exponent);
}
@inline function rounded(sign: u32, control: u32, flags: u32): u32 {
  return roundAndPack(sign, BIAS + exponent, high, low | 1, control | PRECISION_64, flags);
}
/** sin(x), x with this sign, of the reduced argument; plus: 1 for the cosine, which is a quadrant further. */
function circular(sign: u32, plus: u32, control: u32, flags: u32): u32 {
  let q = quadrant + plus & 3, odd = q & 1, flip: u32 = q & 2 ? SIGN : 0;
  if (odd) cosine(); else sine();
  if (!plus) flip ^= sign; // sin(-x) = -sin(x), cos(-x) = cos(x)
  // r below 0: sin(r) changes its sign, cos(r) does not
  if (!odd && rNegative) flip ^= SIGN;
  return rounded(flip, control, flags);
}

/** What is common to all: NaNs, infinities, what is out of range. -1: go on. */
function outside(low: u64, high: u32): i32 {
  let special = nanOperand(low, high);
  if (special >= 0) return special;
  if (exponentOf(high) == <i32>EXPONENT) return <i32>invalid();
  if (exponentOf(high) - BIAS >= RANGE) return <i32>answer(low, high, C2);
  return -1;
}
@inline function reduceOperand(low: u64, high: u32): void {
  reduce(normalisedLow(low), normalisedExponent(low, high) - BIAS);
}

export function extF80_sin(xLow: u64, xHigh: u32, control: u32): u32 {
  let special = outside(xLow, xHigh);
  if (special >= 0) return <u32>special;
  if (isZero(xLow, xHigh)) return answer(xLow, xHigh, 0);
  reduceOperand(xLow, xHigh);
  return circular(signOf(xHigh), 0, control, denormalFlag(xLow, xHigh));
}
export function extF80_cos(xLow: u64, xHigh: u32, control: u32): u32 {
  let special = outside(xLow, xHigh);
  if (special >= 0) return <u32>special;
  if (isZero(xLow, xHigh)) return answer(INTEGER_BIT, <u32>BIAS, 0);
  reduceOperand(xLow, xHigh);
  return circular(signOf(xHigh), 1, control, denormalFlag(xLow, xHigh));
}
@inline function secondIsFirst(): void { second(load<u64>(L.FLOAT_EXTENDED_LOW), load<u32>(L.FLOAT_EXTENDED_HIGH)); }
@inline function second(low: u64, high: u32): void {
  store<u64>(L.FLOAT_SECOND_LOW, low);
  store<u32>(L.FLOAT_SECOND_HIGH, high);
}
/** FSINCOS: the cosine, with the sine as the second result. */
export function extF80_sincos(xLow: u64, xHigh: u32, control: u32): u32 {
  let special = outside(xLow, xHigh);
  if (special >= 0) { secondIsFirst(); return <u32>special; }
  if (isZero(xLow, xHigh)) { second(xLow, xHigh); return answer(INTEGER_BIT, <u32>BIAS, 0); }
  reduceOperand(xLow, xHigh);
  let flags = circular(signOf(xHigh), 0, control, denormalFlag(xLow, xHigh));
  secondIsFirst();
  return flags | circular(signOf(xHigh), 1, control, 0);
}
/** FPTAN: 1.0, with the tangent as the second result. */
export function extF80_tan(xLow: u64, xHigh: u32, control: u32): u32 {
  let special = outside(xLow, xHigh);
  if (special >= 0) { secondIsFirst(); return <u32>special; }
  if (isZero(xLow, xHigh)) { second(xLow, xHigh); return answer(INTEGER_BIT, <u32>BIAS, 0); }
  reduceOperand(xLow, xHigh);
  sine();
  let h = high, l = low, e = exponent, odd = quadrant & 1, sign = signOf(xHigh);
  cosine();
  // tan(q pi / 2 + r): tan(r), or -1 / tan(r) for an odd q
  if (odd) divideWide(high, low, exponent, h, l, e); else divideWide(h, l, e, high, low, exponent);
  // r (1 + r^2 / 3 ...) is a little more than r
  if (!odd && rExponent < -64) normalise(rHigh, rLow, rExponent);
  if (odd) sign ^= SIGN;
  if (rNegative) sign ^= SIGN;
  let flags = rounded(sign, control, denormalFlag(xLow, xHigh));
  secondIsFirst();
  return answer(INTEGER_BIT, <u32>BIAS, flags);
}
