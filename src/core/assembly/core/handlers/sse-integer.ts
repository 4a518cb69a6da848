// SSE2 packed integer operations, the bitwise ones of all packed types, shifts and shuffles.
import { immOf } from '../record';
import { AND, OR, XOR } from './arithmetic';
import { sseAvailable, dstVector, srcVector, setDstVector, ldAligned } from './sse-operands';

// AND, OR and XOR have arithmetic.ts's numbers, so that the names mean one thing; ours begin above those.
export { AND, OR, XOR };
export const UNPACK_LOW_8: u32 = 16, UNPACK_LOW_16: u32 = 17, UNPACK_LOW_32: u32 = 18, UNPACK_LOW_64: u32 = 19,
  UNPACK_HIGH_8: u32 = 20, UNPACK_HIGH_16: u32 = 21, UNPACK_HIGH_32: u32 = 22, UNPACK_HIGH_64: u32 = 23;
export const PACK_SIGNED_16: u32 = 24, PACK_SIGNED_32: u32 = 25, PACK_UNSIGNED_16: u32 = 26;
export const GREATER_8: u32 = 27, GREATER_16: u32 = 28, GREATER_32: u32 = 29, EQUAL_8: u32 = 30, EQUAL_16: u32 = 31;
export const EQUAL_32: u32 = 32;
export const ADD_8: u32 = 33, ADD_16: u32 = 34, ADD_32: u32 = 35, ADD_64: u32 = 36, SUB_8: u32 = 37, SUB_16: u32 = 38,
  SUB_32: u32 = 39, SUB_64: u32 = 40;
export const ADD_SIGNED_8: u32 = 41, ADD_SIGNED_16: u32 = 42, ADD_UNSIGNED_8: u32 = 43, ADD_UNSIGNED_16: u32 = 44,
  SUB_SIGNED_8: u32 = 45, SUB_SIGNED_16: u32 = 46, SUB_UNSIGNED_8: u32 = 47, SUB_UNSIGNED_16: u32 = 48;
export const MULTIPLY_LOW: u32 = 49, MULTIPLY_HIGH_SIGNED: u32 = 50, MULTIPLY_HIGH_UNSIGNED: u32 = 51,
  MULTIPLY_WIDE: u32 = 52,
  MULTIPLY_ADD: u32 = 53, SUM_OF_DIFFERENCES: u32 = 54;
export const AVERAGE_8: u32 = 55, AVERAGE_16: u32 = 56, MIN_UNSIGNED_8: u32 = 57, MAX_UNSIGNED_8: u32 = 58,
  MIN_SIGNED_16: u32 = 59,
  MAX_SIGNED_16: u32 = 60, ANDN: u32 = 61;
export const SHIFT_RIGHT_16: u32 = 62, SHIFT_RIGHT_32: u32 = 63, SHIFT_RIGHT_64: u32 = 64,
  SHIFT_ARITHMETIC_16: u32 = 65,
  SHIFT_ARITHMETIC_32: u32 = 66, SHIFT_LEFT_16: u32 = 67, SHIFT_LEFT_32: u32 = 68, SHIFT_LEFT_64: u32 = 69;
export const BYTES_RIGHT: u32 = 70, BYTES_LEFT: u32 = 71;
export const PSHUFD: u32 = 0, PSHUFHW: u32 = 1, PSHUFLW: u32 = 2, SHUFPS: u32 = 3, SHUFPD: u32 = 4;

@inline function unpacked(op: u32, a: v128, b: v128): v128 {
  if (op == UNPACK_LOW_8) return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  if (op == UNPACK_LOW_16) return v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  if (op == UNPACK_LOW_32) return v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  if (op == UNPACK_LOW_64) return v128.shuffle<u64>(a, b, 0, 2);
  if (op == UNPACK_HIGH_8) return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  if (op == UNPACK_HIGH_16) return v128.shuffle<u16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  if (op == UNPACK_HIGH_32) return v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  return v128.shuffle<u64>(a, b, 1, 3);
}
@inline function compared(op: u32, a: v128, b: v128): v128 {
  if (op == GREATER_8) return i8x16.gt_s(a, b);
  if (op == GREATER_16) return i16x8.gt_s(a, b);
  if (op == GREATER_32) return i32x4.gt_s(a, b);
  if (op == EQUAL_8) return i8x16.eq(a, b);
  if (op == EQUAL_16) return i16x8.eq(a, b);
  return i32x4.eq(a, b);
}
@inline function added(op: u32, a: v128, b: v128): v128 {
  if (op == ADD_8) return i8x16.add(a, b);
  if (op == ADD_16) return i16x8.add(a, b);
  if (op == ADD_32) return i32x4.add(a, b);
  if (op == ADD_64) return i64x2.add(a, b);
  if (op == SUB_8) return i8x16.sub(a, b);
  if (op == SUB_16) return i16x8.sub(a, b);
  if (op == SUB_32) return i32x4.sub(a, b);
  return i64x2.sub(a, b);
}
@inline function saturated(op: u32, a: v128, b: v128): v128 {
  if (op == ADD_SIGNED_8) return i8x16.add_sat_s(a, b);
  if (op == ADD_SIGNED_16) return i16x8.add_sat_s(a, b);
  if (op == ADD_UNSIGNED_8) return i8x16.add_sat_u(a, b);
  if (op == ADD_UNSIGNED_16) return i16x8.add_sat_u(a, b);
  if (op == SUB_SIGNED_8) return i8x16.sub_sat_s(a, b);
  if (op == SUB_SIGNED_16) return i16x8.sub_sat_s(a, b);
  if (op == SUB_UNSIGNED_8) return i8x16.sub_sat_u(a, b);
  return i16x8.sub_sat_u(a, b);
}
/** PSADBW: the absolute differences of each eight bytes, summed into the low word of their half. */
@inline function sumOfDifferences(a: v128, b: v128): v128 {
  let d = v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a));
  let sums = i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(d));
  return i64x2.add(i64x2.shr_u(sums, 32), v128.and(sums, i64x2.splat(0xffffffff)));
}
/** The upper words of two vectors of double words, in order. */
@inline function upperWords(low: v128, high: v128): v128 {
  return v128.shuffle<u16>(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
}
@inline function multiplied(op: u32, a: v128, b: v128): v128 {
  if (op == MULTIPLY_LOW) return i16x8.mul(a, b);
  if (op == MULTIPLY_HIGH_SIGNED) return upperWords(i32x4.extmul_low_i16x8_s(a, b), i32x4.extmul_high_i16x8_s(a, b));
  if (op == MULTIPLY_HIGH_UNSIGNED) return upperWords(i32x4.extmul_low_i16x8_u(a, b), i32x4.extmul_high_i16x8_u(a, b));
  if (op == MULTIPLY_WIDE) {
    let even = i64x2.splat(0xffffffff);
    return i64x2.mul(v128.and(a, even), v128.and(b, even));
  }
  if (op == MULTIPLY_ADD) return i32x4.dot_i16x8_s(a, b);
  return sumOfDifferences(a, b);
}
@inline function chosen(op: u32, a: v128, b: v128): v128 {
  if (op == AVERAGE_8) return i8x16.avgr_u(a, b);
  if (op == AVERAGE_16) return i16x8.avgr_u(a, b);
  if (op == MIN_UNSIGNED_8) return i8x16.min_u(a, b);
  if (op == MAX_UNSIGNED_8) return i8x16.max_u(a, b);
  if (op == MIN_SIGNED_16) return i16x8.min_s(a, b);
  return i16x8.max_s(a, b);
}
@inline function bitwise(op: u32, a: v128, b: v128): v128 {
  if (op == AND) return v128.and(a, b);
  if (op == OR) return v128.or(a, b);
  if (op == XOR) return v128.xor(a, b);
  return v128.andnot(b, a); // the first operand is the inverted one
}

/** v, or zeros when a logical shift is as long as the elements. */
@inline function unlessLong(v: v128, n: u64, limit: u64): v128 { return v128.and(v, i64x2.splat(n < limit ? -1 : 0)); }
/** The whole 64-bit count matters: WebAssembly's shifts would take it modulo the width. */
@inline export function shifted(op: u32, a: v128, n: u64): v128 {
  if (op == SHIFT_RIGHT_16) return unlessLong(i16x8.shr_u(a, <i32>n), n, 16);
  if (op == SHIFT_RIGHT_32) return unlessLong(i32x4.shr_u(a, <i32>n), n, 32);
  if (op == SHIFT_RIGHT_64) return unlessLong(i64x2.shr_u(a, <i32>n), n, 64);
  if (op == SHIFT_ARITHMETIC_16) return i16x8.shr_s(a, n < 16 ? <i32>n : 15);
  if (op == SHIFT_ARITHMETIC_32) return i32x4.shr_s(a, n < 32 ? <i32>n : 31);
  if (op == SHIFT_LEFT_16) return unlessLong(i16x8.shl(a, <i32>n), n, 16);
  if (op == SHIFT_LEFT_32) return unlessLong(i32x4.shl(a, <i32>n), n, 32);
  if (op == SHIFT_LEFT_64) return unlessLong(i64x2.shl(a, <i32>n), n, 64);
  // PSRLDQ, PSLLDQ: by bytes; selectors of 16 and above give 0
  let bytes = <i8>(n < 16 ? n : 16), each = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  if (op == BYTES_RIGHT) return i8x16.swizzle(a, i8x16.add(each, i8x16.splat(bytes)));
  return i8x16.swizzle(a, i8x16.sub(each, i8x16.splat(bytes)));
}

/** What the MMX handlers compute with too. */
@inline export function packedInteger(op: u32, a: v128, b: v128): v128 {
  if (op == PACK_SIGNED_16) return i8x16.narrow_i16x8_s(a, b);
  if (op == PACK_SIGNED_32) return i16x8.narrow_i32x4_s(a, b);
  if (op == PACK_UNSIGNED_16) return i8x16.narrow_i16x8_u(a, b);
  if (op == AND || op == OR || op == XOR || op == ANDN) return bitwise(op, a, b);
  if (op >= SHIFT_RIGHT_16) return shifted(op, a, v128.extract_lane<u64>(b, 0));
  if (op >= AVERAGE_8) return chosen(op, a, b);
  if (op >= MULTIPLY_LOW) return multiplied(op, a, b);
  if (op >= ADD_SIGNED_8) return saturated(op, a, b);
  if (op >= ADD_8) return added(op, a, b);
  if (op >= GREATER_8) return compared(op, a, b);
  return unpacked(op, a, b);
}
@inline export function vector_rr(op: u32, r: usize): void {
  sseAvailable(r);
  setDstVector(r, packedInteger(op, dstVector(r), srcVector(r)));
}
@inline export function vector_rm(op: u32, r: usize): void {
  sseAvailable(r);
  let b = ldAligned(r);
  setDstVector(r, packedInteger(op, dstVector(r), b));
}
/** Shifts of a register by an immediate. */
@inline export function vector_immediate_rr(op: u32, r: usize): void {
  sseAvailable(r);
  setDstVector(r, shifted(op, dstVector(r), immOf(r) & 0xff));
}

// Shuffles: the immediate becomes byte selectors for one swizzle of each source; selector 0x80 gives 0.
const NONE: u64 = 0x8080808080808080;
@inline function selectors(low: u64, high: u64): v128 { return i64x2.replace_lane(i64x2.splat(low), 1, high); }
/** Byte selectors of the element that two bits at this place of the immediate choose. */
@inline function word(imm: u64, place: u64, first: u64): u64 {
  return (((imm >> (place << 1)) & 3) + first) * 0x0202 + 0x0100;
}
@inline function fourWords(imm: u64, first: u64): u64 {
  return word(imm, 0, first) | (word(imm, 1, first) << 16) | (word(imm, 2, first) << 32) | (word(imm, 3, first) << 48);
}
@inline function doubleWord(imm: u64, place: u64): u64 { return ((imm >> (place << 1)) & 3) * 0x04040404 + 0x03020100; }
@inline function twoDoubleWords(imm: u64, place: u64): u64 {
  return doubleWord(imm, place) | (doubleWord(imm, place + 1) << 32);
}
@inline function quadWord(bit: u64): u64 { return (bit & 1) * 0x0808080808080808 + 0x0706050403020100; }

@inline export function shuffled(op: u32, a: v128, b: v128, imm: u64): v128 {
  if (op == PSHUFD) return i8x16.swizzle(b, selectors(twoDoubleWords(imm, 0), twoDoubleWords(imm, 2)));
  if (op == PSHUFHW) return i8x16.swizzle(b, selectors(0x0706050403020100, fourWords(imm, 4)));
  if (op == PSHUFLW) return i8x16.swizzle(b, selectors(fourWords(imm, 0), 0x0f0e0d0c0b0a0908));
  if (op == SHUFPS) {
    return v128.or(i8x16.swizzle(a, selectors(twoDoubleWords(imm, 0), NONE)),
      i8x16.swizzle(b, selectors(NONE, twoDoubleWords(imm, 2))));
  }
  return v128.or(i8x16.swizzle(a, selectors(quadWord(imm), NONE)),
    i8x16.swizzle(b, selectors(NONE, quadWord(imm >> 1))));
}
@inline export function shuffle_rr(op: u32, r: usize): void {
  sseAvailable(r);
  setDstVector(r, shuffled(op, dstVector(r), srcVector(r), immOf(r)));
}
@inline export function shuffle_rm(op: u32, r: usize): void {
  sseAvailable(r);
  let b = ldAligned(r);
  setDstVector(r, shuffled(op, dstVector(r), b, immOf(r)));
}
