// Operations on the parts of a number: FRNDINT, FSCALE, FXTRACT, comparisons and the class that FXAM tells.
import * as L from '../../layout';
import { answer, BIAS, C0, C1, C2, C3, denormalFlag, EXPONENT, exponentOf, INTEGER_BIT, INVALID, invalid, isInfinity,
  isNaN,
  isSignaling, isUnsupported, isZero, nanOperand, nanOperands, normalisedExponent, normalisedLow, PRECISION,
    PRECISION_64,
  roundAndPack, roundsUp, SIGN, signOf, ZERO_DIVIDE } from './extf80';
import { i64_to_extF80 } from './extf80-convert';
import { shiftRightHigh128, shiftRightJamLow128 } from './integers';

/** FRNDINT */
export function extF80_roundToInt(low: u64, high: u32, control: u32): u32 {
  let special = nanOperand(low, high);
  if (special >= 0) return <u32>special;
  let e = exponentOf(high) - BIAS, flags = denormalFlag(low, high);
  if (e >= 63 || isZero(low, high)) return answer(low, high, flags);
  let shift = <u32>(63 - e), kept = shiftRightHigh128(low, shift), tail = shiftRightJamLow128(low, 0, shift);
  let up = roundsUp(signOf(high), (kept & 1) != 0, tail, control);
  if (up) kept++;
  if (tail) flags |= up ? PRECISION | C1 : PRECISION;
  if (!kept) return answer(0, signOf(high), flags);
  let n = <u32>clz<u64>(kept);
  return answer(kept << n, signOf(high) | <u32>(BIAS + 63 - <i32>n), flags);
}

/** FSCALE: a * 2^n, n = b without its fraction (SDM 2A table 3-30). */
export function extF80_scale(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, control: u32): u32 {
  let special = nanOperands(aLow, aHigh, bLow, bHigh);
  if (special >= 0) return <u32>special;
  let flags = denormalFlag(aLow, aHigh) | denormalFlag(bLow, bHigh), sign = signOf(aHigh);
  if (isInfinity(bLow, bHigh)) {
    if (signOf(bHigh)) return isInfinity(aLow, aHigh) ? invalid() : answer(0, sign, flags);
    return isZero(aLow, aHigh) ? invalid() : answer(INTEGER_BIT, sign | EXPONENT, flags);
  }
  if (isInfinity(aLow, aHigh) || isZero(aLow, aHigh)) return answer(aLow, aHigh, flags);
  let e = exponentOf(bHigh) - BIAS, n = e < 0 ? 0 : e > 16 ? 0x1ffff : <i32>(bLow >> <u64>(63 - e));
  if (signOf(bHigh)) n = -n;
  return roundAndPack(sign, normalisedExponent(aLow, aHigh) + n, normalisedLow(aLow), 0, control | PRECISION_64, flags);
}

@inline function answerSecond(low: u64, high: u32): void {
  store<u64>(L.FLOAT_SECOND_LOW, low);
  store<u32>(L.FLOAT_SECOND_HIGH, high & 0xffff);
}
/** FXTRACT: the significand, with the exponent as the second result. */
export function extF80_extract(low: u64, high: u32): u32 {
  let special = nanOperand(low, high);
  if (special >= 0) {
    answerSecond(load<u64>(L.FLOAT_EXTENDED_LOW), load<u32>(L.FLOAT_EXTENDED_HIGH));
    return <u32>special;
  }
  if (isZero(low, high)) { answerSecond(INTEGER_BIT, SIGN | EXPONENT); return answer(low, high, ZERO_DIVIDE); }
  if (isInfinity(low, high)) { answerSecond(INTEGER_BIT, EXPONENT); return answer(low, high, 0); }
  let exponent = i64_to_extF80(normalisedExponent(low, high) - BIAS);
  answerSecond(exponent, load<u32>(L.FLOAT_EXTENDED_HIGH));
  return answer(normalisedLow(low), signOf(high) | <u32>BIAS, denormalFlag(low, high));
}

/**
 * FCOM and its kin: condition codes of a compared with b (SDM 2A table 3-21). quiet: only an SNaN is invalid (FUCOM).
 */
export function extF80_compare(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, quiet: u32): u32 {
  const UNORDERED: u32 = C3 | C2 | C0;
  if (isUnsupported(aLow, aHigh) || isUnsupported(bLow, bHigh)) return INVALID | UNORDERED;
  if (isNaN(aLow, aHigh) || isNaN(bLow, bHigh))
    return !quiet || isSignaling(aLow, aHigh) || isSignaling(bLow, bHigh) ? INVALID | UNORDERED : UNORDERED;
  let flags = denormalFlag(aLow, aHigh) | denormalFlag(bLow, bHigh), aSign = signOf(aHigh);
  if (isZero(aLow, aHigh) && isZero(bLow, bHigh)) return flags | C3;
  if (aSign != signOf(bHigh)) return aSign ? flags | C0 : flags;
  let a = normalisedExponent(aLow, aHigh), b = normalisedExponent(bLow, bHigh), x = normalisedLow(aLow);
  let y = normalisedLow(bLow);
  if (isZero(aLow, aHigh)) a = i32.MIN_VALUE;
  if (isZero(bLow, bHigh)) b = i32.MIN_VALUE;
  if (a == b && x == y) return flags | C3;
  return (a < b || (a == b && x < y)) != (aSign != 0) ? flags | C0 : flags;
}

/** FXAM's condition codes for a register that is not empty (SDM 2A table 3-48), C1 aside. */
export function extF80_classify(low: u64, high: u32): u32 {
  if (isUnsupported(low, high)) return 0;
  if (exponentOf(high) == <i32>EXPONENT) return low == INTEGER_BIT ? C2 | C0 : C0;
  if (!exponentOf(high)) return low ? C3 | C2 : C3;
  return C2;
}
