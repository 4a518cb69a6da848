// Hardware task switches (SDM 3A chapter 8): JMP and CALL to a TSS or through a task gate, IRET with NT, and events
// through a task gate. What fails in front of the commit faults in the outgoing task, with nothing changed; what fails
// behind it (table 8-1, from the LDT on) faults in the incoming task, in front of its first instruction.
import * as L from '../../../layout';
import { nextOf } from '../../core/record';
import { flushForCr3, loadDirectoryPointers } from '../memory/address-space';
import { attend } from '../state/attention';
import { endLocalBreakpoints } from '../memory/debug';
import { CAUSE_BT } from '../state/debug-causes';
import { pushNew, copyStack, commitStack, readTss } from './delivery';
import { FLAG_NT, FLAG_RF, FLAG_VM, rflags, setRflags } from '../state/flags';
import { probeWrite, readLinear, writeLinear } from '../memory/mmu';
import { fault } from '../raise/raise';
import {
  NO_DESCRIPTOR, P, UNUSABLE, attributesOf, baseOf, descriptorAddress, descriptorAttributes, descriptorBase,
  descriptorLimit, dplOf, gateSelector, isCode, isConforming, isNull, isReadable, isSystem, isWritableData, limitOf,
  loadNull, loadVirtual, markAccessed, readDescriptor, segmentSlot, selectorOf, setFromDescriptor, setSegment,
  updateMode,
} from '../memory/segments';
import {
  LIMIT16, LIMIT32, TASK_CR3, TASK_FLAGS, TASK_LDT, TASK_REGISTERS, TASK_RIP, TASK_SEGMENTS, TASK_TRAP, probeTask,
  readTask, saveTask,
} from './task-state';
import { GP, NP, SS, TS } from '../state/vectors';

const JUMP: u32 = 0, CALL: u32 = 1, RETURN: u32 = 2;
const TSS16: u32 = 1, TASK_GATE: u32 = 5, TSS32: u32 = 9, BUSY: u32 = 2, LDT: u32 = 2;
const CR0_TS: u64 = 8, CR0_PG: u64 = 1 << 31, CR4_PAE: u64 = 0x20;

// ---- the ways in ----------------------------------------------------------------------------------------------------
/** Whether a far transfer to this system descriptor switches tasks (never in IA-32e mode). */
export function isTask(type: u32): bool { return (type & ~(8 | BUSY)) == TSS16 || type == TASK_GATE; }

/** JMP or CALL to a TSS descriptor or a task gate (SDM 2A CALL "TASK-GATE", "TASK-STATE-SEGMENT"). */
export function transferToTask(r: usize, selector: u32, d: u64, call: bool): void {
  let attributes = descriptorAttributes(d), error = <i32>(selector & 0xfffc), level = load<u32>(L.CPL);
  if (dplOf(attributes) < level || dplOf(attributes) < (selector & 3)) fault(GP, error);
  if ((attributes & 15) == TASK_GATE) {
    if (!(attributes & P)) fault(NP, error);
    selector = gateSelector(d);
    d = availableTask(selector, 0);
  } else checkAvailable(selector, d, 0);
  switchTask(selector, d, call ? CALL : JUMP, nextOf(r), rflags() & ~FLAG_RF, 0);
}
/** IRET with NT: back to the task that the back link names (SDM 2A IRET "TASK-RETURN"). */
export function returnToTask(r: usize): void {
  let selector = <u32>readTss(0, 2, 0), error = <i32>(selector & 0xfffc);
  if (selector & 4 || isNull(selector)) fault(TS, error);
  let d = readDescriptor(selector, TS, 0), attributes = descriptorAttributes(d), type = attributes & 15;
  if (!isSystem(attributes) || (type | 8) != (TSS32 | BUSY)) fault(TS, error);
  if (!(attributes & P)) fault(NP, error);
  switchTask(selector, d, RETURN, nextOf(r), rflags() & ~(FLAG_NT | FLAG_RF), 0);
}
/** An event through a task gate: a nested task; an error code goes on its stack, in its own size. */
export function eventToTask(gate: u64, rip: u64, image: u64, error: i32, external: u32): void {
  let selector = gateSelector(gate), d = availableTask(selector, external), wide = (descriptorAttributes(d) & 8) != 0;
  switchTask(selector, d, CALL, rip, image, external);
  if (error < 0) return;
  copyStack();
  pushNew(wide ? 4 : 2, <u64>error, load<u32>(L.CPL) == 3 ? 1 : 0, <i32>external);
  commitStack();
}
/** The TSS of a task gate. */
function availableTask(selector: u32, external: u32): u64 {
  if (selector & 4 || isNull(selector)) fault(GP, <i32>(selector & 0xfffc | external));
  let d = readDescriptor(selector, GP, external);
  checkAvailable(selector, d, external);
  return d;
}
function checkAvailable(selector: u32, d: u64, external: u32): void {
  let attributes = descriptorAttributes(d), type = attributes & 15, error = <i32>(selector & 0xfffc | external);
  if (selector & 4 || !isSystem(attributes) || (type | 8) != TSS32) fault(GP, error);
  if (!(attributes & P)) fault(NP, error);
}

// ---- the switch (SDM 3A 8.3) ----------------------------------------------------------------------------------------
function switchTask(selector: u32, d: u64, reason: u32, rip: u64, saved: u64, external: u32): void {
  let attributes = descriptorAttributes(d), wide = (attributes & 8) != 0, base = descriptorBase(d);
  let limit = descriptorLimit(d);
  if (tooSmall(limit, wide)) fault(TS, <i32>(selector & 0xfffc | external));
  let old = selectorOf(L.TR), oldWide = (attributesOf(L.TR) & 8) != 0, oldBase = baseOf(L.TR);
  if (tooSmall(limitOf(L.TR), oldWide)) fault(TS, <i32>(old & 0xfffc | external));
  // steps 4 to 6 of 8.3: everything is asked for in front of the commit
  readTask(base, wide);
  probeTask(oldBase, oldWide);
  if (reason != CALL) probeWrite(typeAddress(old), 1, 0);
  if (reason != RETURN) probeWrite(typeAddress(selector), 1, 0);
  if (reason == CALL) probeWrite(base, 2, 0);

  saveTask(oldBase, oldWide, rip, saved);
  if (reason != CALL) setBusy(old, false);
  if (reason == CALL) writeLinear(base, 2, old, 0);
  if (reason != RETURN) setBusy(selector, true);
  setSegment(L.TR, selector, base, limit, attributes | BUSY);
  loadRegisters(wide, reason == CALL);
  // from here on faults belong to the new task: its registers are loaded, its first instruction comes next
  store<u32>(L.CURRENT, 0);
  store<u32>(L.GUARD_PASSED, 1); // and no execution breakpoint there comes before them
  if (wide && load<u64>(L.CR0) & CR0_PG && load<u64>(L.CR4) & CR4_PAE) loadDirectoryPointers(load<u64>(L.CR3));
  loadTable(external);
  if (load<u32>(TASK_FLAGS) & <u32>FLAG_VM && wide) loadVirtualSegments(); else loadSegments(external);
  if (load<u64>(L.RIP) > <u64>limitOf(L.CS)) fault(GP, <i32>external);
  store<u32>(L.GUARD_PASSED, 0);
  if (load<u32>(TASK_TRAP)) store<u32>(L.PENDING_DEBUG, load<u32>(L.PENDING_DEBUG) | CAUSE_BT);
  updateMode();
  attend();
}
@inline function tooSmall(limit: u32, wide: bool): bool { let least = wide ? LIMIT32 : LIMIT16; return limit < least; }
@inline function typeAddress(selector: u32): u64 { return (load<u64>(L.GDTR) + (selector & 0xfff8) + 5) & 0xffffffff; }
function setBusy(selector: u32, busy: bool): void {
  if (descriptorAddress(selector & 0xfff8, 8) == NO_DESCRIPTOR) return; // the table shrank under the running task
  let type = <u32>readLinear(typeAddress(selector), 1, 0);
  writeLinear(typeAddress(selector), 1, busy ? type | BUSY : type & ~BUSY, 0);
}
/** The registers of the new task; its segments are selectors without a descriptor yet. */
function loadRegisters(wide: bool, nested: bool): void {
  store<u64>(L.CR0, load<u64>(L.CR0) | CR0_TS);
  endLocalBreakpoints();
  if (wide && load<u64>(L.CR0) & CR0_PG) flushForCr3(load<u32>(TASK_CR3));
  for (let i: usize = 0; i < 8; i++) store<u64>(L.REGS + (i << 3), load<u32>(TASK_REGISTERS + (i << 2)));
  store<u64>(L.RIP, load<u32>(TASK_RIP));
  let flags = <u64>load<u32>(TASK_FLAGS) | (nested ? FLAG_NT : 0);
  setRflags(flags);
  if (flags & FLAG_RF) { // the switching instruction's own retirement does not clear it
    store<u32>(L.KEEP_RF, 1);
    store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_RETIRE);
  }
  let level = flags & FLAG_VM ? 3 : load<u32>(TASK_SEGMENTS, 4) & 3;
  for (let i: u32 = 0; i < 6; i++) {
    let segment = segmentSlot(i), base = i == 1 || i == 2 ? 0 : baseOf(segment); // what becomes of it: loadNull
    setSegment(segment, load<u32>(TASK_SEGMENTS + (<usize>i << 2)), base, 0, UNUSABLE);
  }
  setSegment(L.LDTR, load<u32>(TASK_LDT), 0, 0, UNUSABLE);
  store<u32>(L.CPL, level);
  updateMode();
}
function loadTable(external: u32): void {
  let selector = load<u32>(TASK_LDT), error = <i32>(selector & 0xfffc | external);
  if (isNull(selector)) return;
  if (selector & 4) fault(TS, error);
  let d = readDescriptor(selector, TS, external), attributes = descriptorAttributes(d);
  if (!isSystem(attributes) || (attributes & 15) != LDT || !(attributes & P)) fault(TS, error);
  setFromDescriptor(L.LDTR, selector, d);
}
function loadVirtualSegments(): void {
  for (let i: u32 = 0; i < 6; i++) loadVirtual(segmentSlot(i), load<u32>(TASK_SEGMENTS + (<usize>i << 2)));
  updateMode();
}
function loadSegments(external: u32): void {
  loadTaskSegment(1, external);
  loadTaskSegment(2, external);
  updateMode();
  loadTaskSegment(0, external);
  for (let i: u32 = 3; i < 6; i++) loadTaskSegment(i, external);
}
/** One segment register of the new task, by the checks of SDM 3A table 8-1. */
function loadTaskSegment(number: u32, external: u32): void {
  let selector = load<u32>(TASK_SEGMENTS + (<usize>number << 2)), level = load<u32>(L.CPL);
  let error = <i32>(selector & 0xfffc | external);
  if (isNull(selector)) {
    if (number == 1 || number == 2) fault(TS, error);
    loadNull(segmentSlot(number), selector);
    return;
  }
  let d = readDescriptor(selector, TS, external), attributes = descriptorAttributes(d), dpl = dplOf(attributes);
  if (number == 1) {
    if (!isCode(attributes) || (isConforming(attributes) ? dpl > level : dpl != level)) fault(TS, error);
  } else if (number == 2) {
    if (!isWritableData(attributes) || dpl != level || (selector & 3) != level) fault(TS, error);
  } else if (!isReadable(attributes)
    || (!isConforming(attributes) && (dpl < level || dpl < (selector & 3)))) fault(TS, error);
  if (!(attributes & P)) fault(number == 2 ? SS : NP, error);
  setFromDescriptor(segmentSlot(number), selector, markAccessed(selector, d));
}
