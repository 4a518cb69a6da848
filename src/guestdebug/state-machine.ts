// The world and its vCPUs in all-stop mode (guest-debug-spec 4.1 to 4.6): who runs, who reports, who waits, and how a stop
// is left so that nothing is lost and nothing is shown to the guest. States are derived, never stored twice.
import type { Resume, RunState, SliceResult, StepInterrupts, StopRecord } from './api.ts';
import type { StopEvent } from './event-queue.ts';
import type { Parts } from './parts.ts';
import { guestCause } from './trap-log.ts';

type WorldParts = Pick<
  Parts,
  | 'settings'
  | 'state'
  | 'observer'
  | 'judge'
  | 'leases'
  | 'visits'
  | 'queue'
  | 'events'
  | 'records'
  | 'log'
  | 'controlWords'
>;
const RUNNING: SliceResult = { kind: 'running' };

export class World {
  private readonly parts: WorldParts;
  private running = true;
  /** The machine has run under this layer. */
  started = false;
  private current: StopEvent | undefined;
  /** Made at a boundary inside the machine's run; reported when the run comes back. */
  private found: StopEvent | undefined;
  /** Where a vCPU stands on a breakpoint that it has neither reported nor passed: no token there, it will hit (P1). */
  private readonly unreported = new Map<number, bigint>();
  private readonly lastBreakpoint = new Map<number, StopRecord>();
  /** The vCPU that runs alone (stepAlone). */
  private only: number | undefined;

  constructor(parts: WorldParts) {
    this.parts = parts;
  }
  get stopped(): boolean {
    return !this.running;
  }
  /** Parked, Pending, Reporting, or not started (CTL-2). */
  get mayControl(): boolean {
    return !this.running || !this.started;
  }
  get reporter(): StopRecord | undefined {
    return this.current?.record;
  }
  get alone(): number | undefined {
    return this.only;
  }
  /** 4.1, derived from the world, the queue and the vCPU's activity. */
  stateOf(vcpu: number, stopping: boolean): RunState {
    const { state, leases, queue } = this.parts;
    const activity = state.activity(vcpu);
    if (!this.running) {
      if (this.current?.record.vcpu === vcpu) return 'reporting';
      if (queue.of(vcpu) !== undefined) return 'pending';
    }
    if (activity === 'waitSipi') return 'offline';
    if (!this.running) return 'parked';
    if (leases.live(vcpu)) return 'stepping';
    if (activity === 'halted') return 'halted';
    return stopping ? 'stopping' : 'run';
  }
  /** The event a vCPU shows or waits to show. */
  eventOf(vcpu: number): StopRecord | undefined {
    if (this.current?.record.vcpu === vcpu) return this.current.record;
    return this.parts.queue.of(vcpu)?.record;
  }
  /** Last vector-3 stop of a vCPU, for INJECT_BP (CTL-7). */
  lastBreakpointStop(vcpu: number): { readonly pc: bigint; readonly length: number } | undefined {
    const record = this.lastBreakpoint.get(vcpu);
    return record === undefined ? undefined : { pc: record.pc, length: record.instructionLength };
  }
  caughtWaits(vcpu: number): boolean {
    return [this.current, this.parts.queue.of(vcpu)].some((e) => e?.record.vcpu === vcpu && e.source === 'caught');
  }

  // ---- stopping ----------------------------------------------------------------------------------------------------------------
  /** A line of the boundary table acted for the observer. */
  observed(vcpu: number, causes: number): 'resume' | 'stop' {
    const event = this.parts.events.decide(vcpu, causes, true);
    if (event !== undefined) {
      this.found = event;
      return 'stop';
    }
    this.parts.leases.goOn(vcpu);
    return 'resume';
  }
  /** The event that observed() found; at most once. */
  takeFound(): StopEvent | undefined {
    const event = this.found;
    this.found = undefined;
    return event;
  }
  /** Stops everything for an event; the boundaries of the other vCPUs are evaluated without executing (4.2). */
  stop(event: StopEvent): SliceResult {
    const { state, queue, leases, controlWords, observer } = this.parts;
    const { vcpu } = event.record;
    this.running = false;
    this.only = undefined;
    for (let other = 0; other < state.count; other++) if (other !== vcpu) this.evaluate(other);
    const cancelled = leases.cancelAll();
    for (let any = 0; any < state.count; any++) observer.setBlockInterrupts(any, controlWords.blocksInterrupts(any));
    // A step's own client looks at the breakpoints where it ends.
    const { kind } = event.record;
    if (event.source !== 'breakpoint' && kind !== 'step' && kind !== 'branchStep') this.visit(vcpu);
    return this.report(event, queue.summary(), cancelled);
  }
  /** A stop at the present boundary of a vCPU that nothing of its own asked for. `shown`: what its own boundary acts for goes first. */
  stopNow(vcpu: number, event: () => StopEvent, ownFirst: boolean): SliceResult {
    const { observer, events } = this.parts;
    const causes = ownFirst ? observer.peek(vcpu) : 0;
    if (causes !== 0) {
      observer.takeOver(vcpu, causes);
      const own = events.decide(vcpu, causes, false);
      if (own !== undefined) return this.stop(own);
    }
    return this.stop(event());
  }
  private evaluate(vcpu: number): void {
    const { observer, judge, events, queue, state } = this.parts;
    const causes = observer.peek(vcpu);
    if (causes === 0) {
      if (judge.stands(vcpu) && !observer.tokenMatches(vcpu)) this.unreported.set(vcpu, state.pc(vcpu));
      return;
    }
    observer.takeOver(vcpu, causes);
    const event = events.decide(vcpu, causes, false);
    if (event !== undefined) queue.add(event);
  }
  /** A vCPU that stops on a breakpoint for another reason has visited it: filters are asked, and it is passed on resume. */
  private visit(vcpu: number): void {
    const { judge, log, observer } = this.parts;
    if (!judge.stands(vcpu) || observer.tokenMatches(vcpu)) return;
    const { causes, passed } = judge.execution(vcpu);
    log.host(vcpu, [...causes, ...passed], 'continued', 'stoppedBefore');
  }
  private report(event: StopEvent, alsoPending: StopRecord['alsoPending'], stepCancelled: boolean): SliceResult {
    const { records, log } = this.parts;
    const record = records.renew(event.record, alsoPending, stepCancelled);
    this.current = { ...event, record };
    if (record.exception === 3) this.lastBreakpoint.set(record.vcpu, record);
    if (event.source !== 'caught') log.host(record.vcpu, record.causes, 'stopped');
    return { kind: 'stopped', reporter: record };
  }
  private nextQueued(): StopEvent | undefined {
    return this.parts.queue.next((event) => this.discarded(event));
  }
  /** A queued event was dropped: its vCPU gets no token, a breakpoint set anew at its place is hit (4.3). */
  private discarded(event: StopEvent): void {
    const { record, source } = event;
    if (source === 'breakpoint') this.unreported.set(record.vcpu, record.pc);
    this.parts.log.host(record.vcpu, record.causes, 'discarded', 'ownerGone');
  }

  // ---- resuming ----------------------------------------------------------------------------------------------------------------
  /** Acknowledges the reporter; the next queued event is reported without running, or the world runs. */
  resume(how: Resume): SliceResult {
    const { queue, leases } = this.parts;
    if (this.running) return RUNNING;
    const left: StopEvent[] = [];
    this.acknowledge(this.current, left);
    this.current = undefined;
    if (this.parts.settings.reporting === 'coalesce') {
      for (let event = this.nextQueued(); event !== undefined; event = this.nextQueued()) this.acknowledge(event, left);
    }
    const next = this.nextQueued();
    if (next !== undefined) {
      for (const event of left) this.depart(event.record.vcpu, true, event);
      return this.report(next, queue.summary(), how.kind !== 'continue');
    }
    if (how.kind !== 'continue') {
      const stuck = this.cannotStep(how);
      if (stuck !== undefined) return this.report(stuck, [], false);
    }
    const suppress = how.kind !== 'continue' || how.suppressOnce !== false;
    for (let vcpu = 0; vcpu < this.parts.state.count; vcpu++) {
      this.depart(
        vcpu,
        suppress,
        left.find((event) => event.record.vcpu === vcpu),
      );
    }
    this.unreported.clear();
    this.running = true;
    if (how.kind === 'step') leases.arm(how.vcpu, how.mode, how.interrupts ?? this.parts.settings.stepInterrupts);
    if (how.kind === 'stepAlone') {
      leases.arm(how.vcpu, how.mode, 'enter');
      this.only = how.vcpu;
    }
    this.rearmSticky();
    return RUNNING;
  }
  private acknowledge(event: StopEvent | undefined, left: StopEvent[]): void {
    if (event === undefined) return;
    left.push(event);
    if (event.source !== 'caught') return;
    const { vcpu, pc, exception, causes } = event.record;
    if (this.parts.state.pc(vcpu) === pc) {
      this.parts.observer.acceptCaught(vcpu);
      return;
    }
    const dropped = { owner: 'guest', disposition: 'caughtDropped', rule: 'movedAway' } as const;
    this.parts.log.note({ vcpu, vector: exception, ...dropped, causes: causes.map(({ cause }) => guestCause(cause)) });
  }
  /** A vCPU leaves its place: may it pass the execution breakpoint there? (4.6) */
  private depart(vcpu: number, suppress: boolean, left: StopEvent | undefined): void {
    const { observer, state, judge, visits } = this.parts;
    visits.leave(vcpu);
    if (!suppress) {
      observer.clearToken(vcpu);
      return;
    }
    const pc = state.pc(vcpu);
    const own = left?.source === 'breakpoint' || left?.source === 'generalDetect';
    if (own && left.record.pc === pc) observer.armToken(vcpu, left.natural);
    else if (this.unreported.get(vcpu) !== pc && judge.stands(vcpu) && !observer.tokenMatches(vcpu)) {
      observer.armToken(vcpu, false);
    }
  }
  /** A step that cannot make progress ends at once (STEP-5); it must never hang. */
  private cannotStep(how: { readonly vcpu: number; readonly interrupts?: StepInterrupts }): StopEvent | undefined {
    const { state, controlWords, events, settings } = this.parts;
    const { vcpu } = how;
    const activity = state.activity(vcpu);
    const held = (how.interrupts ?? settings.stepInterrupts) === 'hold' || controlWords.blocksInterrupts(vcpu);
    if (activity === 'active' || (activity === 'halted' && !held)) return undefined;
    return events.plain({ vcpu, kind: 'halted' });
  }
  private rearmSticky(): void {
    const { state, controlWords, leases } = this.parts;
    for (let vcpu = 0; vcpu < state.count; vcpu++) {
      if (controlWords.singleStep(vcpu) && !leases.live(vcpu) && state.activity(vcpu) !== 'waitSipi') {
        leases.arm(vcpu, 'insn', 'enter');
      }
    }
  }
  /** Detach: the queue is dropped, the world runs or stays stopped without a reporter. */
  clear(suspend: boolean): void {
    this.parts.queue.takeAll();
    this.parts.leases.cancelAll();
    this.current = undefined;
    this.found = undefined;
    this.only = undefined;
    this.unreported.clear();
    this.parts.visits.clear();
    this.running = !suspend;
  }
}
