// setGuestDebug: the raw, KVM-shaped control call of one vCPU (guest-debug-spec 2.1, CTL-1 to CTL-15).
import * as L from '../core/layout.ts';
import type { ControlCode, ControlError, ControlRequest, ParsedControl } from './control-request.ts';
import { catchBits, controlHas, isControlError, parseControl } from './control-request.ts';
import type { ObserverState } from './observer-state.ts';
import * as P from './policy.ts';
import type { HostSlots } from './slots.ts';
import type { VcpuState } from './vcpu-state.ts';

/** What the control call needs to know of, and do to, the world around it. */
export interface ControlHost {
  /** Parked, Pending, Reporting, or not started (CTL-2). */
  mayControl(vcpu: number): boolean;
  /** A caught guest event waits for this vCPU's resume. */
  caughtWaits(vcpu: number): boolean;
  /** The last vector-3 stop of this vCPU (CTL-7). */
  lastBreakpointStop(vcpu: number): { readonly pc: bigint; readonly length: number } | undefined;
  clearLease(vcpu: number): void;
  /** The vCPU's bank or filters changed: program them. */
  bankChanged(vcpu: number): void;
  /** PGD gets these DR6 causes; delivered as a #DB at the next boundary. */
  injectDebug(vcpu: number, causes: bigint): void;
  /** Delivers #BP at once, with the return address behind `length` bytes. */
  injectBreakpoint(vcpu: number, length: number): void;
}

export class Control {
  /** The sentence of the last refusal. */
  message = '';
  private readonly words: number[];
  private readonly catches: number[];
  private managerCatch = 0;
  private readonly state: VcpuState;
  private readonly observer: ObserverState;
  private readonly slots: HostSlots;
  private readonly host: ControlHost;

  constructor(state: VcpuState, observer: ObserverState, slots: HostSlots, host: ControlHost) {
    this.state = state;
    this.observer = observer;
    this.slots = slots;
    this.host = host;
    this.words = Array.from({ length: state.count }, () => 0);
    this.catches = Array.from({ length: state.count }, () => 0);
  }

  /** Validates everything, then commits everything (CTL-3). */
  set(vcpu: number, request: ControlRequest): ControlCode {
    const refused = this.trySet(vcpu, request);
    this.message = refused?.message ?? '';
    return refused?.code ?? 'OK';
  }
  private trySet(vcpu: number, request: ControlRequest): ControlError | undefined {
    if (!Number.isInteger(vcpu) || vcpu < 0 || vcpu >= this.words.length) {
      return { code: 'EINVAL', message: `vCPU ${vcpu} does not exist.` };
    }
    const parsed = parseControl(request);
    if (isControlError(parsed)) return parsed;
    if (!this.host.mayControl(vcpu)) return { code: 'EBUSY', message: `vCPU ${vcpu} is running; pause it first.` };
    const inject = this.checkInjection(vcpu, parsed, request.insnLength);
    if (typeof inject !== 'number') return inject;
    if (!this.slots.loadRaw(vcpu, parsed.slots, parsed.extra)) {
      return { code: 'ENOSPC', message: `vCPU ${vcpu}: a wanted slot is held (${this.slots.holders(vcpu)}).` };
    }
    if (parsed.injectBp) this.host.injectBreakpoint(vcpu, inject);
    this.commit(vcpu, parsed);
    return undefined;
  }
  /** The instruction length for INJECT_BP (0 without it), or why not (CTL-4, CTL-7). */
  private checkInjection(vcpu: number, parsed: ParsedControl, given: number | undefined): number | ControlError {
    if (!parsed.injectDb && !parsed.injectBp) return 0;
    if (this.host.caughtWaits(vcpu) && !parsed.injectBp) {
      return { code: 'EBUSY', message: `vCPU ${vcpu}: an exception is already pending.` };
    }
    const PENDING = 0xe01f;
    if (this.state.delivering(vcpu) || (this.state.guestPending(vcpu) & PENDING) !== 0) {
      return { code: 'EBUSY', message: `vCPU ${vcpu}: an exception is already pending or half delivered.` };
    }
    if (!parsed.injectBp) return 0;
    if (given !== undefined) return given;
    const last = this.host.lastBreakpointStop(vcpu);
    if (last !== undefined && last.pc === this.state.pc(vcpu) && last.length > 0) return last.length;
    return { code: 'EINVAL', message: `vCPU ${vcpu}: no #BP stop at this RIP; pass insnLength (1 to 15).` };
  }
  private commit(vcpu: number, parsed: ParsedControl): void {
    const before = this.words[vcpu] ?? 0;
    this.words[vcpu] = parsed.stored;
    if (!controlHas(parsed.stored, P.CONTROL_ENABLE)) {
      this.host.clearLease(vcpu);
      this.observer.clearToken(vcpu);
    }
    // A sticky SINGLESTEP that goes away takes its lease with it; one that comes is armed by the next resume (STEP-8).
    if (controlHas(before, P.CONTROL_SINGLE_STEP) && !this.singleStep(vcpu)) this.host.clearLease(vcpu);
    this.observer.setBlockInterrupts(vcpu, this.blocksInterrupts(vcpu));
    this.catches[vcpu] = catchBits(parsed.stored);
    if (parsed.injectDb) this.host.injectDebug(vcpu, parsed.payload);
    this.host.bankChanged(vcpu);
  }

  singleStep(vcpu: number): boolean {
    return controlHas(this.words[vcpu] ?? 0, P.CONTROL_SINGLE_STEP);
  }
  blocksInterrupts(vcpu: number): boolean {
    return controlHas(this.words[vcpu] ?? 0, P.CONTROL_BLOCK_INTERRUPTS);
  }
  /** A raw client that enabled the layer without USE_SW_BP does not want overlays to stop this vCPU. */
  overlaysStop(vcpu: number): boolean {
    const word = this.words[vcpu] ?? 0;
    return !controlHas(word, P.CONTROL_ENABLE) || controlHas(word, P.CONTROL_SOFTWARE_BREAKPOINTS);
  }
  /** The L.CATCH_* bits of a vCPU: the raw client's and the breakpoint manager's. */
  catchBits(vcpu: number): number {
    return (this.catches[vcpu] ?? 0) | this.managerCatch;
  }
  /** Catch filters of the breakpoint manager, for all vCPUs. */
  setManagerCatch(filters: { readonly bp: 'off' | 'exception' | 'both'; readonly db: boolean }): void {
    let bits = 0;
    if (filters.bp !== 'off') bits |= L.CATCH_BP;
    if (filters.bp === 'both') bits |= L.CATCH_BP_SOFTWARE_INTERRUPT;
    if (filters.db) bits |= L.CATCH_DB | L.CATCH_ICEBP | L.CATCH_TASK_SWITCH;
    this.managerCatch = bits;
  }
  /** Detach: nothing of any client is left. */
  clear(): void {
    this.words.fill(0);
    this.catches.fill(0);
    this.managerCatch = 0;
  }
}
