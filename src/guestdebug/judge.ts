// What a boundary's host causes mean: which breakpoints they belong to, and what those breakpoints' filters say. Runs
// inside the machine: no await, no executing of guest code.
import * as V from '../core/state-values.ts';
import type { Cause, Undecided } from './api.ts';
import { isMachinery } from './api.ts';
import type { Hit } from './hits.ts';
import type { Parts } from './parts.ts';
import { SLOT_COUNT } from './policy.ts';
import type { Answer } from './register.ts';

export interface Verdict {
  /** Causes that stop; empty: nothing stops. */
  readonly causes: readonly Cause[];
  /** Causes whose filter said continue: they go to the ledger. */
  readonly passed: readonly Cause[];
  /** Linear address of the instruction that made the access. */
  readonly causePc?: bigint;
}
type JudgeParts = Pick<
  Parts,
  'state' | 'observer' | 'overlays' | 'slots' | 'register' | 'controlWords' | 'hits' | 'visits'
>;
/** What each breakpoint said to this boundary: none is asked twice. */
type Asked = Map<number, Answer>;
const NOTHING: Verdict = { causes: [], passed: [] };

export class Judge {
  private readonly parts: JudgeParts;
  constructor(parts: JudgeParts) {
    this.parts = parts;
  }

  /** Enabled execution breakpoints where a vCPU stands, filters not asked. */
  private matches(vcpu: number): {
    overlays: readonly number[];
    slot: { index: number; ids: readonly number[] } | undefined;
  } {
    const { state, overlays, slots, controlWords } = this.parts;
    const pc = state.pc(vcpu);
    return {
      overlays: controlWords.overlaysStop(vcpu) ? overlays.matching(vcpu, pc, state.cr3(vcpu)) : [],
      slot: slots.executeAt(vcpu, pc),
    };
  }
  /** Whether a vCPU stands on an enabled execution breakpoint of its own. */
  stands(vcpu: number): boolean {
    const { overlays, slot } = this.matches(vcpu);
    return overlays.length > 0 || slot !== undefined;
  }
  /** Line 9: a new visit of an execution breakpoint. Counts hits and asks filters. */
  execution(vcpu: number): Verdict {
    const { state, slots, visits } = this.parts;
    const { overlays, slot } = this.matches(vcpu);
    const causes: Cause[] = [];
    const passed: Cause[] = [];
    const asked: Asked = new Map();
    if (overlays.length > 0)
      this.split(vcpu, { cause: 'bp', owner: 'host', ownerIds: overlays }, asked, causes, passed);
    if (slot !== undefined) {
      slots.countHit(vcpu, slot.index);
      this.split(vcpu, { cause: 'hwx', owner: 'host', ownerIds: slot.ids, slot: slot.index }, asked, causes, passed);
    }
    visits.arrived(vcpu, state.pc(vcpu), asked.keys());
    return { causes, passed };
  }
  /**
   * Asks the execution breakpoints that were not asked since a vCPU came to where it stands. Answers all that
   * would have stopped it, now or when they were asked late before.
   */
  late(vcpu: number, who: 'users' | 'all'): readonly number[] {
    const { state, register, visits } = this.parts;
    const pc = state.pc(vcpu);
    const { overlays, slot } = this.matches(vcpu);
    for (const id of new Set([...overlays, ...(slot?.ids ?? [])])) {
      if (visits.wasAsked(vcpu, pc, id) || (who === 'users' && isMachinery(id))) continue;
      const { verdict, reason } = register.ask(id, { vcpu, linear: pc });
      const stops = reason === undefined ? { id } : { id, reason };
      visits.late(vcpu, pc, id, verdict === 'stop' ? stops : undefined);
    }
    return visits.lateStops(vcpu, pc).map(({ id }) => id);
  }
  /** Line 5: the accesses of the instruction that just retired. */
  data(vcpu: number): Verdict {
    const { observer, hits } = this.parts;
    const pending = observer.pendingHost(vcpu) & ((1 << SLOT_COUNT) - 1);
    if (pending === 0) return NOTHING;
    const committed = hits.committed(vcpu);
    const causes: Cause[] = [];
    const passed: Cause[] = [];
    const asked: Asked = new Map();
    for (let index = 0; index < SLOT_COUNT; index++) {
      if ((pending & (1 << index)) === 0) continue;
      const here = committed.filter((hit) => (hit.hostSlots & (1 << index)) !== 0);
      this.slotHit(vcpu, index, here, asked, causes, passed);
    }
    const first = committed[0];
    return first === undefined ? { causes, passed } : { causes, passed, causePc: first.causePc };
  }
  private slotHit(
    vcpu: number,
    index: number,
    hits: readonly Hit[],
    asked: Asked,
    causes: Cause[],
    passed: Cause[],
  ): void {
    const { slots } = this.parts;
    const name = hits.some((hit) => hit.access.kind === 'ioR' || hit.access.kind === 'ioW') ? 'io' : 'watch';
    const base = { cause: name, owner: 'host', slot: index } as const;
    if (!slots.inUse(vcpu, index)) return; // its breakpoint was removed between the access and this boundary
    if (slots.isRaw(vcpu, index) || hits.length === 0) {
      // Nothing to filter by: never miss (P1).
      const [hit] = hits;
      slots.countHit(vcpu, index);
      causes.push({
        ...base,
        ownerIds: slots.sharers(vcpu, index),
        ...(hit === undefined ? {} : { access: hit.access }),
      });
      return;
    }
    const seen = new Set<number>();
    for (const hit of hits) {
      const { linear, size } = hit.access;
      const covering = slots.covering(vcpu, index, { linear, size, reads: hit.reads, writes: hit.writes });
      const ids = covering.filter((id) => !seen.has(id));
      ids.forEach((id) => seen.add(id));
      if (ids.length > 0) this.split(vcpu, { ...base, ownerIds: ids, access: hit.access }, asked, causes, passed);
    }
    if (seen.size > 0) slots.countHit(vcpu, index);
    else slots.countFiltered(vcpu, index);
  }
  /**
   * Asks the filter of each owner and divides the cause between those that stop and those that do not. One instruction
   * is one hit, however many pieces its access came in and however many slots it touched.
   */
  private split(vcpu: number, cause: Cause, asked: Asked, causes: Cause[], passed: Cause[]): void {
    const stop: number[] = [];
    const go: number[] = [];
    const undecided: Undecided[] = [];
    const { register, state } = this.parts;
    const { access } = cause;
    const hit = { vcpu, linear: access?.linear ?? state.pc(vcpu), ...(access === undefined ? {} : { access }) };
    for (const id of cause.ownerIds) {
      if (register.get(id) === undefined) continue;
      const answer = asked.get(id) ?? register.ask(id, hit);
      asked.set(id, answer);
      (answer.verdict === 'stop' ? stop : go).push(id);
      if (answer.reason !== undefined) undecided.push({ id, reason: answer.reason });
    }
    const raw = cause.ownerIds.length === 0;
    const more = undecided.length === 0 ? {} : { undecided };
    if (stop.length > 0 || raw) causes.push({ ...cause, ownerIds: stop, ...more });
    if (go.length > 0) passed.push({ ...cause, ownerIds: go });
  }
  /** Whether line 9 is among the causes. */
  static atBreakpoint(causes: number): boolean {
    return (causes & (V.OBSERVED_BREAKPOINT | V.OBSERVED_SLOT_X)) !== 0;
  }
}
