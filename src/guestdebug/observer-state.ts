// Writes to the observer part of a vCPU's state area: leases, tokens, banks, filters. Host state: neither saved nor
// digested. Every set has its clear here (CTL-13).
import type { StateArea } from '../core/state-area.generated.ts';
import * as V from '../core/state-values.ts';
import type { EngineState, VcpuState } from './vcpu-state.ts';

export type LeaseMode = 'insn' | 'insn-whole' | 'branch';
const LEASE_CODES: Readonly<Record<LeaseMode, number>> = {
  insn: V.LEASE_INSN,
  'insn-whole': V.LEASE_INSN_WHOLE,
  branch: V.LEASE_BRANCH,
};
const LOOK = V.ATTENTION_EVENT | V.ATTENTION_GUARD;
const NO_ERROR_CODE = -1;

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

  private area(vcpu: number): StateArea {
    return this.engine.vcpu(vcpu);
  }

  armLease(vcpu: number, mode: LeaseMode): void {
    const area = this.area(vcpu);
    area.leaseDone = 0;
    area.delivered = 0;
    area.stepStartRip = this.state.pc(vcpu);
    area.lease = LEASE_CODES[mode];
    this.engine.attend(vcpu, LOOK);
  }
  /** Goes on with a lease that the core ended because it called out for something else that did not stop. */
  renewLease(vcpu: number, mode: LeaseMode): void {
    this.area(vcpu).lease = LEASE_CODES[mode];
    this.engine.attend(vcpu, LOOK);
  }
  clearLease(vcpu: number): void {
    const area = this.area(vcpu);
    area.lease = V.LEASE_NONE;
    area.leaseDone = 0;
    area.delivered = 0;
  }
  /** The event whose delivery ended the lease, if one did. */
  delivered(vcpu: number): Delivered | undefined {
    const { delivered, deliveredError: errorCode, deliveredFrom: fromPc } = this.area(vcpu);
    if ((delivered & V.DELIVERED_VALID) === 0) return undefined;
    const vector = delivered & 0xff;
    return errorCode === NO_ERROR_CODE ? { vector, fromPc } : { vector, errorCode: errorCode >>> 0, fromPc };
  }
  /** Makes the vCPU call out at its next boundary, as if a lease had completed. */
  stopAtNextBoundary(vcpu: number): void {
    this.area(vcpu).leaseDone = 1;
    this.engine.attend(vcpu, LOOK);
  }

  /** Permission to pass the execution breakpoint where this vCPU stands, once (4.6). */
  armToken(vcpu: number, firstHold: boolean): void {
    const { state } = this;
    const area = this.area(vcpu);
    this.keepSurvivor(vcpu);
    area.passLinear = state.pc(vcpu);
    area.passCr3 = state.cr3(vcpu);
    area.passRsp = state.rsp(vcpu);
    area.passFaulted = 0;
    area.passToken = 1;
    if (firstHold) area.firstHold = 1;
    this.engine.attend(vcpu, LOOK);
  }
  /**
   * A token whose instruction faulted waits for the handler's return. A breakpoint in that handler needs the one token
   * that the core has; the waiting one is kept here meanwhile.
   */
  private keepSurvivor(vcpu: number): void {
    const area = this.area(vcpu);
    if (!this.hasToken(vcpu) || area.passFaulted === 0) return;
    const place = {
      linear: area.passLinear,
      cr3: area.passCr3,
      rsp: area.passRsp,
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
    const area = this.area(vcpu);
    area.passToken = 0;
    area.passFaulted = 0;
    area.firstHold = 0;
  }
  hasToken(vcpu: number): boolean {
    return this.area(vcpu).passToken !== 0;
  }
  /** Whether the token lets this vCPU pass the place where it stands now. */
  tokenMatches(vcpu: number): boolean {
    const { state } = this;
    const area = this.area(vcpu);
    return (
      this.hasToken(vcpu) &&
      area.passLinear === state.pc(vcpu) &&
      area.passCr3 === state.cr3(vcpu) &&
      area.passRsp === state.rsp(vcpu) &&
      (area.passFaulted === 0 || state.resumeFlag(vcpu))
    );
  }

  setBlockInterrupts(vcpu: number, on: boolean): void {
    this.area(vcpu).blockIrq = on ? 1 : 0;
    this.engine.attend(vcpu, LOOK);
  }
  setCatch(vcpu: number, bits: number): void {
    this.area(vcpu).catch = bits;
    this.engine.attend(vcpu, LOOK);
  }
  /** Bit n: the engine tells deliveries of vector n. */
  setObservedVectors(vcpu: number, mask: number): void {
    this.area(vcpu).observeVectors = mask;
  }
  /** The caught guest event of this boundary goes to the guest on resume. */
  acceptCaught(vcpu: number): void {
    this.accepted.add(vcpu);
    this.area(vcpu).caughtPass = 1;
    this.engine.attend(vcpu, LOOK);
  }
  /** A guest event is delivered: whether it had been caught and accepted. */
  takeAccepted(vcpu: number): boolean {
    return this.accepted.delete(vcpu);
  }
  /** Cause bits (DR6 positions) of the guest #DB that is about to be delivered. */
  caughtCauses(vcpu: number): number {
    return this.area(vcpu).faultError;
  }
  /** Makes a guest #DB pending with these DR6 causes; none: like ICEBP. Delivered at line 6 of the boundary table. */
  injectDebug(vcpu: number, causes: number): void {
    this.area(vcpu).pendingDebug |= causes | V.PENDING_DEBUG_ANY;
    this.engine.attend(vcpu, LOOK);
  }
  pendingHost(vcpu: number): number {
    return this.area(vcpu).pendingHost;
  }
  /** What the boundary would do for the observer now: OBSERVED_* bits, 0 when another line of 2.3 comes first. Changes nothing. */
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
    const area = this.area(vcpu);
    area.observed = causes;
    area.caught = 0;
    area.lease = V.LEASE_NONE;
    area.leaseDone = 0;
    this.engine.attend(vcpu, LOOK);
  }

  /** Detach: nothing that was collected for the observer is left. The guest's own pending causes stay. */
  forget(vcpu: number): void {
    Object.assign(this.area(vcpu), {
      pendingHost: 0,
      observed: 0,
      caught: 0,
      caughtPass: 0,
    } satisfies Partial<StateArea>);
    this.accepted.delete(vcpu);
    this.clearLease(vcpu);
    this.clearToken(vcpu);
    this.engine.attend(vcpu, LOOK);
  }
  /** Loads the host bank; call refresh() afterwards. */
  setBank(vcpu: number, addresses: readonly bigint[], dr7: bigint): void {
    const area = this.area(vcpu);
    addresses.forEach((address, index) => area.setHDr(index, address));
    area.hDr7 = Number(dr7);
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
