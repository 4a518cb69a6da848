// MASKMOVDQU, MASKMOVQ and CLFLUSH: what touches memory byte by byte, or only asks whether it may.
import * as L from '../../../layout';
import { enterMmx } from '../../core/mmx-unit';
import { dstPointer, flagsOf, maskOf, srcPointer } from '../../core/record';
import { probeOperand } from '../memory/mmu';
import { operandLinear, writeMemory } from '../memory/operands';
import { fault } from '../raise/raise';
import { linear } from '../memory/segments';
import { alignmentChecked } from '../state/tlb';
import { AC, NM, UD } from '../state/vectors';
import { floatError } from '../raise/x87-error';

const CR0_EM: u64 = 4, CR0_TS: u64 = 8, CR4_OSFXSR: u64 = 0x200;
const ERROR_SUMMARY: u16 = 0x80;

@inline function selected(r: usize, i: u64): bool { return (load<u8>(srcPointer(r) + <usize>i) & 0x80) != 0; }

/**
 * Stores those of the bytes of dst whose byte in src is negative at segment:rDI. Only they are accessed; all of them
 * are asked for before the first is written.
 */
function storeSelected(r: usize, count: u64): void {
  for (let i: u64 = 0; i < count; i++) if (selected(r, i)) probeOperand(byteLinear(r, i), 1, true);
  for (let i: u64 = 0; i < count; i++) {
    if (selected(r, i)) writeMemory(r, byteLinear(r, i), 1, <u64>load<u8>(dstPointer(r) + <usize>i));
  }
}
function byteLinear(r: usize, i: u64): u64 {
  let offset = (load<u64>(L.RDI) + i) & maskOf(r), segment = load<u32>(r, L.R_SEGMENT);
  if (flagsOf(r) & L.R_FLAG_CHECKED) return linear(r, segment, offset, 1, 1);
  return offset + load<u64>(segment);
}
/** MASKMOVDQU (SDM 2B). */
export function maskedStore(r: usize): void {
  if (load<u64>(L.CR0) & CR0_EM || !(load<u64>(L.CR4) & CR4_OSFXSR)) fault(UD, -1);
  if (load<u64>(L.CR0) & CR0_TS) fault(NM, -1);
  storeSelected(r, 16);
}
/**
 * MASKMOVQ (SDM 2B): of MMX registers, with all that comes with their use (core/handlers/mmx-state.ts). Unlike that of
 * MASKMOVDQU its operand has to be aligned while alignment is checked (SDM 3B table 24-8), whatever the mask.
 */
export function maskedStoreQuad(r: usize): void {
  if (load<u64>(L.CR0) & CR0_EM) fault(UD, -1);
  if (load<u64>(L.CR0) & CR0_TS) fault(NM, -1);
  if (load<u16>(L.FSW) & ERROR_SUMMARY) floatError(r);
  enterMmx(); // processors do so before they look at memory, so that it stays when that faults
  if (byteLinear(r, 0) & 7 && alignmentChecked()) fault(AC, 0);
  storeSelected(r, 8);
}

/**
 * Faults as a load of one byte does (SDM 2A CLFLUSH), but reads nothing: there is no cache, and a device sees no
 * access.
 */
export function flushLine(r: usize): void { probeOperand(operandLinear(r, 1, 0), 1, false); }
