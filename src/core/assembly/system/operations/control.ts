// Control registers (SDM 3A 2.5): MOV CR, CLTS, LMSW, SMSW, and what a change of them does to mode and TLB.
import * as L from '../../../layout';
import { dstPointer, srcPointer } from '../../core/record';
import { CR3_RESERVED, flushForCr3, loadDirectoryPointers } from '../memory/address-space';
import { attend } from '../state/attention';
import { OSXSAVE } from './extended-state';
import { tprRead, tprWrite } from '../state/host';
import { code64, operandSize, isMemory, setSlot } from '../state/operand-size';
import { operandLinear, readSource, writeMemory } from '../memory/operands';
import { fault } from '../raise/raise';
import { LONG, attributesOf, updateMode } from '../memory/segments';
import { flushTlb } from '../state/tlb';
import { GP, UD } from '../state/vectors';
import { longMode } from '../memory/walk';

const VME: u64 = 1, PVI: u64 = 2, PE: u64 = 1, MP: u64 = 2, EM: u64 = 4, TS: u64 = 8, ET: u64 = 0x10;
const NW: u64 = 1 << 29, CD: u64 = 1 << 30, PG: u64 = 1 << 31, WP: u64 = 1 << 16;
/** PE MP EM TS ET NE WP AM NW CD PG. */
const CR0_DEFINED: u64 = 0xe005003f;
const PSE: u64 = 0x10, PAE: u64 = 0x20, PGE: u64 = 0x80, UMIP: u64 = 0x800, PCIDE: u64 = 1 << 17, SMEP: u64 = 1 << 20;
const SMAP: u64 = 1 << 21;
/** VME PVI, TSD DE PSE PAE PGE PCE OSFXSR OSXMMEXCPT FSGSBASE SMEP SMAP, UMIP PCIDE OSXSAVE: what CPUID reports. */
export const CR4_DEFINED: u64 = VME | PVI | 0x3107bc | UMIP | PCIDE | OSXSAVE;
export const EFER_LME: u64 = 0x100, EFER_LMA: u64 = 0x400;
/** SCE LME LMA NXE. */
const EFER_DEFINED: u64 = 0xd01;
/**
 * MOV to CR3 with PCIDs: the translations of the new PCID may stay. They may go too, and do: entries have no tag (SDM
 * 3A 4.10.4.1).
 */
const CR3_KEEP: u64 = 1 << 63, CR3_PCID: u64 = 0xfff;

/** Whether registers that RSM loads can be a processor's state (SDM 3C 31.5.1 and the rules of MOV CR and WRMSR). */
export function validControl(cr0: u64, cr4: u64, efer: u64, flags: u64): bool {
  if (cr0 >> 32 || (cr0 & PG && !(cr0 & PE)) || (cr0 & NW && !(cr0 & CD)) || cr4 & ~CR4_DEFINED) return false;
  if (efer & ~EFER_DEFINED || flags & ~(<u64>0x3f7fd7) || !(flags & 2)) return false;
  let long = (efer & EFER_LMA) != 0;
  if (long != ((efer & EFER_LME) != 0 && (cr0 & PG) != 0)) return false;
  return long ? (cr4 & PAE) != 0 && !(flags & 0x20000) : !(cr4 & PCIDE);
}
export function setCr0(value: u64): void {
  let old = load<u64>(L.CR0), efer = load<u64>(L.EFER);
  if (value >> 32 || (value & PG && !(value & PE)) || (value & NW && !(value & CD))) fault(GP, 0);
  if (!(value & PG) && load<u64>(L.CR4) & PCIDE) fault(GP, 0);
  value = (value & CR0_DEFINED) | ET;
  if (value & ~old & PG && efer & EFER_LME) { // long mode is activated (SDM 3A 10.8.5)
    if (!(load<u64>(L.CR4) & PAE) || attributesOf(L.CS) & LONG) fault(GP, 0);
    if ((attributesOf(L.TR) & 15) < 9) fault(GP, 0); // a 16-bit TSS has no meaning there
    store<u64>(L.EFER, efer | EFER_LMA);
  } else if (old & ~value & PG && efer & EFER_LMA) {
    if (code64()) fault(GP, 0);
    store<u64>(L.EFER, efer & ~EFER_LMA);
  } else if (value & PG && load<u64>(L.CR4)
    & PAE && (old ^ value) & (PG | CD | NW)) loadDirectoryPointers(load<u64>(L.CR3));
  store<u64>(L.CR0, value);
  if ((old ^ value) & (PG | PE | WP)) flushTlb(true);
  updateMode();
  attend();
}
function setCr3(value: u64): void {
  if (load<u64>(L.CR4) & PCIDE) value &= ~CR3_KEEP;
  if (longMode() && value & CR3_RESERVED) fault(GP, 0);
  if (load<u64>(L.CR0) & PG && load<u64>(L.CR4) & PAE) loadDirectoryPointers(value);
  flushForCr3(value);
  attend();
}
function setCr4(value: u64): void {
  let old = load<u64>(L.CR4);
  if (value & ~CR4_DEFINED || (longMode() && !(value & PAE))) fault(GP, 0);
  // PCIDs need IA-32e mode, and begin with PCID 0 (SDM 3A 4.10.1)
  if (value & ~old & PCIDE && (!longMode() || load<u64>(L.CR3) & CR3_PCID)) fault(GP, 0);
  if (load<u64>(L.CR0) & PG && value & PAE && (old ^ value) & (PAE | PSE | PGE | SMEP))
    loadDirectoryPointers(load<u64>(L.CR3));
  store<u64>(L.CR4, value);
  if ((old ^ value) & (PSE | PAE | PGE | PCIDE | SMEP | SMAP)) flushTlb(true);
  updateMode();
  attend();
}

export function moveFromControl(r: usize): void {
  let n = <u32>load<u8>(r, L.R_IMM), value: u64;
  if (n == 1 || (n > 4 && n != 8)) fault(UD, -1);
  if (load<u32>(L.CPL)) fault(GP, 0);
  if (n == 8) value = tprRead();
  else value = load<u64>(n == 0 ? L.CR0 : n == 2 ? L.CR2 : n == 3 ? L.CR3 : L.CR4);
  setSlot(dstPointer(r), code64() ? 8 : 4, value);
}
export function moveToControl(r: usize): void {
  let n = <u32>load<u8>(r, L.R_IMM), value = load<u64>(srcPointer(r));
  if (n == 1 || (n > 4 && n != 8)) fault(UD, -1);
  if (load<u32>(L.CPL)) fault(GP, 0);
  if (!code64()) value &= 0xffffffff;
  if (n == 0) setCr0(value);
  else if (n == 2) store<u64>(L.CR2, value);
  else if (n == 3) setCr3(value);
  else if (n == 4) setCr4(value);
  else {
    if (value > 15) fault(GP, 0);
    tprWrite(<u32>value);
    attend();
  }
}
/** CR4.UMIP: SGDT SIDT SLDT STR SMSW above CPL 0 are #GP(0) (SDM 3A 2.5). */
export function guardUserInstruction(): void {
  if (load<u64>(L.CR4) & UMIP && load<u32>(L.CPL)) fault(GP, 0);
}
export function clearTaskSwitched(r: usize): void {
  if (load<u32>(L.CPL)) fault(GP, 0);
  store<u64>(L.CR0, load<u64>(L.CR0) & ~TS);
}
/** LMSW changes PE MP EM TS and cannot clear PE. */
export function loadMachineStatus(r: usize): void {
  if (load<u32>(L.CPL)) fault(GP, 0);
  let value = readSource(r, 2), old = load<u64>(L.CR0);
  setCr0((old & ~(MP | EM | TS)) | (value & (PE | MP | EM | TS)));
}
export function storeMachineStatus(r: usize): void {
  guardUserInstruction();
  let value = load<u64>(L.CR0);
  if (isMemory(r)) writeMemory(r, operandLinear(r, 2, 1), 2, value & 0xffff);
  else setSlot(dstPointer(r), operandSize(r), value);
}
