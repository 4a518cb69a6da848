// The pair of 8259A interrupt controllers of a PC (8259A data sheet; ELCR as in the PIIX).
import type { InterruptLine, PortDevice } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

/** One 8259A. */
class Chip {
  private lines = 0;
  private requested = 0;
  private inService = 0;
  private mask = 0;
  private vectorBase = 0;
  private lowestPriority = 7;
  private initialisation = 0; // the ICW that is expected next, 0: none
  private expectsIcw4 = false;
  private single = false;
  private autoEnd = false;
  private autoRotate = false;
  private specialMask = false;
  private readInService = false;
  private poll = false;
  /** Level-triggered inputs (ELCR). */
  levels = 0;

  constructor() {
    this.reset();
  }
  reset(): void {
    this.lines = 0;
    this.levels = 0;
    this.clear();
    this.mask = 0xff; // no firmware has run: nothing may come before the guest asks for it
  }
  private clear(): void {
    this.requested = this.lines & this.levels;
    this.inService = 0;
    this.mask = 0;
    this.lowestPriority = 7;
    this.autoEnd = false;
    this.autoRotate = false;
    this.specialMask = false;
    this.readInService = false;
    this.poll = false;
  }
  setLine(input: number, asserted: boolean): void {
    const bit = 1 << input;
    if ((this.levels & bit) !== 0) {
      this.requested = asserted ? this.requested | bit : this.requested & ~bit;
    } else if (asserted && (this.lines & bit) === 0) {
      this.requested |= bit;
    } else if (!asserted) {
      this.requested &= ~bit; // an edge must stay up until it is acknowledged
    }
    this.lines = asserted ? this.lines | bit : this.lines & ~bit;
  }
  /** Input of highest priority in a set, or -1. */
  private first(set: number): number {
    for (let i = 1; i <= 8; i++) {
      const input = (this.lowestPriority + i) & 7;
      if ((set & (1 << input)) !== 0) return input;
    }
    return -1;
  }
  private rank(input: number): number {
    return (input - this.lowestPriority - 1) & 7;
  }
  /** The input that asks for service, or -1. */
  get pending(): number {
    const input = this.first(this.requested & ~this.mask);
    if (input < 0) return -1;
    const serviced = this.first(this.specialMask ? this.inService & ~this.mask : this.inService);
    return serviced < 0 || this.rank(input) < this.rank(serviced) ? input : -1;
  }
  /** Takes the pending input into service; 7 is the spurious answer. */
  acknowledge(): { input: number; vector: number } {
    const input = this.pending;
    if (input < 0) return { input: -1, vector: this.vectorBase | 7 };
    const bit = 1 << input;
    if ((this.levels & bit) === 0) this.requested &= ~bit;
    if (this.autoEnd) {
      if (this.autoRotate) this.lowestPriority = input;
    } else {
      this.inService |= bit;
    }
    return { input, vector: this.vectorBase | input };
  }
  read(data: boolean): number {
    if (this.poll) {
      this.poll = false;
      const { input } = this.acknowledge();
      return input < 0 ? 0 : 0x80 | input;
    }
    if (data) return this.mask;
    return this.readInService ? this.inService : this.requested;
  }
  write(data: boolean, value: number): void {
    if (data) this.writeData(value);
    else if ((value & 0x10) !== 0) this.writeIcw1(value);
    else if ((value & 8) !== 0) this.writeOcw3(value);
    else this.writeOcw2(value);
  }
  private writeIcw1(value: number): void {
    this.clear();
    this.initialisation = 2;
    this.single = (value & 2) !== 0;
    this.expectsIcw4 = (value & 1) !== 0;
  }
  private writeData(value: number): void {
    switch (this.initialisation) {
      case 2:
        this.vectorBase = value & 0xf8;
        this.initialisation = this.single ? (this.expectsIcw4 ? 4 : 0) : 3;
        break;
      case 3: // the cascade wiring is fixed
        this.initialisation = this.expectsIcw4 ? 4 : 0;
        break;
      case 4:
        this.autoEnd = (value & 2) !== 0;
        this.initialisation = 0;
        break;
      default:
        this.mask = value;
    }
  }
  private writeOcw3(value: number): void {
    if ((value & 4) !== 0) this.poll = true;
    if ((value & 2) !== 0) this.readInService = (value & 1) !== 0;
    if ((value & 0x40) !== 0) this.specialMask = (value & 0x20) !== 0;
  }
  private writeOcw2(value: number): void {
    const input = value & 7;
    const serviced = this.first(this.inService);
    switch (value >> 5) {
      case 0:
      case 4:
        this.autoRotate = value >> 5 === 4;
        break;
      case 1: // non-specific end of interrupt
      case 5: // and rotate
        if (serviced < 0) break;
        this.inService &= ~(1 << serviced);
        if (value >> 5 === 5) this.lowestPriority = serviced;
        break;
      case 3: // specific end of interrupt
      case 7: // and rotate
        this.inService &= ~(1 << input);
        if (value >> 5 === 7) this.lowestPriority = input;
        break;
      case 6:
        this.lowestPriority = input;
        break;
      default: // no operation
    }
  }
  save(writer: StateWriter): void {
    const numbers = [this.lines, this.requested, this.inService, this.mask, this.vectorBase, this.lowestPriority];
    for (const value of [...numbers, this.initialisation, this.levels]) writer.u8(value);
    for (const value of [this.expectsIcw4, this.single, this.autoEnd, this.autoRotate]) writer.bool(value);
    for (const value of [this.specialMask, this.readInService, this.poll]) writer.bool(value);
  }
  restore(reader: StateReader): void {
    this.lines = reader.u8();
    this.requested = reader.u8();
    this.inService = reader.u8();
    this.mask = reader.u8();
    this.vectorBase = reader.u8();
    this.lowestPriority = reader.u8() & 7;
    this.initialisation = reader.u8();
    this.levels = reader.u8();
    this.expectsIcw4 = reader.bool();
    this.single = reader.bool();
    this.autoEnd = reader.bool();
    this.autoRotate = reader.bool();
    this.specialMask = reader.bool();
    this.readInService = reader.bool();
    this.poll = reader.bool();
  }
}

export class Pic implements PortDevice {
  readonly name = 'pic';
  readonly ports = [
    { first: 0x20, count: 2 },
    { first: 0xa0, count: 2 },
    { first: 0x4d0, count: 2 },
  ];
  readonly portWidth = 1;
  private readonly output: InterruptLine;
  private readonly master = new Chip();
  private readonly slave = new Chip();

  /** @param output INTR, wired to LINT0 of the boot processor's local APIC. */
  constructor(output: InterruptLine) {
    this.output = output;
  }
  reset(): void {
    this.master.reset();
    this.slave.reset();
    this.update();
  }
  setLine(irq: number, asserted: boolean): void {
    if (irq === 2) return; // the cascade
    if (irq < 8) this.master.setLine(irq, asserted);
    else this.slave.setLine(irq - 8, asserted);
    this.update();
  }
  private update(): void {
    this.master.setLine(2, this.slave.pending >= 0);
    this.output(this.master.pending >= 0);
  }
  /** INTA cycle: the vector. */
  acknowledge(): number {
    const { input, vector } = this.master.acknowledge();
    const answer = input === 2 ? this.slave.acknowledge().vector : vector;
    this.master.setLine(2, false); // lets the next request of the slave be an edge again
    this.update();
    return answer;
  }
  readPort(port: number): number {
    if (port >= 0x4d0) return (port === 0x4d0 ? this.master : this.slave).levels;
    const value = ((port & 0x80) === 0 ? this.master : this.slave).read((port & 1) !== 0);
    this.update();
    return value;
  }
  writePort(port: number, _size: number, value: number): void {
    // IRQ 0, 1, 2, 8 and 13 are always edges
    if (port === 0x4d0) this.master.levels = value & 0xf8;
    else if (port === 0x4d1) this.slave.levels = value & 0xde;
    else ((port & 0x80) === 0 ? this.master : this.slave).write((port & 1) !== 0, value);
    this.update();
  }
  save(writer: StateWriter): void {
    this.master.save(writer);
    this.slave.save(writer);
  }
  restore(reader: StateReader): void {
    this.master.restore(reader);
    this.slave.restore(reader);
  }
}
