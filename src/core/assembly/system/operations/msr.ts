// Model-specific registers (SDM 4), the time-stamp counter, FS and GS bases. What is not plain vCPU state (local APIC,
// TSC deadline) belongs to the machine and is reached through the host; an unknown index is #GP(0) and a line on the
// log.
import * as L from '../../../layout';
import { dstPointer, srcPointer } from '../../core/record';
import { EFER_LMA, EFER_LME } from './control';
import { hasBusLockDetection } from '../state/debug-causes';
import { existsAsFixed, fixedMsr, ignoresWrite, isFixedMsr } from '../state/fixed-msrs';
import { log, msrKnown, msrRead, msrWrite } from '../state/host';
import { isLastBranchTop, lastBranchSlot } from '../state/last-branch';
import { operandSize, setSlot, truncate } from '../state/operand-size';
import { clockNow, fault, linearHere } from '../raise/raise';
import { updateMode } from '../memory/segments';
import { flushTlb } from '../state/tlb';
import { GP, UD } from '../state/vectors';
import { isCanonical, longMode } from '../memory/walk';

const TSC: u32 = 0x10, APIC_BASE: u32 = 0x1b, TSC_ADJUST: u32 = 0x3b;
const PAT: u32 = 0x277, DEBUGCTL: u32 = 0x1d9, EFER: u32 = 0xc0000080, SFMASK: u32 = 0xc0000084;
const TSC_AUX: u32 = 0xc0000103;
const FS_BASE: u32 = 0xc0000100, GS_BASE: u32 = 0xc0000101;
/** SCE LME NXE; writes of LMA are ignored. */
const EFER_DEFINED: u64 = 0x901, EFER_NXE: u64 = 0x800;
const LBR: u64 = 1, BTF: u64 = 2, BLD: u64 = 4;

/** Slot of an MSR that is nothing but a stored value, 0 for others. canonical: #GP for values that are no address. */
function plainSlot(index: u32): usize {
  if (index >= 0x200 && index <= 0x20f) return L.MSR_MTRR_VARIABLE + (<usize>(index - 0x200) << 3);
  if (index == 0x250) return L.MSR_MTRR_FIXED;
  if (index == 0x258 || index == 0x259) return L.MSR_MTRR_FIXED + 8 + (<usize>(index - 0x258) << 3);
  if (index >= 0x268 && index <= 0x26f) return L.MSR_MTRR_FIXED + 24 + (<usize>(index - 0x268) << 3);
  if (index == 0x174) return L.MSR_SYSENTER_CS;
  if (index == 0x1a0) return L.MSR_MISC_ENABLE;
  if (index == 0x2ff) return L.MSR_MTRR_DEF_TYPE;
  if (index == 0xc0000081) return L.MSR_STAR;
  if (index == 0xc0000084) return L.MSR_SFMASK;
  if (index == 0xc0000103) return L.MSR_TSC_AUX;
  return addressSlot(index);
}
/** MSRs that hold a linear address. */
function addressSlot(index: u32): usize {
  if (index == 0x175) return L.MSR_SYSENTER_ESP;
  if (index == 0x176) return L.MSR_SYSENTER_EIP;
  if (index == 0xc0000082) return L.MSR_LSTAR;
  if (index == 0xc0000083) return L.MSR_CSTAR;
  if (index == FS_BASE) return L.FS;
  if (index == GS_BASE) return L.GS;
  if (index == 0xc0000102) return L.MSR_KERNEL_GS_BASE;
  return 0;
}
function unknown(code: u32, index: u32, detail: u64): void {
  if (!existsAsFixed(index)) log(code, index, detail);
  fault(GP, 0);
}
function read(index: u32): u64 {
  let slot = plainSlot(index);
  if (slot) return load<u64>(slot);
  if (msrKnown(index, 0)) return msrRead(index);
  if (index == TSC) return clockNow() + load<u64>(L.TSC_OFFSET);
  if (index == TSC_ADJUST) return load<u64>(L.TSC_OFFSET);
  if (index == EFER) return load<u64>(L.EFER);
  if (index == APIC_BASE) return load<u64>(L.MSR_APIC_BASE);
  if (index == PAT) return load<u64>(L.MSR_PAT);
  if (index == DEBUGCTL) return load<u64>(L.MSR_DEBUGCTL);
  if (isLastBranchTop(index)) return load<u32>(L.LBR_TOP);
  if (lastBranchSlot(index)) return load<u64>(lastBranchSlot(index));
  if (isFixedMsr(index)) return fixedMsr(index);
  unknown(L.LOG_MSR_READ, index, linearHere());
  return 0;
}
function write(index: u32, value: u64): void {
  let slot = addressSlot(index);
  if (slot) {
    if (!isCanonical(value)) fault(GP, 0);
    store<u64>(slot, value);
    return;
  }
  slot = plainSlot(index);
  if (slot) {
    if (value >> 32 && (index == SFMASK || index == TSC_AUX)) fault(GP, 0); // reserved (SDM 4 table 2-2)
    store<u64>(slot, value);
    return;
  }
  if (msrKnown(index, 1)) {
    if (msrWrite(index, value)) fault(GP, 0);
    // a timer or an interrupt may be due earlier than this run was planned for
    store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
    return;
  }
  if (index == TSC) store<u64>(L.TSC_OFFSET, value - clockNow());
  else if (index == TSC_ADJUST) store<u64>(L.TSC_OFFSET, value);
  else if (index == EFER) writeEfer(value);
  else if (index == APIC_BASE) store<u64>(L.MSR_APIC_BASE, value);
  else if (index == PAT) writePat(value);
  else if (index == DEBUGCTL) {
    if (value & ~(LBR | BTF | (hasBusLockDetection() ? BLD : 0))) fault(GP, 0);
    store<u64>(L.MSR_DEBUGCTL, value);
    updateMode();
    store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
  } else if (lastBranchSlot(index) && index < 0x80) {
    if (!isCanonical(value)) fault(GP, 0);
    store<u64>(lastBranchSlot(index), value);
  } else if (!ignoresWrite(index, value)) unknown(L.LOG_MSR_WRITE, index, value);
}
/** SDM 3A 2.2.1. */
function writeEfer(value: u64): void {
  let old = load<u64>(L.EFER);
  if (value & ~(EFER_DEFINED | EFER_LMA)) fault(GP, 0);
  value = (value & ~EFER_LMA) | (old & EFER_LMA);
  if ((old ^ value) & EFER_LME && load<u64>(L.CR0) & (<u64>1 << 31)) fault(GP, 0);
  store<u64>(L.EFER, value);
  if ((old ^ value) & EFER_NXE) flushTlb(true);
  updateMode();
}
/** SDM 3A 12.12.2: eight memory types, 2 and 3 reserved. */
function writePat(value: u64): void {
  for (let i: u64 = 0; i < 64; i += 8) {
    let type = (value >> i) & 0xff;
    if (type > 7 || type == 2 || type == 3) fault(GP, 0);
  }
  store<u64>(L.MSR_PAT, value);
}

export function readMsr(r: usize): void {
  if (load<u32>(L.CPL)) fault(GP, 0);
  setPair(read(load<u32>(L.RCX)));
}
export function writeMsr(r: usize): void {
  if (load<u32>(L.CPL)) fault(GP, 0);
  write(load<u32>(L.RCX), <u64>load<u32>(L.RAX) | <u64>load<u32>(L.RDX) << 32);
}
/** EDX:EAX, upper halves cleared. */
function setPair(value: u64): void {
  store<u64>(L.RAX, value & 0xffffffff);
  store<u64>(L.RDX, value >> 32);
}
export function readTimeStamp(r: usize): void {
  if (load<u64>(L.CR4) & 4 && load<u32>(L.CPL)) fault(GP, 0); // TSD
  setPair(clockNow() + load<u64>(L.TSC_OFFSET));
}
export function readTimeStampAux(r: usize): void {
  readTimeStamp(r);
  store<u64>(L.RCX, load<u64>(L.MSR_TSC_AUX) & 0xffffffff);
}
/** RDPID: 64 bits in 64-bit mode, 32 bits elsewhere, whatever the operand size says. */
export function readProcessorId(r: usize): void { store<u64>(dstPointer(r), load<u64>(L.MSR_TSC_AUX) & 0xffffffff); }

// ---- RDFSBASE and its kin -------------------------------------------------------------------------------------------
function checkFsGsBase(): void {
  if (!longMode() || !(load<u64>(L.CR4) & 0x10000)) fault(UD, -1);
}
export function readBase(r: usize, segment: usize): void {
  checkFsGsBase();
  setSlot(dstPointer(r), operandSize(r), load<u64>(segment));
}
/** The operand is the record's first, whichever pointer the decoder uses for a register that is only read. */
export function writeBase(r: usize, segment: usize): void {
  checkFsGsBase();
  let value = truncate(load<u64>(srcPointer(r)), operandSize(r));
  if (!isCanonical(value)) fault(GP, 0);
  store<u64>(segment, value);
}
