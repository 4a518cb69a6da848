// F2XM1, FYL2X, FYL2XP1 (SDM 1 8.3.9, 8.3.10). Like processors they report a result as inexact even where it happens to
// be exact.
import * as L from '../../layout';
import { answer, BIAS, denormalFlag, EXPONENT, exponentOf, INTEGER_BIT, invalid, isInfinity, isZero, nanOperand,
  nanOperands,
  normalisedExponent, normalisedLow, PRECISION, PRECISION_64, roundAndPack, SIGN, signOf, UNDERFLOW,
    ZERO_DIVIDE } from './extf80';
import { extF80_add } from './extf80-arithmetic';
import { subHigh128 } from './integers';
import { addWide, divideWide, exponent, factorialSeries, high, integerWide, low, multiplyWide, negative, oddSeries,
  ONE_HIGH,
  toFixed } from './wide';

const LN2_HIGH: u64 = 0xb17217f7d1cf79ab, LN2_LOW: u64 = 0xc9e3b39803f2f6af; // * 2^-1
const TWO_BY_LN2_HIGH: u64 = 0xb8aa3b295c17f0bb, TWO_BY_LN2_LOW: u64 = 0xbe87fed0691d3e89; // * 2^1
/** Significand of the square root of 2. */
const SQRT2: u64 = 0xb504f333f9de6484;

/** F2XM1: 2^x - 1 as t (1 + t / 2 (1 + t / 3 ...)), t = x ln 2. Outside [-1, 1], where it is undefined, x. */
export function extF80_2xm1(xLow: u64, xHigh: u32, control: u32): u32 {
  let special = nanOperand(xLow, xHigh);
  if (special >= 0) return <u32>special;
  let sign = signOf(xHigh), flags = denormalFlag(xLow, xHigh), e = normalisedExponent(xLow, xHigh) - BIAS;
  if (isInfinity(xLow, xHigh)) return sign ? answer(INTEGER_BIT, SIGN | <u32>BIAS, 0) : answer(xLow, xHigh, 0);
  if (isZero(xLow, xHigh)) return answer(xLow, xHigh, 0);
  if (e >= 0) {
    if (e > 0 || xLow != INTEGER_BIT) return answer(xLow, xHigh, flags);
    return answer(INTEGER_BIT, sign ? SIGN | <u32>(BIAS - 1) : <u32>BIAS, PRECISION); // 2^-1 - 1, 2^1 - 1
  }
  multiplyWide(normalisedLow(xLow), 0, e, LN2_HIGH, LN2_LOW, -1);
  let h = high, l = low, t = exponent;
  toFixed(h, l, t);
  factorialSeries(high, low, 1, 0, 2, 30, sign != 0);
  multiplyWide(h, l, t, high, low, 0);
  return roundAndPack(sign, BIAS + exponent, high, low | 1, control | PRECISION_64, flags);
}

/** y times the wide number in (high, low) and exponent, with a sign of 0 or 1. sticky: it is not exact. */
function timesLogarithm(isNegative: u32, yLow: u64, yHigh: u32, sticky: u64, control: u32, flags: u32): u32 {
  let sign = isNegative ? signOf(yHigh) ^ SIGN : signOf(yHigh);
  multiplyWide(high, low, exponent, normalisedLow(yLow), 0, normalisedExponent(yLow, yHigh) - BIAS);
  return roundAndPack(sign, BIAS + exponent, high, low | sticky, control | PRECISION_64, flags);
}
/** 2 / ln 2 * atanh(s): the base-2 logarithm of (1 + s) / (1 - s), |s| < 0.18. */
function logarithmOfRatio(sHigh: u64, sLow: u64, s: i32): void {
  multiplyWide(sHigh, sLow, s, sHigh, sLow, s);
  toFixed(high, low, exponent);
  oddSeries(high, low, 26, false);
  multiplyWide(high, low, 0, sHigh, sLow, s);
  multiplyWide(high, low, exponent, TWO_BY_LN2_HIGH, TWO_BY_LN2_LOW, 1);
}

/** FYL2X: y log2(x) (SDM 2A table 3-35). */
export function extF80_yl2x(xLow: u64, xHigh: u32, yLow: u64, yHigh: u32, control: u32): u32 {
  let special = nanOperands(xLow, xHigh, yLow, yHigh);
  if (special >= 0) return <u32>special;
  let flags = denormalFlag(xLow, xHigh) | denormalFlag(yLow, yHigh), ySign = signOf(yHigh);
  if (isZero(xLow, xHigh)) {
    if (isZero(yLow, yHigh)) return invalid();
    return answer(INTEGER_BIT, (ySign ^ SIGN) | EXPONENT, isInfinity(yLow, yHigh) ? flags : ZERO_DIVIDE);
  }
  if (signOf(xHigh)) return invalid();
  let e = normalisedExponent(xLow, xHigh) - BIAS, m = normalisedLow(xLow), below = e < 0;
  if (isInfinity(xLow, xHigh)) return isZero(yLow, yHigh) ? invalid() : answer(INTEGER_BIT, ySign | EXPONENT, flags);
  if (isInfinity(yLow, yHigh)) {
    if (e == 0 && m == INTEGER_BIT) return invalid();
    return answer(INTEGER_BIT, (below ? ySign ^ SIGN : ySign) | EXPONENT, flags);
  }
  if (isZero(yLow, yHigh) || (e == 0 && m == INTEGER_BIT)) return answer(0, below ? ySign ^ SIGN : ySign, flags);
  // m between the square roots of 1/2 and 2, s = (m - 1) / (m + 1)
  if (m == INTEGER_BIT) {
    integerWide(e);
    flags = timesLogarithm(negative, yLow, yHigh, 0, control, flags) | PRECISION;
    // and what is inexact and tiny has underflowed
    return exponentOf(load<u32>(L.FLOAT_EXTENDED_HIGH)) ? flags : flags | UNDERFLOW;
  }
  let sSign: u32 = 0;
  if (m > SQRT2) {
    e++; sSign = 1;
    let difference = -m, n = <i32>clz<u64>(difference);
    divideWide(difference << n, 0, -1 - n, ONE_HIGH | m >> 1, m << 63, 0);
  } else {
    let difference = m - ONE_HIGH, n = <i32>clz<u64>(difference);
    divideWide(difference << n, 0, -n, ONE_HIGH | difference >> 1, difference << 63, 1);
  }
  logarithmOfRatio(high, low, exponent);
  if (e) {
    let h = high, l = low, f = exponent;
    integerWide(e);
    addWide(negative, high, low, exponent, sSign, h, l, f);
    sSign = negative;
  }
  return timesLogarithm(sSign, yLow, yHigh, 1, control, flags);
}

/** FYL2XP1: y log2(x + 1) (SDM 2A table 3-36). */
export function extF80_yl2xp1(xLow: u64, xHigh: u32, yLow: u64, yHigh: u32, control: u32): u32 {
  let special = nanOperands(xLow, xHigh, yLow, yHigh);
  if (special >= 0) return <u32>special;
  let flags = denormalFlag(xLow, xHigh) | denormalFlag(yLow, yHigh), xSign = signOf(xHigh);
  let e = normalisedExponent(xLow, xHigh) - BIAS;
  if (isZero(xLow, xHigh)) return isInfinity(yLow, yHigh) ? invalid() : answer(0, xSign ^ signOf(yHigh), flags);
  if (!inRange(e, normalisedLow(xLow))) {
    // undefined: the logarithm of the rounded sum
    extF80_add(xLow, xHigh, INTEGER_BIT, <u32>BIAS, PRECISION_64);
    return extF80_yl2x(load<u64>(L.FLOAT_EXTENDED_LOW), load<u32>(L.FLOAT_EXTENDED_HIGH), yLow, yHigh, control);
  }
  if (isInfinity(yLow, yHigh)) return answer(INTEGER_BIT, (xSign ^ signOf(yHigh)) | EXPONENT, flags);
  if (isZero(yLow, yHigh)) return answer(0, xSign ^ signOf(yHigh), flags);
  // s = x / (2 + x): (1 + s) / (1 - s) = 1 + x
  let m = normalisedLow(xLow);
  toFixed(m, 0, e);
  let h = high, l = low;
  if (!xSign) divideWide(m, 0, e, ONE_HIGH | h >> 1, h << 63 | l >> 1, 1);
  else if (h | l) divideWide(m, 0, e, subHigh128(0, 0, h, l), -l, 0);
  else divideWide(m, 0, e, ONE_HIGH, 0, 1);
  logarithmOfRatio(high, low, exponent);
  return timesLogarithm(xSign ? 1 : 0, yLow, yHigh, 1, control, flags);
}
/** 1 - sqrt(1/2), with exponent -2; the instruction is defined for |x| up to it. */
const RANGE_END: u64 = 0x95f619980c4336f7;
@inline function inRange(e: i32, m: u64): bool { return e < -2 || (e == -2 && m <= RANGE_END); }
