// The MC146818 clock and its CMOS RAM (data sheet; memory size bytes as in QEMU's hw/i386/pc.c). The date starts at a
// fixed moment and runs with virtual time, so that two runs see the same clock.
import { MINIMUM_PERIOD, type InterruptLine, type PortDevice, type Timer, type Timers } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

const SECOND = 1_000_000_000n;
/** 2025-01-01T00:00:00Z. */
export const DEFAULT_RTC_SECONDS = 1_735_689_600;

const REGISTER_A = 0x0a;
const REGISTER_B = 0x0b;
const REGISTER_C = 0x0c;
const REGISTER_D = 0x0d;
const CENTURY = 0x32;
const UPDATE_IN_PROGRESS = 0x80;
/** The date is about to change for the last 244 us of a second (data sheet, "update cycle"). */
const UPDATE_WINDOW = 244_000n;
// register B
const SET = 0x80;
const PERIODIC = 0x40;
const ALARM = 0x20;
const UPDATE_ENDED = 0x10;
const BINARY = 4;
const HOURS_24 = 2;

export class Rtc implements PortDevice {
  readonly name = 'rtc';
  readonly ports = [{ first: 0x70, count: 2 }];
  readonly portWidth = 1;
  private readonly timers: Timers;
  private readonly line: InterruptLine;
  private readonly timer: Timer;
  private readonly ram = new Uint8Array(128);
  private readonly startSeconds: number;
  private readonly memorySize: number;
  private readonly cpus: number;
  private index = 0;
  /** Seconds since 1970 at virtual time 0. */
  private offset = 0n;

  constructor(timers: Timers, line: InterruptLine, startSeconds: number, memorySize: number, cpus: number) {
    this.timers = timers;
    this.line = line;
    this.startSeconds = startSeconds;
    this.memorySize = memorySize;
    this.cpus = cpus;
    this.timer = timers.create('rtc', () => this.fire());
    this.reset();
  }
  reset(): void {
    this.index = 0;
    this.offset = BigInt(Math.trunc(this.startSeconds)) - this.timers.now / SECOND;
    const { ram } = this;
    ram.fill(0);
    ram[REGISTER_A] = 0x26;
    ram[REGISTER_B] = HOURS_24;
    ram[REGISTER_D] = 0x80; // the battery is good
    const word = (at: number, value: number): void => {
      ram[at] = value & 0xff;
      ram[at + 1] = value >> 8;
    };
    ram[0x14] = 0x06; // equipment: a coprocessor, no disk drives, no video
    word(0x15, 640); // KiB of conventional memory
    const extended = Math.min(Math.floor(this.memorySize / 1024) - 1024, 0xffff);
    word(0x17, extended);
    word(0x30, extended);
    word(0x34, Math.min(Math.max(Math.floor((this.memorySize - (16 << 20)) / 65536), 0), 0xffff));
    ram[0x5f] = this.cpus - 1;
    this.timer.cancel();
    this.line(false);
  }

  private get seconds(): bigint {
    return this.offset + this.timers.now / SECOND;
  }
  private register(index: number): number {
    return this.ram[index] ?? 0;
  }
  private encode(value: number): number {
    return (this.register(REGISTER_B) & BINARY) !== 0 ? value : (Math.floor(value / 10) << 4) | (value % 10);
  }
  private decode(value: number): number {
    return (this.register(REGISTER_B) & BINARY) !== 0 ? value : (value >> 4) * 10 + (value & 15);
  }
  private encodeHours(hours: number): number {
    if ((this.register(REGISTER_B) & HOURS_24) !== 0) return this.encode(hours);
    return this.encode(hours % 12 === 0 ? 12 : hours % 12) | (hours >= 12 ? 0x80 : 0);
  }
  /** The date as the guest reads it, or undefined for a register that is no date. */
  private dateField(index: number): number | undefined {
    const date = new Date(Number(BigInt.asIntN(52, this.seconds)) * 1000);
    if (Number.isNaN(date.getTime())) return 0;
    switch (index) {
      case 0:
        return this.encode(date.getUTCSeconds());
      case 2:
        return this.encode(date.getUTCMinutes());
      case 4:
        return this.encodeHours(date.getUTCHours());
      case 6:
        return this.encode(date.getUTCDay() + 1);
      case 7:
        return this.encode(date.getUTCDate());
      case 8:
        return this.encode(date.getUTCMonth() + 1);
      case 9:
        return this.encode(((date.getUTCFullYear() % 100) + 100) % 100);
      case CENTURY:
        return this.encode(Math.floor(date.getUTCFullYear() / 100) % 100);
      default:
        return undefined;
    }
  }
  /** The guest sets one field: the date moves so that it reads back. Fields that make no date wrap as in Date. */
  private setDateField(index: number, raw: number): void {
    const date = new Date(Number(BigInt.asIntN(52, this.seconds)) * 1000);
    let value = this.decode(raw);
    if (index === 4 && (this.register(REGISTER_B) & HOURS_24) === 0) {
      value = (this.decode(raw & 0x7f) % 12) + ((raw & 0x80) !== 0 ? 12 : 0);
    }
    const year = date.getUTCFullYear();
    if (index === 0) date.setUTCSeconds(value);
    else if (index === 2) date.setUTCMinutes(value);
    else if (index === 4) date.setUTCHours(value);
    else if (index === 7) date.setUTCDate(value);
    else if (index === 8) date.setUTCMonth(value - 1);
    else if (index === 9) date.setUTCFullYear(year - (year % 100) + value);
    else if (index === CENTURY) date.setUTCFullYear(value * 100 + (year % 100));
    const time = date.getTime();
    if (!Number.isNaN(time)) this.offset = BigInt(Math.floor(time / 1000)) - this.timers.now / SECOND;
  }

  // ---- interrupts ----------------------------------------------------------------------------------------------------
  private get period(): bigint {
    const rate = this.register(REGISTER_A) & 15;
    if (rate === 0) return 0n;
    const period = SECOND / (32_768n >> BigInt(rate < 3 ? rate + 6 : rate - 1));
    return period < MINIMUM_PERIOD ? MINIMUM_PERIOD : period;
  }
  private arm(): void {
    const enabled = this.register(REGISTER_B);
    const { now } = this.timers;
    let next: bigint | undefined;
    if ((enabled & PERIODIC) !== 0 && this.period > 0n) next = (now / this.period + 1n) * this.period;
    if ((enabled & (ALARM | UPDATE_ENDED)) !== 0 && (enabled & SET) === 0) {
      const second = (now / SECOND + 1n) * SECOND;
      if (next === undefined || second < next) next = second;
    }
    if (next === undefined) this.timer.cancel();
    else this.timer.arm(next);
  }
  private get alarmed(): boolean {
    const matches = (alarm: number, field: number): boolean => {
      const value = this.register(alarm);
      return value >= 0xc0 || value === this.dateField(field); // "do not care" codes
    };
    return matches(1, 0) && matches(3, 2) && matches(5, 4);
  }
  private fire(): void {
    const { now } = this.timers;
    const enabled = this.register(REGISTER_B);
    let flags = this.register(REGISTER_C);
    if (this.period > 0n && now % this.period === 0n) flags |= PERIODIC;
    if (now % SECOND === 0n) flags |= UPDATE_ENDED | (this.alarmed ? ALARM : 0);
    if ((flags & enabled & (PERIODIC | ALARM | UPDATE_ENDED)) !== 0) flags |= 0x80;
    this.ram[REGISTER_C] = flags;
    this.line((flags & 0x80) !== 0);
    this.arm();
  }

  readPort(port: number): number {
    if (port === 0x70) return 0xff; // the index is write-only
    const { index } = this;
    if (index === REGISTER_A) {
      const updating = SECOND - (this.timers.now % SECOND) <= UPDATE_WINDOW;
      const halted = (this.register(REGISTER_B) & SET) !== 0;
      return this.register(REGISTER_A) | (updating && !halted ? UPDATE_IN_PROGRESS : 0);
    }
    if (index === REGISTER_C) {
      const flags = this.register(REGISTER_C);
      this.ram[REGISTER_C] = 0;
      this.line(false);
      return flags;
    }
    return this.dateField(index) ?? this.register(index);
  }
  writePort(port: number, _size: number, value: number): void {
    if (port === 0x70) {
      this.index = value & 0x7f; // bit 7 masks NMIs on a PC; nothing raises them here
      return;
    }
    const { index } = this;
    if (index === REGISTER_C || index === REGISTER_D) return;
    if (this.dateField(index) !== undefined) {
      this.setDateField(index, value);
      return;
    }
    this.ram[index] = index === REGISTER_A ? value & 0x7f : value;
    if (index === REGISTER_A || index === REGISTER_B) this.arm();
  }
  save(writer: StateWriter): void {
    writer.raw(this.ram);
    writer.u8(this.index);
    writer.u64(BigInt.asUintN(64, this.offset));
  }
  restore(reader: StateReader): void {
    this.ram.set(reader.raw(this.ram.length));
    this.index = reader.u8() & 0x7f;
    this.offset = BigInt.asIntN(64, reader.u64());
  }
}
