// Moves between MMX registers, memory, general and XMM registers (SDM 1 9.4.1, 10.4.4, 11.4.2).
import { dstPointer, immOf, setDst, src } from '../record';
import { ldOperand, stOperand } from '../memory';
import { enterMmx } from '../mmx-unit';
import { dstMmx, mmxAndSseAvailable, mmxAvailable, setDstMmx, srcMmx } from './mmx-state';

/** MOVQ, MOVNTQ. */
@inline export function mmx_move_rr(r: usize): void { mmxAvailable(r); setDstMmx(r, srcMmx(r)); }
@inline export function mmx_move_rm(r: usize): void { mmxAvailable(r); setDstMmx(r, ldOperand<u64>(r)); }
@inline export function mmx_move_mr(r: usize): void { mmxAvailable(r); stOperand<u64>(r, srcMmx(r)); enterMmx(); }

/** MOVD, MOVQ from or to a general register or memory; T is u32 or u64. */
@inline export function mmx_from_general_rr<T>(r: usize): void { mmxAvailable(r); setDstMmx(r, <u64>src<T>(r)); }
@inline export function mmx_from_general_rm<T>(r: usize): void { mmxAvailable(r); setDstMmx(r, <u64>ldOperand<T>(r)); }
@inline export function mmx_to_general_rr<T>(r: usize): void { mmxAvailable(r); enterMmx(); setDst<T>(r, src<T>(r)); }
@inline export function mmx_to_general_mr<T>(r: usize): void {
  mmxAvailable(r);
  stOperand<T>(r, src<T>(r));
  enterMmx();
}

/** MOVQ2DQ clears the upper half of the XMM register. */
@inline export function movq2dq_rr(r: usize): void {
  mmxAndSseAvailable(r);
  let p = dstPointer(r);
  enterMmx();
  store<u64>(p, srcMmx(r)); store<u64>(p, 0, 8);
}
@inline export function movdq2q_rr(r: usize): void { mmxAndSseAvailable(r); setDstMmx(r, src<u64>(r)); }

/** PMOVMSKB. */
@inline export function mmx_mask_rr<T = u32>(r: usize): void {
  mmxAvailable(r);
  enterMmx();
  setDst<u32>(r, <u32>i8x16.bitmask(i64x2.splat(<i64>srcMmx(r))) & 0xff);
}

/** Place of the word that the immediate selects. */
@inline function wordShift(r: usize): u64 { return (immOf(r) & 3) << 4; }
@inline function inserted(a: u64, word: u16, at: u64): u64 { return (a & ~(<u64>0xffff << at)) | <u64>word << at; }
@inline export function mmx_pinsrw_rr(r: usize): void {
  mmxAvailable(r);
  setDstMmx(r, inserted(dstMmx(r), src<u16>(r), wordShift(r)));
}
@inline export function mmx_pinsrw_rm(r: usize): void {
  mmxAvailable(r);
  let word = ldOperand<u16>(r);
  setDstMmx(r, inserted(dstMmx(r), word, wordShift(r)));
}
@inline export function mmx_pextrw_rr<T = u32>(r: usize): void {
  mmxAvailable(r);
  enterMmx();
  setDst<u32>(r, <u32>(srcMmx(r) >> wordShift(r)) & 0xffff);
}
