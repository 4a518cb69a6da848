// Virtual time: one monotone clock at 1 GHz = ticks of all vCPUs + what idle time skipped. It also keeps the deadlines
// of all devices. Nothing here knows the wall clock.
import type { Timer, Timers } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

const NEVER = 1n << 63n;

class Deadline implements Timer {
  readonly name: string;
  readonly fire: () => void;
  at: bigint | undefined;
  private readonly changed: (timer: Deadline) => void;

  constructor(name: string, fire: () => void, changed: (timer: Deadline) => void) {
    this.name = name;
    this.fire = fire;
    this.changed = changed;
  }
  get deadline(): bigint | undefined {
    return this.at;
  }
  arm(deadline: bigint): void {
    this.at = deadline >= NEVER ? undefined : deadline;
    this.changed(this);
  }
  cancel(): void {
    if (this.at === undefined) return;
    this.at = undefined;
    this.changed(this);
  }
}

export class VirtualClock implements Timers {
  private readonly timers: Deadline[] = [];
  private time = 0n;
  /** While a vCPU runs: when its run ends, and how many ticks it still has. */
  private runEnd: bigint | undefined;
  private readonly ticksLeft: () => number;
  private earliest: bigint | undefined;
  private stale = false;
  /** Told when a timer was armed inside a run that would outlast it: the run has to end after this instruction. */
  onEarlier: () => void = () => undefined;

  /** @param ticksLeft ticks that the running vCPU has left in its run; only asked between enterRun() and leaveRun(). */
  constructor(ticksLeft: () => number) {
    this.ticksLeft = ticksLeft;
  }

  get now(): bigint {
    return this.runEnd === undefined ? this.time : this.runEnd - BigInt(this.ticksLeft());
  }
  create(name: string, fire: () => void): Timer {
    const timer = new Deadline(name, fire, (changed) => {
      // At the earliest with the next tick, or a timer could fire twice in one instant and for ever.
      if (changed.at !== undefined && changed.at <= this.now) changed.at = this.now + 1n;
      this.stale = true;
      if (this.runEnd !== undefined && changed.at !== undefined && changed.at < this.runEnd) this.onEarlier();
    });
    this.timers.push(timer);
    return timer;
  }

  /** The next deadline of any timer. */
  get next(): bigint | undefined {
    if (this.stale) {
      this.stale = false;
      this.earliest = undefined;
      for (const { at } of this.timers) {
        if (at !== undefined && (this.earliest === undefined || at < this.earliest)) this.earliest = at;
      }
    }
    return this.earliest;
  }
  /** A vCPU is about to run until `end` at the latest. */
  enterRun(end: bigint): void {
    this.runEnd = end;
  }
  /** It came back after `used` ticks. */
  leaveRun(used: number): void {
    this.runEnd = undefined;
    this.time += BigInt(used);
  }
  /** Fires what is due, earliest first, ties by order of creation. Each timer fires at most once a call. */
  fireDue(): void {
    const { next } = this;
    if (next === undefined || next > this.time) return;
    const due = this.timers.filter(({ at }) => at !== undefined && at <= this.time);
    due.sort((a, b) => Number((a.at ?? 0n) - (b.at ?? 0n))); // stable: keeps the order of creation
    for (const timer of due) {
      if (timer.at === undefined || timer.at > this.time) continue; // an earlier one changed it
      timer.at = undefined;
      this.stale = true;
      timer.fire();
    }
  }
  /** Idle time: skips to `time`, but not past a deadline, and never back. */
  skipTo(time: bigint): void {
    const { next } = this;
    const target = next !== undefined && next < time ? next : time;
    if (target > this.time) this.time = target;
  }

  save(writer: StateWriter): void {
    writer.u64(this.time);
    writer.u32(this.timers.length);
    for (const timer of this.timers) {
      writer.text(timer.name);
      writer.optional64(timer.at);
    }
  }
  restore(reader: StateReader): void {
    this.time = reader.u64();
    const count = reader.u32();
    for (let i = 0; i < count; i++) {
      const timer = this.timers[i];
      reader.expect(timer?.name ?? '(none)', 'a timer');
      const at = reader.optional64();
      if (timer !== undefined) timer.at = at;
    }
    this.stale = true;
  }
}
