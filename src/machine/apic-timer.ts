// The timer of a local APIC: one-shot, periodic and TSC-deadline (SDM 3A 11.5.4). It counts at the bus clock of 1 GHz
// divided by the divide configuration, as QEMU's does, so one count is `divisor` ticks.
import { MINIMUM_PERIOD, type Timer, type Timers } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

const ONE_SHOT = 0;
const PERIODIC = 1;
const TSC_DEADLINE = 2;
const MASK_64 = (1n << 64n) - 1n;

export class ApicTimer {
  private readonly timers: Timers;
  private readonly tscOffset: () => bigint;
  private readonly expire: () => void;
  private readonly timer: Timer;
  private mode = ONE_SHOT;
  private initial = 0;
  private divide = 0;
  private start = 0n;
  private tscDeadline = 0n;

  constructor(name: string, timers: Timers, tscOffset: () => bigint, expire: () => void) {
    this.timers = timers;
    this.tscOffset = tscOffset;
    this.expire = expire;
    this.timer = timers.create(name, () => this.fire());
  }

  reset(): void {
    this.timer.cancel();
    this.mode = ONE_SHOT;
    this.initial = 0;
    this.divide = 0;
    this.start = 0n;
    this.tscDeadline = 0n;
  }
  /** Ticks a count: 1, 2, 4 .. 128 from bits 0, 1 and 3 of the divide configuration register. */
  private get divisor(): bigint {
    const code = (this.divide & 3) | ((this.divide & 8) >> 1);
    return code === 7 ? 1n : 2n << BigInt(code);
  }
  private get length(): bigint {
    return BigInt(this.initial) * this.divisor;
  }
  /** A period that is shorter than the minimum is stretched to it. */
  private get period(): bigint {
    return this.length < MINIMUM_PERIOD ? MINIMUM_PERIOD : this.length;
  }

  setMode(mode: number): void {
    if (mode === this.mode) return;
    const leaving = this.mode === TSC_DEADLINE || mode === TSC_DEADLINE;
    this.mode = mode;
    // Going to or from TSC-deadline mode disarms; between one-shot and periodic the count goes on (SDM 3A 11.5.4.1).
    if (leaving) {
      this.timer.cancel();
      this.initial = 0;
      this.tscDeadline = 0n;
    }
  }
  get divideConfiguration(): number {
    return this.divide;
  }
  set divideConfiguration(value: number) {
    const remaining = this.current;
    this.divide = value & 0xb;
    if (this.mode === TSC_DEADLINE || this.initial === 0 || remaining === 0) return;
    this.start = this.timers.now - BigInt(this.initial - remaining) * this.divisor;
    this.arm();
  }
  get initialCount(): number {
    return this.initial;
  }
  set initialCount(value: number) {
    if (this.mode === TSC_DEADLINE) return;
    this.initial = value >>> 0;
    this.start = this.timers.now;
    if (this.initial === 0) this.timer.cancel();
    else this.arm();
  }
  private arm(): void {
    this.timer.arm(this.start + (this.mode === PERIODIC ? this.period : this.length));
  }
  /** The current count register. */
  get current(): number {
    if (this.mode === TSC_DEADLINE || this.initial === 0 || this.timer.deadline === undefined) return 0;
    const left = this.timer.deadline - this.timers.now;
    const count = left <= 0n ? 0n : (left + this.divisor - 1n) / this.divisor;
    return count > BigInt(this.initial) ? this.initial : Number(count);
  }
  /** IA32_TSC_DEADLINE; 0 = not armed. */
  get deadline(): bigint {
    return this.tscDeadline;
  }
  set deadline(value: bigint) {
    if (this.mode !== TSC_DEADLINE) return;
    this.tscDeadline = value;
    if (value === 0n) {
      this.timer.cancel();
      return;
    }
    const { now } = this.timers;
    const tsc = (now + this.tscOffset()) & MASK_64;
    this.timer.arm(value <= tsc ? now : now + (value - tsc));
  }
  private fire(): void {
    if (this.mode === TSC_DEADLINE) this.tscDeadline = 0n;
    if (this.mode === PERIODIC && this.initial !== 0) {
      this.start = this.timers.now;
      this.arm();
    }
    this.expire();
  }

  save(writer: StateWriter): void {
    writer.u8(this.mode);
    writer.u32(this.initial);
    writer.u8(this.divide);
    writer.u64(this.start);
    writer.u64(this.tscDeadline);
  }
  restore(reader: StateReader): void {
    this.mode = reader.u8();
    this.initial = reader.u32();
    this.divide = reader.u8();
    this.start = reader.u64();
    this.tscDeadline = reader.u64();
  }
}
