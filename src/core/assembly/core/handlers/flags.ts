// Arithmetic flags as plain values (layout.ts F_*): no lazy kind, so to the partial evaluator they are ordinary locals,
// and a compare followed by a conditional jump becomes one compare.
import * as L from '../../../layout';

/** Sign extension to 64 bits. */
@inline export function sx<T>(v: T): i64 {
  if (sizeof<T>() == 1) return <i64><i8>v;
  if (sizeof<T>() == 2) return <i64><i16>v;
  if (sizeof<T>() == 4) return <i64><i32>v;
  return <i64>v;
}
/** a < b as signed numbers of T's width, 0 or 1. */
@inline export function lessSigned<T>(a: T, b: T): i32 {
  if (sizeof<T>() == 8) return i32(<i64>a < <i64>b);
  return i32(<i32>sx<T>(a) < <i32>sx<T>(b));
}
/** Sign bit, 0 or 1. */
@inline export function sign<T>(v: T): i32 { return i32(sx<T>(v) < 0); }

@inline export function carryFlag(): i32 { return load<i32>(L.F_CF); }
@inline export function overflowFlag(): i32 { return load<i32>(L.F_LT) ^ i32(load<i64>(L.F_SIGN) < 0); }
@inline export function setCarry(cf: i32): void { store<i32>(L.F_CF, cf); }
/** Sets OF (SF stays). */
@inline export function setOverflow(overflow: i32): void {
  store<i32>(L.F_LT, overflow ^ i32(load<i64>(L.F_SIGN) < 0));
}
/** All six: ZF SF PF from the result, lessThan is SF != OF, bit 4 of af is AF. */
@inline export function setFlags<T>(result: T, cf: i32, lessThan: i32, af: i32): void {
  let v = sx<T>(result);
  store<i64>(L.F_ZERO, v); store<i64>(L.F_SIGN, v);
  store<i32>(L.F_CF, cf); store<i32>(L.F_LT, lessThan); store<i32>(L.F_AF, af);
}
/** Flags of AND, OR, XOR, TEST: CF and OF clear; AF, undefined by the manual, is clear as on real processors. */
@inline export function setLogicFlags<T>(result: T): void { setFlags<T>(result, 0, sign<T>(result), 0); }
@inline export function setAddFlags<T>(a: T, b: T, v: T): void {
  setFlags<T>(v, i32(v < a), i32((sx<T>(v) ^ ((sx<T>(v) ^ sx<T>(a)) & (sx<T>(v) ^ sx<T>(b)))) < 0), <i32>(a ^ b ^ v));
}
@inline export function setSubtractFlags<T>(a: T, b: T, v: T): void {
  setFlags<T>(v, i32(a < b), lessSigned<T>(a, b), <i32>(a ^ b ^ v));
}

/** The condition of Jcc, SETcc, CMOVcc (SDM 2D appendix B.1.4.7); cc is a constant at every use. */
@inline export function condition(cc: u32): bool {
  if (cc == 0) return overflowFlag() != 0;
  if (cc == 1) return overflowFlag() == 0;
  if (cc == 2) return load<i32>(L.F_CF) != 0;
  if (cc == 3) return load<i32>(L.F_CF) == 0;
  if (cc == 4) return load<i64>(L.F_ZERO) == 0;
  if (cc == 5) return load<i64>(L.F_ZERO) != 0;
  if (cc == 6) return (load<i32>(L.F_CF) | i32(load<i64>(L.F_ZERO) == 0)) != 0;
  if (cc == 7) return (load<i32>(L.F_CF) | i32(load<i64>(L.F_ZERO) == 0)) == 0;
  if (cc == 8) return load<i64>(L.F_SIGN) < 0;
  if (cc == 9) return load<i64>(L.F_SIGN) >= 0;
  if (cc == 10) return (popcnt<u32>(<u32>load<u64>(L.F_SIGN) & 0xff) & 1) == 0;
  if (cc == 11) return (popcnt<u32>(<u32>load<u64>(L.F_SIGN) & 0xff) & 1) != 0;
  if (cc == 12) return load<i32>(L.F_LT) != 0;
  if (cc == 13) return load<i32>(L.F_LT) == 0;
  if (cc == 14) return (load<i32>(L.F_LT) | i32(load<i64>(L.F_ZERO) == 0)) != 0;
  return (load<i32>(L.F_LT) | i32(load<i64>(L.F_ZERO) == 0)) == 0;
}
/** ZF SF PF from SAHF's layout of RFLAGS bits; CF and AF too; OF stays. */
@inline export function setLowFlags(bits: u32, overflow: i32): void {
  store<i64>(L.F_ZERO, bits & 0x40 ? 0 : 1);
  store<i64>(L.F_SIGN, (bits & 4 ? 0 : 1) | (bits & 0x80 ? i64.MIN_VALUE : 0));
  store<i32>(L.F_CF, <i32>(bits & 1)); store<i32>(L.F_AF, <i32>(bits & 0x10));
  store<i32>(L.F_LT, overflow ^ <i32>((bits >> 7) & 1));
}
/** SF ZF AF PF CF in SAHF's layout (bit 1 set). */
@inline export function lowFlags(): u32 {
  return <u32>load<i32>(L.F_CF) | 2 | u32((popcnt<u32>(<u32>load<u64>(L.F_SIGN) & 0xff) & 1) == 0) << 2 |
    (<u32>load<i32>(L.F_AF) & 0x10) | u32(load<i64>(L.F_ZERO) == 0) << 6 | u32(load<i64>(L.F_SIGN) < 0) << 7;
}
