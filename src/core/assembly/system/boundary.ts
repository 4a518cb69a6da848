// The boundary between two instructions (or two iterations of a REP string): guest-debug-spec 2.3, the one place where
// events, traps and execution breakpoints are ordered. It knows no debugger, only the generic observer of layout.ts.
//
// Protocol with TypeScript. After RUN_OBSERVED, OBSERVED holds the causes, PENDING_HOST the slots, DELIVERED the event
// that ended a lease; all stay until the next evaluation, which takes them as read and clears them. The lease is over
// then. Whoever changes LEASE, PASS_TOKEN, EVENTS, ACTIVITY, BLOCK_IRQ or CATCH from outside sets ATTENTION_EVENT.
import * as L from '../../layout';
import { attend } from './state/attention';
import {
  commitDebug, commitHits, guestExecutionMatch, hostExecutionMatch, mergeExecution, tokenIsFor, tokenMatches,
} from './memory/debug';
import { CAUSE_ANY, CAUSE_BLD, CAUSE_BS, CAUSE_BT } from './state/debug-causes';
import { commitBusLock } from './state/bus-lock';
import { deliver } from './deliver/delivery';
import { caughtDebug } from './deliver/events';
import { FLAG_IF, FLAG_RF, FLAG_TF } from './state/flags';
import { acknowledge, split } from './state/host';
import { commitBounces } from './memory/mmu';
import { EXCEPTION, INTERRUPT, NON_MASKABLE, linearRip } from './raise/raise';
import { initialise, startup } from './operations/reset';
import { recordBranch, recording } from './state/last-branch';
import { deliverSmi } from './operations/smm';
import { DB, NMI as VECTOR_NMI } from './state/vectors';

const INTR: u32 = 1, NMI: u32 = 2, SMI: u32 = 4, INIT: u32 = 8, SIPI: u32 = 16; // EVENTS
const HALTED: u32 = 1, WAIT_FOR_SIPI: u32 = 2, SHUTDOWN: u32 = 3; // ACTIVITY
const MOV_SS: u32 = 2; // SHADOW
const LEASE_INSTRUCTION: u32 = 1, LEASE_WHOLE: u32 = 2;
const DEBUGCTL_BTF: u64 = 2;

@inline function leave(code: u32): u32 { attend(); return code; }
function observed(causes: u32): u32 {
  store<u32>(L.CAUGHT, 0);
  store<u32>(L.OBSERVED, causes);
  store<u32>(L.LEASE, 0); store<u32>(L.LEASE_DONE, 0);
  return leave(L.RUN_OBSERVED);
}

// ---- what each line asks --------------------------------------------------------------------------------------------
/** Line 6: pending traps that would be delivered now. */
function trapActs(): bool {
  let pending = load<u32>(L.PENDING_DEBUG);
  return (pending & (CAUSE_ANY | CAUSE_BLD | CAUSE_BS | CAUSE_BT)) != 0 && load<u32>(L.SHADOW) != MOV_SS;
}
/** Line 7; STI does not hold an NMI back. */
function nonMaskableActs(): bool {
  return (load<u32>(L.EVENTS) & NMI) != 0 && !load<u32>(L.NMI_BLOCKED) && load<u32>(L.SHADOW) != MOV_SS
    && !load<u32>(L.BLOCK_IRQ);
}
/** Line 8. */
function interruptActs(): bool {
  return (load<u32>(L.EVENTS) & INTR) != 0 && (load<u64>(L.RFLAGS) & FLAG_IF) != 0 && !load<u32>(L.SHADOW)
    && !load<u32>(L.BLOCK_IRQ);
}
/** Lines 4 and 5. */
function completed(): u32 {
  return (load<u32>(L.LEASE_DONE) ? L.OBSERVED_STEP : 0) | (load<u32>(L.PENDING_HOST) ? L.OBSERVED_WATCH : 0);
}
/** Line 9: execution breakpoints of the observer at the next instruction, whatever the token says. */
function hostBreakpoint(linear: u64): u32 {
  if (!load<u32>(L.SPLIT_COUNT) || load<u32>(L.REP_ACTIVE)) return 0; // the string instruction has begun already
  return (split(linear) & 1 ? L.OBSERVED_BREAKPOINT : 0) | (hostExecutionMatch(linear) ? L.OBSERVED_SLOT_X : 0);
}
/** The first-instruction hold after a resume (guest-debug-spec 4.6) keeps lines 3 (SMI), 7 and 8 back once. */
function held(): bool {
  if (!load<u32>(L.FIRST_HOLD) || load<u32>(L.ACTIVITY)) return false;
  store<u32>(L.HOLDS_APPLIED, load<u32>(L.HOLDS_APPLIED) + 1);
  return true;
}
/** Delivers pending traps (lines 2 and 6); false: the observer wants to see them first. */
function deliverTraps(): bool {
  let pending = load<u32>(L.PENDING_DEBUG);
  let causes = mergeExecution((pending & (CAUSE_BLD | CAUSE_BS | CAUSE_BT)) | (pending & CAUSE_ANY ? pending & 15 : 0));
  if (caughtDebug(causes)) return false;
  store<u32>(L.PENDING_DEBUG, 0);
  commitDebug(causes);
  deliver(DB, EXCEPTION, -1, load<u64>(L.RIP));
  return true;
}

/**
 * Evaluates the table; 0: execute the next instruction (when ticks are left), else a RUN_* code. Each delivered event
 * takes one tick.
 */
export function boundary(): u32 {
  let attention = load<u32>(L.ATTENTION), reported = load<u32>(L.OBSERVED);
  store<u32>(L.CURRENT, 0);
  store<u32>(L.ATTENTION, 0);
  store<u32>(L.ONE_INSTRUCTION, 0);
  store<u32>(L.TF_AT_START, 0);
  store<u32>(L.PASS_ACTIVE, 0);
  store<u32>(L.GUARD_PASSED, 0);
  if (reported) {
    if (reported & (L.OBSERVED_WATCH | L.OBSERVED_SLOT_X)) store<u32>(L.PENDING_HOST, 0);
    store<u32>(L.OBSERVED, 0); store<u32>(L.DELIVERED, 0);
  }
  if (attention & L.ATTENTION_STOP) return leave(L.RUN_STOP);
  if (load<u32>(L.CAUGHT)) return observed(load<u32>(L.CAUGHT));
  while (load<i64>(L.BUDGET) > 0) {
    let events = load<u32>(L.EVENTS), activity = load<u32>(L.ACTIVITY);
    // 2; a lease that ends at the new task's first instruction shows that place first (guest-debug-spec T-6B)
    if (load<u32>(L.PENDING_DEBUG) & CAUSE_BT && !completed()) {
      if (!deliverTraps()) return observed(load<u32>(L.CAUGHT));
      continue;
    }
    if (events & INIT && !load<u32>(L.IN_SMM)) { // 3; in SMM it waits for RSM (SDM 3C 31.3.1)
      let lease = load<u32>(L.LEASE) | load<u32>(L.LEASE_DONE);
      store<u32>(L.EVENTS, events & ~INIT);
      initialise();
      tick();
      if (lease) return observed(L.OBSERVED_RESET);
      continue;
    }
    if (activity == SHUTDOWN) return leave(L.RUN_SHUTDOWN);
    if (activity == WAIT_FOR_SIPI) {
      if (!(events & SIPI)) return leave(L.RUN_HALTED);
      store<u32>(L.EVENTS, events & ~SIPI);
      startup(load<u32>(L.EVENT_VECTOR));
      tick();
      continue;
    }
    if (events & SIPI) store<u32>(L.EVENTS, events & ~SIPI); // ignored unless waited for (SDM 3A 9.4.1)
    if (events & SMI && !load<u32>(L.IN_SMM) && !load<u32>(L.BLOCK_IRQ) && !held()) { // in SMM it waits for RSM
      store<u32>(L.EVENTS, load<u32>(L.EVENTS) & ~SMI);
      deliverSmi();
      tick();
      continue;
    }
    let causes = completed(); // 4, 5
    if (causes) return observed(causes);
    if (trapActs()) { // 6
      if (!deliverTraps()) return observed(load<u32>(L.CAUGHT));
      continue;
    }
    if (load<u32>(L.SHADOW) != MOV_SS) store<u32>(L.PENDING_DEBUG, 0); // only disabled slots matched
    if (nonMaskableActs() && !held()) { // 7
      store<u32>(L.EVENTS, load<u32>(L.EVENTS) & ~NMI);
      deliver(VECTOR_NMI, NON_MASKABLE, -1, load<u64>(L.RIP));
      continue;
    }
    if (interruptActs() && !held()) { // 8
      store<u32>(L.EVENTS, load<u32>(L.EVENTS) & ~INTR); // the acknowledging controller says whether another one waits
      let vector = acknowledge();
      if (vector < 256) deliver(vector, INTERRUPT, -1, load<u64>(L.RIP));
      continue;
    }
    if (activity == HALTED) return leave(L.RUN_HALTED);
    let linear = linearRip(), breakpoint = hostBreakpoint(linear); // 9
    if (tokenMatches(linear)) store<u32>(L.PASS_ACTIVE, 1);
    else if (breakpoint) {
      if (tokenIsFor(linear)) store<u32>(L.PASS_TOKEN, 0); // a new visit
      if (breakpoint & L.OBSERVED_SLOT_X) store<u32>(L.PENDING_HOST, hostExecutionMatch(linear) | CAUSE_ANY);
      return observed(breakpoint);
    }
    let match = guestExecutionMatch(); // 10
    if (match) {
      if (caughtDebug(match & ~CAUSE_ANY)) return observed(load<u32>(L.CAUGHT));
      commitDebug(match);
      deliver(DB, EXCEPTION, -1, load<u64>(L.RIP));
      continue;
    }
    store<u32>(L.GUARD_PASSED, 1);
    prepare();
    return 0;
  }
  return leave(0);
}
@inline function tick(): void { store<i64>(L.BUDGET, load<i64>(L.BUDGET) - 1); }

/** Whether the next instruction must run alone, and its retirement be looked at. */
function prepare(): void {
  let flags = load<u64>(L.RFLAGS);
  let alone = (flags & (FLAG_TF | FLAG_RF)) != 0 || load<u32>(L.SHADOW) || load<u32>(L.LEASE)
    || load<u32>(L.PASS_ACTIVE)
    || load<u32>(L.FIRST_HOLD) || load<u32>(L.CAUGHT_PASS) || recording();
  store<u32>(L.DELIVERED, 0); // the handler's first instruction runs: what stops from now on is not that delivery's
  let stop = load<u32>(L.ATTENTION) & L.ATTENTION_STOP; // asked for by a device while an event was delivered
  store<u32>(L.ATTENTION, stop); // a delivery in front asked for what has just been evaluated
  if (!alone) return;
  store<u32>(L.ONE_INSTRUCTION, 1);
  store<u32>(L.TF_AT_START, flags & FLAG_TF ? 1 : 0);
  store<u32>(L.ATTENTION, stop | L.ATTENTION_RETIRE);
}

/**
 * What the boundary would do for the observer: OBSERVED_* bits when line 4, 5 or 9 acts before any other line, else 0.
 * Changes nothing, so it may be asked of every vCPU when the world stops. To take the event over, store the bits in
 * OBSERVED and clear LEASE and LEASE_DONE: the next evaluation then takes it as reported.
 */
export function peek(): u32 {
  if (load<u32>(L.CAUGHT)) return load<u32>(L.CAUGHT);
  if (load<u32>(L.ACTIVITY) >= WAIT_FOR_SIPI || (load<u32>(L.EVENTS) & INIT && !load<u32>(L.IN_SMM))) return 0;
  let causes = completed();
  if (causes) return causes;
  if (trapActs() || nonMaskableActs() || interruptActs() || load<u32>(L.ACTIVITY)) return 0;
  let linear = linearRip();
  return tokenMatches(linear) ? 0 : hostBreakpoint(linear);
}

// ---- retirement -----------------------------------------------------------------------------------------------------
/**
 * Whether the instruction that ran alone was a taken control transfer (a jump to the next instruction counts only as a
 * call).
 */
function transferred(): bool {
  if (!load<u32>(L.ONE_INSTRUCTION)) return true;
  let r = <usize>load<u32>(L.BLOCK) + L.HEADER_SIZE, attributes = load<u16>(r, L.R_ATTRIBUTES);
  if (!(attributes & L.A_ENDS_BLOCK) || attributes & L.A_REP) return false;
  return load<u64>(L.RIP) != load<u64>(r, L.R_NEXT) || (attributes & L.A_CALL) != 0;
}
/** The running instruction (or REP iteration) retired; called when ATTENTION_RETIRE is set. */
export function retire(): void {
  let r: usize = load<u32>(L.CURRENT);
  // a device that a bounce is written to sees the time at which the instruction began
  if (r) store<u32>(L.BLOCK_TICKS, <u32>((r - <usize>load<u32>(L.BLOCK) - L.HEADER_SIZE) / L.RECORD_SIZE) + 1);
  commitBounces();
  commitBusLock();
  commitHits();
  store<u32>(L.CURRENT, 0);
  let shadow = load<u32>(L.SHADOW_NEW), taken = transferred();
  if (taken && recording()) recordBranch(load<u64>(load<u32>(L.BLOCK), L.B_LINEAR), linearRip());
  // a single-step trap due behind MOV SS is dropped, not postponed; BTF asks for a taken transfer
  if (load<u32>(L.TF_AT_START) && shadow != MOV_SS && (taken || !(load<u64>(L.MSR_DEBUGCTL) & DEBUGCTL_BTF)))
    store<u32>(L.PENDING_DEBUG, load<u32>(L.PENDING_DEBUG) | CAUSE_BS);
  store<u32>(L.SHADOW, shadow); store<u32>(L.SHADOW_NEW, 0);
  store<u32>(L.TF_AT_START, 0);
  if (!load<u32>(L.KEEP_RF)) store<u64>(L.RFLAGS, load<u64>(L.RFLAGS) & ~FLAG_RF);
  store<u32>(L.KEEP_RF, 0);
  store<u32>(L.FIRST_HOLD, 0); store<u32>(L.CAUGHT_PASS, 0);
  let again = load<u32>(L.REP_ACTIVE) != 0;
  if (load<u32>(L.PASS_ACTIVE)) {
    store<u32>(L.PASS_ACTIVE, 0);
    if (again) store<u32>(L.PASS_FAULTED, 1); else store<u32>(L.PASS_TOKEN, 0);
  }
  let lease = load<u32>(L.LEASE);
  let ended = lease == LEASE_INSTRUCTION || (lease == LEASE_WHOLE ? !again : taken);
  if (lease && load<u32>(L.ONE_INSTRUCTION) && ended) store<u32>(L.LEASE_DONE, 1);
  store<u32>(L.ONE_INSTRUCTION, 0);
  store<u32>(L.ATTENTION, (load<u32>(L.ATTENTION) & ~L.ATTENTION_RETIRE) | L.ATTENTION_EVENT);
}
