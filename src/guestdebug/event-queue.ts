// Stop events: the one that is reported, and those that wait (guest-debug-spec 4.3): reported exactly once, or discarded
// when the breakpoint that made them is gone.
import type { StopRecord } from './api.ts';
import type { Parts } from './parts.ts';

/** Which line of the boundary table acted, or what else stopped the vCPU. */
export type EventSource = 'trap' | 'breakpoint' | 'caught' | 'generalDetect' | 'other';
export interface StopEvent {
  readonly record: StopRecord;
  readonly source: EventSource;
  /** The engine itself came back at this boundary (the vCPU whose turn it was); false: its boundary was only looked at. */
  readonly natural: boolean;
}
export const ownersOf = (record: StopRecord): readonly number[] => [
  ...new Set(record.causes.flatMap((cause) => cause.ownerIds)),
];

export class EventQueue {
  /** Events dropped so far because nothing wanted them any more. */
  discarded = 0;
  private waiting: StopEvent[] = [];
  private readonly parts: Pick<Parts, 'state' | 'register'>;
  constructor(parts: Pick<Parts, 'state' | 'register'>) {
    this.parts = parts;
  }
  add(event: StopEvent): void {
    this.waiting.push(event);
    this.waiting.sort((a, b) => a.record.sequence - b.record.sequence || a.record.vcpu - b.record.vcpu);
  }
  of(vcpu: number): StopEvent | undefined {
    return this.waiting.find((event) => event.record.vcpu === vcpu);
  }
  get size(): number {
    return this.waiting.length;
  }
  summary(): StopRecord['alsoPending'] {
    return this.waiting.map(({ record }) => ({ vcpu: record.vcpu, kind: record.kind, ownerIds: ownersOf(record) }));
  }
  /** The next event that still holds; those in front of it that do not are discarded, and told. */
  next(onDiscard: (event: StopEvent) => void): StopEvent | undefined {
    for (;;) {
      const event = this.waiting.shift();
      if (event === undefined || this.isValid(event)) return event;
      this.discarded++;
      for (const id of ownersOf(event.record)) this.parts.register.countDiscarded(id);
      onDiscard(event);
    }
  }
  /** Takes all, valid or not, without discarding: a coalesced acknowledgement or detach. */
  takeAll(): readonly StopEvent[] {
    const all = this.waiting;
    this.waiting = [];
    return all;
  }
  private isValid({ record, source }: StopEvent): boolean {
    if (source === 'breakpoint' && this.parts.state.pc(record.vcpu) !== record.pc) return false;
    const owners = ownersOf(record);
    // A step, a pause or a caught guest event has no owner that could go away.
    if (owners.length === 0) return true;
    if (record.causes.some((cause) => cause.cause === 'step' || cause.cause === 'branchStep')) return true;
    return owners.some((id) => this.parts.register.wants(id, record.vcpu));
  }
}
