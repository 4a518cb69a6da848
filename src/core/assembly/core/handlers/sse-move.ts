// SSE and SSE2 moves between XMM registers, memory and general registers.
import { src, setDst, dstPointer, srcPointer, immOf } from '../record';
import { address, ldv, stv, ldOperand, stOperand } from '../memory';
import { sseAvailable, dstVector, srcVector, setDstVector, ldAligned, stAligned } from './sse-operands';

@inline export function move_unaligned_rr(r: usize): void { sseAvailable(r); setDstVector(r, srcVector(r)); }
@inline export function move_unaligned_rm(r: usize): void {
  sseAvailable(r);
  setDstVector(r, ldv(r, address(r, 16, 0)));
}
@inline export function move_unaligned_mr(r: usize): void { sseAvailable(r); stv(r, address(r, 16, 1), srcVector(r)); }
@inline export function move_aligned_rr(r: usize): void { sseAvailable(r); setDstVector(r, srcVector(r)); }
@inline export function move_aligned_rm(r: usize): void { sseAvailable(r); setDstVector(r, ldAligned(r)); }
@inline export function move_aligned_mr(r: usize): void { sseAvailable(r); stAligned(r, srcVector(r)); }

/** Writes a whole XMM register: low, and zero above it. */
@inline function setDstLow(r: usize, low: u64): void {
  let p = dstPointer(r);
  store<u64>(p, low); store<u64>(p, 0, 8);
}
/** MOVSS and MOVSD: between registers the rest of the destination stays, from memory it is cleared. */
@inline export function move_scalar_rr<T>(r: usize): void { sseAvailable(r); store<T>(dstPointer(r), src<T>(r)); }
@inline export function move_scalar_rm<T>(r: usize): void { sseAvailable(r); setDstLow(r, <u64>ldOperand<T>(r)); }
@inline export function move_scalar_mr<T>(r: usize): void { sseAvailable(r); stOperand<T>(r, src<T>(r)); }
/** MOVQ: the upper half of a destination register is cleared in each form. */
@inline export function move_quad_rr<T = u64>(r: usize): void { sseAvailable(r); setDstLow(r, src<u64>(r)); }
@inline export function move_quad_rm<T = u64>(r: usize): void { sseAvailable(r); setDstLow(r, ldOperand<u64>(r)); }
@inline export function move_quad_mr<T = u64>(r: usize): void { sseAvailable(r); stOperand<u64>(r, src<u64>(r)); }

/** MOVLPS, MOVHPS and the like: one half, the other stays. */
@inline export function move_low_rm<T = u64>(r: usize): void {
  sseAvailable(r);
  store<u64>(dstPointer(r), ldOperand<u64>(r));
}
@inline export function move_low_mr<T = u64>(r: usize): void { sseAvailable(r); stOperand<u64>(r, src<u64>(r)); }
@inline export function move_high_rm<T = u64>(r: usize): void {
  sseAvailable(r);
  store<u64>(dstPointer(r), ldOperand<u64>(r), 8);
}
@inline export function move_high_mr<T = u64>(r: usize): void {
  sseAvailable(r);
  stOperand<u64>(r, load<u64>(srcPointer(r), 8));
}
@inline export function move_high_to_low_rr(r: usize): void {
  sseAvailable(r);
  store<u64>(dstPointer(r), load<u64>(srcPointer(r), 8));
}
@inline export function move_low_to_high_rr(r: usize): void {
  sseAvailable(r);
  store<u64>(dstPointer(r), src<u64>(r), 8);
}

/** MOVD, MOVQ from a general register or memory: zero-extended to the whole register. */
@inline export function move_from_general_rr<T>(r: usize): void { sseAvailable(r); setDstLow(r, <u64>src<T>(r)); }
@inline export function move_from_general_rm<T>(r: usize): void { sseAvailable(r); setDstLow(r, <u64>ldOperand<T>(r)); }
@inline export function move_to_general_rr<T>(r: usize): void { sseAvailable(r); setDst<T>(r, src<T>(r)); }
@inline export function move_to_general_mr<T>(r: usize): void { sseAvailable(r); stOperand<T>(r, src<T>(r)); }

/** MOVMSKPS, MOVMSKPD, PMOVMSKB: the sign bits of elements of width bits. */
@inline export function move_mask_rr<T = u32>(width: u32, r: usize): void {
  sseAvailable(r);
  let v = srcVector(r);
  setDst<u32>(r, <u32>(width == 8 ? i8x16.bitmask(v) : width == 32 ? i32x4.bitmask(v) : i64x2.bitmask(v)));
}

/** Address of the word that the immediate selects in an XMM slot. */
@inline function wordOf(r: usize, slot: usize): usize { return slot + ((<usize>immOf(r) & 7) << 1); }
@inline export function pinsrw_rr(r: usize): void {
  sseAvailable(r);
  store<u16>(wordOf(r, dstPointer(r)), src<u16>(r));
}
@inline export function pinsrw_rm(r: usize): void {
  sseAvailable(r);
  store<u16>(wordOf(r, dstPointer(r)), ldOperand<u16>(r));
}
@inline export function pextrw_rr<T = u32>(r: usize): void {
  sseAvailable(r);
  setDst<u32>(r, load<u16>(wordOf(r, srcPointer(r))));
}

/** MOVDDUP, MOVSLDUP, MOVSHDUP: every second element, twice. */
@inline export function move_duplicate_quad_rr(r: usize): void {
  sseAvailable(r);
  setDstVector(r, i64x2.splat(<i64>src<u64>(r)));
}
@inline export function move_duplicate_quad_rm(r: usize): void {
  sseAvailable(r);
  setDstVector(r, i64x2.splat(<i64>ldOperand<u64>(r)));
}
@inline function evenTwice(v: v128): v128 { return v128.shuffle<u32>(v, v, 0, 0, 2, 2); }
@inline function oddTwice(v: v128): v128 { return v128.shuffle<u32>(v, v, 1, 1, 3, 3); }
@inline export function move_duplicate_even_rr(r: usize): void {
  sseAvailable(r);
  setDstVector(r, evenTwice(srcVector(r)));
}
@inline export function move_duplicate_even_rm(r: usize): void {
  sseAvailable(r);
  setDstVector(r, evenTwice(ldAligned(r)));
}
@inline export function move_duplicate_odd_rr(r: usize): void {
  sseAvailable(r);
  setDstVector(r, oddTwice(srcVector(r)));
}
@inline export function move_duplicate_odd_rm(r: usize): void {
  sseAvailable(r);
  setDstVector(r, oddTwice(ldAligned(r)));
}
