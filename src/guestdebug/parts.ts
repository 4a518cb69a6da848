// The parts of the guest-debug layer, and who knows whom. Read from top to bottom: a part is made of parts above it, and no
// arrow goes back up.
//
//   what is read and written    state (a vCPU), observer (its second debug state), instructions
//   what was asked for          register (breakpoints) -> overlays, slots; controlWords (the raw call's switches)
//   what is written down        log -> ledger; errors
//   what the engine is told     programming (banks, splits), leases (steps)
//   what a boundary means       judge (whose hit, what filters say) -> events (a stop or not) -> records (what is told)
//   what then happens           queue -> world (who stops, reports, goes on); deliveries (what the guest gets); control
import type { CoverPolicy, StepInterrupts } from './api.ts';
import { BankProgramming } from './bank-programming.ts';
import { BoundaryEvents } from './boundary-events.ts';
import { Control } from './control.ts';
import { ControlWords } from './control-words.ts';
import { Deliveries } from './deliveries.ts';
import { EventQueue } from './event-queue.ts';
import { CommittedHits } from './hits.ts';
import { EngineInstructionReader } from './instruction-reader.ts';
import { InternalErrors } from './internal-error.ts';
import { Judge } from './judge.ts';
import { LastDelivery } from './last-delivery.ts';
import { Ledger } from './ledger.ts';
import { ObserverState } from './observer-state.ts';
import type { DebugMachine, GuestDebugOptions } from './options.ts';
import { OverlayTable } from './overlay-table.ts';
import { BreakpointRegister } from './register.ts';
import { SlotPlaces } from './slot-places.ts';
import { HostSlots } from './slots.ts';
import { World } from './state-machine.ts';
import { Leases } from './stepping.ts';
import { StopRecords } from './stop-record.ts';
import { TrapLog } from './trap-log.ts';
import { VcpuState } from './vcpu-state.ts';
import { Visits } from './visits.ts';

export interface Settings {
  readonly coverPolicy: CoverPolicy;
  readonly stepInterrupts: StepInterrupts;
  /** `sequence`: one stop per event (default). `coalesce`: one stop for all, acknowledged together (4.3). */
  readonly reporting: 'sequence' | 'coalesce';
}

/** Every part by its name; a part takes from here what it needs, and its constructor says what that is. */
export interface Parts {
  readonly machine: DebugMachine;
  readonly settings: Settings;
  readonly state: VcpuState;
  readonly observer: ObserverState;
  readonly instructions: EngineInstructionReader;
  readonly hits: CommittedHits;
  readonly overlays: OverlayTable;
  readonly slots: HostSlots;
  readonly register: BreakpointRegister;
  readonly controlWords: ControlWords;
  readonly ledger: Ledger;
  readonly log: TrapLog;
  readonly errors: InternalErrors;
  readonly programming: BankProgramming;
  readonly leases: Leases;
  readonly visits: Visits;
  readonly judge: Judge;
  readonly records: StopRecords;
  readonly events: BoundaryEvents;
  readonly queue: EventQueue;
  readonly world: World;
  readonly deliveries: Deliveries;
  readonly control: Control;
}

/** Makes all parts over a machine. Touches nothing of it yet. */
export function assemble(machine: DebugMachine, options: GuestDebugOptions): Parts {
  const { engine } = machine;
  const { coverPolicy = 'windows', stepIrq: stepInterrupts = 'through', reporting = 'sequence' } = options;
  const settings: Settings = { coverPolicy, stepInterrupts, reporting };

  const state = new VcpuState(engine);
  const observer = new ObserverState(engine, state);
  const instructions = new EngineInstructionReader(engine, machine);
  const hits = new CommittedHits(engine);

  const overlays = new OverlayTable();
  const slots = new HostSlots(state.count);
  const register = new BreakpointRegister(state.count, {
    overlay: overlays,
    hardware: new SlotPlaces(slots, coverPolicy),
  });
  const controlWords = new ControlWords(state.count);

  const ledger = new Ledger(options.ledgerCapacity);
  const log = new TrapLog({ ledger, state, machine, register });
  const errors = new InternalErrors({ state, observer, slots, instructions, ledger });

  const programming = new BankProgramming({ state, observer, overlays, slots, register, controlWords, errors });
  const leases = new Leases({ state, observer, machine, programming });

  const visits = new Visits();
  const judge = new Judge({ state, observer, overlays, slots, register, controlWords, hits, visits });
  const records = new StopRecords(state, instructions, new LastDelivery(engine, state, machine));
  const events = new BoundaryEvents({ machine, state, observer, judge, leases, visits, records, log, instructions });

  const queue = new EventQueue({ state, register });
  const world = new World({
    settings,
    state,
    observer,
    judge,
    leases,
    visits,
    queue,
    events,
    records,
    log,
    controlWords,
  });
  const deliveries = new Deliveries({ state, observer, instructions, log, errors });
  const control = new Control({
    machine,
    state,
    observer,
    slots,
    controlWords,
    programming,
    leases,
    world,
    deliveries,
  });

  return {
    ...{ machine, settings, state, observer, instructions, hits, overlays, slots, register, controlWords },
    ...{ ledger, log, errors, programming, leases, visits, judge, records, events, queue, world, deliveries, control },
  };
}
