// MASKMOVDQU and CLFLUSH: what touches memory byte by byte, or only asks whether it may.
import * as L from '../../layout';
import { dstPointer, flagsOf, maskOf, srcPointer } from '../core/record';
import { fault } from './events';
import { probeOperand } from './mmu';
import { operandLinear, writeMemory } from './operands';
import { linear } from './segments';

const CR0_EM: u64 = 4, CR0_TS: u64 = 8, CR4_OSFXSR: u64 = 0x200;

@inline function selected(r: usize, i: u64): bool { return (load<u8>(srcPointer(r) + <usize>i) & 0x80) != 0; }

/**
 * Stores the bytes of dst whose byte in src is negative at segment:rDI (SDM 2B MASKMOVDQU). Only those bytes are accessed;
 * all of them are asked for before the first is written.
 */
export function maskedStore(r: usize): void {
  if (load<u64>(L.CR0) & CR0_EM || !(load<u64>(L.CR4) & CR4_OSFXSR)) fault(6, -1);
  if (load<u64>(L.CR0) & CR0_TS) fault(7, -1);
  for (let i: u64 = 0; i < 16; i++) if (selected(r, i)) probeOperand(byteLinear(r, i), 1, true);
  for (let i: u64 = 0; i < 16; i++) {
    if (selected(r, i)) writeMemory(r, byteLinear(r, i), 1, <u64>load<u8>(dstPointer(r) + <usize>i));
  }
}
function byteLinear(r: usize, i: u64): u64 {
  let offset = (load<u64>(L.RDI) + i) & maskOf(r), segment = load<u32>(r, L.R_SEGMENT);
  if (flagsOf(r) & L.R_FLAG_CHECKED) return linear(r, segment, offset, 1, 1);
  return offset + load<u64>(segment);
}

/** Faults as a load of one byte does (SDM 2A CLFLUSH), but reads nothing: there is no cache, and a device sees no access. */
export function flushLine(r: usize): void { probeOperand(operandLinear(r, 1, 0), 1, false); }
