// SSSE3 on XMM registers (SDM 1 5.8): horizontal addition, sign and absolute value, byte shuffles and alignment.
import { immOf } from '../record';
import { sseAvailable, dstVector, srcVector, setDstVector, ldAligned } from './sse-operands';

export const PSHUFB: u32 = 0, PHADDW: u32 = 1, PHADDD: u32 = 2, PHADDSW: u32 = 3, PHSUBW: u32 = 4, PHSUBD: u32 = 5,
  PHSUBSW: u32 = 6,
  PMADDUBSW: u32 = 7, PMULHRSW: u32 = 8, PSIGNB: u32 = 9, PSIGNW: u32 = 10, PSIGND: u32 = 11, PABSB: u32 = 12,
    PABSW: u32 = 13,
  PABSD: u32 = 14;

@inline function evenWords(a: v128, b: v128): v128 { return v128.shuffle<u16>(a, b, 0, 2, 4, 6, 8, 10, 12, 14); }
@inline function oddWords(a: v128, b: v128): v128 { return v128.shuffle<u16>(a, b, 1, 3, 5, 7, 9, 11, 13, 15); }
@inline function evenDoubleWords(a: v128, b: v128): v128 { return v128.shuffle<u32>(a, b, 0, 2, 4, 6); }
@inline function oddDoubleWords(a: v128, b: v128): v128 { return v128.shuffle<u32>(a, b, 1, 3, 5, 7); }
@inline function horizontal(op: u32, a: v128, b: v128): v128 {
  if (op == PHADDW) return i16x8.add(evenWords(a, b), oddWords(a, b));
  if (op == PHADDD) return i32x4.add(evenDoubleWords(a, b), oddDoubleWords(a, b));
  if (op == PHADDSW) return i16x8.add_sat_s(evenWords(a, b), oddWords(a, b));
  if (op == PHSUBW) return i16x8.sub(evenWords(a, b), oddWords(a, b));
  if (op == PHSUBD) return i32x4.sub(evenDoubleWords(a, b), oddDoubleWords(a, b));
  return i16x8.sub_sat_s(evenWords(a, b), oddWords(a, b));
}
/** Unsigned bytes of a times signed bytes of b: each product fits 16 bits, sums of pairs saturate. */
@inline function multiplyAddBytes(a: v128, b: v128): v128 {
  let even = i16x8.mul(v128.and(a, i16x8.splat(0xff)), i16x8.shr_s(i16x8.shl(b, 8), 8));
  let odd = i16x8.mul(i16x8.shr_u(a, 8), i16x8.shr_s(b, 8));
  return i16x8.add_sat_s(even, odd);
}
/** WebAssembly saturates the product of -1 and -1, PMULHRSW gives 8000h. */
@inline function multiplyRounded(a: v128, b: v128): v128 {
  let least = i16x8.splat(i16.MIN_VALUE);
  return v128.xor(i16x8.q15mulr_sat_s(a, b), v128.and(i16x8.eq(a, least), i16x8.eq(b, least)));
}
/** a, -a or 0 as b is positive, negative or 0. */
@inline function signed(op: u32, a: v128, b: v128): v128 {
  let zero = i64x2.splat(0);
  if (op == PSIGNB) {
    let negative = i8x16.lt_s(b, zero);
    return v128.andnot(i8x16.sub(v128.xor(a, negative), negative), i8x16.eq(b, zero));
  }
  if (op == PSIGNW) {
    let negative = i16x8.lt_s(b, zero);
    return v128.andnot(i16x8.sub(v128.xor(a, negative), negative), i16x8.eq(b, zero));
  }
  let negative = i32x4.lt_s(b, zero);
  return v128.andnot(i32x4.sub(v128.xor(a, negative), negative), i32x4.eq(b, zero));
}
/** What the MMX handlers compute with too. */
@inline export function packedSsse3(op: u32, a: v128, b: v128): v128 {
  // selectors with bit 7 give 0, of the others four bits count; WebAssembly's give 0 from 16 on
  if (op == PSHUFB) return i8x16.swizzle(a, v128.and(b, i8x16.splat(<i8>0x8f)));
  if (op == PMADDUBSW) return multiplyAddBytes(a, b);
  if (op == PMULHRSW) return multiplyRounded(a, b);
  if (op == PABSB) return i8x16.abs(b);
  if (op == PABSW) return i16x8.abs(b);
  if (op == PABSD) return i32x4.abs(b);
  if (op >= PSIGNB) return signed(op, a, b);
  return horizontal(op, a, b);
}
@inline export function ssse3_rr(op: u32, r: usize): void {
  sseAvailable(r);
  setDstVector(r, packedSsse3(op, dstVector(r), srcVector(r)));
}
@inline export function ssse3_rm(op: u32, r: usize): void {
  sseAvailable(r);
  let b = ldAligned(r);
  setDstVector(r, packedSsse3(op, dstVector(r), b));
}

/**
 * PALIGNR: sixteen bytes out of high:low from byte n on. Selectors outside 0-15 give 0, so one swizzle of each half is
 * enough.
 */
@inline function aligned(high: v128, low: v128, n: u64): v128 {
  let from = i8x16.add(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(<i8>(n < 32 ? n : 32)));
  return v128.or(i8x16.swizzle(low, from), i8x16.swizzle(high, i8x16.sub(from, i8x16.splat(16))));
}
@inline export function palignr_rr(r: usize): void {
  sseAvailable(r);
  setDstVector(r, aligned(dstVector(r), srcVector(r), immOf(r) & 0xff));
}
@inline export function palignr_rm(r: usize): void {
  sseAvailable(r);
  let b = ldAligned(r);
  setDstVector(r, aligned(dstVector(r), b, immOf(r) & 0xff));
}
