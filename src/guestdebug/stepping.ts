// Step leases (guest-debug-spec 2.6) above the core's: what an interrupt in front of the stepped instruction does to the
// step. `through`: the handler runs unseen, by a hidden execution breakpoint at the interrupted place of this vCPU alone.
import type { StepInterrupts } from './api.ts';
import type { Delivered, LeaseMode } from './observer-state.ts';
import type { Parts } from './parts.ts';
import { LEASE_LIMIT, THROUGH_LIMIT } from './policy.ts';

interface Lease {
  readonly mode: LeaseMode;
  readonly interrupts: StepInterrupts;
  readonly startPc: bigint;
  readonly startedAt: bigint;
  /** The interrupt whose handler runs unseen, and the stack pointer to which it returns. */
  handler: { readonly delivered: Delivered; readonly rsp: bigint; readonly cr3: bigint } | undefined;
}
/** Tells an interrupt in front of an instruction from what the instruction itself raised; answers the interrupted RSP. */
export type InterruptedStack = (vcpu: number, delivered: Delivered) => bigint | undefined;
export interface CompletedStep {
  readonly branch: boolean;
  readonly startPc: bigint;
}

type LeaseParts = Pick<Parts, 'state' | 'observer' | 'machine' | 'programming'>;

export class Leases {
  private readonly leases = new Map<number, Lease>();
  private readonly parts: LeaseParts;
  constructor(parts: LeaseParts) {
    this.parts = parts;
  }
  private get now(): bigint {
    return this.parts.machine.instructions;
  }
  /** The engine must decode this address anew: a handler's way back is watched there, or not any more. */
  private splitsChanged(vcpu: number, linear: bigint): void {
    this.parts.programming.splits(vcpu, [linear]);
  }
  arm(vcpu: number, mode: LeaseMode, interrupts: StepInterrupts): void {
    const { state, observer } = this.parts;
    this.leases.set(vcpu, {
      mode,
      interrupts,
      startPc: state.pc(vcpu),
      startedAt: this.now,
      handler: undefined,
    });
    if (interrupts === 'hold') observer.setBlockInterrupts(vcpu, true);
    observer.armLease(vcpu, mode);
  }
  live(vcpu: number): boolean {
    return this.leases.has(vcpu);
  }
  /** Ends the lease of a vCPU without a report; answers whether there was one. */
  cancel(vcpu: number): boolean {
    const lease = this.leases.get(vcpu);
    this.parts.observer.clearLease(vcpu);
    if (lease === undefined) return false;
    this.leases.delete(vcpu);
    if (lease.handler !== undefined) this.splitsChanged(vcpu, lease.handler.delivered.fromPc);
    return true;
  }
  cancelAll(): boolean {
    let any = false;
    for (let vcpu = 0; vcpu < this.parts.state.count; vcpu++) any = this.cancel(vcpu) || any;
    return any;
  }
  /** The core says that a lease completed. Answers undefined when the step goes on (an interrupt's handler runs through). */
  completed(vcpu: number, interrupted: InterruptedStack): CompletedStep | undefined {
    const lease = this.leases.get(vcpu);
    const delivered = this.parts.observer.delivered(vcpu);
    if (lease?.interrupts === 'through' && delivered !== undefined) {
      const rsp = interrupted(vcpu, delivered);
      if (rsp !== undefined) {
        this.parts.observer.clearLease(vcpu);
        lease.handler = { delivered, rsp, cr3: this.parts.state.cr3(vcpu) };
        this.splitsChanged(vcpu, delivered.fromPc);
        return undefined;
      }
    }
    this.leases.delete(vcpu);
    this.parts.observer.clearLease(vcpu);
    return { branch: lease?.mode === 'branch', startPc: lease?.startPc ?? this.parts.state.pc(vcpu) };
  }
  /** The core ended the lease to report something that did not stop: it goes on. */
  goOn(vcpu: number): void {
    const lease = this.leases.get(vcpu);
    if (lease !== undefined && lease.handler === undefined) this.parts.observer.renewLease(vcpu, lease.mode);
  }
  /** Whether blocks must split here for a handler that runs through. */
  isSplit(linear: bigint): boolean {
    for (const lease of this.leases.values()) if (lease.handler?.delivered.fromPc === linear) return true;
    return false;
  }
  splits(): bigint[] {
    return [...this.leases.values()].flatMap((lease) =>
      lease.handler === undefined ? [] : [lease.handler.delivered.fromPc],
    );
  }
  /**
   * At an execution boundary: if the handler has returned to the interrupted place, the step itself starts anew there.
   * Answers whether it did; the caller lets the vCPU pass any breakpoint at this address.
   */
  resumed(vcpu: number): boolean {
    const lease = this.leases.get(vcpu);
    const { state, observer } = this.parts;
    if (lease?.handler === undefined) return false;
    const { rsp, cr3, delivered } = lease.handler;
    if (state.pc(vcpu) !== delivered.fromPc || state.rsp(vcpu) !== rsp || state.cr3(vcpu) !== cr3) return false;
    lease.handler = undefined;
    this.splitsChanged(vcpu, delivered.fromPc);
    observer.armLease(vcpu, lease.mode);
    return true;
  }
  /** Ticks that may pass before a handler that does not return ends its step where the vCPU is; undefined: no limit now. */
  patience(): bigint | undefined {
    let least: bigint | undefined;
    for (const lease of this.leases.values()) {
      if (lease.handler === undefined) continue;
      const left = lease.startedAt + THROUGH_LIMIT - this.now;
      if (least === undefined || left < least) least = left;
    }
    return least;
  }
  /** A step whose handler took too long (STEP-7), taken off the list; undefined: none. */
  takeOverdue(): { readonly vcpu: number; readonly handler: Delivered } | undefined {
    for (const [vcpu, lease] of this.leases) {
      if (lease.handler === undefined || this.now - lease.startedAt < THROUGH_LIMIT) continue;
      const handler = lease.handler.delivered;
      this.cancel(vcpu);
      return { vcpu, handler };
    }
    return undefined;
  }
  /** A vCPU that executes but whose lease saw no boundary: an error of ours (2.9). */
  lost(): number | undefined {
    for (const [vcpu, lease] of this.leases) {
      const waits = lease.handler !== undefined || this.parts.state.activity(vcpu) !== 'active';
      if (!waits && this.now - lease.startedAt > LEASE_LIMIT) return vcpu;
    }
    return undefined;
  }
}
