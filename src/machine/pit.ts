// The 8254 interval timer: channel 0 drives IRQ 0, channel 2 is gated and read through system control port B (0x61).
// Channel 1, the DRAM refresh of old, only counts.
import type { InterruptLine, PortDevice, Timer, Timers } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

const PIT_HZ = 1_193_182n;
const SECOND = 1_000_000_000n;

/** Virtual time of a number of input clocks, rounded up. */
const ticksOf = (clocks: bigint): bigint => (clocks * SECOND + PIT_HZ - 1n) / PIT_HZ;
const clocksOf = (ticks: bigint): bigint => (ticks * PIT_HZ) / SECOND;

/** A count as the registers hold it in BCD mode: four decimal digits. */
function toBcd(value: number): number {
  let bcd = 0;
  for (let shift = 0, rest = value; shift < 16; shift += 4, rest = Math.floor(rest / 10)) bcd |= (rest % 10) << shift;
  return bcd;
}
/** The number behind four digits; one above 9, which the data sheet leaves open, counts as what it is. */
function fromBcd(bcd: number): number {
  return [12, 8, 4, 0].reduce((value, shift) => value * 10 + ((bcd >> shift) & 15), 0);
}

class Counter {
  mode = 3;
  /** Bit 0 of the control word: four decimal digits instead of 16 bits. */
  private bcd = false;
  gate = true;
  /** Whether a count was loaded since the last control word. */
  loaded = false;
  private reload = 0x10000;
  private start = 0n;
  private access = 3; // 1: low byte, 2: high byte, 3: low, then high
  private writeHigh = false;
  private readHigh = false;
  private writeLow = 0;
  private latched: number | undefined;
  private latchedStatus: number | undefined;

  reset(gate: boolean): void {
    this.mode = 3;
    this.bcd = false;
    this.gate = gate;
    this.loaded = false;
    this.reload = 0x10000;
    this.start = 0n;
    this.access = 3;
    this.writeHigh = false;
    this.readHigh = false;
    this.writeLow = 0;
    this.latched = undefined;
    this.latchedStatus = undefined;
  }
  private get periodic(): boolean {
    return this.mode === 2 || this.mode === 3;
  }
  private elapsed(now: bigint): bigint {
    return this.gate ? clocksOf(now - this.start) : 0n;
  }
  /** What the counting element holds: 0 stands for the largest count. */
  private get modulus(): number {
    return this.bcd ? 10_000 : 0x10000;
  }
  count(now: bigint): number {
    if (!this.loaded) return 0;
    const value = this.value(this.elapsed(now), BigInt(this.reload)) % this.modulus;
    return this.bcd ? toBcd(value) : value;
  }
  private value(elapsed: bigint, reload: bigint): number {
    const modulus = BigInt(this.modulus);
    if (!this.periodic) return Number((((reload - elapsed) % modulus) + modulus) % modulus);
    if (this.mode === 2) return Number(reload - (elapsed % reload));
    return Number(reload - ((elapsed * 2n) % reload)) & ~1; // a square wave counts by two
  }
  output(now: bigint): boolean {
    if (!this.loaded) return this.mode !== 0;
    const elapsed = this.elapsed(now);
    const reload = BigInt(this.reload);
    switch (this.mode) {
      case 0:
      case 1:
        return elapsed >= reload;
      case 2:
        return elapsed % reload !== reload - 1n;
      case 3:
        return (elapsed % reload) * 2n < reload;
      default:
        return elapsed !== reload;
    }
  }
  /** When the output rises next after `now`; undefined: not again without a new count. */
  nextRise(now: bigint): bigint | undefined {
    if (!this.loaded || !this.gate) return undefined;
    const reload = BigInt(this.reload);
    if (!this.periodic) {
      const at = this.start + ticksOf(reload);
      return at > now ? at : undefined;
    }
    let at = this.start + ticksOf((clocksOf(now - this.start) / reload + 1n) * reload);
    if (at <= now) at += ticksOf(reload);
    return at;
  }
  setGate(gate: boolean, now: bigint): void {
    if (gate && !this.gate && this.mode !== 0 && this.mode !== 4) this.start = now; // a rising gate starts over
    this.gate = gate;
  }
  control(value: number): void {
    this.access = (value >> 4) & 3;
    this.mode = (value >> 1) & 7;
    if (this.mode > 5) this.mode -= 4;
    this.bcd = (value & 1) !== 0;
    this.loaded = false;
    this.writeHigh = false;
    this.readHigh = false;
    this.latched = undefined;
  }
  latch(now: bigint): void {
    this.latched ??= this.count(now);
  }
  latchStatus(now: bigint): void {
    this.latchedStatus ??=
      (this.output(now) ? 0x80 : 0) |
      (this.loaded ? 0 : 0x40) |
      (this.access << 4) |
      (this.mode << 1) |
      (this.bcd ? 1 : 0);
  }
  read(now: bigint): number {
    if (this.latchedStatus !== undefined) {
      const status = this.latchedStatus;
      this.latchedStatus = undefined;
      return status;
    }
    const value = this.latched ?? this.count(now);
    const high = this.access === 2 || (this.access === 3 && this.readHigh);
    if (this.access === 3) this.readHigh = !this.readHigh;
    if (this.access !== 3 || high) this.latched = undefined;
    return high ? value >> 8 : value & 0xff;
  }
  /** True when a complete count was loaded. */
  write(value: number, now: bigint): boolean {
    if (this.access === 3 && !this.writeHigh) {
      this.writeLow = value;
      this.writeHigh = true;
      return false;
    }
    this.writeHigh = false;
    const register = this.access === 1 ? value : (value << 8) | (this.access === 3 ? this.writeLow : 0);
    const count = this.bcd ? fromBcd(register) : register;
    this.reload = count === 0 ? this.modulus : count;
    if (this.periodic && this.reload === 1) this.reload = 2; // 1 is illegal in modes 2 and 3
    this.start = now;
    this.loaded = true;
    return true;
  }
  save(writer: StateWriter): void {
    for (const value of [this.mode, this.access, this.writeLow]) writer.u8(value);
    for (const value of [this.gate, this.loaded, this.writeHigh, this.readHigh, this.bcd]) writer.bool(value);
    writer.u32(this.reload);
    writer.u64(this.start);
    writer.u32(this.latched ?? 0xffff_ffff);
    writer.u32(this.latchedStatus ?? 0xffff_ffff);
  }
  restore(reader: StateReader): void {
    this.mode = reader.u8();
    this.access = reader.u8();
    this.writeLow = reader.u8();
    this.gate = reader.bool();
    this.loaded = reader.bool();
    this.writeHigh = reader.bool();
    this.readHigh = reader.bool();
    this.bcd = reader.bool();
    this.reload = Math.max(reader.u32(), 1);
    this.start = reader.u64();
    const latched = reader.u32();
    this.latched = latched === 0xffff_ffff ? undefined : latched;
    const status = reader.u32();
    this.latchedStatus = status === 0xffff_ffff ? undefined : status;
  }
}

export class Pit implements PortDevice {
  readonly name = 'pit';
  readonly ports = [
    { first: 0x40, count: 4 },
    { first: 0x61, count: 1 },
  ];
  readonly portWidth = 1;
  private readonly timers: Timers;
  private readonly line: InterruptLine;
  private readonly timer: Timer;
  private readonly counters = [new Counter(), new Counter(), new Counter()] as const;
  private speaker = false;

  constructor(timers: Timers, line: InterruptLine) {
    this.timers = timers;
    this.line = line;
    this.timer = timers.create('pit', () => this.fire());
    this.reset();
  }
  reset(): void {
    this.counters.forEach((counter, i) => counter.reset(i !== 2));
    this.speaker = false;
    this.timer.cancel();
    this.line(false);
  }
  private counter(index: number): Counter {
    return this.counters[index] ?? this.counters[2];
  }
  /** The output of channel 0 rose: IRQ 0 is an edge, so the line may fall at once. */
  private fire(): void {
    this.line(false);
    this.line(true);
    this.arm();
  }
  private arm(): void {
    const next = this.counters[0].nextRise(this.timers.now);
    if (next === undefined) this.timer.cancel();
    else this.timer.arm(next);
  }
  readPort(port: number): number {
    const { now } = this.timers;
    if (port === 0x61) {
      const refresh = (now / 15_085n) & 1n; // toggles with each refresh cycle
      const output = this.counters[2].output(now) ? 0x20 : 0;
      return output | (refresh === 0n ? 0 : 0x10) | (this.speaker ? 2 : 0) | (this.counters[2].gate ? 1 : 0);
    }
    return port === 0x43 ? 0xff : this.counter(port & 3).read(now);
  }
  writePort(port: number, _size: number, value: number): void {
    const { now } = this.timers;
    if (port === 0x61) {
      this.speaker = (value & 2) !== 0;
      this.counters[2].setGate((value & 1) !== 0, now);
    } else if (port === 0x43) {
      this.control(value, now);
    } else if (this.counter(port & 3).write(value, now) && port === 0x40) {
      this.line(false);
      this.arm();
    }
  }
  private control(value: number, now: bigint): void {
    const index = value >> 6;
    if (index === 3) {
      this.counters.forEach((counter, i) => {
        if ((value & (2 << i)) === 0) return; // read-back (8254)
        if ((value & 0x20) === 0) counter.latch(now);
        if ((value & 0x10) === 0) counter.latchStatus(now);
      });
    } else if ((value & 0x30) === 0) {
      this.counter(index).latch(now);
    } else {
      this.counter(index).control(value);
      if (index === 0) this.timer.cancel();
    }
  }
  save(writer: StateWriter): void {
    for (const counter of this.counters) counter.save(writer);
    writer.bool(this.speaker);
  }
  restore(reader: StateReader): void {
    for (const counter of this.counters) counter.restore(reader);
    this.speaker = reader.bool();
  }
}
