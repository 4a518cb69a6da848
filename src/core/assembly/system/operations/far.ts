// Far transfers: JMP, CALL, RET, call gates, IRET (SDM 3A 5.8, 6.12; SDM 2A CALL, IRET; 2B JMP, RET).
import * as L from '../../../layout';
import { immOf, nextOf, stackMask } from '../../core/record';
import { copyStack, prepareInnerStack, pushNew, commitStack, readTss } from '../deliver/delivery';
import {
  ARITHMETIC, FLAG_AC, FLAG_DF, FLAG_ID, FLAG_IF, FLAG_IOPL, FLAG_NT, FLAG_RF, FLAG_TF, FLAG_VIF, FLAG_VIP, FLAG_VM,
  rflags, setRflags,
} from '../state/flags';
import { readLinear, writeLinear } from '../memory/mmu';
import { isMemory, code64, operandSize, truncate } from '../state/operand-size';
import { operandLinear, peek, readMemory, setStackPointer, stackLinear, writeMemory } from '../memory/operands';
import { fault } from '../raise/raise';
import {
  BIG, DPL_SHIFT, LONG, NO_DESCRIPTOR, P, UNUSABLE, attributesOf, descriptorAddress, descriptorAttributes,
  descriptorLimit, dplOf, dropInnerSegments, gateOffset, gateSelector, isCode, isConforming, isNull, isSystem,
  limitOf, markAccessed, prepareStack, protectedMode, readDescriptor, selectorOf, setCode, setSegment, updateMode,
  virtual8086,
} from '../memory/segments';
import { isTask, returnToTask, transferToTask } from '../deliver/task-switch';
import { GP, NP, SS } from '../state/vectors';
import { enterVirtual, returnInside } from '../deliver/virtual8086';
import { isCanonical, longMode } from '../memory/walk';

const CALL_GATE16: u32 = 4, CALL_GATE: u32 = 12;

/** A target offset must lie within its code segment, or be canonical in 64-bit code. */
function checkOffset(d: u64, offset: u64): void {
  let flat = longMode() && (descriptorAttributes(d) & LONG) != 0;
  if (flat ? !isCanonical(offset) : offset > <u64>descriptorLimit(d)) fault(GP, 0);
}
function checkLong(selector: u32, attributes: u32): void {
  if (longMode() && attributes & LONG && attributes & BIG) fault(GP, <i32>(selector & 0xfffc));
}
function setRealCode(selector: u32, offset: u64): void {
  setSegment(L.CS, selector, <u64>selector << 4, limitOf(L.CS), attributesOf(L.CS));
  store<u64>(L.RIP, offset);
  updateMode();
}

// ---- JMP and CALL ---------------------------------------------------------------------------------------------------
export function jumpFar(r: usize): void { transfer(r, false); }
export function callFar(r: usize): void { transfer(r, true); }

function transfer(r: usize, call: bool): void {
  let size = operandSize(r), offset: u64, selector: u32;
  if (isMemory(r)) {
    let a = operandLinear(r, size + 2, 0);
    offset = readMemory(r, a, size);
    selector = <u32>readMemory(r, a + size, 2);
  } else { offset = truncate(immOf(r) & 0xffffffff, size); selector = <u32>(immOf(r) >> 32) & 0xffff; }
  if (!protectedMode()) {
    if (offset > <u64>limitOf(L.CS)) fault(GP, 0);
    if (call) pushReturn(r, size);
    setRealCode(selector, offset);
    return;
  }
  if (isNull(selector)) fault(GP, 0);
  let d = readDescriptor(selector, GP, 0), attributes = descriptorAttributes(d), level = load<u32>(L.CPL);
  let error = <i32>(selector & 0xfffc);
  if (isSystem(attributes)) { throughGate(r, selector, d, call); return; }
  if (!isCode(attributes)) fault(GP, error);
  if (isConforming(attributes) ? dplOf(attributes) > level : (selector & 3) > level || dplOf(attributes) != level)
    fault(GP, error);
  if (!(attributes & P)) fault(NP, error);
  checkLong(selector, attributes);
  checkOffset(d, offset);
  d = markAccessed(selector, d);
  if (call) pushReturn(r, size);
  setCode(selector, d, level);
  store<u64>(L.RIP, offset);
  updateMode();
}
/** Pushes CS and the return address; both accesses come before RSP changes. */
function pushReturn(r: usize, size: u32): void {
  let mask = stackMask(r), first = (load<u64>(L.RSP) - size) & mask, second = (first - size) & mask;
  let a = stackLinear(r, first, size, 1), b = stackLinear(r, second, size, 1);
  writeMemory(r, a, size, selectorOf(L.CS));
  writeMemory(r, b, size, truncate(nextOf(r), size));
  setStackPointer(r, second);
}
function throughGate(r: usize, selector: u32, gate: u64, call: bool): void {
  let g = descriptorAttributes(gate), type = g & 15, level = load<u32>(L.CPL), error = <i32>(selector & 0xfffc);
  if (type != CALL_GATE && (type != CALL_GATE16 || longMode())) {
    if (longMode() || !isTask(type)) fault(GP, error);
    transferToTask(r, selector, gate, call);
    return;
  }
  if (dplOf(g) < level || dplOf(g) < (selector & 3)) fault(GP, error);
  if (!(g & P)) fault(NP, error);
  let target = type == CALL_GATE ? gateOffset(gate) : gate & 0xffff, size: u32 = type == CALL_GATE ? 4 : 2;
  if (longMode()) {
    let a = descriptorAddress(selector, 16);
    if (a == NO_DESCRIPTOR) fault(GP, error);
    let high = readLinear(a + 8, 8, 0);
    if (high >> 40 & 0x1f) fault(GP, error);
    target |= high << 32;
    size = 8;
  }
  let to = gateSelector(gate);
  if (isNull(to)) fault(GP, 0);
  let d = readDescriptor(to, GP, 0), attributes = descriptorAttributes(d), toError = <i32>(to & 0xfffc);
  let dpl = dplOf(attributes);
  if (!isCode(attributes) || dpl > level || (!call && !isConforming(attributes) && dpl != level)) fault(GP, toError);
  if (longMode() && (!(attributes & LONG) || attributes & BIG)) fault(GP, toError);
  if (!(attributes & P)) fault(NP, toError);
  checkOffset(d, target);
  let inner = call && !isConforming(attributes) && dpl < level;
  if (inner) pushOnInner(r, gate, dpl, size);
  else if (call) {
    copyStack();
    let user: u32 = level == 3 ? 1 : 0;
    if (size == 8) {
      let sp = load<u64>(L.RSP);
      writeLinear(sp - 8, 8, selectorOf(L.CS), user); writeLinear(sp - 16, 8, nextOf(r), user);
      store<u64>(L.RSP, sp - 16);
    } else { pushNew(size, selectorOf(L.CS), user, 0); pushNew(size, nextOf(r), user, 0); commitStack(); }
  }
  setCode(to, markAccessed(to, d), inner ? dpl : level);
  store<u64>(L.RIP, target);
  updateMode();
}
/** CALL through a gate to an inner level: the frame goes on the stack that the TSS names. */
function pushOnInner(r: usize, gate: u64, level: u32, size: u32): void {
  let user: u32 = 0; // level is 0, 1 or 2
  if (size == 8) {
    let sp = readTss(4 + (level << 3), 8, 0);
    if (!isCanonical(sp)) fault(SS, 0);
    writeLinear(sp - 8, 8, selectorOf(L.SS), user); writeLinear(sp - 16, 8, load<u64>(L.RSP), user);
    writeLinear(sp - 24, 8, selectorOf(L.CS), user); writeLinear(sp - 32, 8, nextOf(r), user);
    store<u64>(L.RSP, sp - 32);
    setSegment(L.SS, level, 0, 0, UNUSABLE | level << DPL_SHIFT);
    return;
  }
  prepareInnerStack(level, 0);
  let count = <u32>(gate >> 32) & 31, error = <i32>(selectorOf(L.NEW_STACK) & 0xfffc);
  pushNew(size, selectorOf(L.SS), user, error); pushNew(size, load<u64>(L.RSP), user, error);
  for (let i = count; i > 0; i--) pushNew(size, peek(r, size, <u64>((i - 1) * size)), user, error);
  pushNew(size, selectorOf(L.CS), user, error); pushNew(size, nextOf(r), user, error);
  commitStack();
}

// ---- RET and IRET ---------------------------------------------------------------------------------------------------
/** Checks of the code segment that a return goes to. */
function returnCode(selector: u32): u64 {
  if (isNull(selector)) fault(GP, 0);
  let d = readDescriptor(selector, GP, 0), attributes = descriptorAttributes(d), level = selector & 3;
  let error = <i32>(selector & 0xfffc);
  if (!isCode(attributes) || level < load<u32>(L.CPL)) fault(GP, error);
  if (isConforming(attributes) ? dplOf(attributes) > level : dplOf(attributes) != level) fault(GP, error);
  checkLong(selector, attributes);
  if (!(attributes & P)) fault(NP, error);
  return d;
}
/**
 * Loads CS:RIP, and SS:RSP when the frame has them (withStack), after all checks. release: bytes that RET n drops on
 * the outer stack.
 */
function returnTo(r: usize, d: u64, cs: u32, rip: u64, withStack: bool, ss: u32, sp: u64, taken: u64,
  release: u64): void {
  let level = cs & 3, outer = level > load<u32>(L.CPL), to64 = longMode() && (descriptorAttributes(d) & LONG) != 0;
  checkOffset(d, rip);
  if (withStack) {
    if (isNull(ss)) {
      if (!to64 || level == 3 || (ss & 3) != level) fault(GP, 0);
      setSegment(L.NEW_STACK, ss, 0, 0, UNUSABLE | level << DPL_SHIFT);
    } else prepareStack(ss, level, GP, 0);
  }
  d = markAccessed(cs, d);
  if (withStack) {
    memory.copy(L.SS, L.NEW_STACK, L.SEGMENT_SIZE);
    sp += release;
    if (to64) store<u64>(L.RSP, sp);
    else if (attributesOf(L.SS) & BIG) store<u64>(L.RSP, sp & 0xffffffff);
    else store<u64>(L.RSP, (load<u64>(L.RSP) & ~(<u64>0xffff)) | (sp & 0xffff));
  } else setStackPointer(r, load<u64>(L.RSP) + taken + release);
  setCode(cs, d, level);
  store<u64>(L.RIP, rip);
  if (outer) dropInnerSegments();
  updateMode();
}
export function returnFar(r: usize): void {
  let size = operandSize(r), rip = peek(r, size, 0), cs = <u32>peek(r, size, size) & 0xffff;
  let release = immOf(r) & 0xffff, taken = <u64>size << 1;
  if (!protectedMode()) {
    if (rip > <u64>limitOf(L.CS)) fault(GP, 0);
    setStackPointer(r, load<u64>(L.RSP) + taken + release);
    setRealCode(cs, rip);
    return;
  }
  let d = returnCode(cs), outer = (cs & 3) > load<u32>(L.CPL), sp: u64 = 0, ss: u32 = 0;
  if (outer) { sp = peek(r, size, taken + release); ss = <u32>peek(r, size, taken + release + size) & 0xffff; }
  returnTo(r, d, cs, rip, outer, ss, sp, taken, release);
}
export function iret(r: usize): void {
  if (virtual8086()) { finishReturn(returnInside(r)); return; }
  let size = operandSize(r), level = load<u32>(L.CPL), old = rflags(), protectedNow = protectedMode();
  if (protectedNow && old & FLAG_NT) {
    if (longMode()) fault(GP, 0);
    returnToTask(r);
    finishReturn(false);
    return;
  }
  let mask = ARITHMETIC | FLAG_TF | FLAG_DF | FLAG_NT;
  if (size > 2) mask |= FLAG_RF | FLAG_AC | FLAG_ID;
  if (level <= <u32>((old & FLAG_IOPL) >> 12)) mask |= FLAG_IF;
  if (level == 0) mask |= size > 2 && protectedNow ? FLAG_IOPL | FLAG_VIF | FLAG_VIP : FLAG_IOPL;
  let rip = peek(r, size, 0), cs = <u32>peek(r, size, size) & 0xffff, image = peek(r, size, <u64>size << 1);
  let taken = <u64>size * 3;
  if (!protectedNow) {
    if (rip > <u64>limitOf(L.CS)) fault(GP, 0);
    setStackPointer(r, load<u64>(L.RSP) + taken);
    setRealCode(cs, rip);
  } else if (image & FLAG_VM && size == 4 && level == 0 && !longMode()) {
    enterVirtual(r, rip, cs, image);
    finishReturn((image & FLAG_RF) != 0);
    return;
  } else {
    let d = returnCode(cs), withStack = code64() || (cs & 3) > level, sp: u64 = 0, ss: u32 = 0;
    if (withStack) { sp = peek(r, size, taken); ss = <u32>peek(r, size, taken + size) & 0xffff; }
    returnTo(r, d, cs, rip, withStack, ss, sp, taken, 0);
  }
  setRflags((old & ~mask) | (image & mask));
  finishReturn((image & mask & FLAG_RF) != 0);
}
/** What every IRET does: NMIs are let in again, and an RF that it loaded outlives its own retirement. */
function finishReturn(resume: bool): void {
  let attention = load<u32>(L.ATTENTION);
  if (load<u32>(L.NMI_BLOCKED)) { store<u32>(L.NMI_BLOCKED, 0); attention |= L.ATTENTION_EVENT; }
  if (resume) { store<u32>(L.KEEP_RF, 1); attention |= L.ATTENTION_RETIRE; }
  store<u32>(L.ATTENTION, attention);
}
