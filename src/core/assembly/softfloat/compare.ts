// Comparison, minimum and maximum (IEEE 754-2019, 5.11; SDM 2A CMPPD, COMISD, 2B MAXPD, MINPD).
import { flag, isDenormal, isNaN, isSignalling, isZero, operand, signOf, DE, IE } from './binary';

export const LESS: u32 = 0, EQUAL: u32 = 1, GREATER: u32 = 2, UNORDERED: u32 = 3;

/** LESS, EQUAL, GREATER or UNORDERED; a QNaN is an invalid operand when the comparison is a signalling one. */
export function compare<T>(a: u64, b: u64, signalling: bool, mxcsr: u32): u32 {
  if (isNaN<T>(a) || isNaN<T>(b)) {
    if (signalling || isSignalling<T>(a) || isSignalling<T>(b)) flag(IE);
    return UNORDERED;
  }
  a = operand<T>(a, mxcsr); b = operand<T>(b, mxcsr);
  if (isDenormal<T>(a) || isDenormal<T>(b)) flag(DE);
  return ordered<T>(a, b);
}
@inline function ordered<T>(a: u64, b: u64): u32 {
  if (a == b || (isZero<T>(a) && isZero<T>(b))) return EQUAL;
  if (signOf<T>(a) != signOf<T>(b)) return signOf<T>(a) ? LESS : GREATER;
  return (a < b) != (signOf<T>(a) != 0) ? LESS : GREATER;
}

// CMPxx predicates, the immediate's low three bits
export const LT: u32 = 1, LE: u32 = 2, UNORD: u32 = 3;
/** All ones or zeros; predicates 4 to 7 are the opposites of 0 to 3. */
export function matches<T>(predicate: u32, a: u64, b: u64, mxcsr: u32): u64 {
  let base = predicate & 3, relation = compare<T>(a, b, base == LT || base == LE, mxcsr);
  let is = base == LT ? relation == LESS : base == LE ? relation <= EQUAL : base == UNORD ? relation == UNORDERED
    : relation == EQUAL;
  return is != (predicate > 3) ? (sizeof<T>() == 4 ? 0xffffffff : 0xffffffffffffffff) : 0;
}

/** The second operand, unless the first is surely smaller (greater for the maximum): so too with NaNs and two zeros. */
export function extremum<T>(a: u64, b: u64, maximum: bool, mxcsr: u32): u64 {
  let relation = compare<T>(a, b, true, mxcsr);
  a = operand<T>(a, mxcsr); b = operand<T>(b, mxcsr);
  return relation == (maximum ? GREATER : LESS) ? a : b;
}
