// Stack instructions that are rare or touch the system flags: PUSHF POPF PUSHA POPA ENTER, CLI STI, segment registers
// on the stack (SDM 2A, 2B). All accesses come before RSP changes.
import * as L from '../../../layout';
import { dstPointer, immOf, srcPointer, stackKeep, stackMask } from '../../core/record';
import {
  ARITHMETIC, FLAG_AC, FLAG_DF, FLAG_ID, FLAG_IF, FLAG_IOPL, FLAG_NT, FLAG_RF, FLAG_TF, FLAG_VM, rflags, setRflags,
} from '../state/flags';
import { isMemory, operandSize, setSlot, truncate } from '../state/operand-size';
import {
  operandLinear, peek, push, readMemory, readSource, setStackPointer, stackLinear, writeMemory,
} from '../memory/operands';
import { probeOperand } from '../memory/mmu';
import { fault } from '../raise/raise';
import {
  loadSegment, protectedMode, protectionEnabled, segmentSlot, selectorOf, virtual8086,
} from '../memory/segments';
import { selectBank } from '../state/tlb';
import { BR, GP, UD } from '../state/vectors';
import { ioPrivilege, popVirtualFlags, pushVirtualFlags, setVirtualInterrupts } from '../deliver/virtual8086';

const SEGMENT_SS: u32 = 2;
const SHADOW_STI: u32 = 1, SHADOW_MOV_SS: u32 = 2;
const BP: usize = L.RBP;

/** Leaves a shadow behind this instruction (SDM 3A 6.8.3). */
function leaveShadow(shadow: u32): void {
  store<u32>(L.SHADOW_NEW, shadow);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_RETIRE);
}

// ---- flags ----------------------------------------------------------------------------------------------------------
export function pushFlags(r: usize): void {
  if (virtual8086()) { pushVirtualFlags(r); return; }
  push(r, operandSize(r), rflags() & ~(FLAG_RF | FLAG_VM));
}
export function popFlags(r: usize): void {
  if (virtual8086()) { popVirtualFlags(r); return; }
  let size = operandSize(r), image = peek(r, size, 0), level = load<u32>(L.CPL);
  let mask = ARITHMETIC | FLAG_TF | FLAG_DF | FLAG_NT;
  if (size > 2) mask |= FLAG_AC | FLAG_ID;
  if (level == 0 || !protectedMode()) mask |= FLAG_IOPL;
  if (level <= ioPrivilege() || !protectedMode()) mask |= FLAG_IF;
  setStackPointer(r, load<u64>(L.RSP) + size);
  setRflags((rflags() & ~mask & ~FLAG_RF) | (image & mask));
}
/** In virtual-8086 mode the privilege level is 3. */
function checkPrivilege(): void {
  if (protectionEnabled() && load<u32>(L.CPL) > ioPrivilege()) fault(GP, 0);
}
export function clearInterrupts(): void {
  if (setVirtualInterrupts(false)) return;
  checkPrivilege();
  store<u64>(L.RFLAGS, load<u64>(L.RFLAGS) & ~FLAG_IF);
}
/** STI inhibits interrupts behind itself only when it really sets IF. */
export function setInterrupts(): void {
  if (setVirtualInterrupts(true)) return;
  checkPrivilege();
  let flags = load<u64>(L.RFLAGS);
  if (flags & FLAG_IF) return;
  store<u64>(L.RFLAGS, flags | FLAG_IF);
  leaveShadow(SHADOW_STI);
}
/** CLAC and STAC: CPL 0 only (SDM 2A: #UD otherwise). */
export function setAlignmentCheck(set: bool): void {
  if (load<u32>(L.CPL)) fault(UD, -1);
  let flags = load<u64>(L.RFLAGS);
  store<u64>(L.RFLAGS, set ? flags | FLAG_AC : flags & ~FLAG_AC);
  selectBank();
}

// ---- segment registers ----------------------------------------------------------------------------------------------
@inline function segmentNumber(r: usize): u32 { return <u32>immOf(r) & 7; }
/** A load of SS by MOV or POP shields the next instruction; a second one inside the shadow does not renew it. */
function loadShielding(number: u32, selector: u32): void {
  let inShadow = load<u32>(L.SHADOW) == SHADOW_MOV_SS;
  loadSegment(number, selector);
  if (number == SEGMENT_SS && !inShadow) leaveShadow(SHADOW_MOV_SS);
}
export function moveToSegment(r: usize): void { loadShielding(segmentNumber(r), <u32>readSource(r, 2) & 0xffff); }
export function moveFromSegment(r: usize): void {
  let selector = selectorOf(segmentSlot(segmentNumber(r)));
  if (isMemory(r)) writeMemory(r, operandLinear(r, 2, 1), 2, selector);
  else setSlot(dstPointer(r), operandSize(r), selector);
}
export function popSegment(r: usize): void {
  let size = operandSize(r), selector = <u32>peek(r, size, 0) & 0xffff, sp = load<u64>(L.RSP) + size;
  loadShielding(segmentNumber(r), selector);
  setStackPointer(r, sp);
}
export function pushSegment(r: usize): void { push(r, operandSize(r), selectorOf(segmentSlot(segmentNumber(r)))); }
/** LES LDS LSS LFS LGS. */
export function loadFarPointer(r: usize): void {
  let size = operandSize(r), a = operandLinear(r, size + 2, 0), offset = readMemory(r, a, size);
  let selector = <u32>readMemory(r, a + size, 2);
  loadSegment(segmentNumber(r), selector);
  setSlot(dstPointer(r), size, offset);
}

// ---- all registers, frames ------------------------------------------------------------------------------------------
/** Address of the stack element `index` elements below (negative: above) the top. */
function element(r: usize, size: u32, below: u64, write: u32): u64 {
  return stackLinear(r, (load<u64>(L.RSP) - below) & stackMask(r), size, write);
}
export function pushAll(r: usize): void {
  let size = operandSize(r);
  for (let i: u32 = 0; i < 8; i++) {
    let below = <u64>((i + 1) * size);
    writeMemory(r, element(r, size, below, 1), size, truncate(load<u64>(L.REGS + (<usize>i << 3)), size));
  }
  setStackPointer(r, load<u64>(L.RSP) - (size << 3));
}
export function popAll(r: usize): void {
  let size = operandSize(r), total = <u64>(size << 3);
  // the last element first: whatever faults does so before a register has changed
  for (let i: u32 = 0; i < 8; i++) readMemory(r, element(r, size, -(<u64>(i * size)), 0), size);
  for (let i: u32 = 0; i < 8; i++) {
    let number = 7 - i;
    if (number == 4) continue; // the image of eSP is skipped
    setSlot(L.REGS + (<usize>number << 3), size, readMemory(r, element(r, size, -(<u64>(i * size)), 0), size));
  }
  setStackPointer(r, load<u64>(L.RSP) + total);
}
/** ENTER size, level. imm: size | level << 16. */
export function enterFrame(r: usize): void {
  let size = operandSize(r), allocate = immOf(r) & 0xffff, level = <u32>(immOf(r) >> 16) & 31, mask = stackMask(r);
  let below: u64 = size;
  // a 32-bit operand size pushes all of ESP, whatever the stack's size (SDM 2A ENTER: FrameTemp = ESP)
  let frame = (load<u64>(L.RSP) & stackKeep(r)) | ((load<u64>(L.RSP) - size) & mask);
  writeMemory(r, element(r, size, below, 1), size, truncate(load<u64>(BP), size));
  for (let i: u32 = 1; i < level; i++) {
    let from = (load<u64>(BP) - <u64>(i * size)) & mask, value = readMemory(r, stackLinear(r, from, size, 0), size);
    below += size;
    writeMemory(r, element(r, size, below, 1), size, value);
  }
  if (level) {
    below += size;
    writeMemory(r, element(r, size, below, 1), size, truncate(frame, size));
  }
  // the final stack pointer must be writable (SDM 2A ENTER)
  let sp = (load<u64>(L.RSP) - below - allocate) & mask;
  probeOperand(stackLinear(r, sp, size, 1), size, true);
  setSlot(BP, size, frame);
  setStackPointer(r, sp);
}
/** BOUND r, m&m: lower and upper bound, signed. */
export function bound(r: usize): void {
  let size = operandSize(r), a = operandLinear(r, size << 1, 0), low = readMemory(r, a, size);
  let high = readMemory(r, a + size, size);
  let index = load<u64>(dstPointer(r)), i: i32, l: i32, h: i32;
  if (size == 2) { i = <i32><i16>index; l = <i32><i16>low; h = <i32><i16>high; } else {
    i = <i32>index;
    l = <i32>low;
    h = <i32>high;
  }
  if (i < l || i > h) fault(BR, -1);
}
/** SALC, undocumented: AL = CF ? FFh : 0. */
export function setAlFromCarry(): void { store<u8>(L.RAX, load<u32>(L.F_CF) ? 0xff : 0); }
