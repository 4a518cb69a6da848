// The guest-debug layer as one object (guest-debug-spec 2 to 4): composes the tables and the state machine over a machine.
import type * as Api from './api.ts';
import type { MachineObserver, MachineStop, Ticks } from '../machine/api.ts';
import { vectorName } from '../machine/vector-name.ts';
import { BankProgramming } from './bank-programming.ts';
import { BoundaryEvents } from './boundary-events.ts';
import { Breakpoints } from './breakpoints.ts';
import { Control } from './control.ts';
import type { ControlCode, ControlRequest } from './control-request.ts';
import { Deliveries } from './deliveries.ts';
import { hex } from './debug-registers.ts';
import { EventQueue } from './event-queue.ts';
import { guestRows } from './guest-rows.ts';
import { CommittedHits } from './hits.ts';
import { EngineInstructionReader } from './instruction-reader.ts';
import type { InternalError, InternalErrorCode } from './internal-error.ts';
import { InternalErrors } from './internal-error.ts';
import { Judge } from './judge.ts';
import { LastDelivery } from './last-delivery.ts';
import { Ledger } from './ledger.ts';
import { ObserverState } from './observer-state.ts';
import { Overlays } from './overlay.ts';
import type { DebugMachine, GuestDebugOptions } from './options.ts';
import { GuestDebugError } from './options.ts';
import * as P from './policy.ts';
import { badgeOf } from './sentences.ts';
import { HostSlots } from './slots.ts';
import { World } from './state-machine.ts';
import { Leases } from './stepping.ts';
import { StopRecords } from './stop-record.ts';
import { TrapLog } from './trap-log.ts';
import { VcpuState } from './vcpu-state.ts';

const TRIPLE_FAULT_STATUS = 4;

export type { DebugMachine, GuestDebugOptions } from './options.ts';
export { GuestDebugError } from './options.ts';

export class GuestDebug implements Api.GuestDebugApi {
  readonly policy: Api.SlotPolicy = 'hardware';
  private readonly machine: DebugMachine;
  private readonly state: VcpuState;
  private readonly overlays = new Overlays();
  private readonly hostSlots: HostSlots;
  private readonly breakpoints: Breakpoints;
  private readonly control: Control;
  private readonly leases: Leases;
  private readonly queue: EventQueue;
  private readonly world: World;
  private readonly events: BoundaryEvents;
  private readonly programming: BankProgramming;
  private readonly trapLedger: Ledger;
  private readonly log: TrapLog;
  private readonly deliveries: Deliveries;
  private readonly errors: InternalErrors;
  private readonly observer: ObserverState;
  private readonly port: MachineObserver;
  private pauseAsked = false;
  private attached = false;
  private started = false;
  private ended: Extract<Api.SliceResult, { kind: 'ended' }> | undefined;
  private shutdownText = '';

  constructor(machine: DebugMachine, options: GuestDebugOptions = {}) {
    const { engine } = machine;
    this.machine = machine;
    const state = (this.state = new VcpuState(engine));
    const observer = (this.observer = new ObserverState(engine, state));
    const slots = (this.hostSlots = new HostSlots(engine.vcpuCount));
    const { overlays } = this;
    const { coverPolicy = 'windows' } = options;
    const breakpoints = (this.breakpoints = new Breakpoints(engine.vcpuCount, overlays, slots, coverPolicy));
    const instructions = new EngineInstructionReader(engine, machine);
    const ledger = (this.trapLedger = new Ledger(options.ledgerCapacity));
    const log = (this.log = new TrapLog(ledger, state, () => machine.clock));
    this.errors = new InternalErrors({ state, observer, slots, instructions, ledger });
    const control = (this.control = new Control(state, observer, slots, {
      mayControl: () => this.world.stopped || !this.started,
      caughtWaits: (vcpu) => this.world.caughtWaits(vcpu),
      lastBreakpointStop: (vcpu) => this.world.lastBreakpointStop(vcpu),
      clearLease: (vcpu) => void this.leases.cancel(vcpu),
      bankChanged: (vcpu) => this.changed([vcpu]),
      injectDebug: (vcpu, causes) => this.injectDebug(vcpu, causes),
      injectBreakpoint: (vcpu, length) => this.injectBreakpoint(vcpu, length),
    }));
    const catchBits = (vcpu: number): number => control.catchBits(vcpu);
    this.programming = new BankProgramming({ vcpus: engine.vcpuCount, observer, overlays, slots, catchBits });
    const leases = (this.leases = new Leases(
      state,
      observer,
      () => machine.instructions,
      (vcpu, linear) => this.programming.splits(vcpu, [linear]),
    ));
    const overlaysStop = (vcpu: number): boolean => control.overlaysStop(vcpu);
    const hits = new CommittedHits(engine);
    const judge = new Judge({ state, observer, overlays, slots, breakpoints, hits, overlaysStop });
    const records = new StopRecords(state, instructions, new LastDelivery(engine, state, machine));
    const read64 = (vcpu: number, linear: bigint): bigint | undefined => this.read64(vcpu, linear);
    const events = (this.events = new BoundaryEvents({
      state,
      observer,
      judge,
      leases,
      records,
      log,
      instructions,
      read64,
    }));
    const queue = (this.queue = new EventQueue(state, breakpoints, (event) => this.world.discarded(event)));
    this.world = new World({
      state,
      observer,
      judge,
      leases,
      queue,
      events,
      records,
      log,
      control,
      stepInterrupts: options.stepIrq ?? 'through',
      reporting: options.reporting ?? 'sequence',
    });
    this.deliveries = new Deliveries({
      state,
      instructions,
      log,
      takeAccepted: (vcpu) => this.world.takeAccepted(vcpu),
      onUnattributed: (delivery) =>
        this.internalError(
          'unattributed',
          delivery.vcpu,
          `vCPU ${delivery.vcpu}: vector ${delivery.vector} at ${hex(delivery.rip)} belongs to no rule of the ownership table.`,
        ),
    });
    this.port = {
      splitAt: (linear) => overlays.isSplit(linear) || leases.isSplit(linear),
      splitCount: () => overlays.splitCount + leases.splits().length,
      onObserved: (vcpu, causes) => (this.errors.pending ? 'stop' : this.world.observed(vcpu, causes)),
      onDelivery: (delivery) => this.deliveries.delivered(delivery),
      onStartup: (vcpu) => this.programming.load(vcpu),
      onLog: (code, vcpu, a, b) => options.onLog?.(code, vcpu, a, b),
    };
    this.connect();
  }
  private connect(): void {
    if (this.attached) return;
    this.attached = true;
    this.machine.observer = this.port;
    this.programming.observeVectors(true);
  }

  // ---- breakpoints and slots ---------------------------------------------------------------------------------------------------
  capabilities(): ReturnType<Api.GuestDebugApi['capabilities']> {
    return { control: P.CONTROL_SUPPORTED, slots: P.SLOT_COUNT, lengths: P.SLOT_LENGTHS, policies: [this.policy] };
  }
  set(request: Api.BreakpointRequest): Api.SetResult {
    if (!this.attached) return { verified: false, message: 'The debugger is detached from this machine.' };
    const result = this.breakpoints.add(request);
    if (!result.verified) return result;
    this.placeChanged(request);
    return result;
  }
  remove(id: number): void {
    const gone = this.breakpoints.remove(id);
    if (gone !== undefined) this.placeChanged(gone.request);
  }
  setEnabled(id: number, enabled: boolean): void {
    const changed = this.breakpoints.setEnabled(id, enabled);
    if (changed !== undefined) this.placeChanged(changed.request);
  }
  private placeChanged(request: Api.BreakpointRequest): void {
    if (request.kind === 'overlay') this.programming.splits(this.machine.engine.current, [request.linear]);
    else this.changed();
  }
  private changed(vcpus?: readonly number[]): void {
    this.programming.banks(vcpus);
    const wrong = this.hostSlots.violation((id) => this.breakpoints.get(id) !== undefined);
    if (wrong !== undefined) this.internalError('slotAccounting', vcpus?.[0] ?? 0, wrong);
  }
  /** Hits and dropped queued events of one breakpoint; undefined: it does not exist. */
  counts(id: number): { readonly hits: number; readonly discarded: number } | undefined {
    const found = this.breakpoints.get(id);
    return found === undefined ? undefined : { hits: found.hits, discarded: found.discarded };
  }
  /** Queued events that were dropped because nothing wanted them any more (4.3). */
  get discardedEvents(): number {
    return this.queue.discarded;
  }
  /** Uses of the first-instruction hold; 0 with a frozen clock (4.6). */
  get holdsApplied(): number {
    return this.state.holdsApplied();
  }
  setCatch(filters: { readonly bp: 'off' | 'exception' | 'both'; readonly db: boolean }): void {
    this.control.setManagerCatch(filters);
    this.programming.banks();
  }
  slots(vcpu: number): readonly Api.SlotRow[] {
    this.checkVcpu(vcpu);
    const hits = (index: number): number => this.deliveries.guestHits(vcpu, index);
    return [...guestRows(this.state, vcpu, hits), ...this.hostSlots.rows(vcpu)];
  }

  // ---- the raw control call ------------------------------------------------------------------------------------------------------
  get controlMessage(): string {
    return this.control.message;
  }
  setGuestDebug(vcpu: number, request: ControlRequest): ControlCode {
    return this.control.set(vcpu, request);
  }
  private injectBreakpoint(vcpu: number, length: number): void {
    const { engine } = this.machine;
    const before = engine.current;
    engine.select(vcpu);
    this.deliveries.expectInjected(vcpu, 3);
    engine.injectBreakpoint(length);
    engine.select(before);
  }
  private injectDebug(vcpu: number, causes: bigint): void {
    this.deliveries.expectInjected(vcpu, 1);
    this.observer.injectDebug(vcpu, Number(causes));
  }

  // ---- what is going on ----------------------------------------------------------------------------------------------------------
  get stopped(): boolean {
    return this.world.stopped;
  }
  get reporter(): Api.StopRecord | undefined {
    return this.world.reporter;
  }
  get internalErrorReport(): InternalError | undefined {
    return this.errors.last;
  }
  vcpus(): readonly Api.VcpuStatus[] {
    return Array.from({ length: this.state.count }, (_, vcpu) => this.status(vcpu));
  }
  private status(vcpu: number): Api.VcpuStatus {
    const { state, world } = this;
    const record = world.eventOf(vcpu);
    const runState = world.stateOf(vcpu, this.pauseAsked);
    const activity = state.activity(vcpu);
    const plain = activity === 'halted' || activity === 'shutdown' ? activity : runState;
    const pc = state.pc(vcpu);
    const lastTrap = this.log.lastOf(vcpu);
    return {
      vcpu,
      state: runState,
      activity,
      badge: record === undefined ? plain : badgeOf(record),
      sentence: record?.sentence ?? `vCPU ${vcpu} is ${plain} at ${hex(pc)}.`,
      ...(record === undefined ? {} : { record }),
      pc,
      cpl: state.cpl(vcpu),
      mode: state.mode(vcpu),
      ...(lastTrap === undefined ? {} : { lastTrap }),
    };
  }
  ledger(from: number, count: number): readonly Api.LedgerEntry[] {
    return this.trapLedger.read(from, count);
  }
  get ledgerSize(): number {
    return this.trapLedger.size;
  }
  get onLedger(): ((entry: Api.LedgerEntry) => void) | undefined {
    return this.trapLedger.onEntry;
  }
  set onLedger(listener: ((entry: Api.LedgerEntry) => void) | undefined) {
    this.trapLedger.onEntry = listener;
  }

  // ---- running and stopping --------------------------------------------------------------------------------------------------------
  attach(): Api.StopRecord {
    this.connect();
    const { turn } = this.machine;
    if (this.world.reporter === undefined) {
      this.world.stopNow(turn, () => this.events.plain({ vcpu: turn, kind: 'entry' }), false);
    }
    const { reporter } = this.world;
    if (reporter === undefined) throw new Error('internal error: a stop without a reporter');
    return reporter;
  }
  pause(): void {
    if (!this.world.stopped) this.pauseAsked = true;
  }
  resume(how: Api.Resume): Api.SliceResult {
    if (how.kind !== 'continue') this.checkVcpu(how.vcpu);
    if (this.ended !== undefined) return this.ended;
    // A step of a machine that never ran begins at its first instruction, which nobody had to report.
    if (how.kind !== 'continue' && !this.started) this.attach();
    this.pauseAsked = false;
    if (this.world.reporter?.kind === 'shutdown') return this.end('reset', TRIPLE_FAULT_STATUS, this.shutdownText);
    return this.world.resume(how);
  }
  runSlice(ticks: Ticks, how: { readonly idleJumps?: boolean } = {}): Api.SliceResult {
    if (this.ended !== undefined) return this.ended;
    this.started = true;
    const { reporter, stopped, alone } = this.world;
    if (reporter !== undefined) return { kind: 'stopped', reporter };
    if (stopped) return { kind: 'idle' };
    if (this.pauseAsked) return this.stopFor('pause');
    const patience = this.leases.patience();
    const most = patience !== undefined && patience < BigInt(ticks) ? Math.max(1, Number(patience)) : ticks;
    const stop = this.machine.run(most, alone === undefined ? how : { ...how, only: alone });
    return this.outcome(stop);
  }
  private outcome(stop: MachineStop): Api.SliceResult {
    switch (stop.kind) {
      case 'spent':
        return this.afterSlice();
      case 'idle':
        return this.world.alone === undefined ? { kind: 'idle' } : this.stopFor('halted', this.world.alone);
      case 'observed':
        return this.observed(stop.vcpu);
      case 'exit':
        return this.end('exit', stop.status, `The guest wrote ${stop.value} to isa-debug-exit: status ${stop.status}.`);
      case 'powerOff':
        return this.end('powerOff', 0, 'The guest powered the machine off.');
      case 'reset':
        return this.end('reset', 0, `The guest reset the machine through ${stop.source}.`);
      case 'shutdown': {
        const chain = stop.chain.map(({ vector, rip }) => `${vectorName(vector)} at ${hex(rip)}`).join(', ');
        this.shutdownText = `vCPU ${stop.vcpu} shut down by a triple fault at ${hex(stop.rip)}; vectors: ${chain}.`;
        return this.stopFor('shutdown', stop.vcpu, this.shutdownText);
      }
    }
  }
  private observed(vcpu: number): Api.SliceResult {
    const error = this.errors.take();
    if (error !== undefined) return this.stopFor('internalError', error.vcpu, error.message);
    const found = this.world.takeFound();
    if (found !== undefined) return this.world.stop(found);
    const message = `vCPU ${vcpu} stopped, but nothing says why.`;
    this.errors.raise('stopWithoutEvent', vcpu, message);
    this.errors.take();
    return this.stopFor('internalError', vcpu, message);
  }
  private afterSlice(): Api.SliceResult {
    const overdue = this.leases.takeOverdue();
    if (overdue !== undefined) {
      const { vcpu, handler } = overdue;
      const sentence = `vCPU ${vcpu}: the handler of vector ${handler.vector} has not returned to the stepped instruction; the step ends here.`;
      const event = this.events.plain({ vcpu, kind: 'step', delivery: handler, sentence });
      return this.world.stop(event);
    }
    const lost = this.leases.lost();
    if (lost !== undefined) {
      this.leases.cancel(lost);
      this.internalError('lostLease', lost, `vCPU ${lost}: a step saw no boundary for ${P.LEASE_LIMIT} instructions.`);
    }
    return { kind: 'running' };
  }
  private stopFor(
    kind: 'pause' | 'halted' | 'shutdown' | 'internalError',
    vcpu: number = this.machine.turn,
    sentence?: string,
  ): Api.SliceResult {
    this.pauseAsked = false;
    const description = { vcpu, kind, ...(sentence === undefined ? {} : { sentence }) };
    return this.world.stopNow(vcpu, () => this.events.plain(description), kind === 'pause');
  }
  private internalError(code: InternalErrorCode, vcpu: number, message: string): void {
    if (this.errors.raise(code, vcpu, message)) this.observer.stopAtNextBoundary(vcpu);
  }
  private end(reason: 'exit' | 'powerOff' | 'reset', status: number, text: string): Api.SliceResult {
    this.ended = { kind: 'ended', reason, status, text };
    return this.ended;
  }

  // ---- leaving -----------------------------------------------------------------------------------------------------------------
  detach(suspend: boolean): void {
    if (!this.attached) return;
    this.attached = false;
    this.pauseAsked = false;
    this.world.clear(suspend);
    this.control.clear();
    for (let vcpu = 0; vcpu < this.state.count; vcpu++) {
      this.hostSlots.releaseRaw(vcpu);
      this.observer.setBlockInterrupts(vcpu, false);
    }
    const addresses = [...this.overlays.addresses()];
    for (const id of [...this.breakpoints.ids()]) this.breakpoints.remove(id);
    this.programming.banks();
    this.programming.splits(this.machine.engine.current, addresses);
    this.programming.observeVectors(false);
    for (let vcpu = 0; vcpu < this.state.count; vcpu++) this.observer.forget(vcpu);
    this.machine.observer = undefined;
  }

  private read64(vcpu: number, linear: bigint): bigint | undefined {
    const bytes = this.machine.readLinear(vcpu, linear, 8);
    if (bytes.length < 8) return undefined;
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  }
  private checkVcpu(vcpu: number): void {
    if (Number.isInteger(vcpu) && vcpu >= 0 && vcpu < this.state.count) return;
    throw new GuestDebugError('noSuchVcpu', `vCPU ${vcpu} does not exist: the machine has ${this.state.count}.`);
  }
}
