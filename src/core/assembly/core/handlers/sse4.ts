// SSE4.1 and SSE4.2 integer arithmetic and comparison (SDM 1 5.10, 5.11): minimum and maximum, products, PTEST,
// PHMINPOSUW, MPSADBW. Insertion, extraction, blends and widening moves are in sse4-move.ts, strings in
// system/operations/string-compare.ts.
import * as L from '../../../layout';
import { immOf } from '../record';
import { setFlags } from './flags';
import { sseAvailable, dstVector, srcVector, setDstVector, ldAligned } from './sse-operands';

export const PMINSB: u32 = 0, PMINUW: u32 = 1, PMINSD: u32 = 2, PMINUD: u32 = 3, PMAXSB: u32 = 4, PMAXUW: u32 = 5,
  PMAXSD: u32 = 6,
  PMAXUD: u32 = 7, PMULDQ: u32 = 8, PMULLD: u32 = 9, PACKUSDW: u32 = 10, PCMPEQQ: u32 = 11, PCMPGTQ: u32 = 12,
    PHMINPOSUW: u32 = 13;

/** The even double words, sign-extended. */
@inline function signedEven(a: v128): v128 { return i64x2.shr_s(i64x2.shl(a, 32), 32); }
/** One word above its number, so that the least of eight is the first of the least words. */
@inline function candidate(word: u32, i: u32): u32 { return (word << 3) | i; }
@inline function lesser(a: u32, b: u32): u32 { return a < b ? a : b; }
/** PHMINPOSUW: the least word, and its number in the next. */
@inline function leastWord(a: v128): v128 {
  let w0 = candidate(i16x8.extract_lane_u(a, 0), 0), w1 = candidate(i16x8.extract_lane_u(a, 1), 1),
    w2 = candidate(i16x8.extract_lane_u(a, 2), 2), w3 = candidate(i16x8.extract_lane_u(a, 3), 3),
    w4 = candidate(i16x8.extract_lane_u(a, 4), 4), w5 = candidate(i16x8.extract_lane_u(a, 5), 5),
    w6 = candidate(i16x8.extract_lane_u(a, 6), 6), w7 = candidate(i16x8.extract_lane_u(a, 7), 7);
  let low = lesser(lesser(w0, w1), lesser(w2, w3)), high = lesser(lesser(w4, w5), lesser(w6, w7));
  let least = lesser(low, high);
  return i64x2.replace_lane(i64x2.splat(0), 0, <u64>(least >> 3) | (<u64>(least & 7) << 16));
}
@inline function result(op: u32, a: v128, b: v128): v128 {
  if (op == PMINSB) return i8x16.min_s(a, b);
  if (op == PMINUW) return i16x8.min_u(a, b);
  if (op == PMINSD) return i32x4.min_s(a, b);
  if (op == PMINUD) return i32x4.min_u(a, b);
  if (op == PMAXSB) return i8x16.max_s(a, b);
  if (op == PMAXUW) return i16x8.max_u(a, b);
  if (op == PMAXSD) return i32x4.max_s(a, b);
  if (op == PMAXUD) return i32x4.max_u(a, b);
  if (op == PMULDQ) return i64x2.mul(signedEven(a), signedEven(b));
  if (op == PMULLD) return i32x4.mul(a, b);
  if (op == PACKUSDW) return i16x8.narrow_i32x4_u(a, b);
  if (op == PCMPEQQ) return i64x2.eq(a, b);
  if (op == PCMPGTQ) return i64x2.gt_s(a, b);
  return leastWord(b);
}
@inline export function sse4_rr(op: u32, r: usize): void {
  sseAvailable(r);
  setDstVector(r, result(op, dstVector(r), srcVector(r)));
}
@inline export function sse4_rm(op: u32, r: usize): void {
  sseAvailable(r);
  let b = ldAligned(r);
  setDstVector(r, result(op, dstVector(r), b));
}

/** ZF: no bit in common; CF: the source has no bit that the destination lacks; the others are clear, PF too. */
@inline function testBits(a: v128, b: v128): void {
  let common = v128.any_true(v128.and(a, b)), beyond = v128.any_true(v128.andnot(b, a));
  setFlags<u8>(1, i32(!beyond), 0, 0);
  store<i64>(L.F_ZERO, common ? 1 : 0);
}
@inline export function ptest_rr(r: usize): void { sseAvailable(r); testBits(dstVector(r), srcVector(r)); }
@inline export function ptest_rm(r: usize): void { sseAvailable(r); testBits(dstVector(r), ldAligned(r)); }

/** Differences of the eight bytes of a from `first` on to byte `second` of b, as words. */
@inline function differences(a: v128, b: v128, first: u64, second: u64): v128 {
  let x = i8x16.swizzle(a, i8x16.add(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    i8x16.splat(<i8>first)));
  let y = i8x16.swizzle(b, i8x16.splat(<i8>second));
  return i16x8.extend_low_i8x16_u(v128.or(i8x16.sub_sat_u(x, y), i8x16.sub_sat_u(y, x)));
}
/** MPSADBW: eight sums of four differences; the immediate chooses where four bytes of b and eleven of a begin. */
@inline function slidingSums(a: v128, b: v128, imm: u64): v128 {
  let first = imm & 4, second = (imm & 3) << 2;
  return i16x8.add(i16x8.add(differences(a, b, first, second), differences(a, b, first + 1, second + 1)),
    i16x8.add(differences(a, b, first + 2, second + 2), differences(a, b, first + 3, second + 3)));
}
@inline export function mpsadbw_rr(r: usize): void {
  sseAvailable(r);
  setDstVector(r, slidingSums(dstVector(r), srcVector(r), immOf(r)));
}
@inline export function mpsadbw_rm(r: usize): void {
  sseAvailable(r);
  let b = ldAligned(r);
  setDstVector(r, slidingSums(dstVector(r), b, immOf(r)));
}
