// Faults on their way to the guest's handler, and software interrupts (SDM 3A chapter 6).
import * as L from '../../../layout';
import { nextOf } from '../../core/record';
import { log } from '../state/host';
import { deliver } from './delivery';
import { commitDebug, guestExecutionMatch } from '../memory/debug';
import { CAUSE_ANY, CAUSE_BT } from '../state/debug-causes';
import { rflags, FLAG_OF } from '../state/flags';
import { ICEBP_CLEARS_GD, ICEBP_TOUCHES_B0_B3, FUSE_ICEBP_WITH_PENDING_DATA } from '../state/policy';
import {
  AT_BOUNDARY, DEBUG_CAUSES, EXCEPTION, HAS_ERROR, OBSERVER_ONLY, SOFTWARE, fault, linearHere, settleNoted,
  stopInFront,
} from '../raise/raise';
import { hostAddress, isRam } from '../state/ram';
import { virtual8086 } from '../memory/segments';
import { BP, CP, DB, DE, DF, GP, OF, PF, TS, UD } from '../state/vectors';
import { interruptInside } from './virtual8086';
import { translate } from '../memory/walk';

/** #UD; said once on the log when it is for something that is not implemented. */
export function undefined_(r: usize, unknown: bool): void {
  store<u32>(L.CURRENT, <u32>r);
  if (unknown) {
    let linear = linearHere(), physical = translate(linear);
    // eight bytes of the instruction, when they lie on its page
    let bytes: u64 = ~physical && isRam(physical) && (physical & 0xfff) <= 0xff8 ? load<u64>(hostAddress(physical)) : 0;
    log(L.LOG_INVALID_OPCODE, linear, bytes);
  }
  fault(UD, -1);
}
// ---- delivery of faults ---------------------------------------------------------------------------------------------
/** SDM 3A table 6-4: divide error and the segment faults. */
function isContributory(vector: u32): bool { return vector == DE || (vector >= TS && vector <= GP) || vector == CP; }

export function shutdown(): void {
  store<u32>(L.DELIVERING, 0);
  store<u32>(L.ACTIVITY, 3);
  store<u32>(L.LEASE, 0); store<u32>(L.LEASE_DONE, 0);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
}
/**
 * Delivers the fault in FAULT_* through the IDT. May throw again: then call it again. A fault during the delivery of an
 * earlier one becomes #DF or shutdown by SDM 3A table 6-5.
 */
export function deliverFault(): void {
  let vector = load<u32>(L.FAULT_VECTOR), flags = load<u32>(L.FAULT_FLAGS), first = load<u32>(L.DELIVERING);
  let error = flags & HAS_ERROR ? load<i32>(L.FAULT_ERROR) : -1;
  store<u32>(L.CURRENT, 0);
  store<u32>(L.ATTENTION, (load<u32>(L.ATTENTION) & ~L.ATTENTION_RETIRE) | L.ATTENTION_EVENT);
  if (vector == OBSERVER_ONLY) return;
  if (first) {
    let firstVector = (first & 0xfff) - 1;
    if (first >> 12 == EXCEPTION) {
      let second = isContributory(vector) || vector == PF;
      if (firstVector == DF && second) { shutdown(); return; }
      let double = isContributory(firstVector) ? isContributory(vector) : firstVector == PF && second;
      if (double) { vector = DF; error = 0; flags = HAS_ERROR; }
    }
  } else if (flags & AT_BOUNDARY && !load<u32>(L.GUARD_PASSED)) {
    // an execution breakpoint comes before the fetch fault of its instruction (SDM 3A table 6-2)
    let match = guestExecutionMatch();
    if (match) { vector = DB; error = -1; flags = DEBUG_CAUSES; store<u32>(L.FAULT_ERROR, match & ~CAUSE_ANY); }
  }
  if (vector == DB && flags & DEBUG_CAUSES) {
    if (caughtDebug(load<u32>(L.FAULT_ERROR))) return;
    commitDebug(load<u32>(L.FAULT_ERROR));
  }
  deliver(vector, EXCEPTION, error, load<u64>(L.RIP));
}
/** The handler whose access met a fault has ended: undoes what it wrote, and delivers the fault. */
export function deliverNoted(): void {
  settleNoted();
  deliverFault();
}
/** True when the observer wants to see a guest #DB first and has not passed this one yet. */
export function caughtDebug(causes: u32): bool {
  let filter = causes & CAUSE_BT ? L.CATCH_DB | L.CATCH_TASK_SWITCH : L.CATCH_DB;
  if (!(load<u32>(L.CATCH) & filter) || load<u32>(L.CAUGHT_PASS)) return false;
  store<u32>(L.FAULT_ERROR, causes);
  store<u32>(L.CAUGHT, load<u32>(L.CAUGHT) | L.OBSERVED_CAUGHT_DB);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
  return true;
}

// ---- software interrupts and exceptions (SDM 2A INT n/INTO/INT3/INT1) -----------------------------------------------
function caught(filter: u32, cause: u32): void {
  if (load<u32>(L.CATCH) & filter && !load<u32>(L.CAUGHT_PASS)) stopInFront(cause);
}
export function int3(r: usize): void {
  caught(L.CATCH_BP, L.OBSERVED_CAUGHT_BP);
  deliver(BP, SOFTWARE, -1, nextOf(r));
}
/**
 * #BP as an INT3 of length bytes at RIP would raise it, asked for by the debugger at a boundary (guest-debug-spec 2.1
 * INJECT_BP).
 */
export function injectBreakpoint(length: u32): void {
  store<u32>(L.CURRENT, 0);
  deliver(BP, SOFTWARE, -1, load<u64>(L.RIP) + length);
}
export function intN(r: usize): void {
  let vector = <u32>load<u8>(r, L.R_IMM);
  if (vector == BP) caught(L.CATCH_BP_SOFTWARE_INTERRUPT, L.OBSERVED_CAUGHT_BP);
  if (virtual8086()) { interruptInside(r, vector); return; }
  deliver(vector, SOFTWARE, -1, nextOf(r));
}
export function into(r: usize): void {
  if (rflags() & FLAG_OF) deliver(OF, SOFTWARE, -1, nextOf(r));
  else store<u64>(L.RIP, nextOf(r));
}
/**
 * ICEBP: a #DB without a cause bit; pending data causes of a MOV SS in front are fused into it (guest-debug-spec 2.7).
 */
export function int1(r: usize): void {
  if (load<u32>(L.CATCH) & L.CATCH_ICEBP && !load<u32>(L.CAUGHT_PASS)) store<u32>(L.FAULT_ERROR, 0);
  caught(L.CATCH_ICEBP, L.OBSERVED_CAUGHT_DB);
  let pending = load<u32>(L.PENDING_DEBUG), dr6 = load<u64>(L.DR6);
  if (ICEBP_TOUCHES_B0_B3) dr6 &= ~(<u64>15);
  if (FUSE_ICEBP_WITH_PENDING_DATA) {
    if (pending & CAUSE_ANY) dr6 |= pending & 15;
    store<u32>(L.PENDING_DEBUG, 0);
  }
  store<u64>(L.DR6, dr6);
  if (ICEBP_CLEARS_GD) store<u64>(L.DR7, load<u64>(L.DR7) & ~(<u64>0x2000));
  deliver(DB, EXCEPTION, -1, nextOf(r));
}
