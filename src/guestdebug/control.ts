// setGuestDebug: the raw, KVM-shaped control call of one vCPU (guest-debug-spec 2.1, CTL-1 to CTL-15).
import * as V from '../core/state-values.ts';
import type { ControlRefusal } from './api.ts';
import type { ControlCode, ControlError, ControlRequest, ParsedControl } from './control-request.ts';
import { controlHas, isControlError, parseControl } from './control-request.ts';
import type { Parts } from './parts.ts';
import * as P from './policy.ts';

type ControlParts = Pick<
  Parts,
  'machine' | 'state' | 'observer' | 'slots' | 'controlWords' | 'programming' | 'leases' | 'world' | 'deliveries'
>;
/** Causes of a pending #DB, and that there is one. */
const PENDING = V.DR6_B | V.PENDING_DEBUG_ANY | V.DR6_BD | V.DR6_BS | V.DR6_BT;
const VECTOR_DB = 1;
const VECTOR_BP = 3;

export class Control {
  /** Why the last call was refused; undefined: it was not. */
  refusal: ControlRefusal | undefined;
  private readonly parts: ControlParts;
  constructor(parts: ControlParts) {
    this.parts = parts;
  }

  /** Validates everything, then commits everything (CTL-3). */
  set(vcpu: number, request: ControlRequest): ControlCode {
    const refused = this.trySet(vcpu, request);
    this.refusal = refused?.refusal;
    return refused?.code ?? 'OK';
  }
  private trySet(vcpu: number, request: ControlRequest): ControlError | undefined {
    const { state, slots, world } = this.parts;
    if (!Number.isInteger(vcpu) || vcpu < 0 || vcpu >= state.count) {
      return { code: 'EINVAL', refusal: { kind: 'noSuchVcpu', vcpu } };
    }
    const parsed = parseControl(request);
    if (isControlError(parsed)) return parsed;
    if (!world.mayControl) return { code: 'EBUSY', refusal: { kind: 'running', vcpu } };
    const inject = this.checkInjection(vcpu, parsed, request.insnLength);
    if (typeof inject !== 'number') return inject;
    if (!slots.loadRaw(vcpu, parsed.slots, parsed.extra)) {
      return { code: 'ENOSPC', refusal: { kind: 'slotsHeld', vcpu, holders: slots.holders(vcpu) } };
    }
    if (parsed.injectBp) this.injectBreakpoint(vcpu, inject);
    this.commit(vcpu, parsed);
    return undefined;
  }
  /** The instruction length for INJECT_BP (0 without it), or why not (CTL-4, CTL-7). */
  private checkInjection(vcpu: number, parsed: ParsedControl, given: number | undefined): number | ControlError {
    const { state, world } = this.parts;
    if (!parsed.injectDb && !parsed.injectBp) return 0;
    if (world.caughtWaits(vcpu) && !parsed.injectBp) {
      return { code: 'EBUSY', refusal: { kind: 'exceptionPending', vcpu, half: false } };
    }
    if (state.delivering(vcpu) || (state.guestPending(vcpu) & PENDING) !== 0) {
      return { code: 'EBUSY', refusal: { kind: 'exceptionPending', vcpu, half: true } };
    }
    if (!parsed.injectBp) return 0;
    if (given !== undefined) return given;
    const last = world.lastBreakpointStop(vcpu);
    if (last !== undefined && last.pc === state.pc(vcpu) && last.length > 0) return last.length;
    return { code: 'EINVAL', refusal: { kind: 'noBreakpointStop', vcpu } };
  }
  private commit(vcpu: number, parsed: ParsedControl): void {
    const { controlWords, leases, observer, programming } = this.parts;
    const before = controlWords.store(vcpu, parsed.stored);
    if (!controlHas(parsed.stored, P.CONTROL_ENABLE)) {
      leases.cancel(vcpu);
      observer.clearToken(vcpu);
    }
    // A sticky SINGLESTEP that goes away takes its lease with it; one that comes is armed by the next resume (STEP-8).
    if (controlHas(before, P.CONTROL_SINGLE_STEP) && !controlWords.singleStep(vcpu)) leases.cancel(vcpu);
    observer.setBlockInterrupts(vcpu, controlWords.blocksInterrupts(vcpu));
    if (parsed.injectDb) this.injectDebug(vcpu, parsed.payload);
    programming.banks([vcpu]);
  }
  /** PGD gets these DR6 causes; delivered as a #DB at the next boundary. */
  private injectDebug(vcpu: number, causes: bigint): void {
    this.parts.deliveries.expectInjected(vcpu, VECTOR_DB);
    this.parts.observer.injectDebug(vcpu, Number(causes));
  }
  /** Delivers #BP at once, with the return address behind `length` bytes. */
  private injectBreakpoint(vcpu: number, length: number): void {
    const { engine } = this.parts.machine;
    const before = engine.current;
    engine.select(vcpu);
    this.parts.deliveries.expectInjected(vcpu, VECTOR_BP);
    engine.injectBreakpoint(length);
    engine.select(before);
  }
}
