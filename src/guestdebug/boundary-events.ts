// From the causes that the boundary table reports to a stop event, or to nothing: filters said continue, a handler runs
// through, a hidden breakpoint did its work. Every outcome leaves its row in the ledger.
import * as V from '../core/state-values.ts';
import type { Cause } from './api.ts';
import type { EventSource, StopEvent } from './event-queue.ts';
import { trapInstruction } from './instruction-reader.ts';
import { Judge } from './judge.ts';
import type { Delivered } from './observer-state.ts';
import type { OwnershipRow } from './ownership.ts';
import { GUEST_ROWS, HOST_ROWS } from './ownership.ts';
import type { Parts } from './parts.ts';
import { DR6_GENERAL_DETECT, DR6_TASK_SWITCH } from './policy.ts';
import type { StopDescription } from './stop-record.ts';
import { guestCause } from './trap-log.ts';

type BoundaryParts = Pick<
  Parts,
  'machine' | 'state' | 'observer' | 'judge' | 'leases' | 'visits' | 'records' | 'log' | 'instructions'
>;
const hostCause = (row: OwnershipRow): Cause => ({ cause: row.cause, owner: row.owner, ownerIds: [] });
const NMI = 2;
const FIRST_INTERRUPT = 32;
/** RSP in the frame of an interrupt in long mode: RIP, CS, RFLAGS, RSP (SDM 3A 6.14.2). */
const FRAME_RSP = 24n;

export class BoundaryEvents {
  private readonly parts: BoundaryParts;
  constructor(parts: BoundaryParts) {
    this.parts = parts;
  }
  /** What OBSERVED_* causes mean for a vCPU at its boundary; undefined: the vCPU goes on. */
  decide(vcpu: number, causes: number, natural: boolean): StopEvent | undefined {
    if ((causes & V.OBSERVED_RESET) !== 0) return this.reset(vcpu, natural);
    if ((causes & V.OBSERVED_CAUGHT_BP) !== 0) return this.caughtBreakpoint(vcpu, natural);
    if ((causes & V.OBSERVED_CAUGHT_DB) !== 0) return this.caughtDebug(vcpu, natural);
    if ((causes & V.OBSERVED_GENERAL_DETECT) !== 0) {
      return this.host(vcpu, HOST_ROWS.generalDetect, [hostCause(HOST_ROWS.generalDetect)], 'generalDetect', natural);
    }
    if (Judge.atBreakpoint(causes)) return this.breakpoint(vcpu, natural);
    return this.traps(vcpu, causes, natural);
  }
  /** An event that is no debug trap: pause, entry, halted, shutdown, internal error, a step that gives up. */
  plain(stop: Omit<StopDescription, 'exception' | 'faultLike' | 'causes'>): StopEvent {
    const record = this.parts.records.make({ exception: 0, faultLike: false, causes: [], ...stop });
    return { record, source: 'other', natural: false };
  }

  private host(
    vcpu: number,
    row: OwnershipRow,
    causes: readonly Cause[],
    source: EventSource,
    natural: boolean,
    more: { causePc?: bigint; delivery?: Delivered | undefined } = {},
  ): StopEvent {
    const { kind, exception, faultLike } = row;
    const record = this.parts.records.make({ vcpu, kind, exception, faultLike, causes, ...more });
    return { record, source, natural };
  }
  /** Line 9. */
  private breakpoint(vcpu: number, natural: boolean): StopEvent | undefined {
    const { leases, observer, judge, log, visits } = this.parts;
    if (leases.resumed(vcpu)) {
      // The step began here; the user stands here already.
      observer.armToken(vcpu, false);
      return undefined;
    }
    if (observer.takeSurvivor(vcpu)) {
      observer.armToken(vcpu, false);
      return undefined;
    }
    const { causes, passed } = judge.execution(vcpu);
    log.host(vcpu, passed, 'continued');
    if (causes.length === 0) {
      visits.leave(vcpu);
      observer.armToken(vcpu, false);
      return undefined;
    }
    const row = causes.some((cause) => cause.cause === 'bp') ? HOST_ROWS.overlay : HOST_ROWS.slotExecute;
    return this.host(vcpu, row, causes, 'breakpoint', natural);
  }
  /** Lines 4 and 5, in one record. */
  private traps(vcpu: number, causes: number, natural: boolean): StopEvent | undefined {
    const { leases, judge, log, observer } = this.parts;
    const delivery = observer.delivered(vcpu);
    const data = (causes & V.OBSERVED_WATCH) === 0 ? undefined : judge.data(vcpu);
    const step =
      (causes & V.OBSERVED_STEP) === 0
        ? undefined
        : leases.completed(vcpu, (...event) => this.interruptedStack(...event));
    if (data !== undefined) log.host(vcpu, data.passed, 'continued');
    const all: Cause[] = [...(data?.causes ?? [])];
    const stepRow = step?.branch === true ? HOST_ROWS.branchStep : HOST_ROWS.step;
    if (step !== undefined) all.push(hostCause(stepRow));
    const [first] = all;
    if (first === undefined) return undefined;
    const row = first.cause === 'watch' ? HOST_ROWS.watch : first.cause === 'io' ? HOST_ROWS.io : stepRow;
    const causePc = data?.causePc ?? step?.startPc;
    return this.host(vcpu, row, all, 'trap', natural, { ...(causePc === undefined ? {} : { causePc }), delivery });
  }
  /** RSP to which the handler of an interrupt returns; undefined when the instruction itself raised the event. */
  private interruptedStack(vcpu: number, { vector, fromPc }: Delivered): bigint | undefined {
    const { state, instructions } = this.parts;
    if (vector < FIRST_INTERRUPT && vector !== NMI) return undefined;
    // Only 64-bit frames always hold the interrupted RSP; in other modes the step enters the handler.
    const long = state.mode(vcpu) === 'long';
    if (!long) return undefined;
    const instruction = trapInstruction(instructions.bytesAt(vcpu, fromPc), long);
    if (instruction.kind === 'interrupt' && instruction.vector === vector) return undefined;
    return this.read64(vcpu, state.rsp(vcpu) + FRAME_RSP);
  }
  private read64(vcpu: number, linear: bigint): bigint | undefined {
    const bytes = this.parts.machine.readLinear(vcpu, linear, 8);
    if (bytes.length < 8) return undefined;
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  }

  private caughtBreakpoint(vcpu: number, natural: boolean): StopEvent {
    const { state, instructions } = this.parts;
    const bytes = instructions.bytesAt(vcpu, state.pc(vcpu));
    const software = trapInstruction(bytes, state.mode(vcpu) === 'long').kind === 'interrupt';
    return this.guest(vcpu, software ? GUEST_ROWS.softwareInt3 : GUEST_ROWS.int3, 0, natural);
  }
  private caughtDebug(vcpu: number, natural: boolean): StopEvent {
    const causes = this.parts.observer.caughtCauses(vcpu);
    const has = (bits: bigint): boolean => (BigInt(causes) & bits) !== 0n;
    if (causes === 0) return this.guest(vcpu, GUEST_ROWS.icebp, causes, natural);
    if (has(DR6_GENERAL_DETECT)) return this.guest(vcpu, GUEST_ROWS.generalDetect, causes, natural);
    if (has(DR6_TASK_SWITCH)) return this.guest(vcpu, GUEST_ROWS.taskSwitch, causes, natural);
    return this.guest(vcpu, has(0x4000n) ? GUEST_ROWS.singleStep : GUEST_ROWS.slotData, causes, natural);
  }
  private guest(vcpu: number, row: OwnershipRow, causes: number, natural: boolean): StopEvent {
    const { records, log } = this.parts;
    // The filters stop in front of the instruction that raises the event (fault-like), or behind a trap's cause.
    const faultLike = row.faultLike || row === GUEST_ROWS.icebp;
    const record = records.make({
      vcpu,
      kind: row.kind,
      exception: row.exception,
      faultLike,
      causes: [hostCause(row)],
      ...(causes === 0 ? {} : { guestPending: causes }),
    });
    log.note({
      ...{ vcpu, vector: row.exception, owner: 'guest', disposition: 'stopped', rule: row.rule },
      causes: [guestCause(row.cause)],
    });
    return { record, source: 'caught', natural };
  }
  private reset(vcpu: number, natural: boolean): StopEvent {
    this.parts.leases.cancel(vcpu);
    const record = this.parts.records.make({ vcpu, kind: 'reset', exception: 0, faultLike: false, causes: [] });
    return { record, source: 'other', natural };
  }
}
