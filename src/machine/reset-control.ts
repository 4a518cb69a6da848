// Two ways of a PC to reset itself: the reset control register at 0xCF9 (PIIX3 4.1.4) and bit 0 of system control port A
// at 0x92. Bit 1 of the latter gates A20, which is always open here.
import type { PortDevice } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

export class ResetControl implements PortDevice {
  readonly name = 'reset-control';
  readonly ports = [
    { first: 0x92, count: 1 },
    { first: 0xcf9, count: 1 },
  ];
  readonly portWidth = 1;
  private readonly requestReset: (source: string) => void;
  private control = 0;
  private portA = 2;

  constructor(requestReset: (source: string) => void) {
    this.requestReset = requestReset;
  }
  reset(): void {
    this.control = 0;
    this.portA = 2;
  }
  readPort(port: number): number {
    return port === 0x92 ? this.portA : this.control;
  }
  writePort(port: number, _size: number, value: number): void {
    if (port === 0x92) {
      if ((value & 1) !== 0 && (this.portA & 1) === 0) this.requestReset('port 0x92');
      this.portA = value | 2;
      return;
    }
    if ((value & 4) !== 0 && (this.control & 4) === 0) this.requestReset('port 0xCF9');
    this.control = value & 0xe;
  }
  save(writer: StateWriter): void {
    writer.u8(this.control);
    writer.u8(this.portA);
  }
  restore(reader: StateReader): void {
    this.control = reader.u8();
    this.portA = reader.u8();
  }
}
