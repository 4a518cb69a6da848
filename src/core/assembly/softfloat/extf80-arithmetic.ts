// FADD, FSUB, FMUL, FDIV and FSQRT (SDM 1 8.3.4): the instructions that the precision control rules.
import { answer, BIAS, denormalFlag, DENORMAL, EXPONENT, exponentOf, INTEGER_BIT, invalid, isInfinity, isZero,
  nanOperand,
  nanOperands, normalisedExponent, normalisedLow, ROUND_DOWN, roundAndPack, ROUNDING_CONTROL, SIGN, signOf,
    ZERO_DIVIDE } from './extf80';
import { divide128By64, mulHigh64, shiftRightHigh128, shiftRightJamLow128, sqrt128, subHigh128 } from './integers';

/** The sign of a difference that is exactly 0 (SDM 1 4.8.3.1). */
@inline function zeroSign(control: u32): u32 { return (control & ROUNDING_CONTROL) == ROUND_DOWN ? SIGN : 0; }

export function extF80_add(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, control: u32): u32 {
  return sum(aLow, aHigh, bLow, bHigh, signOf(bHigh), control);
}
export function extF80_sub(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, control: u32): u32 {
  return sum(aLow, aHigh, bLow, bHigh, signOf(bHigh) ^ SIGN, control);
}
/** a + b, where b's sign is given: that of a NaN stays. */
function sum(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, bSign: u32, control: u32): u32 {
  let special = nanOperands(aLow, aHigh, bLow, bHigh);
  if (special >= 0) return <u32>special;
  let aSign = signOf(aHigh), flags = denormalFlag(aLow, aHigh) | denormalFlag(bLow, bHigh);
  if (exponentOf(aHigh) == <i32>EXPONENT) {
    if (isInfinity(bLow, bHigh) && aSign != bSign) return invalid();
    return answer(aLow, aSign | EXPONENT, flags);
  }
  if (exponentOf(bHigh) == <i32>EXPONENT) return answer(bLow, bSign | EXPONENT, flags);
  if (isZero(aLow, aHigh)) {
    if (isZero(bLow, bHigh)) return answer(0, aSign == bSign ? aSign : zeroSign(control), flags);
    return roundAndPack(bSign, normalisedExponent(bLow, bHigh), normalisedLow(bLow), 0, control, flags);
  }
  let a = normalisedLow(aLow), b = normalisedLow(bLow), e = normalisedExponent(aLow, aHigh);
  let f = normalisedExponent(bLow, bHigh);
  if (isZero(bLow, bHigh)) return roundAndPack(aSign, e, a, 0, control, flags);
  // the larger magnitude first
  if (e < f || (e == f && a < b)) {
    let s = aSign; aSign = bSign; bSign = s;
    let x = a; a = b; b = x;
    let y = e; e = f; f = y;
  }
  let distance = <u32>(e - f), high = shiftRightHigh128(b, distance), rest = shiftRightJamLow128(b, 0, distance);
  if (aSign == bSign) {
    let total = a + high;
    if (total >= a) return roundAndPack(aSign, e, total, rest, control, flags);
    return roundAndPack(aSign, e + 1, total >> 1 | INTEGER_BIT, total << 63 | rest >> 1 | (rest & 1), control, flags);
  }
  high = subHigh128(a, 0, high, rest); rest = -rest;
  if (!(high | rest)) return answer(0, zeroSign(control), flags);
  if (!high) return roundAndPack(aSign, e - 64 - <i32>clz<u64>(rest), normalisedLow(rest), 0, control, flags);
  let n = <u32>clz<u64>(high);
  if (n) { high = high << n | rest >> (64 - n); rest <<= n; }
  return roundAndPack(aSign, e - <i32>n, high, rest, control, flags);
}

export function extF80_mul(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, control: u32): u32 {
  let special = nanOperands(aLow, aHigh, bLow, bHigh);
  if (special >= 0) return <u32>special;
  let sign = signOf(aHigh ^ bHigh), flags = denormalFlag(aLow, aHigh) | denormalFlag(bLow, bHigh);
  if (exponentOf(aHigh) == <i32>EXPONENT || exponentOf(bHigh) == <i32>EXPONENT) {
    if (isZero(aLow, aHigh) || isZero(bLow, bHigh)) return invalid();
    return answer(INTEGER_BIT, sign | EXPONENT, flags);
  }
  if (!aLow || !bLow) return answer(0, sign, flags);
  let a = normalisedLow(aLow), b = normalisedLow(bLow), high = mulHigh64(a, b), rest = a * b;
  let e = normalisedExponent(aLow, aHigh) + normalisedExponent(bLow, bHigh) - BIAS + 1;
  if (!(high >> 63)) { high = high << 1 | rest >> 63; rest <<= 1; e--; }
  return roundAndPack(sign, e, high, rest, control, flags);
}

/** a / b */
export function extF80_div(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, control: u32): u32 {
  let special = nanOperands(aLow, aHigh, bLow, bHigh);
  if (special >= 0) return <u32>special;
  let sign = signOf(aHigh ^ bHigh), flags = denormalFlag(aLow, aHigh) | denormalFlag(bLow, bHigh);
  if (exponentOf(aHigh) == <i32>EXPONENT) {
    if (exponentOf(bHigh) == <i32>EXPONENT) return invalid();
    return answer(INTEGER_BIT, sign | EXPONENT, flags);
  }
  if (exponentOf(bHigh) == <i32>EXPONENT) return answer(0, sign, flags);
  if (!bLow) {
    if (!aLow) return invalid();
    // comes before a denormal operand's exception (SDM 1 4.9.2)
    return answer(INTEGER_BIT, sign | EXPONENT, ZERO_DIVIDE);
  }
  if (!aLow) return answer(0, sign, flags);
  let a = normalisedLow(aLow), b = normalisedLow(bLow);
  let e = normalisedExponent(aLow, aHigh) - normalisedExponent(bLow, bHigh) + BIAS;
  let high: u64, low: u64;
  if (a >= b) { high = a >> 1; low = a << 63; } else { high = a; low = 0; e--; }
  let quotient = divide128By64(high, low, b);
  return roundAndPack(sign, e, quotient, tailOfRemainder(low - quotient * b, b), control, flags);
}
/** A fraction that rounds as remainder / divisor does. */
@inline function tailOfRemainder(remainder: u64, divisor: u64): u64 {
  let other = divisor - remainder;
  return !remainder ? 0 : remainder < other ? <u64>1 << 62 : remainder == other ? <u64>1 << 63 : <u64>3 << 62;
}

export function extF80_sqrt(low: u64, high: u32, control: u32): u32 {
  let special = nanOperand(low, high);
  if (special >= 0) return <u32>special;
  if (isZero(low, high)) return answer(low, high, 0);
  if (signOf(high)) return invalid();
  if (exponentOf(high) == <i32>EXPONENT) return answer(low, high, 0);
  let a = normalisedLow(low), e = normalisedExponent(low, high) - BIAS, odd = (e & 1) != 0;
  // radicand a * 2^64 or a * 2^63, so that the root has 64 bits
  let radicand = odd ? a : a >> 1, rest: u64 = odd ? 0 : a << 63, root = sqrt128(radicand, rest);
  // the remainder is root at most below the middle, and never in it: (root + 1/2)^2 is no integer
  let square = mulHigh64(root, root), difference = rest - root * root;
  let carry = subHigh128(radicand, rest, square, root * root);
  let tail: u64 = !(carry | difference) ? 0 : carry || difference > root ? <u64>3 << 62 : <u64>1 << 62;
  return roundAndPack(0, (e >> 1) + BIAS, root, tail, control, denormalFlag(low, high));
}
