// The guest-debug layer as one object (guest-debug-spec 2 to 4): composes the tables and the state machine over a machine.
import type * as Api from './api.ts';
import type { MachineObserver, MachineStop, Ticks } from '../machine/api.ts';
import type { ControlCode, ControlRequest } from './control-request.ts';
import { guestRows } from './guest-rows.ts';
import type { InternalError } from './internal-error.ts';
import type { DebugMachine, GuestDebugOptions } from './options.ts';
import { GuestDebugError } from './options.ts';
import type { Parts } from './parts.ts';
import { assemble } from './parts.ts';
import * as P from './policy.ts';
import type { Breakpoint } from './register.ts';

const TRIPLE_FAULT_STATUS = 4;

export type { DebugMachine, GuestDebugOptions } from './options.ts';
export { GuestDebugError } from './options.ts';

export class GuestDebug implements Api.GuestDebugApi {
  readonly policy: Api.SlotPolicy = 'hardware';
  /** parts.ts shows them, and who knows whom, in one look. */
  private readonly parts: Parts;
  private readonly port: MachineObserver;
  private pauseAsked = false;
  private attached = false;
  private ended: Extract<Api.SliceResult, { kind: 'ended' }> | undefined;
  private tripleFault: Api.TripleFault | undefined;

  constructor(machine: DebugMachine, options: GuestDebugOptions = {}) {
    const parts = (this.parts = assemble(machine, options));
    const { overlays, leases, errors, world, deliveries, programming } = parts;
    this.port = {
      splitAt: (linear) => overlays.isSplit(linear) || leases.isSplit(linear),
      splitCount: () => overlays.splitCount + leases.splits().length,
      onObserved: (vcpu, causes) => (errors.pending ? 'stop' : world.observed(vcpu, causes)),
      onDelivery: (delivery) => deliveries.delivered(delivery),
      onStartup: (vcpu) => programming.load(vcpu),
      onLog: (code, vcpu, a, b) => options.onLog?.(code, vcpu, a, b),
    };
    this.connect();
  }
  private connect(): void {
    if (this.attached) return;
    this.attached = true;
    this.parts.machine.observer = this.port;
    this.parts.programming.observeVectors(true);
  }

  // ---- breakpoints and slots ---------------------------------------------------------------------------------------------------
  capabilities(): ReturnType<Api.GuestDebugApi['capabilities']> {
    return { control: P.CONTROL_SUPPORTED, slots: P.SLOT_COUNT, lengths: P.SLOT_LENGTHS, policies: [this.policy] };
  }
  announce(owner: Api.BreakpointOwner = 'user', id?: number): number {
    return this.parts.register.announce(owner, id);
  }
  reserve(id: number): void {
    this.parts.register.reserve(id);
  }
  set(request: Api.BreakpointRequest): Api.SetResult {
    if (!this.attached) return { verified: false, refusal: { kind: 'detached' } };
    const { register } = this.parts;
    const result = register.set(request);
    if (result.verified) this.placesChanged(register.get(result.id));
    return result;
  }
  withdraw(id: number, addresses: readonly bigint[]): void {
    const gone = this.parts.register.withdraw(id, addresses);
    if (gone.length > 0) this.splitsChanged(gone);
  }
  remove(id: number): void {
    this.placesChanged(this.parts.register.remove(id));
  }
  setEnabled(id: number, enabled: boolean): void {
    this.placesChanged(this.parts.register.setEnabled(id, enabled));
  }
  private placesChanged(breakpoint: Breakpoint | undefined): void {
    const placement = breakpoint?.set?.placement;
    if (placement?.kind === 'overlay') this.splitsChanged(placement.addresses);
    else if (placement?.kind === 'slots') this.parts.programming.banks();
  }
  private splitsChanged(addresses: Iterable<bigint>): void {
    this.parts.programming.splits(this.parts.machine.engine.current, addresses);
  }
  counts(id: number): { readonly hits: number; readonly discarded: number } | undefined {
    const found = this.parts.register.get(id);
    return found === undefined ? undefined : { hits: found.hits, discarded: found.discarded };
  }
  visit(vcpu: number, who: 'users' | 'all'): readonly number[] {
    this.checkVcpu(vcpu);
    return this.parts.world.stopped ? this.parts.judge.late(vcpu, who) : [];
  }
  stoppers(record: Api.StopRecord): readonly number[] {
    const late = this.parts.visits.lateStops(record.vcpu, record.pc).map(({ id }) => id);
    return [...new Set([...record.causes.flatMap(({ ownerIds }) => ownerIds), ...late])];
  }
  undecided(record: Api.StopRecord): readonly Api.Undecided[] {
    const late = this.parts.visits.lateStops(record.vcpu, record.pc);
    const atOnce = record.causes.flatMap(({ undecided = [] }) => undecided);
    return [...atOnce, ...late.flatMap(({ id, reason }) => (reason === undefined ? [] : [{ id, reason }]))];
  }
  /** Queued events that were dropped because nothing wanted them any more (4.3). */
  get discardedEvents(): number {
    return this.parts.queue.discarded;
  }
  /** Uses of the first-instruction hold; 0 with a frozen clock (4.6). */
  get holdsApplied(): number {
    return this.parts.state.holdsApplied();
  }
  setCatch(filters: { readonly bp: 'off' | 'exception' | 'both'; readonly db: boolean }): void {
    this.parts.controlWords.setManagerCatch(filters);
    this.parts.programming.banks();
  }
  slots(vcpu: number): readonly Api.SlotRow[] {
    this.checkVcpu(vcpu);
    const hits = (index: number): number => this.parts.deliveries.guestHits(vcpu, index);
    return [...guestRows(this.parts.state, vcpu, hits), ...this.parts.slots.rows(vcpu)];
  }

  // ---- the raw control call ------------------------------------------------------------------------------------------------------
  get controlRefusal(): Api.ControlRefusal | undefined {
    return this.parts.control.refusal;
  }
  setGuestDebug(vcpu: number, request: ControlRequest): ControlCode {
    return this.parts.control.set(vcpu, request);
  }

  // ---- what is going on ----------------------------------------------------------------------------------------------------------
  get stopped(): boolean {
    return this.parts.world.stopped;
  }
  get reporter(): Api.StopRecord | undefined {
    return this.parts.world.reporter;
  }
  get internalErrorReport(): InternalError | undefined {
    return this.parts.errors.last;
  }
  vcpus(): readonly Api.VcpuStatus[] {
    return Array.from({ length: this.parts.state.count }, (_, vcpu) => this.status(vcpu));
  }
  private status(vcpu: number): Api.VcpuStatus {
    const { state, world } = this.parts;
    const record = world.eventOf(vcpu);
    const runState = world.stateOf(vcpu, this.pauseAsked);
    const activity = state.activity(vcpu);
    const pc = state.pc(vcpu);
    const lastTrap = this.parts.log.lastOf(vcpu);
    return {
      vcpu,
      state: runState,
      activity,
      ...(record === undefined ? {} : { record }),
      pc,
      cpl: state.cpl(vcpu),
      mode: state.mode(vcpu),
      ...(lastTrap === undefined ? {} : { lastTrap }),
    };
  }
  ledger(from: number, count: number): readonly Api.LedgerEntry[] {
    return this.parts.ledger.read(from, count);
  }
  get ledgerSize(): number {
    return this.parts.ledger.size;
  }
  get onLedger(): ((entry: Api.LedgerEntry) => void) | undefined {
    return this.parts.ledger.onEntry;
  }
  set onLedger(listener: ((entry: Api.LedgerEntry) => void) | undefined) {
    this.parts.ledger.onEntry = listener;
  }

  // ---- running and stopping --------------------------------------------------------------------------------------------------------
  attach(): Api.StopRecord {
    this.connect();
    const { turn } = this.parts.machine;
    if (this.parts.world.reporter === undefined) {
      this.parts.world.stopNow(turn, () => this.parts.events.plain({ vcpu: turn, kind: 'entry' }), false);
    }
    const { reporter } = this.parts.world;
    if (reporter === undefined) throw new Error('internal error: a stop without a reporter');
    return reporter;
  }
  pause(): void {
    if (!this.parts.world.stopped) this.pauseAsked = true;
  }
  resume(how: Api.Resume): Api.SliceResult {
    if (how.kind !== 'continue') this.checkVcpu(how.vcpu);
    if (this.ended !== undefined) return this.ended;
    // A step of a machine that never ran begins at its first instruction, which nobody had to report.
    if (how.kind !== 'continue' && !this.parts.world.started) this.attach();
    this.pauseAsked = false;
    if (this.parts.world.reporter?.kind === 'shutdown' && this.tripleFault !== undefined)
      return this.end(TRIPLE_FAULT_STATUS, this.tripleFault);
    return this.parts.world.resume(how);
  }
  runSlice(ticks: Ticks, how: { readonly idleJumps?: boolean } = {}): Api.SliceResult {
    if (this.ended !== undefined) return this.ended;
    this.parts.world.started = true;
    const { reporter, stopped, alone } = this.parts.world;
    if (reporter !== undefined) return { kind: 'stopped', reporter };
    if (stopped) return { kind: 'idle' };
    if (this.pauseAsked) return this.stopFor('pause');
    const patience = this.parts.leases.patience();
    const most = patience !== undefined && patience < BigInt(ticks) ? Math.max(1, Number(patience)) : ticks;
    const stop = this.parts.machine.run(most, alone === undefined ? how : { ...how, only: alone });
    return this.outcome(stop);
  }
  private outcome(stop: MachineStop): Api.SliceResult {
    switch (stop.kind) {
      case 'spent':
        return this.afterSlice();
      case 'idle':
        return this.parts.world.alone === undefined ? { kind: 'idle' } : this.stopFor('halted', this.parts.world.alone);
      case 'observed':
        return this.observed(stop.vcpu);
      case 'exit':
        return this.end(stop.status, { kind: 'exit', value: stop.value, status: stop.status });
      case 'powerOff':
        return this.end(0, { kind: 'powerOff' });
      case 'reset':
        return this.end(0, { kind: 'reset', source: stop.source });
      case 'shutdown': {
        const { vcpu, rip, chain } = stop;
        this.tripleFault = { kind: 'tripleFault', vcpu, rip, chain };
        return this.stopFor('shutdown', vcpu, this.tripleFault);
      }
    }
  }
  private observed(vcpu: number): Api.SliceResult {
    const error = this.parts.errors.take();
    if (error !== undefined) return this.stopForFault(error.fault);
    const found = this.parts.world.takeFound();
    if (found !== undefined) return this.parts.world.stop(found);
    const fault = { code: 'stopWithoutEvent', vcpu } as const;
    this.parts.errors.raise(fault);
    this.parts.errors.take();
    return this.stopForFault(fault);
  }
  private stopForFault(fault: Api.InternalFault): Api.SliceResult {
    return this.stopFor('internalError', fault.vcpu, { kind: 'internalError', fault });
  }
  private afterSlice(): Api.SliceResult {
    const overdue = this.parts.leases.takeOverdue();
    if (overdue !== undefined) {
      const { vcpu, handler } = overdue;
      const detail = { kind: 'handlerRuns', vector: handler.vector } as const;
      const event = this.parts.events.plain({ vcpu, kind: 'step', delivery: handler, detail });
      return this.parts.world.stop(event);
    }
    const lost = this.parts.leases.lost();
    if (lost !== undefined) {
      this.parts.leases.cancel(lost);
      this.parts.errors.stop({ code: 'lostLease', vcpu: lost, instructions: P.LEASE_LIMIT });
    }
    return { kind: 'running' };
  }
  private stopFor(
    kind: 'pause' | 'halted' | 'shutdown' | 'internalError',
    vcpu: number = this.parts.machine.turn,
    detail?: Api.StopDetail,
  ): Api.SliceResult {
    this.pauseAsked = false;
    const description = { vcpu, kind, ...(detail === undefined ? {} : { detail }) };
    return this.parts.world.stopNow(vcpu, () => this.parts.events.plain(description), kind === 'pause');
  }
  private end(status: number, ending: Api.Ending): Api.SliceResult {
    this.ended = { kind: 'ended', status, ending };
    return this.ended;
  }

  // ---- leaving -----------------------------------------------------------------------------------------------------------------
  detach(suspend: boolean): void {
    if (!this.attached) return;
    this.attached = false;
    this.pauseAsked = false;
    this.parts.world.clear(suspend);
    this.parts.controlWords.clear();
    for (let vcpu = 0; vcpu < this.parts.state.count; vcpu++) {
      this.parts.slots.releaseRaw(vcpu);
      this.parts.observer.setBlockInterrupts(vcpu, false);
    }
    const addresses = [...this.parts.overlays.addresses()];
    for (const id of [...this.parts.register.ids()]) this.parts.register.remove(id);
    this.parts.programming.banks();
    this.parts.programming.splits(this.parts.machine.engine.current, addresses);
    this.parts.programming.observeVectors(false);
    for (let vcpu = 0; vcpu < this.parts.state.count; vcpu++) this.parts.observer.forget(vcpu);
    this.parts.machine.observer = undefined;
  }

  private checkVcpu(vcpu: number): void {
    if (Number.isInteger(vcpu) && vcpu >= 0 && vcpu < this.parts.state.count) return;
    throw new GuestDebugError('noSuchVcpu', `vCPU ${vcpu} does not exist: the machine has ${this.parts.state.count}.`);
  }
}
