// MOV and its extensions, MOVBE, LEA, CMOVcc, XCHG, NOP, XLAT, SAHF, LAHF.
import * as L from '../../../layout';
import { dst, src, setDst, setRegister, srcPointer, flagsOf, maskOf, offsetOf } from '../record';
import { ld, ldOperand, stOperand, modifyOperand } from '../memory';
import { slowLinear } from '../imports';
import { condition, lowFlags, setLowFlags, overflowFlag, sx } from './flags';

@inline export function mov_rr<T>(r: usize): void { setDst<T>(r, src<T>(r)); }
@inline export function mov_rm<T>(r: usize): void { setDst<T>(r, ldOperand<T>(r)); }
@inline export function mov_mr<T>(r: usize): void { stOperand<T>(r, src<T>(r)); }

/** Zero-extends S to T. */
@inline export function movzx_rr<T, S>(r: usize): void { setDst<T>(r, <T>src<S>(r)); }
@inline export function movzx_rm<T, S>(r: usize): void { setDst<T>(r, <T>ldOperand<S>(r)); }
/** Sign-extends S to T. */
@inline export function movsx_rr<T, S>(r: usize): void { setDst<T>(r, <T>sx<S>(src<S>(r))); }
@inline export function movsx_rm<T, S>(r: usize): void { setDst<T>(r, <T>sx<S>(ldOperand<S>(r))); }
/** Only REX.W extends; with a 16-bit operand size only a word is read (SDM 2B MOVSX/MOVSXD). */
@inline export function movsxd_rr<T>(r: usize): void {
  if (sizeof<T>() == 8) movsx_rr<T, u32>(r); else mov_rr<T>(r);
}
@inline export function movsxd_rm<T>(r: usize): void {
  if (sizeof<T>() == 8) movsx_rm<T, u32>(r); else mov_rm<T>(r);
}

/** The bytes in the other order (SDM 2B MOVBE). */
@inline export function movbe_rm<T>(r: usize): void { setDst<T>(r, bswap<T>(ldOperand<T>(r))); }
@inline export function movbe_mr<T>(r: usize): void { stOperand<T>(r, bswap<T>(src<T>(r))); }

@inline export function lea_rm<T>(r: usize): void { setDst<T>(r, <T>offsetOf(r)); }

/** The destination is written, and the source read, whatever the condition: a 32-bit one loses its upper half. */
@inline export function cmov_rr<T>(cc: u32, r: usize): void {
  let b = src<T>(r), a = dst<T>(r);
  setDst<T>(r, condition(cc) ? b : a);
}
@inline export function cmov_rm<T>(cc: u32, r: usize): void {
  let b = ldOperand<T>(r), a = dst<T>(r);
  setDst<T>(r, condition(cc) ? b : a);
}

@inline export function xchg_rr<T>(r: usize): void {
  let a = dst<T>(r), b = src<T>(r);
  setRegister<T>(srcPointer(r), a);
  setDst<T>(r, b);
}
@inline export function xchg_mr<T>(r: usize): void {
  let p = modifyOperand<T>(r), a = load<T>(p);
  store<T>(p, src<T>(r));
  setRegister<T>(srcPointer(r), a);
}

/** NOP, ENDBR, fences and prefetches; an operand is not accessed. */
@inline export function nop(r: usize): void {}
@inline export function nop_r<T = u32>(r: usize): void {}
@inline export function nop_m<T = u32>(r: usize): void {}
/** AL from DS:rBX + AL, the offset wrapped to the address size. */
@inline export function xlat(r: usize): void {
  let o = (load<u64>(L.RBX) + load<u8>(L.RAX)) & maskOf(r), segment = load<u32>(r, L.R_SEGMENT), a: u64;
  if (flagsOf(r) & L.R_FLAG_CHECKED) a = slowLinear(r, segment, o, 1, 0); else a = o + load<u64>(segment);
  store<u8>(L.RAX, ld<u8>(r, a));
}

@inline export function sahf(r: usize): void { setLowFlags(load<u8>(L.RAX + 1), overflowFlag()); }
@inline export function lahf(r: usize): void { store<u8>(L.RAX + 1, <u8>lowFlags()); }
