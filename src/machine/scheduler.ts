// Round robin by an instruction quantum. Whose turn it is and what is left of the quantum are guest state; the length of
// a host slice only cuts runs into pieces and leaves no trace.
import type { Ticks } from './api.ts';
import type { StateReader, StateWriter } from './state-stream.ts';
import type { VirtualClock } from './virtual-clock.ts';

export type RunCode = 'spent' | 'halted' | 'shutdown' | 'observed' | 'stop';

/** The vCPUs as the scheduler needs them. */
export interface Processors {
  readonly count: number;
  /** Runs a vCPU for at most `ticks` (> 0); `end` is the virtual time at which they would be used up. */
  run(vcpu: number, ticks: Ticks, end: bigint): RunResult;
}
export interface RunResult {
  readonly code: RunCode;
  readonly used: Ticks;
  /** The last instruction gave up the rest of the quantum (PAUSE). */
  readonly yields?: boolean;
}

export type ScheduleStop =
  | { readonly kind: 'spent' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'observed'; readonly vcpu: number }
  | { readonly kind: 'shutdown'; readonly vcpu: number };

export interface ScheduleLimits {
  readonly ticks: Ticks;
  readonly only?: number | undefined;
  readonly idleJumps: boolean;
  /** Asked whenever a vCPU came back: true ends the schedule with 'interrupted'. */
  readonly interrupted: () => boolean;
  /** A vCPU came back because of the observer: true goes on. */
  readonly resumeObserved: (vcpu: number) => boolean;
}

/** Idle jumps of one call: a guest that only lets timers expire must not hold the host's thread. */
const MAXIMUM_JUMPS = 4096;
/** Runs in a row that may come back without a tick used before it is an error of the engine. */
const MAXIMUM_FRUITLESS = 10_000;

export class Scheduler {
  private readonly processors: Processors;
  private readonly clock: VirtualClock;
  private readonly quantum: Ticks;
  // guest state
  private current = 0;
  private quantumLeft: Ticks;
  private quantumNumber = 0n;
  private total = 0n;
  /** Derived: vCPUs that evaluated their boundary and found nothing to do. Forgetting it costs a try, no more. */
  private readonly parked: boolean[];
  private readonly dead: boolean[];

  constructor(processors: Processors, clock: VirtualClock, quantum: Ticks) {
    this.processors = processors;
    this.clock = clock;
    this.quantum = quantum;
    this.quantumLeft = quantum;
    this.parked = Array.from({ length: processors.count }, () => false);
    this.dead = Array.from({ length: processors.count }, () => false);
  }

  /** Ticks of all vCPUs since power-on. */
  get ticks(): bigint {
    return this.total;
  }
  /** The vCPU that the schedule would run next, as far as known. */
  get turn(): number {
    return this.candidate() ?? this.current;
  }
  /** Something changed for a vCPU (an event, an activity): it has to look again. */
  wake(vcpu: number): void {
    this.parked[vcpu] = false;
  }

  run(limits: ScheduleLimits): ScheduleStop {
    let { ticks: left } = limits;
    this.parked.fill(false); // the debugger may have changed anything since
    let jumps = 0;
    let fruitless = 0;
    for (;;) {
      this.clock.fireDue();
      this.normalise();
      if (limits.interrupted()) return { kind: 'interrupted' };
      const vcpu = limits.only === undefined ? this.candidate() : this.parked[limits.only] ? undefined : limits.only;
      if (vcpu === undefined) {
        const { next } = this.clock;
        if (next === undefined || !limits.idleJumps) return { kind: 'idle' };
        if (jumps++ === MAXIMUM_JUMPS) return { kind: 'spent' };
        this.clock.skipTo(next);
        continue;
      }
      if (left <= 0) return { kind: 'spent' };
      const { code, used } = this.runOne(vcpu, left, limits.only !== undefined);
      left -= used;
      fruitless = used > 0 ? 0 : fruitless + 1;
      if (fruitless > MAXIMUM_FRUITLESS) throw new Error(`internal error: vCPU ${vcpu} does not get on (${code})`);
      if (used > 0) this.dead[vcpu] = false; // an INIT revives even that
      if (code === 'halted') this.parked[vcpu] = true;
      if (code === 'shutdown') {
        this.parked[vcpu] = true;
        if (!this.dead[vcpu]) {
          this.dead[vcpu] = true;
          this.normalise();
          return { kind: 'shutdown', vcpu };
        }
      }
      if (code === 'observed' && !limits.resumeObserved(vcpu)) {
        this.normalise();
        return { kind: 'observed', vcpu };
      }
    }
  }

  private runOne(vcpu: number, left: Ticks, alone: boolean): RunResult {
    const { now, next } = this.clock;
    const quantumLeft = vcpu === this.current ? this.quantumLeft : this.quantum;
    let budget = alone ? left : Math.min(left, quantumLeft);
    if (next !== undefined && next - now < BigInt(budget)) budget = Number(next - now);
    const end = now + BigInt(budget);
    this.clock.enterRun(end);
    let result: RunResult = { code: 'stop', used: 0 };
    try {
      result = this.processors.run(vcpu, budget, end);
    } finally {
      this.clock.leaveRun(result.used);
    }
    const { used, yields = false } = result;
    this.total += BigInt(used);
    // A try that used no tick leaves no trace, so that forgetting who is parked is invisible.
    if (!alone && used > 0) {
      if (vcpu !== this.current) this.quantumNumber++;
      this.current = vcpu;
      this.quantumLeft = yields ? 0 : quantumLeft - used;
    }
    return result;
  }
  /** Passes the turn on when the quantum is used up, or begun and its vCPU sleeps. */
  private normalise(): void {
    if (this.quantumLeft > 0 && !(this.quantumLeft < this.quantum && this.parked[this.current])) return;
    this.current = (this.current + 1) % this.processors.count;
    this.quantumLeft = this.quantum;
    this.quantumNumber++;
  }
  private candidate(): number | undefined {
    for (let i = 0; i < this.processors.count; i++) {
      const vcpu = (this.current + i) % this.processors.count;
      if (!this.parked[vcpu]) return vcpu;
    }
    return undefined;
  }

  save(writer: StateWriter): void {
    writer.u32(this.current);
    writer.u32(this.quantumLeft);
    writer.u64(this.quantumNumber);
    writer.u64(this.total);
  }
  restore(reader: StateReader): void {
    this.current = reader.u32() % this.processors.count;
    this.quantumLeft = Math.min(reader.u32(), this.quantum);
    this.quantumNumber = reader.u64();
    this.total = reader.u64();
    this.parked.fill(false);
    this.dead.fill(false);
  }
}
