// How a fault leaves the instruction that met it (SDM 3A chapter 6). Two ways. Inside system.wasm, and wherever a
// handler cannot go on, fault() throws a JavaScript exception: it unwinds to the run loop in engine.ts, which calls
// deliverFault().
//
// An access of a handler in core.wasm unwinds nothing: to unwind WebAssembly costs more than all the rest of a page
// fault. The fault is noted, its access answers a dummy, and the handler goes on to its end; then the interpreter,
// which looks at ATTENTION behind each instruction, calls deliverNoted(). What the handler wrote meanwhile is undone
// from a copy, and guest memory it cannot reach: the bank of fast tags is one that never matches, and behind it every
// slow path sees the noted fault and does nothing. So a handler must not write through an address that it got before an
// access that may fault, nor to state that is not in the copy: scripts/handler-contract.ts checks both.
import * as L from '../../../layout';
import { lengthOf, nextOf } from '../../core/record';
import { throwFault } from '../state/host';
import { area, selectBank } from '../state/tlb';
import { DB } from '../state/vectors';

/** How an event came to be: decides the privilege check of the gate and the EXT bit of nested faults. */
export const EXCEPTION: u32 = 0, SOFTWARE: u32 = 1, INTERRUPT: u32 = 2, NON_MASKABLE: u32 = 3;
/** FAULT_VECTOR of an unwinding that delivers nothing: the observer stops in front of the instruction. */
export const OBSERVER_ONLY: u32 = 0x100;
// FAULT_FLAGS
export const HAS_ERROR: u32 = 1, DEBUG_CAUSES: u32 = 2, AT_BOUNDARY: u32 = 4;

// ---- where we are ---------------------------------------------------------------------------------------------------
@inline function recordIndex(r: usize): i64 {
  return <i64>((r - <usize>load<u32>(L.BLOCK) - L.HEADER_SIZE) / L.RECORD_SIZE);
}
/** Ticks left of this run in front of the running instruction: the clock is CLOCK_END minus this. */
export function ticksLeft(): i64 {
  let r: usize = load<u32>(L.CURRENT), left = load<i64>(L.BUDGET);
  return r ? left + <i64>load<u32>(L.BLOCK_TICKS) - recordIndex(r) : left;
}
/** Virtual clock now, in ticks. */
export function clockNow(): u64 { return <u64>(load<i64>(L.CLOCK_END) - ticksLeft()); }

/** Offset in CS of the instruction in record r. */
export function startOf(r: usize): u64 {
  let start = nextOf(r) - lengthOf(r);
  return (load<u32>(L.MODE) & L.MODE_CODE) == 2 ? start : start & 0xffffffff;
}
/** Linear address of CS:RIP. */
export function linearRip(): u64 {
  let at = load<u64>(L.RIP) + load<u64>(L.CS);
  return (load<u32>(L.MODE) & L.MODE_CODE) == 2 ? at : at & 0xffffffff;
}
/** Linear address of the running instruction, or of the next one at a boundary. */
export function linearHere(): u64 {
  let r: usize = load<u32>(L.CURRENT);
  if (!r) return linearRip();
  let at = startOf(r) + load<u64>(L.CS);
  return (load<u32>(L.MODE) & L.MODE_CODE) == 2 ? at : at & 0xffffffff;
}

// ---- throwing -------------------------------------------------------------------------------------------------------
/** Back to the boundary in front of the running instruction: exact RIP, ticks given back, its accesses forgotten. */
function unwind(): void {
  let r: usize = load<u32>(L.CURRENT);
  if (r) {
    store<u64>(L.RIP, startOf(r));
    store<i64>(L.BUDGET, ticksLeft());
    store<u32>(L.CURRENT, 0);
  }
  store<u32>(L.WATCH_HITS, 0);
  store<u32>(L.BOUNCE_COUNT, 0);
  store<u32>(L.BUS_LOCKED, 0);
}
function throwWith(vector: u32, error: u32, flags: u32): void {
  if (!load<u32>(L.CURRENT) && !load<u32>(L.DELIVERING)) flags |= AT_BOUNDARY;
  unwind();
  store<u32>(L.FAULT_VECTOR, vector); store<u32>(L.FAULT_ERROR, error); store<u32>(L.FAULT_FLAGS, flags);
  throwFault();
  unreachable();
}
/**
 * Raises a fault of the running instruction (CURRENT) or of the boundary (CURRENT 0); error < 0: no error code. Never
 * returns.
 */
export function fault(vector: u32, error: i32): void {
  throwWith(vector, error < 0 ? 0 : <u32>error, error < 0 ? 0 : HAS_ERROR);
}
/** The same for a handler in core.wasm, which may have met another fault before, and this one by its dummy. */
export function raise(r: usize, vector: u32, error: i32): void {
  throwNoted();
  store<u32>(L.CURRENT, <u32>r);
  fault(vector, error);
}
/** Raises a #DB fault whose DR6 causes are known (general detect). */
export function faultDebug(causes: u32): void { throwWith(DB, causes, DEBUG_CAUSES); }
/** Unwinds the running instruction and halts in front of it until an interrupt comes. */
export function waitInFront(): void {
  store<u32>(L.ACTIVITY, 1);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
  throwWith(OBSERVER_ONLY, 0, 0);
}
/** Unwinds the running instruction for the observer: the next boundary returns RUN_OBSERVED with this cause. */
export function stopInFront(cause: u32): void {
  store<u32>(L.CAUGHT, load<u32>(L.CAUGHT) | cause);
  throwWith(OBSERVER_ONLY, 0, 0);
}

// ---- noting ---------------------------------------------------------------------------------------------------------
/**
 * An access faults. Whoever asked for it goes on by throwNoted() or by holdNoted(), before anything else happens.
 * Always true.
 */
export function note(vector: u32, error: u32): bool {
  store<u32>(L.FAULT_VECTOR, vector); store<u32>(L.FAULT_ERROR, error); store<u32>(L.FAULT_FLAGS, HAS_ERROR);
  store<u32>(L.FAULT_NOTED, 1);
  return true;
}
@inline export function isNoted(): bool { return load<u32>(L.FAULT_NOTED) != 0; }
/** Keeps the fault that the handler's access has just met until the handler ends. */
export function holdNoted(): void {
  memory.copy(L.UNDO_LOW, L.FIP, L.UNDO_LOW_SIZE);
  memory.copy(L.UNDO_STATE, L.REGS, L.UNDO_STATE_SIZE);
  store<u32>(L.FAULT_NOTED, HELD);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
  store<u32>(L.TLB_BASE, <u32>area() + L.TLB_MISS);
}
const HELD: u32 = 2;
/** The boundary in front of the instruction whose fault was noted. */
export function settleNoted(): void {
  if (load<u32>(L.FAULT_NOTED) == HELD) {
    memory.copy(L.FIP, L.UNDO_LOW, L.UNDO_LOW_SIZE);
    memory.copy(L.REGS, L.UNDO_STATE, L.UNDO_STATE_SIZE);
    selectBank();
  }
  store<u32>(L.FAULT_NOTED, 0);
  if (!load<u32>(L.CURRENT) && !load<u32>(L.DELIVERING)) store<u32>(L.FAULT_FLAGS, HAS_ERROR | AT_BOUNDARY);
  unwind();
}
/** Throws the noted fault, when there is one. */
@inline export function throwNoted(): void { if (isNoted()) throwIt(); }
function throwIt(): void {
  settleNoted();
  throwFault();
  unreachable();
}
