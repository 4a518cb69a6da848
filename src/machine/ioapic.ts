// The I/O APIC: 24 pins, register-compatible with the 82093AA and with the EOI register of version 20h.
import { DELIVERY, type ApicBus } from './apic-bus.ts';
import type { MemoryDevice } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

export const IOAPIC_PINS = 24;
const VERSION = 0x20 | ((IOAPIC_PINS - 1) << 16);
// redirection entry, low half
const REMOTE_IRR = 1 << 14;
const LEVEL = 1 << 15;
const MASKED = 1 << 16;
const READ_ONLY = REMOTE_IRR | (1 << 12);

export class IoApic implements MemoryDevice {
  readonly name = 'ioapic';
  private readonly bus: ApicBus;
  private readonly low = new Uint32Array(IOAPIC_PINS);
  private readonly high = new Uint32Array(IOAPIC_PINS);
  private lines = 0;
  private index = 0;
  private id = 0;

  constructor(bus: ApicBus) {
    this.bus = bus;
    bus.onEndOfInterrupt((vector) => this.endOfInterrupt(vector));
    this.reset();
  }
  reset(): void {
    this.low.fill(MASKED);
    this.high.fill(0);
    this.lines = 0;
    this.index = 0;
    this.id = 0;
  }

  /** Level of an input pin; an edge pin fires when it rises. */
  setLine(pin: number, asserted: boolean): void {
    const bit = 1 << pin;
    const rises = asserted && (this.lines & bit) === 0;
    this.lines = asserted ? this.lines | bit : this.lines & ~bit;
    const entry = this.low[pin] ?? MASKED;
    if ((entry & LEVEL) !== 0) this.serviceLevel(pin);
    else if (rises && (entry & MASKED) === 0) this.send(pin);
  }
  private serviceLevel(pin: number): void {
    const entry = this.low[pin] ?? MASKED;
    if ((this.lines & (1 << pin)) === 0 || (entry & (MASKED | REMOTE_IRR)) !== 0 || (entry & LEVEL) === 0) return;
    const delivery = (entry >> 8) & 7;
    // only fixed and lowest priority are acknowledged by an EOI (82093AA 3.2.4)
    if (delivery <= DELIVERY.lowestPriority) this.low[pin] = entry | REMOTE_IRR;
    this.send(pin);
  }
  private send(pin: number): void {
    const entry = this.low[pin] ?? MASKED;
    this.bus.send({
      delivery: (entry >> 8) & 7,
      vector: entry & 0xff,
      level: (entry & LEVEL) !== 0,
      logical: (entry & (1 << 11)) !== 0,
      destination: (this.high[pin] ?? 0) >>> 24,
    });
  }
  private endOfInterrupt(vector: number): void {
    for (let pin = 0; pin < IOAPIC_PINS; pin++) {
      const entry = this.low[pin] ?? MASKED;
      if ((entry & LEVEL) === 0 || (entry & REMOTE_IRR) === 0 || (entry & 0xff) !== vector) continue;
      this.low[pin] = entry & ~REMOTE_IRR;
      this.serviceLevel(pin);
    }
  }

  private readRegister(index: number): number {
    if (index === 0 || index === 2) return this.id << 24;
    if (index === 1) return VERSION;
    const pin = (index - 0x10) >> 1;
    if (index < 0x10 || pin >= IOAPIC_PINS) return 0;
    return ((index & 1) === 0 ? this.low[pin] : this.high[pin]) ?? 0;
  }
  private writeRegister(index: number, value: number): void {
    if (index === 0) this.id = (value >>> 24) & 0xf;
    const pin = (index - 0x10) >> 1;
    if (index < 0x10 || pin >= IOAPIC_PINS) return;
    if ((index & 1) !== 0) {
      this.high[pin] = value;
      return;
    }
    let entry = ((this.low[pin] ?? 0) & READ_ONLY) | (value & 0x1_afff & ~READ_ONLY);
    if ((entry & LEVEL) === 0) entry &= ~REMOTE_IRR; // Linux turns a pin to edge and back to clear a stuck one
    this.low[pin] = entry;
    this.serviceLevel(pin);
  }
  readMemory(offset: number, size: number): bigint {
    const register = offset & ~3;
    const value = register === 0 ? this.index : register === 0x10 ? this.readRegister(this.index) : 0;
    return BigInt.asUintN(size * 8, BigInt((value >>> ((offset & 3) * 8)) >>> 0));
  }
  writeMemory(offset: number, _size: number, value: bigint): void {
    const low = Number(value & 0xffff_ffffn);
    if (offset === 0) this.index = low & 0xff;
    else if (offset === 0x10) this.writeRegister(this.index, low);
    else if (offset === 0x40) this.endOfInterrupt(low & 0xff);
  }

  save(writer: StateWriter): void {
    for (let pin = 0; pin < IOAPIC_PINS; pin++) {
      writer.u32(this.low[pin] ?? 0);
      writer.u32(this.high[pin] ?? 0);
    }
    writer.u32(this.lines >>> 0);
    writer.u8(this.index);
    writer.u8(this.id);
  }
  restore(reader: StateReader): void {
    for (let pin = 0; pin < IOAPIC_PINS; pin++) {
      this.low[pin] = reader.u32();
      this.high[pin] = reader.u32();
    }
    this.lines = reader.u32();
    this.index = reader.u8();
    this.id = reader.u8();
  }
}
