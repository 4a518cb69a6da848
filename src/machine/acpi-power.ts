// The fixed ACPI hardware that a guest needs to switch itself off: PM1a event and control blocks and the PM timer, at the
// addresses of QEMU's pc (ACPI 6.5 ch. 4.8.3). There are no power buttons and no SCI.
import type { PortDevice, Timers } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

const EVENT_STATUS = 0x600;
const EVENT_ENABLE = 0x602;
const CONTROL = 0x604;
const TIMER = 0x608;
const SCI_ENABLE = 1;
const SLEEP_ENABLE = 1 << 13;
/** SLP_TYP of \_S5 in QEMU's tables, and in ours. */
const SOFT_OFF = 0;
const TIMER_HZ = 3_579_545n;

export class AcpiPower implements PortDevice {
  readonly name = 'acpi-power';
  readonly ports = [{ first: 0x600, count: 12 }];
  readonly portWidth = 4;
  private readonly timers: Timers;
  private readonly powerOff: () => void;
  private enable = 0;
  private control = SCI_ENABLE;

  constructor(timers: Timers, powerOff: () => void) {
    this.timers = timers;
    this.powerOff = powerOff;
  }
  reset(): void {
    this.enable = 0;
    this.control = SCI_ENABLE;
  }
  private register(port: number): number {
    switch (port & ~1) {
      case EVENT_ENABLE:
        return this.enable;
      case CONTROL:
        return this.control;
      case TIMER:
      case TIMER + 2: {
        const ticks = Number(((this.timers.now * TIMER_HZ) / 1_000_000_000n) & 0xff_ffffn); // a 24-bit timer
        return (port & 2) === 0 ? ticks & 0xffff : ticks >> 16;
      }
      default: // the status register: nothing ever happens
        return 0;
    }
  }
  readPort(port: number, size: number): number {
    const value = (this.register(port) | (this.register(port + 2) << 16)) >>> ((port & 1) * 8);
    return size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value >>> 0;
  }
  writePort(port: number, size: number, value: number): void {
    if (size === 1 && (port & 1) !== 0) this.writeRegister(port - 1, (this.register(port - 1) & 0xff) | (value << 8));
    else if (size === 1) this.writeRegister(port, (this.register(port) & 0xff00) | value);
    else this.writeRegister(port, value & 0xffff);
    if (size === 4 && port === EVENT_STATUS) this.writeRegister(EVENT_ENABLE, value >>> 16);
  }
  private writeRegister(port: number, value: number): void {
    if (port === EVENT_ENABLE) this.enable = value;
    if (port !== CONTROL) return;
    this.control = (value & ~SLEEP_ENABLE) | SCI_ENABLE;
    if ((value & SLEEP_ENABLE) !== 0 && ((value >> 10) & 7) === SOFT_OFF) this.powerOff();
  }
  save(writer: StateWriter): void {
    writer.u16(this.enable);
    writer.u16(this.control);
  }
  restore(reader: StateReader): void {
    this.enable = reader.u16();
    this.control = reader.u16();
  }
}
