// PUSH, POP and LEAVE of general registers, memory and immediates.
import * as L from '../../../layout';
import { src, setDst, setRegister, immOf, offsetOf, maskOf, flagsOf, stackMask, stackKeep } from '../record';
import { ld, st, ldOperand, push as pushValue, top, drop, stackAddress, setStackPointer } from '../memory';
import { slowLinear } from '../imports';

/** Offset of RSP from REGS, as in R_BASE. */
const BASE_RSP: u32 = 0x20;

/** PUSH of an immediate. */
@inline export function push<T>(r: usize): void { pushValue<T>(r, <T>immOf(r)); }
/** PUSH RSP pushes the old value, which is read first (SDM 2B PUSH). */
@inline export function push_r<T>(r: usize): void { pushValue<T>(r, src<T>(r)); }
@inline export function push_m<T>(r: usize): void { pushValue<T>(r, ldOperand<T>(r)); }

/** POP RSP: what was popped wins over the increment (SDM 2B POP). */
@inline export function pop_r<T>(r: usize): void {
  let v = top<T>(r);
  drop<T>(r, 0);
  setDst<T>(r, v);
}
/**
 * The address of the destination is computed with RSP already incremented (SDM 2B POP); a fault leaves RSP as it was.
 */
@inline export function pop_m<T>(r: usize): void {
  let v = top<T>(r), o = offsetOf(r), segment = load<u32>(r, L.R_SEGMENT), a: u64;
  if (load<u8>(r, L.R_BASE) == BASE_RSP) {
    let old = load<u64>(L.RSP), after = (old & stackKeep(r)) | ((old + sizeof<T>()) & stackMask(r));
    o = (o + after - old) & maskOf(r);
  }
  if (flagsOf(r) & L.R_FLAG_CHECKED) a = slowLinear(r, segment, o, sizeof<T>(), 1); else a = o + load<u64>(segment);
  st<T>(r, a, v);
  drop<T>(r, 0);
}

@inline export function leave<T>(r: usize): void {
  let frame = load<u64>(L.RBP), v = ld<T>(r, stackAddress(r, frame & stackMask(r), sizeof<T>(), 0));
  setStackPointer(r, frame + sizeof<T>());
  setRegister<T>(L.RBP, v);
}
