// Event delivery through the IVT or the IDT (SDM 3A 6.12, 6.14; real mode: 21.1.4): gates, privilege checks, stack
// switches, error codes. Nothing of the guest's registers changes before the last access that can fault.
import * as L from '../../../layout';
import { delivered } from '../state/host';
import { commitHits } from '../memory/debug';
import { rflags, FLAG_AC, FLAG_IF, FLAG_NT, FLAG_RF, FLAG_TF, FLAG_VM } from '../state/flags';
import { readLinear, writeLinear } from '../memory/mmu';
import { recordEvent, recording } from '../state/last-branch';
import { endWait } from '../memory/monitor-line';
import { EXCEPTION, NON_MASKABLE, SOFTWARE, fault, linearHere, linearRip } from '../raise/raise';
import { GP, NP, SS, TS } from '../state/vectors';
import { isCanonical, longMode } from '../memory/walk';
import {
  BIG, DPL_SHIFT, LONG, P, UNUSABLE, attributesOf, baseOf, beyondLimit, descriptorAttributes, descriptorLimit, dplOf,
  gateOffset, gateSelector, isCode, isConforming, isNull, limitOf, markAccessed, prepareStack, protectionEnabled,
  readDescriptor, selectorOf, setCode, loadNull, setSegment, updateMode, virtual8086,
} from '../memory/segments';
import { eventToTask } from './task-switch';
import { pushDataSegments } from './virtual8086';

const GATE_TASK: u32 = 5, GATE_INTERRUPT16: u32 = 6, GATE_TRAP16: u32 = 7, GATE_INTERRUPT: u32 = 14;
const GATE_TRAP: u32 = 15;

/**
 * RFLAGS image in the frame (guest-debug-spec 2.7 "RF"): faults other than #DB, and anything between REP iterations,
 * push RF.
 */
function flagsImage(vector: u32, kind: u32): u64 {
  let v = rflags();
  if (load<u32>(L.CURRENT)) return v & ~FLAG_RF; // INT n, INT3, INTO, INT1 completed
  if (kind == EXCEPTION && vector != 1) return v | FLAG_RF;
  return load<u32>(L.REP_ACTIVE) ? v | FLAG_RF : v;
}
/** The vectors of the last deliveries, for the report of a shutdown. */
function note(vector: u32, error: i32, at: u64): void {
  let n = load<u32>(L.VECTOR_CHAIN), e = L.VECTOR_CHAIN_ENTRIES + <usize>(n % L.VECTOR_CHAIN_MAX) * 16;
  store<u32>(e, vector); store<i32>(e, error, 4); store<u64>(e, at, 8);
  store<u32>(L.VECTOR_CHAIN, n + 1);
}

/**
 * Delivers an event: kind EXCEPTION, SOFTWARE (INT n, INT3, INTO: the gate's DPL is checked), INTERRUPT or
 * NON_MASKABLE; error < 0: none; rip: the return address. Throws when the delivery faults (DELIVERING then says what it
 * was).
 */
export function deliver(vector: u32, kind: u32, error: i32, rip: u64): void {
  let from = linearHere(), image = flagsImage(vector, kind), external: u32 = kind == SOFTWARE ? 0 : 1;
  store<u32>(L.DELIVERING, (vector + 1) | kind << 12);
  note(vector, error, from);
  if (!protectionEnabled()) deliverReal(vector, rip, image);
  else if (longMode()) deliverLong(vector, kind, error, rip, image, external);
  else deliverLegacy(vector, kind, error, rip, image, external);
  if (kind == NON_MASKABLE) store<u32>(L.NMI_BLOCKED, 1);
  finish(vector, kind, error, from);
}
/** What every successful delivery does; a delivery that is not part of an instruction takes one tick. */
function finish(vector: u32, kind: u32, error: i32, from: u64): void {
  store<u32>(L.DELIVERING, 0);
  endWait();
  store<u32>(L.SHADOW, 0); store<u32>(L.SHADOW_NEW, 0); store<u32>(L.REP_ACTIVE, 0); store<u32>(L.ACTIVITY, 0);
  store<u32>(L.TF_AT_START, 0); store<u32>(L.KEEP_RF, 0); store<u32>(L.CAUGHT_PASS, 0); store<u32>(L.FIRST_HOLD, 0);
  store<u32>(L.GUARD_PASSED, 0);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
  updateMode();
  if (recording()) recordEvent(from, linearRip());
  if (!load<u32>(L.CURRENT)) {
    store<i64>(L.BUDGET, load<i64>(L.BUDGET) - 1);
    store<u32>(L.ONE_INSTRUCTION, 0);
    if (load<u32>(L.PASS_ACTIVE)) { store<u32>(L.PASS_ACTIVE, 0); store<u32>(L.PASS_FAULTED, 1); }
    commitHits();
    store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) & ~L.ATTENTION_RETIRE);
  }
  if (load<u32>(L.LEASE)) store<u32>(L.LEASE_DONE, 1);
  store<u32>(L.DELIVERED, 0x100 + vector); store<i32>(L.DELIVERED_ERROR, error); store<u64>(L.DELIVERED_FROM, from);
  if (vector < 32 && load<u32>(L.OBSERVE_VECTORS) >> vector & 1) delivered(vector, kind, error, from);
}
function clearFlags(clear: u64): void { store<u64>(L.RFLAGS, load<u64>(L.RFLAGS) & ~clear); }

// ---- real mode ------------------------------------------------------------------------------------------------------
function deliverReal(vector: u32, rip: u64, image: u64): void {
  let at = vector << 2;
  if (at + 3 > load<u32>(L.IDTR, 8)) fault(GP, 0);
  let entry = readLinear((load<u64>(L.IDTR) + at) & 0xffffffff, 4, 0);
  copyStack();
  pushNew(2, image, 0, 0); pushNew(2, selectorOf(L.CS), 0, 0); pushNew(2, rip, 0, 0);
  commitStack();
  let selector = <u32>(entry >> 16);
  setSegment(L.CS, selector, <u64>selector << 4, limitOf(L.CS), attributesOf(L.CS));
  store<u64>(L.RIP, entry & 0xffff);
  clearFlags(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
}

// ---- long mode ------------------------------------------------------------------------------------------------------
function deliverLong(vector: u32, kind: u32, error: i32, rip: u64, image: u64, external: u32): void {
  let gateError = <i32>(vector << 3 | 2 | external), at = load<u64>(L.IDTR) + (vector << 4), level = load<u32>(L.CPL);
  if ((vector << 4) + 15 > load<u32>(L.IDTR, 8)) fault(GP, gateError);
  let low = readLinear(at, 8, 0), high = readLinear(at + 8, 8, 0), gate = <u32>(low >> 40), type = gate & 0x1f;
  if (type != GATE_INTERRUPT && type != GATE_TRAP) fault(GP, gateError);
  if (kind == SOFTWARE && dplOf(gate) < level) fault(GP, gateError);
  if (!(gate & P)) fault(NP, gateError);
  let selector = gateSelector(low), target = gateOffset(low) | high << 32;
  let d = readTarget(selector, external), attributes = descriptorAttributes(d);
  let inner = isConforming(attributes) ? level : dplOf(attributes);
  if (!(attributes & LONG) || attributes & BIG) fault(GP, <i32>(selector & 0xfffc | external));
  let ist = <u32>(low >> 32) & 7, sp = load<u64>(L.RSP);
  if (ist) sp = readTss(0x1c + (ist << 3), 8, external);
  else if (inner < level) sp = readTss(4 + (inner << 3), 8, external);
  if (!isCanonical(sp)) fault(SS, <i32>external);
  if (!isCanonical(target)) fault(GP, <i32>external);
  sp &= ~(<u64>15);
  let user: u32 = inner == 3 ? 1 : 0;
  writeLinear(sp - 8, 8, selectorOf(L.SS), user);
  writeLinear(sp - 16, 8, load<u64>(L.RSP), user);
  writeLinear(sp - 24, 8, image, user);
  writeLinear(sp - 32, 8, selectorOf(L.CS), user);
  writeLinear(sp - 40, 8, rip, user);
  sp -= 40;
  if (error >= 0) { sp -= 8; writeLinear(sp, 8, <u64>error, user); }
  d = markAccessed(selector, d);
  if (inner < level) setSegment(L.SS, inner, 0, 0, UNUSABLE | inner << DPL_SHIFT);
  store<u64>(L.RSP, sp);
  store<u64>(L.RIP, target);
  setCode(selector, d, inner);
  clearFlags(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (type == GATE_INTERRUPT ? FLAG_IF : 0));
}
/** The code segment of a gate: readable only by its checks (SDM 3A 6.12.1.2). */
function readTarget(selector: u32, external: u32): u64 {
  if (isNull(selector)) fault(GP, <i32>external);
  let d = readDescriptor(selector, GP, external), attributes = descriptorAttributes(d);
  let error = <i32>(selector & 0xfffc | external);
  if (!isCode(attributes) || dplOf(attributes) > load<u32>(L.CPL)) fault(GP, error);
  if (!(attributes & P)) fault(NP, error);
  return d;
}
/** Reads a field of the current TSS; beyond its limit: #TS(TR). */
export function readTss(offset: u32, size: u32, external: u32): u64 {
  if (offset + size - 1 > limitOf(L.TR)) fault(TS, <i32>(selectorOf(L.TR) & 0xfffc | external));
  let a = baseOf(L.TR) + offset;
  return readLinear(longMode() ? a : a & 0xffffffff, size, 0);
}

// ---- protected mode -------------------------------------------------------------------------------------------------
function deliverLegacy(vector: u32, kind: u32, error: i32, rip: u64, image: u64, external: u32): void {
  let gateError = <i32>(vector << 3 | 2 | external), level = load<u32>(L.CPL);
  if ((vector << 3) + 7 > load<u32>(L.IDTR, 8)) fault(GP, gateError);
  let low = readLinear((load<u64>(L.IDTR) + (vector << 3)) & 0xffffffff, 8, 0), gate = <u32>(low >> 40);
  let type = gate & 0x1f;
  let wide = type == GATE_INTERRUPT || type == GATE_TRAP;
  if (!wide && type != GATE_TASK && type != GATE_INTERRUPT16 && type != GATE_TRAP16) fault(GP, gateError);
  if (kind == SOFTWARE && dplOf(gate) < level) fault(GP, gateError);
  if (!(gate & P)) fault(NP, gateError);
  if (type == GATE_TASK) { eventToTask(low, rip, image, error, external); return; }
  let selector = gateSelector(low), target = wide ? gateOffset(low) : low & 0xffff, size: u32 = wide ? 4 : 2;
  let d = readTarget(selector, external), attributes = descriptorAttributes(d);
  let inner = isConforming(attributes) ? level : dplOf(attributes), user: u32 = inner == 3 ? 1 : 0;
  let stackError: i32 = <i32>external, fromVirtual = virtual8086();
  if (fromVirtual && inner) fault(GP, <i32>(selector & 0xfffc | external)); // only to CPL 0 (SDM 3A 21.3.1)
  if (inner < level) {
    prepareInnerStack(inner, external);
    stackError |= selectorOf(L.NEW_STACK) & 0xfffc;
    if (fromVirtual) pushDataSegments(size, stackError);
    pushNew(size, selectorOf(L.SS), user, stackError); pushNew(size, load<u64>(L.RSP), user, stackError);
  } else copyStack();
  pushNew(size, image, user, stackError);
  pushNew(size, selectorOf(L.CS), user, stackError);
  pushNew(size, rip, user, stackError);
  if (error >= 0) pushNew(size, <u64>error, user, stackError);
  if (target > <u64>descriptorLimit(d)) fault(GP, <i32>external);
  d = markAccessed(selector, d);
  commitStack();
  if (fromVirtual) { loadNull(L.GS, 0); loadNull(L.FS, 0); loadNull(L.DS, 0); loadNull(L.ES, 0); }
  store<u64>(L.RIP, target);
  setCode(selector, d, inner);
  clearFlags(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM
    | (type == GATE_INTERRUPT || type == GATE_INTERRUPT16 ? FLAG_IF : 0));
}
/** Stack of an inner level from a 32-bit or 16-bit TSS, into NEW_STACK and NEW_SP (SDM 3A 5.8.5). */
export function prepareInnerStack(level: u32, external: u32): void {
  let wide = (attributesOf(L.TR) & 8) != 0, sp: u64, selector: u32;
  if (wide) { sp = readTss(4 + (level << 3), 4, external); selector = <u32>readTss(8 + (level << 3), 2, external); }
  else { sp = readTss(2 + (level << 2), 2, external); selector = <u32>readTss(4 + (level << 2), 2, external); }
  prepareStack(selector, level, TS, external);
  store<u64>(L.NEW_SP, sp);
}
/** The running stack as the one that a frame is built on. */
export function copyStack(): void {
  memory.copy(L.NEW_STACK, L.SS, L.SEGMENT_SIZE);
  store<u64>(L.NEW_SP, load<u64>(L.RSP));
}
@inline function newStackMask(): u64 { return attributesOf(L.NEW_STACK) & BIG ? 0xffffffff : 0xffff; }
/** Pushes on the stack that is being prepared; beyond its limit: #SS(error). Outside long mode. */
export function pushNew(size: u32, value: u64, user: u32, error: i32): void {
  let sp = (load<u64>(L.NEW_SP) - size) & newStackMask();
  if (beyondLimit(attributesOf(L.NEW_STACK), limitOf(L.NEW_STACK), sp, size)) fault(SS, error);
  writeLinear((baseOf(L.NEW_STACK) + sp) & 0xffffffff, size, size == 2 ? value & 0xffff : value & 0xffffffff, user);
  store<u64>(L.NEW_SP, sp);
}
export function commitStack(): void {
  let mask = newStackMask();
  memory.copy(L.SS, L.NEW_STACK, L.SEGMENT_SIZE);
  store<u64>(L.RSP, mask == 0xffff ? (load<u64>(L.RSP) & ~mask) | (load<u64>(L.NEW_SP) & mask)
    : load<u64>(L.NEW_SP) & mask);
}
