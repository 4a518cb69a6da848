// Addition, subtraction, multiplication, division, square root (IEEE 754-2019, 5.4.1).
import {
  biasedExponent, bias, exponentOf, flag, infinity, invalid, isDenormal, isInfinite, isNaN, isZero, operand, propagate,
    signBit,
  signOf, significandOf, specialExponent, DE, ZE,
} from './binary';
import { divide128By64, jamHigh, mulHigh64, shiftRightJam64, sqrt128 } from './integers';
import { round, zeroOfDifference } from './round';

@inline function noteDenormals<T>(a: u64, b: u64): void { if (isDenormal<T>(a) || isDenormal<T>(b)) flag(DE); }
@inline function isSpecial<T>(a: u64): bool { return biasedExponent<T>(a) == specialExponent<T>(); }

export function add<T>(a: u64, b: u64, mxcsr: u32): u64 { return sum<T>(a, b, 0, mxcsr); }
export function subtract<T>(a: u64, b: u64, mxcsr: u32): u64 { return sum<T>(a, b, signBit<T>(), mxcsr); }

/** a + b, or a - b when flip is the sign bit. A NaN keeps its sign. */
function sum<T>(a: u64, b: u64, flip: u64, mxcsr: u32): u64 {
  if (isNaN<T>(a) || isNaN<T>(b)) return propagate<T>(a, b);
  a = operand<T>(a, mxcsr); b = operand<T>(b, mxcsr) ^ flip;
  if (isInfinite<T>(a) && isInfinite<T>(b) && a != b) return invalid<T>();
  noteDenormals<T>(a, b);
  if (isInfinite<T>(a)) return a;
  if (isInfinite<T>(b)) return b;
  if (isZero<T>(a) || isZero<T>(b)) {
    if (isZero<T>(a) && isZero<T>(b)) return a == b ? a : zeroOfDifference<T>(mxcsr);
    let other = isZero<T>(a) ? b : a; // not simply the answer: it may be tiny
    return round<T>(signOf<T>(other), exponentOf<T>(other), significandOf<T>(other), mxcsr);
  }
  let e = exponentOf<T>(a), eSmall = exponentOf<T>(b), s = significandOf<T>(a), small = significandOf<T>(b);
  let sign = signOf<T>(a);
  if (e < eSmall || (e == eSmall && s < small)) {
    let exponent = e, significand = s;
    e = eSmall; s = small; sign = signOf<T>(b);
    eSmall = exponent; small = significand;
  }
  small = shiftRightJam64(small, <u32>(e - eSmall));
  if (signOf<T>(a) == signOf<T>(b)) {
    s += small;
    return s >> 63 ? round<T>(sign, e + 1, shiftRightJam64(s, 1), mxcsr) : round<T>(sign, e, s, mxcsr);
  }
  s -= small;
  if (s == 0) return zeroOfDifference<T>(mxcsr);
  let up = <i32>clz<u64>(s) - 1;
  return round<T>(sign, e - up, s << up, mxcsr);
}

export function multiply<T>(a: u64, b: u64, mxcsr: u32): u64 {
  if (isNaN<T>(a) || isNaN<T>(b)) return propagate<T>(a, b);
  a = operand<T>(a, mxcsr); b = operand<T>(b, mxcsr);
  let sign = signOf<T>(a ^ b);
  if (isInfinite<T>(a) || isInfinite<T>(b)) {
    if (isZero<T>(a) || isZero<T>(b)) return invalid<T>();
    noteDenormals<T>(a, b);
    return sign | infinity<T>();
  }
  noteDenormals<T>(a, b);
  if (isZero<T>(a) || isZero<T>(b)) return sign;
  let x = significandOf<T>(a) << 1, y = significandOf<T>(b) << 1, e = exponentOf<T>(a) + exponentOf<T>(b) - bias<T>();
  let s = jamHigh(mulHigh64(x, y), x * y);
  return s >> 63 ? round<T>(sign, e + 1, shiftRightJam64(s, 1), mxcsr) : round<T>(sign, e, s, mxcsr);
}

export function divide<T>(a: u64, b: u64, mxcsr: u32): u64 {
  if (isNaN<T>(a) || isNaN<T>(b)) return propagate<T>(a, b);
  a = operand<T>(a, mxcsr); b = operand<T>(b, mxcsr);
  let sign = signOf<T>(a ^ b);
  if ((isInfinite<T>(a) && isInfinite<T>(b)) || (isZero<T>(a) && isZero<T>(b))) return invalid<T>();
  if (isZero<T>(b) && !isSpecial<T>(a)) { flag(ZE); return sign | infinity<T>(); }
  noteDenormals<T>(a, b);
  if (isInfinite<T>(a)) return sign | infinity<T>();
  if (isInfinite<T>(b) || isZero<T>(a)) return sign;
  let x = significandOf<T>(a), y = significandOf<T>(b), e = exponentOf<T>(a) - exponentOf<T>(b) + bias<T>();
  if (x < y) { x <<= 1; e--; }
  let low = x << 62, q = divide128By64(x >> 2, low, y); // x * 2^62 / y has its highest bit at 62
  return round<T>(sign, e, jamHigh(q, low - q * y), mxcsr);
}

export function squareRoot<T>(a: u64, mxcsr: u32): u64 {
  if (isNaN<T>(a)) return propagate<T>(a, a);
  a = operand<T>(a, mxcsr);
  if (isZero<T>(a)) return a;
  if (signOf<T>(a)) return invalid<T>();
  if (isInfinite<T>(a)) return a;
  noteDenormals<T>(a, a);
  let e = exponentOf<T>(a) - bias<T>(), x = significandOf<T>(a) << (e & 1); // x * 2^(even - 62)
  let root = sqrt128(x, 0); // of x * 2^64, so twice the significand
  let inexact = root * root != 0 || mulHigh64(root, root) != x;
  return round<T>(0, (e >> 1) + bias<T>(), shiftRightJam64(root, 1) | <u64>inexact, mxcsr);
}
