// FPREM and FPREM1 (SDM 2A): exact remainders, in parts when the exponents lie far apart.
import { answer, C0, C1, C2, C3, denormalFlag, EXPONENT, exponentOf, invalid, isZero, nanOperands, normalisedExponent,
  normalisedLow,
  PRECISION_64, roundAndPack, SIGN, signOf } from './extf80';
import { divide128By64, shiftLeftHigh128 } from './integers';

/** The low bits of a quotient, where these instructions put them. */
@inline function quotientCodes(q: u64): u32 {
  return (q & 1 ? C1 : 0) | (q & 2 ? C3 : 0) | (q & 4 ? C0 : 0);
}
/**
 * a rem b; nearest: the quotient is rounded to nearest (FPREM1), else it is cut off (FPREM). C2: only a part was done.
 */
export function extF80_rem(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, nearest: u32, control: u32): u32 {
  control |= PRECISION_64;
  let special = nanOperands(aLow, aHigh, bLow, bHigh);
  if (special >= 0) return <u32>special;
  if (exponentOf(aHigh) == <i32>EXPONENT || isZero(bLow, bHigh)) return invalid();
  let flags = denormalFlag(aLow, aHigh) | denormalFlag(bLow, bHigh), sign = signOf(aHigh);
  if (isZero(aLow, aHigh)) return answer(aLow, aHigh, flags);
  let a = normalisedLow(aLow), e = normalisedExponent(aLow, aHigh);
  if (exponentOf(bHigh) == <i32>EXPONENT) return roundAndPack(sign, e, a, 0, control, flags);
  let b = normalisedLow(bLow), f = normalisedExponent(bLow, bHigh), distance = e - f;
  if (distance < 0 && !(nearest && distance == -1)) return roundAndPack(sign, e, a, 0, control, flags);
  if (distance == -1) {
    // a is less than b: nearest to 0 or to 1, where a tie goes to 0
    if (a <= b) return roundAndPack(sign, e, a, 0, control, flags);
    // b - a in units of a's last place: 2b - a
    return pack(sign ^ SIGN, e, b - (a - b), control, flags | quotientCodes(1));
  }
  let partial = distance >= 64, n = <u32>(partial ? (distance & 31) | 32 : distance), quotient: u64 = 0;
  if (a >= b) { a -= b; quotient = 1; }
  // (a * 2^n) / b, a < b
  let high = shiftLeftHigh128(0, a, n), low = a << n, q = divide128By64(high, low, b), remainder = low - q * b;
  if (partial) return pack(sign, e - <i32>n, remainder, control, flags | C2);
  quotient = (quotient << n) + q;
  if (nearest) {
    let other = b - remainder;
    if (remainder > other || (remainder == other && quotient & 1)) { remainder = other; sign ^= SIGN; quotient++; }
  }
  flags |= quotientCodes(quotient);
  // a remainder of 0 has the dividend's sign
  return remainder ? pack(sign, f, remainder, control, flags) : answer(0, signOf(aHigh), flags);
}
/** remainder * 2^(exponent - BIAS - 63) */
function pack(sign: u32, exponent: i32, remainder: u64, control: u32, flags: u32): u32 {
  if (!remainder) return answer(0, sign, flags);
  return roundAndPack(sign, exponent - <i32>clz<u64>(remainder), normalisedLow(remainder), 0, control, flags);
}
