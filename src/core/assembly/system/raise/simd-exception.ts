// Unmasked SIMD floating-point exceptions (SDM 1 11.5.4, 3A 6.15 "Interrupt 19").
import * as L from '../../../layout';
import { enterMmx } from '../../core/mmx-unit';
import { dstPointer, srcPointer } from '../../core/record';
import { raise, throwNoted } from './raise';
import { UD, XM } from '../state/vectors';

const OSXMMEXCPT: u64 = 0x400;

@inline function isMmx(slot: usize): bool { return <u32>slot >= <u32>L.X87 && <u32>slot < <u32>L.X87_END; }

/**
 * Ends an instruction whose exceptions `flags` are not all masked: MXCSR shows them although the destination stays as
 * it is. #UD stands for #XM while the operating system has not said in CR4 that it handles it. Never returns. The
 * manual does not say so, but processors have made the register stack one of MMX registers when the result of a
 * conversion from or to one of these turns out not to be deliverable.
 */
export function simdException(r: usize, flags: u32): void {
  throwNoted(); // then these come of its dummy
  store<u32>(L.MXCSR, load<u32>(L.MXCSR) | flags);
  if (isMmx(dstPointer(r)) || isMmx(srcPointer(r))) enterMmx();
  raise(r, load<u64>(L.CR4) & OSXMMEXCPT ? XM : UD, -1);
}
