/**
 * What all steps share: leases (one instruction of one vCPU, everything else runs as it would have), breakpoints of
 * their own, and running through what is not of interest. A place in another frame is recognised by its stack pointer, on any vCPU,
 * since a task may migrate.
 */
import type { GuestDebugApi, Resume, StopRecord } from '../../guestdebug/api.ts';
import { isMachinery } from '../../guestdebug/api.ts';
import type { ModuleSet } from '../modules.ts';
import type { Plan, PlanAnswer } from '../plan.ts';
import { linearPc, linearStackPointer } from '../registers.ts';
import type { Target } from '../target.ts';
import type { InterruptedFlow, Return, Spot } from './flow.ts';
import { calledFrom, interruptedFlow, sameTask, spotOf } from './flow.ts';

export interface StepHost {
  readonly target: Target;
  readonly modules: ModuleSet;
  readonly api: Pick<GuestDebugApi, 'set' | 'remove' | 'visit' | 'stoppers'>;
  /** Bytes of the instruction at a linear address in code whose words have 2, 4 or 8 bytes; undefined when there is none. */
  instructionLength(vcpu: number, linear: bigint, word: 2 | 4 | 8): number | undefined;
}

/** Says for a vCPU that is at a breakpoint of the step, and for its linear address, whether it is the flow that the step follows. */
export type IsFlow = (vcpu: number, linear: bigint) => boolean;

/** Where a vCPU that steps alone is going. */
interface Walk {
  readonly addresses: ReadonlySet<bigint> | undefined;
  readonly isFlow: IsFlow;
  readonly then: () => Promise<PlanAnswer>;
}

export abstract class StepPlan implements Plan {
  protected readonly host: StepHost;
  /** The vCPU that the step follows; changes when the task goes on elsewhere. */
  protected vcpu: number;
  protected before: Spot;
  /** The step's own breakpoints: ids, and the linear addresses of those on code. */
  private readonly temporary = new Map<number, bigint | undefined>();
  private awaited: (() => Promise<PlanAnswer>) | undefined;
  private readonly mode: 'insn' | 'insn-whole';
  private readonly alone: boolean;
  /** Alone, the vCPU walks where others would run: until it arrives here. */
  private walk: Walk | undefined;

  /** @param alone an explicit command: this vCPU executes, all others stand still until the step is done */
  constructor(host: StepHost, vcpu: number, mode: 'insn' | 'insn-whole', alone: boolean) {
    this.host = host;
    this.vcpu = vcpu;
    this.mode = mode;
    this.alone = alone;
    this.before = this.spot();
  }

  abstract start(): Promise<PlanAnswer>;
  /** The lease ended on an ordinary instruction of the flow that is followed. */
  protected abstract stepped(record: StopRecord): Promise<PlanAnswer>;
  /** Back from a handler or a call: where does the flow stand? */
  protected abstract resumed(): Promise<PlanAnswer>;

  protected spot(): Spot {
    return spotOf(this.host.target, this.vcpu);
  }
  protected lease(): PlanAnswer {
    this.before = this.spot();
    const how: Resume = { kind: this.alone ? 'stepAlone' : 'step', vcpu: this.vcpu, mode: this.mode };
    return { kind: 'resume', how };
  }
  /** Where what the leased instruction called will return to; undefined when it called nothing. */
  protected call(): Return | undefined {
    return calledFrom(this.host.target, this.vcpu, this.before, () => this.next());
  }
  /** The address behind the leased instruction. */
  private next(): bigint | undefined {
    const { pc, word } = this.before;
    const length = this.host.instructionLength(this.vcpu, pc, word);
    return length === undefined ? undefined : pc + BigInt(length);
  }
  protected done(): PlanAnswer {
    return { kind: 'done', vcpu: this.vcpu };
  }

  /** Runs freely until a vCPU arrives at one of the addresses as the flow that is followed; then `then` decides. */
  protected runTo(addresses: Iterable<bigint>, isFlow: IsFlow, then: () => Promise<PlanAnswer>): PlanAnswer {
    this.clear();
    if (this.alone) return this.walkTo(new Set(addresses), isFlow, then);
    for (const linear of new Set(addresses)) this.place(linear, isFlow);
    this.awaited = then;
    return { kind: 'resume', how: { kind: 'continue' } };
  }
  /** Lease by lease, until the flow is at one of the addresses (without any: wherever it is recognised). */
  private walkTo(addresses: Walk['addresses'], isFlow: IsFlow, then: () => Promise<PlanAnswer>): PlanAnswer {
    this.walk = { addresses, isFlow, then };
    return this.lease();
  }
  private walked({ addresses, isFlow, then }: Walk): PlanAnswer | Promise<PlanAnswer> {
    const { pc } = this.spot();
    if (addresses?.has(pc) === false || !isFlow(this.vcpu, pc)) return this.lease();
    this.walk = undefined;
    return then();
  }
  /** Runs until a call or a function has returned. */
  protected runToReturn({ pc, stackPointer }: Return, then: () => Promise<PlanAnswer>): PlanAnswer {
    return this.runTo([pc], this.withStackPointer(stackPointer), then);
  }
  /** Recognises the flow by its stack pointer. */
  protected withStackPointer(wanted: bigint): IsFlow {
    const { target } = this.host;
    const isMine = sameTask(target, this.vcpu, this.before);
    return (vcpu) => linearStackPointer(target.slots, vcpu) === wanted && isMine(vcpu);
  }

  private place(linear: bigint, isFlow: IsFlow): void {
    const result = this.host.api.set({
      kind: 'execution',
      linear,
      owner: 'step',
      filter: ({ vcpu }) => (isFlow(vcpu, linear) ? 'stop' : 'noHit'),
    });
    if (result.verified) this.temporary.set(result.id, linear);
  }
  private clear(): void {
    for (const id of this.temporary.keys()) this.host.api.remove(id);
    this.temporary.clear();
    this.awaited = undefined;
  }
  dispose(): void {
    this.clear();
  }

  async stopped(record: StopRecord): Promise<PlanAnswer> {
    const { api } = this.host;
    if (record.kind === 'bp') {
      const stoppers = api.stoppers(record);
      const mine = stoppers.some((id) => this.temporary.has(id));
      const then = this.awaited;
      // A breakpoint of the user at the same place is the better reason.
      if (!mine || !stoppers.every(isMachinery) || then === undefined) return { kind: 'report' };
      this.vcpu = record.vcpu;
      this.clear();
      return then();
    }
    // A step into HLT (spec STEP-5) is a step too: the flow goes on when the vCPU wakes.
    if (record.vcpu !== this.vcpu || record.kind !== 'step') return { kind: 'report' };
    if (record.causes.some(({ cause, owner }) => owner === 'host' && cause !== 'step')) return { kind: 'report' };
    // The lease suppressed line 9 of the boundary table here: ask the breakpoints that the step runs over.
    if (record.pc !== this.before.pc && api.visit(record.vcpu, 'users').length > 0) return { kind: 'report' };
    if (this.walk !== undefined) return this.walked(this.walk);
    const through = record.delivery === undefined ? undefined : this.through(record.delivery);
    return through ?? this.stepped(record);
  }

  /** An event was delivered: its handler runs unseen, and the step goes on wherever it returns to. */
  protected through(delivery: NonNullable<StopRecord['delivery']>): PlanAnswer | undefined {
    const flow = interruptedFlow(this.host.target, this.vcpu, delivery, this.before);
    if (flow === undefined) return undefined;
    const isFlow = this.withStackPointer(flow.stackPointer);
    if (this.alone) return this.walkTo(undefined, isFlow, () => this.resumed());
    // A #BP handler may take the instruction pointer back to the instruction that it restored.
    const places = [flow.pc, this.before.pc];
    const next = this.next();
    if (next !== undefined) places.push(next);
    const answer = this.runTo(places, isFlow, () => this.resumed());
    this.watchReturn(flow, isFlow);
    return answer;
  }

  /**
   * A handler may return to any address: to the fixup of a faulting access, behind an instruction that it emulated. Its
   * IRET reads the return address; with the interrupted stack pointer back in place, the flow goes on where the vCPU is
   * then. When all debug registers are taken only the addresses that are known ahead are waited for.
   */
  private watchReturn({ slot }: InterruptedFlow, isFlow: IsFlow): void {
    const { slots } = this.host.target;
    const result = this.host.api.set({
      kind: 'data',
      linear: slot.linear,
      size: slot.size,
      access: 'readWrite',
      owner: 'step',
      filter: ({ vcpu }) => {
        const pc = linearPc(slots, vcpu);
        if (isFlow(vcpu, pc) && ![...this.temporary.values()].includes(pc)) this.place(pc, isFlow);
        return 'noHit';
      },
    });
    if (result.verified) this.temporary.set(result.id, undefined);
  }
}
