// The keyboard controller, as far as a machine without keyboard needs one: its self-test, its configuration byte and the
// line that resets the processor (8042 data sheet; IBM PC AT Technical Reference).
import type { PortDevice } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

const STATUS_OUTPUT_FULL = 1;
const STATUS_SYSTEM = 4;
const STATUS_COMMAND = 8;
const NONE = 0x100;

export class I8042 implements PortDevice {
  readonly name = 'i8042';
  readonly ports = [
    { first: 0x60, count: 1 },
    { first: 0x64, count: 1 },
  ];
  readonly portWidth = 1;
  private readonly requestReset: (source: string) => void;
  /** The byte in the output buffer, or NONE. */
  private output = NONE;
  private configuration = 0x34; // both clocks off, self-test passed
  private awaited = 0; // command that waits for its data byte, 0: none
  private lastWasCommand = false;

  constructor(requestReset: (source: string) => void) {
    this.requestReset = requestReset;
  }
  reset(): void {
    this.output = NONE;
    this.configuration = 0x34;
    this.awaited = 0;
    this.lastWasCommand = false;
  }
  readPort(port: number): number {
    if (port === 0x64) {
      const full = this.output === NONE ? 0 : STATUS_OUTPUT_FULL;
      return full | STATUS_SYSTEM | (this.lastWasCommand ? STATUS_COMMAND : 0);
    }
    const byte = this.output === NONE ? 0 : this.output;
    this.output = NONE;
    return byte;
  }
  writePort(port: number, _size: number, value: number): void {
    this.lastWasCommand = port === 0x64;
    if (port === 0x64) this.command(value);
    else this.data(value);
  }
  private command(value: number): void {
    this.awaited = 0;
    if (value >= 0xf0) {
      // pulses output lines that are 0 in the low bits; line 0 is the processor's reset
      if ((value & 1) === 0) this.requestReset('the keyboard controller');
      return;
    }
    switch (value) {
      case 0x20:
        this.output = this.configuration;
        break;
      case 0xa7:
        this.configuration |= 0x20;
        break;
      case 0xa8:
        this.configuration &= ~0x20;
        break;
      case 0xaa:
        this.output = 0x55;
        break;
      case 0xa9: // tests of the two interfaces: nothing wrong with the wires
      case 0xab:
        this.output = 0;
        break;
      case 0xad:
        this.configuration |= 0x10;
        break;
      case 0xae:
        this.configuration &= ~0x10;
        break;
      case 0xd0:
        this.output = 3; // not in reset, A20 open
        break;
      case 0x60:
      case 0xd1:
      case 0xd2:
      case 0xd3:
      case 0xd4:
        this.awaited = value;
        break;
      default: // unknown commands are ignored
    }
  }
  private data(value: number): void {
    const command = this.awaited;
    this.awaited = 0;
    if (command === 0x60) this.configuration = value;
    else if (command === 0xd1 && (value & 1) === 0) this.requestReset('the keyboard controller');
    else if (command === 0xd2) this.output = value;
    // to a keyboard or mouse that is not there: no answer ever comes
  }
  save(writer: StateWriter): void {
    writer.u16(this.output);
    writer.u8(this.configuration);
    writer.u8(this.awaited);
    writer.bool(this.lastWasCommand);
  }
  restore(reader: StateReader): void {
    this.output = reader.u16();
    this.configuration = reader.u8();
    this.awaited = reader.u8();
    this.lastWasCommand = reader.bool();
  }
}
