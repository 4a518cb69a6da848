// MMX arithmetic (SDM 1 9.4), and what SSE, SSE2 and SSSE3 added to it: the operations of the XMM handlers on vectors
// whose halves are both the MMX register's value.
import { immOf } from '../record';
import { ldOperand } from '../memory';
import { leaveMmx } from '../mmx-unit';
import { dstMmx, mmxAvailable, setDstMmx, srcMmx } from './mmx-state';
import {
  BYTES_RIGHT, PACK_SIGNED_16, PACK_SIGNED_32, PACK_UNSIGNED_16, PSHUFLW, UNPACK_HIGH_16, UNPACK_HIGH_32, UNPACK_HIGH_8,
    UNPACK_LOW_8,
  packedInteger, shifted, shuffled,
} from './sse-integer';
import { PHADDW, PHSUBSW, PSHUFB, packedSsse3 } from './ssse3';

@inline function vector(a: u64): v128 { return i64x2.splat(<i64>a); }
@inline function lowHalf(v: v128): u64 { return v128.extract_lane<u64>(v, 0); }
@inline function highHalf(v: v128): u64 { return v128.extract_lane<u64>(v, 1); }
/** a below b: operations that narrow or add neighbours then have all their result in the low half. */
@inline function joined(a: u64, b: u64): v128 { return i64x2.replace_lane(vector(a), 1, <i64>b); }

@inline function integer(op: u32, a: u64, b: u64): u64 {
  if (op == PACK_SIGNED_16 || op == PACK_SIGNED_32 || op == PACK_UNSIGNED_16) {
    let both = joined(a, b);
    return lowHalf(packedInteger(op, both, both));
  }
  // the upper elements of 64 bits are the upper half of what the lower elements of 128 bits become
  if (op == UNPACK_HIGH_8 || op == UNPACK_HIGH_16 || op == UNPACK_HIGH_32) {
    return highHalf(packedInteger(op - UNPACK_HIGH_8 + UNPACK_LOW_8, vector(a), vector(b)));
  }
  return lowHalf(packedInteger(op, vector(a), vector(b)));
}
@inline export function mmx_rr(op: u32, r: usize): void {
  mmxAvailable(r);
  setDstMmx(r, integer(op, dstMmx(r), srcMmx(r)));
}
/** T: the part of the operand that is in memory, 32 bits for the unpacking of low elements (SDM 2B PUNPCKLBW). */
@inline export function mmx_rm<T>(op: u32, r: usize): void {
  mmxAvailable(r);
  let b = <u64>ldOperand<T>(r);
  setDstMmx(r, integer(op, dstMmx(r), b));
}
/** Shifts of a register by an immediate. */
@inline export function mmx_immediate_rr(op: u32, r: usize): void {
  mmxAvailable(r);
  setDstMmx(r, lowHalf(shifted(op, vector(dstMmx(r)), immOf(r) & 0xff)));
}
@inline function words(b: u64, imm: u64): u64 { return lowHalf(shuffled(PSHUFLW, vector(b), vector(b), imm)); }
@inline export function pshufw_rr(r: usize): void { mmxAvailable(r); setDstMmx(r, words(srcMmx(r), immOf(r))); }
@inline export function pshufw_rm(r: usize): void { mmxAvailable(r); setDstMmx(r, words(ldOperand<u64>(r), immOf(r))); }

@inline function supplemental(op: u32, a: u64, b: u64): u64 {
  // three bits of a selector count, and bit 7
  if (op == PSHUFB) return lowHalf(i8x16.swizzle(vector(a), v128.and(vector(b), i8x16.splat(<i8>0x87))));
  if (op >= PHADDW && op <= PHSUBSW) {
    let both = joined(a, b);
    return lowHalf(packedSsse3(op, both, both));
  }
  return lowHalf(packedSsse3(op, vector(a), vector(b)));
}
@inline export function mmx_ssse3_rr(op: u32, r: usize): void {
  mmxAvailable(r);
  setDstMmx(r, supplemental(op, dstMmx(r), srcMmx(r)));
}
@inline export function mmx_ssse3_rm(op: u32, r: usize): void {
  mmxAvailable(r);
  let b = ldOperand<u64>(r);
  setDstMmx(r, supplemental(op, dstMmx(r), b));
}
/** PALIGNR: eight bytes out of high:low from byte n on. */
@inline function aligned(high: u64, low: u64, n: u64): u64 {
  return lowHalf(shifted(BYTES_RIGHT, joined(low, high), n));
}
@inline export function mmx_palignr_rr(r: usize): void {
  mmxAvailable(r);
  setDstMmx(r, aligned(dstMmx(r), srcMmx(r), immOf(r) & 0xff));
}
@inline export function mmx_palignr_rm(r: usize): void {
  mmxAvailable(r);
  let low = ldOperand<u64>(r);
  setDstMmx(r, aligned(dstMmx(r), low, immOf(r) & 0xff));
}

@inline export function emms(r: usize): void { mmxAvailable(r); leaveMmx(); }
