// Debug registers: the guest's bank (SDM 3B chapter 18) and the observer's second bank, both compared on every access.
import * as L from '../../../layout';
import { dstPointer, srcPointer } from '../../core/record';
import {
  CAUSE_ANY, CAUSE_BD, CAUSE_BLD, CAUSE_BS, CAUSE_BT, DR6_CLEAR, hasBusLockDetection,
} from '../state/debug-causes';
import { FLAG_RF } from '../state/flags';
import { split, splitCount, log } from '../state/host';
import { code64, setSlot } from '../state/operand-size';
import { dropBlocksAt } from './physical';
import { MERGE_CODE_BP_WITH_TRAP, REPORT_DISABLED_MATCHES, movSsInhibitsExecution } from '../state/policy';
import { fault, faultDebug, linearHere, linearRip, stopInFront } from '../raise/raise';
import { dropTagsOf, flushTags } from '../state/tlb';
import { areaOf } from '../state/vcpu-area';
import { GP, UD } from '../state/vectors';

/** DR7 after reset. */
export const DR7_CLEAR: u64 = L.DR7_CLEAR;
const DR7_GD: u64 = L.DR7_GD, CR4_DE: u64 = 8;
const EXECUTE: u32 = 0, WRITE: u32 = 1, IO: u32 = 2, READ_WRITE: u32 = 3;

// ---- one bank: four addresses and a DR7 -----------------------------------------------------------------------------
@inline function typeOf(dr7: u32, i: u32): u32 { return (dr7 >> (16 + (i << 2))) & 3; }
/** Bytes of a slot: codes 00 1, 01 2, 11 4, 10 8. */
@inline function lengthOf(dr7: u32, i: u32): u64 {
  let code = (dr7 >> (18 + (i << 2))) & 3;
  return code == 3 ? 4 : code == 2 ? 8 : <u64>code + 1;
}
@inline function isEnabled(dr7: u32, i: u32): bool { return ((dr7 >> (i << 1)) & 3) != 0; }
@inline function isDataSlot(dr7: u32, i: u32): bool { return (typeOf(dr7, i) & 1) != 0; }
function enabledMask(dr7: u32): u32 {
  let mask: u32 = 0;
  for (let i: u32 = 0; i < 4; i++) if (isEnabled(dr7, i)) mask |= 1 << i;
  return mask;
}
function hasEnabledData(dr7: u32): bool {
  for (let i: u32 = 0; i < 4; i++) if (isEnabled(dr7, i) && isDataSlot(dr7, i)) return true;
  return false;
}
/**
 * Slots, enabled or not, that an access of size bytes matches. kind: 1 read, 2 write, 3 both. The address is masked to
 * its length.
 */
function matchData(bank: usize, dr7: u32, linear: u64, size: u32, kind: u32): u32 {
  let bits: u32 = 0;
  for (let i: u32 = 0; i < 4; i++) {
    if (!isDataSlot(dr7, i) || (typeOf(dr7, i) == WRITE && !(kind & 2))) continue;
    let length = lengthOf(dr7, i), a = load<u64>(bank + (<usize>i << 3)) & ~(length - 1);
    if (linear - a < length || a - linear < <u64>size) bits |= 1 << i;
  }
  return bits;
}
function matchPort(bank: usize, dr7: u32, port: u32, size: u32): u32 {
  let bits: u32 = 0;
  for (let i: u32 = 0; i < 4; i++) {
    if (typeOf(dr7, i) != IO) continue;
    let length = lengthOf(dr7, i), a = load<u64>(bank + (<usize>i << 3)) & ~(length - 1);
    if (<u64>port - a < length || a - <u64>port < <u64>size) bits |= 1 << i;
  }
  return bits;
}
/** Execution: the exact linear address of the first byte; with a length other than 1 a slot never matches. */
function matchExecution(bank: usize, dr7: u32, linear: u64): u32 {
  let bits: u32 = 0;
  for (let i: u32 = 0; i < 4; i++)
    if (typeOf(dr7, i) == EXECUTE && lengthOf(dr7, i) == 1 && load<u64>(bank + (<usize>i << 3)) == linear)
      bits |= 1 << i;
  return bits;
}
/** What a guest's #DB shows of its matches: nothing without an enabled one, else those of disabled slots too. */
function guestBits(matched: u32, dr7: u32): u32 {
  let enabled = matched & enabledMask(dr7);
  if (!REPORT_DISABLED_MATCHES) matched = enabled;
  return enabled ? matched | CAUSE_ANY : matched;
}

// ---- data and I/O ---------------------------------------------------------------------------------------------------
function watchedBy(bank: usize, dr7: u32, page: u64, disabledToo: bool): u32 {
  let watched: u32 = 0;
  for (let i: u32 = 0; i < 4; i++) {
    if (!isDataSlot(dr7, i) || (!disabledToo && !isEnabled(dr7, i))) continue;
    if ((load<u64>(bank + (<usize>i << 3)) & ~(<u64>0xfff)) == page) watched |= typeOf(dr7, i) == WRITE ? 2 : 3;
  }
  return watched;
}
/**
 * Bit 0: reads of this linear page are compared, bit 1: writes. A slot never crosses a page: its address is aligned.
 */
export function watchedPage(page: u64): u32 {
  let dr7 = load<u32>(L.DR7), host = load<u32>(L.H_DR7), watched: u32 = 0;
  // whether a disabled slot's match is seen must not depend on what the observer watches
  if (dr7 & 0xff && hasEnabledData(dr7)) watched = watchedBy(L.DR0, dr7, page, REPORT_DISABLED_MATCHES);
  if (host & 0xff) watched |= watchedBy(L.H_DR0, host, page, false);
  return watched;
}
/**
 * Compares one access of the running instruction with both banks and notes a hit; it counts when the instruction
 * retires.
 */
export function noteAccess(linear: u64, size: u32, kind: u32, physical: u64, old: u64, value: u64): void {
  let dr7 = load<u32>(L.DR7), host = load<u32>(L.H_DR7);
  let guest = hasEnabledData(dr7) ? guestBits(matchData(L.DR0, dr7, linear, size, kind), dr7) : 0;
  note(linear, size, kind, physical, old, value, matchData(L.H_DR0, host, linear, size, kind) & enabledMask(host),
    guest);
}
/** The same for a port; kind: 4 input, 8 output. The guest's slots need CR4.DE, the observer's do not. */
export function noteIo(port: u32, size: u32, kind: u32, value: u64): void {
  let dr7 = load<u32>(L.DR7), host = load<u32>(L.H_DR7);
  if (!(dr7 & 0xff) && !(host & 0xff)) return;
  let guest = load<u64>(L.CR4) & CR4_DE ? guestBits(matchPort(L.DR0, dr7, port, size), dr7) : 0;
  note(port, size, kind, port, value, value, matchPort(L.H_DR0, host, port, size) & enabledMask(host), guest);
}
function note(linear: u64, size: u32, kind: u32, physical: u64, old: u64, value: u64, host: u32, guest: u32): void {
  if (!host && !guest) return;
  let n = load<u32>(L.WATCH_HITS), e = L.HITS + <usize>n * L.HIT_SIZE, last = e - L.HIT_SIZE;
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_RETIRE);
  if (n == L.HIT_MAX || (n && load<u64>(last) == linear && load<u32>(last, 16) == size
    && load<u32>(last, 20) == kind)) {
    // the same access again (a slow path that starts over), or no room: the causes still count
    store<u32>(last, load<u32>(last, 24) | host, 24); store<u32>(last, load<u32>(last, 28) | guest, 28);
    store<u64>(last, value, 40);
    return;
  }
  store<u64>(e, linear); store<u64>(e, physical, 8); store<u32>(e, size, 16); store<u32>(e, kind, 20);
  store<u32>(e, host, 24); store<u32>(e, guest, 28); store<u64>(e, old, 32); store<u64>(e, value, 40);
  store<u64>(e, linearHere(), 48); store<u32>(e, load<u32>(L.VCPU), 56);
  store<u32>(L.WATCH_HITS, n + 1);
}
/** The accesses of the instruction count now: guest causes become pending, the observer's go to the committed list. */
export function commitHits(): void {
  let n = load<u32>(L.WATCH_HITS), guest: u32 = 0, host: u32 = 0;
  if (!n) return;
  store<u32>(L.WATCH_HITS, 0);
  for (let i: u32 = 0; i < n; i++) {
    let e = L.HITS + <usize>i * L.HIT_SIZE;
    guest |= load<u32>(e, 28);
    host |= load<u32>(e, 24);
  }
  if (guest & CAUSE_ANY) store<u32>(L.PENDING_DEBUG, load<u32>(L.PENDING_DEBUG) | guest);
  if (!host) return;
  if (!load<u32>(L.PENDING_HOST)) dropCommitted();
  store<u32>(L.PENDING_HOST, load<u32>(L.PENDING_HOST) | host | CAUSE_ANY);
  let count = load<u32>(L.COMMITTED_COUNT);
  for (let i: u32 = 0; i < n && count < <u32>L.HIT_MAX; i++) {
    let e = L.HITS + <usize>i * L.HIT_SIZE;
    if (!load<u32>(e, 24)) continue;
    memory.copy(L.COMMITTED_HITS + <usize>count * L.HIT_SIZE, e, L.HIT_SIZE);
    count++;
  }
  store<u32>(L.COMMITTED_COUNT, count);
}
/** Forgets this vCPU's entries of the committed list: they were reported. */
function dropCommitted(): void {
  let count = load<u32>(L.COMMITTED_COUNT), kept: u32 = 0, vcpu = load<u32>(L.VCPU);
  for (let i: u32 = 0; i < count; i++) {
    let e = L.COMMITTED_HITS + <usize>i * L.HIT_SIZE;
    if (load<u32>(e, 56) == vcpu) continue;
    if (kept != i) memory.copy(L.COMMITTED_HITS + <usize>kept * L.HIT_SIZE, e, L.HIT_SIZE);
    kept++;
  }
  store<u32>(L.COMMITTED_COUNT, kept);
}

// ---- execution ------------------------------------------------------------------------------------------------------
/** Observer's slots of type X on the next instruction. */
export function hostExecutionMatch(linear: u64): u32 {
  let dr7 = load<u32>(L.H_DR7);
  return dr7 & 0xff ? matchExecution(L.H_DR0, dr7, linear) & enabledMask(dr7) : 0;
}
/**
 * Line 10 of the boundary table: causes of a guest execution breakpoint on the next instruction, 0: none or inhibited.
 */
export function guestExecutionMatch(): u32 {
  let dr7 = load<u32>(L.DR7);
  if (!(dr7 & 0xff) || load<u64>(L.RFLAGS) & FLAG_RF || load<u32>(L.REP_ACTIVE)) return 0;
  if (load<u32>(L.SHADOW) == 2 && movSsInhibitsExecution()) return 0;
  let causes = guestBits(matchExecution(L.DR0, dr7, linearRip()), dr7);
  return causes & CAUSE_ANY ? causes : 0;
}
/** The causes of a #DB, a guest execution breakpoint on the next instruction included. */
export function mergeExecution(causes: u32): u32 {
  return MERGE_CODE_BP_WITH_TRAP ? causes | (guestExecutionMatch() & 15) : causes;
}
/** 1 when blocks must split at a linear address: the observer's breakpoints, and enabled type X slots of any vCPU. */
export function isSplit(linear: u64): u32 {
  if (split(linear)) return 1;
  for (let v: u32 = 0, n = load<u32>(L.CONFIG_VCPUS); v < n; v++) {
    let delta = areaOf(v) - L.STATE, dr7 = load<u32>(delta + L.DR7), host = load<u32>(delta + L.H_DR7);
    if (dr7 & 0xff && matchExecution(delta + L.DR0, dr7, linear) & enabledMask(dr7)) return 1;
    if (host & 0xff && matchExecution(delta + L.H_DR0, host, linear) & enabledMask(host)) return 1;
  }
  return 0;
}
function executionSlots(dr7: u32): u32 {
  let n: u32 = 0;
  if (dr7 & 0xff) for (let i: u32 = 0; i < 4; i++) if (isEnabled(dr7, i) && typeOf(dr7, i) == EXECUTE) n++;
  return n;
}
export function recountSplits(): void {
  let count = splitCount();
  for (let v: u32 = 0, n = load<u32>(L.CONFIG_VCPUS); v < n; v++) {
    let delta = areaOf(v) - L.STATE;
    count += executionSlots(load<u32>(delta + L.DR7)) + executionSlots(load<u32>(delta + L.H_DR7));
  }
  store<u32>(L.SPLIT_COUNT, count);
}

// ---- changes --------------------------------------------------------------------------------------------------------
/**
 * Throws away what was derived from the guest's slots as they are now: before and after each change of a debug
 * register.
 */
function dropDerived(): void {
  let dr7 = load<u32>(L.DR7);
  if (!(dr7 & 0xff)) return;
  for (let i: u32 = 0; i < 4; i++) {
    let a = load<u64>(L.DR0 + (<usize>i << 3));
    if (isDataSlot(dr7, i)) dropTagsOf(a);
    else if (typeOf(dr7, i) == EXECUTE && isEnabled(dr7, i)) dropBlocksAt(a);
  }
}
function changeRegister(slot: usize, value: u64): void {
  let before = executionSlots(load<u32>(L.DR7));
  dropDerived();
  store<u64>(slot, value);
  dropDerived();
  if (before || executionSlots(load<u32>(L.DR7))) recountSplits();
}
/** What a write of v makes of DR6: B0-B3, BD, BS and BT can be written, and bit 11 where bus locks can be detected. */
function dr6Value(v: u64): u64 {
  let value = DR6_CLEAR | (v & 0xe00f);
  return hasBusLockDetection() && !(v & CAUSE_BLD) ? value & ~(<u64>CAUSE_BLD) : value;
}
@inline function dr7Value(v: u64): u64 { return (v & 0xffff23ff) | DR7_CLEAR; }
/** DR7 of the running vCPU; also for TypeScript (a register write by the user). */
export function setDr7(value: u64): void {
  changeRegister(L.DR7, dr7Value(value));
  let dr7 = load<u32>(L.DR7);
  for (let i: u32 = 0; i < 4; i++) {
    if (!isEnabled(dr7, i)) continue;
    let type = typeOf(dr7, i), a = load<u64>(L.DR0 + (<usize>i << 3));
    let odd = type == EXECUTE ? lengthOf(dr7, i) != 1 : type == IO ? !(load<u64>(L.CR4) & CR4_DE)
      : (a & (lengthOf(dr7, i) - 1)) != 0;
    if (odd) log(L.LOG_DEBUG_REGISTER, dr7, i);
  }
}
/** DR0-DR3 and DR6 of the running vCPU; also for TypeScript. */
export function setDebugRegister(n: u32, value: u64): void {
  if (n < 4) changeRegister(L.DR0 + (<usize>n << 3), value);
  else if (n == 6) store<u64>(L.DR6, dr6Value(value));
  else if (n == 7) setDr7(value);
}
/** INIT and reset (guest-debug-spec 2.7). */
export function resetDebug(): void {
  let before = executionSlots(load<u32>(L.DR7));
  dropDerived();
  for (let i: usize = 0; i < 4; i++) store<u64>(L.DR0 + (i << 3), 0);
  store<u64>(L.DR6, DR6_CLEAR); store<u64>(L.DR7, DR7_CLEAR);
  store<u64>(L.MSR_DEBUGCTL, 0);
  store<u32>(L.PENDING_DEBUG, 0);
  if (before) recountSplits();
}
/**
 * TypeScript changed the observer's bank, catch filters or breakpoints of the running vCPU. Addresses whose execution
 * breakpoints changed need dropBlocksAt() too.
 */
export function observerChanged(): void {
  flushTags();
  recountSplits();
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
}
/** A task switch: breakpoints that are enabled locally end with their task (SDM 3B 18.2.4); the observer's do not. */
export function endLocalBreakpoints(): void {
  const LOCAL: u64 = 0x55; // L0-L3
  if (load<u64>(L.DR7) & LOCAL) changeRegister(L.DR7, load<u64>(L.DR7) & ~LOCAL);
}
/**
 * Commit when the delivery of a #DB starts: B0-B3 are replaced, BS BD BT added, BLD (active low) cleared by its cause
 * alone; GD and DEBUGCTL's BTF and LBR are cleared.
 */
export function commitDebug(causes: u32): void {
  let dr6 = load<u64>(L.DR6) & ~(<u64>0x100f);
  if (causes & CAUSE_BLD) dr6 &= ~(<u64>CAUSE_BLD);
  store<u64>(L.DR6, dr6 | (causes & (15 | CAUSE_BD | CAUSE_BS | CAUSE_BT)));
  store<u64>(L.DR7, load<u64>(L.DR7) & ~DR7_GD);
  store<u64>(L.MSR_DEBUGCTL, load<u64>(L.MSR_DEBUGCTL) & ~(<u64>3));
}

// ---- MOV DR (guest-debug-spec 2.7, MOVDR_ORDER) ---------------------------------------------------------------------
/** The checks that reads and writes share; answers the register's number, aliases resolved. */
function checkMove(r: usize): u32 {
  let n = <u32>load<u8>(r, L.R_IMM);
  if (n > 7 || load<u8>(r, L.R_FLAGS) & L.R_FLAG_LOCK) fault(UD, -1);
  if (n == 4 || n == 5) {
    if (load<u64>(L.CR4) & CR4_DE) fault(UD, -1);
    n += 2;
  }
  if (load<u32>(L.CPL)) fault(GP, 0);
  if ((load<u32>(L.H_DR7) & <u32>DR7_GD || load<u32>(L.CATCH) & L.CATCH_GENERAL_DETECT) && !tokenMatches(linearHere()))
    stopInFront(L.OBSERVED_GENERAL_DETECT);
  if (load<u64>(L.DR7) & DR7_GD) faultDebug(CAUSE_BD);
  return n;
}
export function moveFromDebug(r: usize): void {
  let n = checkMove(r);
  setSlot(dstPointer(r), code64() ? 8 : 4, load<u64>(n < 6 ? L.DR0 + (<usize>n << 3) : n == 6 ? L.DR6 : L.DR7));
}
export function moveToDebug(r: usize): void {
  let n = checkMove(r), value = load<u64>(srcPointer(r));
  if (!code64()) value &= 0xffffffff;
  if (n >= 6 && value >> 32) fault(GP, 0);
  setDebugRegister(n, value);
}
/** The pass token covers this instruction (guest-debug-spec 4.6): after a fault only with RF set. */
export function tokenMatches(linear: u64): bool {
  if (!tokenIsFor(linear)) return false;
  return !load<u32>(L.PASS_FAULTED) || (load<u64>(L.RFLAGS) & FLAG_RF) != 0;
}
export function tokenIsFor(linear: u64): bool {
  if (!load<u32>(L.PASS_TOKEN) || load<u64>(L.PASS_LINEAR) != linear) return false;
  return load<u64>(L.PASS_CR3) == load<u64>(L.CR3) && load<u64>(L.PASS_RSP) == load<u64>(L.RSP);
}
