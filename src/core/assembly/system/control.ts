// Control registers (SDM 3A 2.5): MOV CR, CLTS, LMSW, SMSW, and what a change of them does to mode and TLB.
import * as L from '../../layout';
import { dstPointer, srcPointer } from '../core/record';
import { fault } from './events';
import { OSXSAVE } from './extended-state';
import { tprRead, tprWrite } from './host';
import { code64, operandSize, operandLinear, isMemory, readSource, setSlot, writeMemory } from './operands';
import { GP, LONG, UD, attributesOf, updateMode } from './segments';
import { flushTlb } from './tlb';
import { longMode } from './walk';

const PE: u64 = 1, MP: u64 = 2, EM: u64 = 4, TS: u64 = 8, ET: u64 = 0x10;
const NW: u64 = 1 << 29, CD: u64 = 1 << 30, PG: u64 = 1 << 31, WP: u64 = 1 << 16;
/** PE MP EM TS ET NE WP AM NW CD PG. */
const CR0_DEFINED: u64 = 0xe005003f;
const PSE: u64 = 0x10, PAE: u64 = 0x20, PGE: u64 = 0x80, SMEP: u64 = 1 << 20, SMAP: u64 = 1 << 21;
/** TSD DE PSE PAE PGE PCE OSFXSR OSXMMEXCPT FSGSBASE OSXSAVE SMEP SMAP: what CPUID reports. */
export const CR4_DEFINED: u64 = 0x3107bc | OSXSAVE;
export const EFER_LME: u64 = 0x100, EFER_LMA: u64 = 0x400;
/** Physical address bits beyond 40 are reserved in CR3 of long mode. */
const CR3_RESERVED: u64 = ~(<u64>0xffffffffff);

/** The next instruction must be looked up anew, and it may be observed differently. */
function attend(): void { store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT); }

export function setCr0(value: u64): void {
  let old = load<u64>(L.CR0), efer = load<u64>(L.EFER);
  if (value >> 32 || (value & PG && !(value & PE)) || (value & NW && !(value & CD))) fault(GP, 0);
  value = (value & CR0_DEFINED) | ET;
  if (value & ~old & PG && efer & EFER_LME) { // long mode is activated (SDM 3A 10.8.5)
    if (!(load<u64>(L.CR4) & PAE) || attributesOf(L.CS) & LONG) fault(GP, 0);
    store<u64>(L.EFER, efer | EFER_LMA);
  } else if (old & ~value & PG && efer & EFER_LMA) {
    if (code64()) fault(GP, 0);
    store<u64>(L.EFER, efer & ~EFER_LMA);
  }
  store<u64>(L.CR0, value);
  if ((old ^ value) & (PG | PE | WP)) flushTlb(true);
  updateMode();
  attend();
}
function setCr3(value: u64): void {
  if (longMode() && value & CR3_RESERVED) fault(GP, 0);
  store<u64>(L.CR3, value);
  flushTlb(false);
  attend();
}
function setCr4(value: u64): void {
  let old = load<u64>(L.CR4);
  if (value & ~CR4_DEFINED || (longMode() && !(value & PAE))) fault(GP, 0);
  store<u64>(L.CR4, value);
  if ((old ^ value) & (PSE | PAE | PGE | SMEP | SMAP)) flushTlb(true);
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
  let value = load<u64>(L.CR0);
  if (isMemory(r)) writeMemory(r, operandLinear(r, 2, 1), 2, value & 0xffff);
  else setSlot(dstPointer(r), operandSize(r), value);
}
