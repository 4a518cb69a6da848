// Unmasked SIMD floating-point exceptions (SDM 1 11.5.4, 3A 6.15 "Interrupt 19").
import * as L from '../../layout';
import { raise } from './events';

const UD: u32 = 6, XM: u32 = 19;
const OSXMMEXCPT: u64 = 0x400;

/**
 * Ends an instruction whose exceptions `flags` are not all masked: MXCSR shows them although the destination stays as it is.
 * #UD stands for #XM while the operating system has not said in CR4 that it handles it. Never returns.
 */
export function simdException(r: usize, flags: u32): void {
  store<u32>(L.MXCSR, load<u32>(L.MXCSR) | flags);
  raise(r, load<u64>(L.CR4) & OSXMMEXCPT ? XM : UD, -1);
}
