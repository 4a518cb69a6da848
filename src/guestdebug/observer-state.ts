// Writes to the observer part of a vCPU's state area: leases, tokens, banks, filters. Host state: neither saved nor
// digested. Every set has its clear here (CTL-13).
import * as L from '../core/layout.ts';
import type { EngineState, VcpuState } from './vcpu-state.ts';

export type LeaseMode = 'insn' | 'insn-whole' | 'branch';
const LEASE_CODES: Readonly<Record<LeaseMode, number>> = { insn: 1, 'insn-whole': 2, branch: 3 };
const LOOK = L.ATTENTION_EVENT | L.ATTENTION_GUARD;
const VECTOR_KNOWN = 0x100;
const NO_ERROR_CODE = 0xffffffff;

export interface Delivered {
  readonly vector: number;
  readonly errorCode?: number;
  /** Linear address of the instruction in front of which (interrupt) or in which (fault) the event was delivered. */
  readonly fromPc: bigint;
}

interface Place {
  readonly linear: bigint;
  readonly cr3: bigint;
  readonly rsp: bigint;
}
/** Faults nested in each other's handlers, each with a breakpoint in it, before a place may be reported twice. */
const SURVIVORS_MAX = 8;

export class ObserverState {
  private readonly survivors = new Map<number, readonly Place[]>();
  /** vCPUs whose caught guest event was accepted and is not delivered yet. */
  private readonly accepted = new Set<number>();
  private readonly engine: EngineState;
  private readonly state: VcpuState;
  constructor(engine: EngineState, state: VcpuState) {
    this.engine = engine;
    this.state = state;
  }

  armLease(vcpu: number, mode: LeaseMode): void {
    const { engine } = this;
    engine.set32(L.LEASE_DONE, 0, vcpu);
    engine.set32(L.DELIVERED, 0, vcpu);
    engine.set64(L.STEP_START_RIP, this.state.pc(vcpu), vcpu);
    engine.set32(L.LEASE, LEASE_CODES[mode], vcpu);
    engine.attend(vcpu, LOOK);
  }
  /** Goes on with a lease that the core ended because it called out for something else that did not stop. */
  renewLease(vcpu: number, mode: LeaseMode): void {
    this.engine.set32(L.LEASE, LEASE_CODES[mode], vcpu);
    this.engine.attend(vcpu, LOOK);
  }
  clearLease(vcpu: number): void {
    this.engine.set32(L.LEASE, 0, vcpu);
    this.engine.set32(L.LEASE_DONE, 0, vcpu);
    this.engine.set32(L.DELIVERED, 0, vcpu);
  }
  /** The event whose delivery ended the lease, if one did. */
  delivered(vcpu: number): Delivered | undefined {
    const word = this.engine.get32(L.DELIVERED, vcpu);
    if ((word & VECTOR_KNOWN) === 0) return undefined;
    const error = this.engine.get32(L.DELIVERED_ERROR, vcpu);
    const fromPc = this.engine.get64(L.DELIVERED_FROM, vcpu);
    const vector = word & 0xff;
    return error === NO_ERROR_CODE ? { vector, fromPc } : { vector, errorCode: error, fromPc };
  }
  /** Makes the vCPU call out at its next boundary, as if a lease had completed. */
  stopAtNextBoundary(vcpu: number): void {
    this.engine.set32(L.LEASE_DONE, 1, vcpu);
    this.engine.attend(vcpu, LOOK);
  }

  /** Permission to pass the execution breakpoint where this vCPU stands, once (4.6). */
  armToken(vcpu: number, firstHold: boolean): void {
    const { engine, state } = this;
    this.keepSurvivor(vcpu);
    engine.set64(L.PASS_LINEAR, state.pc(vcpu), vcpu);
    engine.set64(L.PASS_CR3, state.cr3(vcpu), vcpu);
    engine.set64(L.PASS_RSP, state.rsp(vcpu), vcpu);
    engine.set32(L.PASS_FAULTED, 0, vcpu);
    engine.set32(L.PASS_TOKEN, 1, vcpu);
    if (firstHold) engine.set32(L.FIRST_HOLD, 1, vcpu);
    engine.attend(vcpu, LOOK);
  }
  /**
   * A token whose instruction faulted waits for the handler's return. A breakpoint in that handler needs the one token
   * that the core has; the waiting one is kept here meanwhile.
   */
  private keepSurvivor(vcpu: number): void {
    const { engine } = this;
    if (!this.hasToken(vcpu) || engine.get32(L.PASS_FAULTED, vcpu) === 0) return;
    const place = {
      linear: engine.get64(L.PASS_LINEAR, vcpu),
      cr3: engine.get64(L.PASS_CR3, vcpu),
      rsp: engine.get64(L.PASS_RSP, vcpu),
    };
    if (place.linear === this.state.pc(vcpu)) return;
    const kept = this.survivors.get(vcpu) ?? [];
    this.survivors.set(vcpu, [...kept.slice(1 - SURVIVORS_MAX), place]);
  }
  /** At an execution boundary: whether a kept token is for this return (RF is set by the fault's frame), which uses it up. */
  takeSurvivor(vcpu: number): boolean {
    const kept = this.survivors.get(vcpu);
    if (kept === undefined) return false;
    const linear = this.state.pc(vcpu);
    const here = kept.filter((place) => place.linear === linear);
    if (here.length === 0) return false;
    this.survivors.set(
      vcpu,
      kept.filter((place) => place.linear !== linear),
    );
    if (!this.state.resumeFlag(vcpu)) return false; // a new visit (4.6)
    return here.some((place) => place.cr3 === this.state.cr3(vcpu) && place.rsp === this.state.rsp(vcpu));
  }
  clearToken(vcpu: number): void {
    this.survivors.delete(vcpu);
    this.engine.set32(L.PASS_TOKEN, 0, vcpu);
    this.engine.set32(L.PASS_FAULTED, 0, vcpu);
    this.engine.set32(L.FIRST_HOLD, 0, vcpu);
  }
  hasToken(vcpu: number): boolean {
    return this.engine.get32(L.PASS_TOKEN, vcpu) !== 0;
  }
  /** Whether the token lets this vCPU pass the place where it stands now. */
  tokenMatches(vcpu: number): boolean {
    const { engine, state } = this;
    return (
      this.hasToken(vcpu) &&
      engine.get64(L.PASS_LINEAR, vcpu) === state.pc(vcpu) &&
      engine.get64(L.PASS_CR3, vcpu) === state.cr3(vcpu) &&
      engine.get64(L.PASS_RSP, vcpu) === state.rsp(vcpu) &&
      (engine.get32(L.PASS_FAULTED, vcpu) === 0 || state.resumeFlag(vcpu))
    );
  }

  setBlockInterrupts(vcpu: number, on: boolean): void {
    this.engine.set32(L.BLOCK_IRQ, on ? 1 : 0, vcpu);
    this.engine.attend(vcpu, LOOK);
  }
  setCatch(vcpu: number, bits: number): void {
    this.engine.set32(L.CATCH, bits, vcpu);
    this.engine.attend(vcpu, LOOK);
  }
  /** Bit n: the engine tells deliveries of vector n. */
  setObservedVectors(vcpu: number, mask: number): void {
    this.engine.set32(L.OBSERVE_VECTORS, mask, vcpu);
  }
  /** The caught guest event of this boundary goes to the guest on resume. */
  acceptCaught(vcpu: number): void {
    this.accepted.add(vcpu);
    this.engine.set32(L.CAUGHT_PASS, 1, vcpu);
    this.engine.attend(vcpu, LOOK);
  }
  /** A guest event is delivered: whether it had been caught and accepted. */
  takeAccepted(vcpu: number): boolean {
    return this.accepted.delete(vcpu);
  }
  /** Cause bits (DR6 positions) of the guest #DB that is about to be delivered. */
  caughtCauses(vcpu: number): number {
    return this.engine.get32(L.FAULT_ERROR, vcpu);
  }
  /** Makes a guest #DB pending with these DR6 causes; none: like ICEBP. Delivered at line 6 of the boundary table. */
  injectDebug(vcpu: number, causes: number): void {
    const ANY_ENABLED = 0x10;
    this.engine.set32(L.PENDING_DEBUG, this.engine.get32(L.PENDING_DEBUG, vcpu) | causes | ANY_ENABLED, vcpu);
    this.engine.attend(vcpu, LOOK);
  }
  pendingHost(vcpu: number): number {
    return this.engine.get32(L.PENDING_HOST, vcpu);
  }
  /** What the boundary would do for the observer now: L.OBSERVED_* bits, 0 when another line of 2.3 comes first. Changes nothing. */
  peek(vcpu: number): number {
    const { engine } = this;
    const before = engine.current;
    engine.select(vcpu);
    const causes = engine.system.peek();
    engine.select(before);
    return causes;
  }
  /** Takes the event that peek() saw over: the next evaluation of the boundary treats it as reported. */
  takeOver(vcpu: number, causes: number): void {
    this.engine.set32(L.OBSERVED, causes, vcpu);
    this.engine.set32(L.CAUGHT, 0, vcpu);
    this.engine.set32(L.LEASE, 0, vcpu);
    this.engine.set32(L.LEASE_DONE, 0, vcpu);
    this.engine.attend(vcpu, LOOK);
  }

  /** Detach: nothing that was collected for the observer is left. The guest's own pending causes stay. */
  forget(vcpu: number): void {
    for (const slot of [L.PENDING_HOST, L.OBSERVED, L.CAUGHT, L.CAUGHT_PASS]) this.engine.set32(slot, 0, vcpu);
    this.accepted.delete(vcpu);
    this.clearLease(vcpu);
    this.clearToken(vcpu);
    this.engine.attend(vcpu, LOOK);
  }
  /** Loads the host bank; call refresh() afterwards. */
  setBank(vcpu: number, addresses: readonly bigint[], dr7: bigint): void {
    addresses.forEach((address, index) => this.engine.set64(L.H_DR0 + 8 * index, address, vcpu));
    this.engine.set32(L.H_DR7, Number(dr7), vcpu);
  }
  /** Throws derived state away that was built for other banks or breakpoints. Not inside run(). */
  refresh(vcpus: readonly number[]): void {
    const { engine } = this;
    const before = engine.current;
    for (const vcpu of vcpus) {
      engine.select(vcpu);
      engine.system.observerChanged();
      engine.attend(vcpu, LOOK);
    }
    engine.select(before);
  }
  /** Blocks that contain these addresses are decoded anew, with or without a split there. Not inside run(). */
  dropBlocksAt(addresses: Iterable<bigint>): void {
    for (const linear of addresses) this.engine.system.dropBlocksAt(BigInt.asIntN(64, linear));
  }
}
