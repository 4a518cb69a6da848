// SSE4.1 data movement (SDM 1 5.10.2, 5.10.4-5.10.6): blends, insertions, extractions, widening moves.
import * as L from '../../../layout';
import { src, setDst, dstPointer, srcPointer, immOf } from '../record';
import { ldOperand, stOperand } from '../memory';
import { sseAvailable, dstVector, srcVector, setDstVector, ldAligned } from './sse-operands';

export const PMOVSXBW: u32 = 0, PMOVSXBD: u32 = 1, PMOVSXBQ: u32 = 2, PMOVSXWD: u32 = 3, PMOVSXWQ: u32 = 4,
  PMOVSXDQ: u32 = 5,
  PMOVZXBW: u32 = 6, PMOVZXBD: u32 = 7, PMOVZXBQ: u32 = 8, PMOVZXWD: u32 = 9, PMOVZXWQ: u32 = 10, PMOVZXDQ: u32 = 11;

// ---- widening moves: the source's lower half, quarter or eighth -----------------------------------------------------
@inline function widened(op: u32, a: v128): v128 {
  if (op == PMOVSXBW) return i16x8.extend_low_i8x16_s(a);
  if (op == PMOVSXBD) return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(a));
  if (op == PMOVSXBQ) return i64x2.extend_low_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(a)));
  if (op == PMOVSXWD) return i32x4.extend_low_i16x8_s(a);
  if (op == PMOVSXWQ) return i64x2.extend_low_i32x4_s(i32x4.extend_low_i16x8_s(a));
  if (op == PMOVSXDQ) return i64x2.extend_low_i32x4_s(a);
  if (op == PMOVZXBW) return i16x8.extend_low_i8x16_u(a);
  if (op == PMOVZXBD) return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(a));
  if (op == PMOVZXBQ) return i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(a)));
  if (op == PMOVZXWD) return i32x4.extend_low_i16x8_u(a);
  if (op == PMOVZXWQ) return i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(a));
  return i64x2.extend_low_i32x4_u(a);
}
/** T: the part of the source that counts; a memory operand need not be aligned. */
@inline export function widen_rr<T>(op: u32, r: usize): void {
  sseAvailable(r);
  setDstVector(r, widened(op, srcVector(r)));
}
@inline export function widen_rm<T>(op: u32, r: usize): void {
  sseAvailable(r);
  setDstVector(r, widened(op, i64x2.splat(<i64><u64>ldOperand<T>(r))));
}

// ---- blends ---------------------------------------------------------------------------------------------------------
/** b where the mask's bits are set, else a. */
@inline function blended(a: v128, b: v128, mask: v128): v128 { return v128.bitselect(b, a, mask); }
/** A mask of elements of width bits out of the immediate's low bits. */
@inline function elementMask(width: u32, imm: u64): v128 {
  let all = i64x2.splat(<i64>imm);
  if (width == 16) {
    let bits = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
    return i16x8.eq(v128.and(i16x8.splat(<i16>imm), bits), bits);
  }
  if (width == 32) {
    let bits = i32x4(1, 2, 4, 8);
    return i32x4.eq(v128.and(i32x4.splat(<i32>imm), bits), bits);
  }
  let bits = i64x2(1, 2);
  return i64x2.eq(v128.and(all, bits), bits);
}
@inline export function blend_rr(width: u32, r: usize): void {
  sseAvailable(r);
  setDstVector(r, blended(dstVector(r), srcVector(r), elementMask(width, immOf(r))));
}
@inline export function blend_rm(width: u32, r: usize): void {
  sseAvailable(r);
  let b = ldAligned(r);
  setDstVector(r, blended(dstVector(r), b, elementMask(width, immOf(r))));
}
/** The sign bits of XMM0's elements, spread over the elements. */
@inline function signs(width: u32): v128 {
  let mask = v128.load(L.XMM);
  if (width == 8) return i8x16.shr_s(mask, 7);
  if (width == 32) return i32x4.shr_s(mask, 31);
  return i64x2.shr_s(mask, 63);
}
@inline export function blend_variable_rr(width: u32, r: usize): void {
  sseAvailable(r);
  setDstVector(r, blended(dstVector(r), srcVector(r), signs(width)));
}
@inline export function blend_variable_rm(width: u32, r: usize): void {
  sseAvailable(r);
  let b = ldAligned(r);
  setDstVector(r, blended(dstVector(r), b, signs(width)));
}

// ---- one element ----------------------------------------------------------------------------------------------------
/** Address of the element of type T that the immediate selects in an XMM slot. */
@inline function element<T>(r: usize, slot: usize): usize {
  return slot + (<usize>immOf(r) & (16 / sizeof<T>() - 1)) * sizeof<T>();
}
@inline export function insert_rr<T>(r: usize): void {
  sseAvailable(r);
  store<T>(element<T>(r, dstPointer(r)), src<T>(r));
}
@inline export function insert_rm<T>(r: usize): void {
  sseAvailable(r);
  store<T>(element<T>(r, dstPointer(r)), ldOperand<T>(r));
}
/** A register's bits above the element are cleared. */
@inline export function extract_rr<T>(r: usize): void {
  sseAvailable(r);
  setDst<u64>(r, <u64>load<T>(element<T>(r, srcPointer(r))));
}
@inline export function extract_mr<T>(r: usize): void {
  sseAvailable(r);
  stOperand<T>(r, load<T>(element<T>(r, srcPointer(r))));
}

/** INSERTPS: bits 6-7 choose the element of a register source, 4-5 its place, 0-3 the elements that become 0. */
@inline function insertSingle(r: usize, value: u32): void {
  let imm = immOf(r), p = dstPointer(r);
  store<u32>(p + ((<usize>imm >> 4 & 3) << 2), value);
  setDstVector(r, v128.andnot(dstVector(r), elementMask(32, imm)));
}
@inline export function insertps_rr(r: usize): void {
  sseAvailable(r);
  insertSingle(r, load<u32>(srcPointer(r) + ((<usize>immOf(r) >> 6 & 3) << 2)));
}
@inline export function insertps_rm(r: usize): void { sseAvailable(r); insertSingle(r, ldOperand<u32>(r)); }
