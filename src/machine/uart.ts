// A 16550A serial port (PC16550D data sheet). Characters leave at once: the transmitter is always empty, so a guest never
// waits for it and the console is never behind the guest. Input waits in a queue and fills the FIFO as the guest reads.
import type { InterruptLine, PortDevice, PortRange } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

const IER_RECEIVE = 1;
const IER_TRANSMIT = 2;
const IER_LINE_STATUS = 4;
const IER_MODEM_STATUS = 8;
const LCR_DLAB = 0x80;
const MCR_LOOPBACK = 0x10;
const LSR_DATA_READY = 1;
const LSR_OVERRUN = 2;
const LSR_BREAK = 0x10;
const LSR_TRANSMIT_EMPTY = 0x60;
const FIFO_SIZE = 16;
const TRIGGER_LEVELS = [1, 4, 8, 14];

export class Uart implements PortDevice {
  readonly name: string;
  readonly ports: readonly PortRange[];
  readonly portWidth = 1;
  private readonly line: InterruptLine;
  private readonly output: (byte: number) => void;
  private interruptEnable = 0;
  private fifoControl = 0;
  private lineControl = 0;
  private modemControl = 0;
  private modemDelta = 0;
  private scratch = 0;
  private divisor = 12;
  private overrun = 0;
  /** The transmitter-empty interrupt was raised and not yet read from IIR. */
  private transmitInterrupt = false;
  private received: number[] = [];
  /** Host input that the FIFO has no room for yet. Part of the guest state, since it was stamped when it was sent. */
  private waiting = new Uint8Array();

  /** @param output gets each byte the guest sends. */
  constructor(name: string, base: number, line: InterruptLine, output: (byte: number) => void) {
    this.name = name;
    this.ports = [{ first: base, count: 8 }];
    this.line = line;
    this.output = output;
  }

  reset(): void {
    this.interruptEnable = 0;
    this.fifoControl = 0;
    this.lineControl = 0;
    this.modemControl = 0;
    this.modemDelta = 0;
    this.scratch = 0;
    this.divisor = 12;
    this.overrun = 0;
    this.transmitInterrupt = false;
    this.received = [];
    this.waiting = new Uint8Array();
    this.update();
  }

  /** Input from outside, at the current virtual time. */
  send(bytes: Uint8Array): void {
    const waiting = new Uint8Array(this.waiting.length + bytes.length);
    waiting.set(this.waiting);
    waiting.set(bytes, this.waiting.length);
    this.waiting = waiting;
    this.fill();
    this.update();
  }
  private get capacity(): number {
    return (this.fifoControl & 1) !== 0 ? FIFO_SIZE : 1;
  }
  private fill(): void {
    if ((this.modemControl & MCR_LOOPBACK) !== 0) return;
    const room = this.capacity - this.received.length;
    if (room <= 0 || this.waiting.length === 0) return;
    this.received.push(...this.waiting.subarray(0, room));
    this.waiting = this.waiting.subarray(room);
  }
  private get triggered(): boolean {
    if ((this.fifoControl & 1) === 0) return this.received.length > 0;
    return this.received.length >= (TRIGGER_LEVELS[this.fifoControl >> 6] ?? 1);
  }
  /** IIR bits 0-3: the pending interrupt of highest priority, 1 for none. */
  private get identification(): number {
    if ((this.interruptEnable & IER_LINE_STATUS) !== 0 && this.overrun !== 0) return 6;
    if ((this.interruptEnable & IER_RECEIVE) !== 0 && this.received.length > 0) return this.triggered ? 4 : 0xc;
    if ((this.interruptEnable & IER_TRANSMIT) !== 0 && this.transmitInterrupt) return 2;
    if ((this.interruptEnable & IER_MODEM_STATUS) !== 0 && this.modemDelta !== 0) return 0;
    return 1;
  }
  /**
   * On a PC's board OUT2 gates the interrupt; QEMU does not gate it, and small kernels that were written on QEMU never set
   * the bit. So it is not gated here either. Looped back, nothing leaves the chip.
   */
  private update(): void {
    this.line(this.identification !== 1 && (this.modemControl & MCR_LOOPBACK) === 0);
  }
  private get modemStatus(): number {
    const { modemControl: mcr } = this;
    // looped back: CTS = RTS, DSR = DTR, RI = OUT1, DCD = OUT2; else a terminal that is ready
    if ((mcr & MCR_LOOPBACK) === 0) return 0xb0;
    return ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 4) << 4) | ((mcr & 8) << 4);
  }

  readPort(port: number): number {
    switch (port & 7) {
      case 0: {
        if ((this.lineControl & LCR_DLAB) !== 0) return this.divisor & 0xff;
        const byte = this.received.shift() ?? 0;
        this.fill();
        this.update();
        return byte;
      }
      case 1:
        return (this.lineControl & LCR_DLAB) !== 0 ? this.divisor >> 8 : this.interruptEnable;
      case 2: {
        const identification = this.identification;
        if (identification === 2) {
          this.transmitInterrupt = false;
          this.update();
        }
        return identification | ((this.fifoControl & 1) !== 0 ? 0xc0 : 0);
      }
      case 3:
        return this.lineControl;
      case 4:
        return this.modemControl;
      case 5: {
        const status = LSR_TRANSMIT_EMPTY | this.overrun | (this.received.length > 0 ? LSR_DATA_READY : 0);
        this.overrun = 0;
        this.update();
        return status;
      }
      case 6: {
        const status = this.modemStatus | this.modemDelta;
        this.modemDelta = 0;
        this.update();
        return status;
      }
      default:
        return this.scratch;
    }
  }

  writePort(port: number, _size: number, value: number): void {
    switch (port & 7) {
      case 0:
        if ((this.lineControl & LCR_DLAB) !== 0) this.divisor = (this.divisor & 0xff00) | value;
        else this.transmit(value);
        break;
      case 1:
        if ((this.lineControl & LCR_DLAB) !== 0) {
          this.divisor = (this.divisor & 0xff) | (value << 8);
          break;
        }
        // enabling the transmitter interrupt while the holding register is empty raises it
        if ((value & IER_TRANSMIT) !== 0 && (this.interruptEnable & IER_TRANSMIT) === 0) this.transmitInterrupt = true;
        this.interruptEnable = value & 0xf;
        break;
      case 2:
        if (((this.fifoControl ^ value) & 1) !== 0 || (value & 2) !== 0) this.received = [];
        this.fifoControl = value & 0xc9;
        this.fill();
        break;
      case 3:
        this.lineControl = value;
        break;
      case 4: {
        const before = this.modemStatus;
        this.modemControl = value & 0x1f;
        const after = this.modemStatus;
        // bits 0-3 tell changes of CTS, DSR, DCD and the trailing edge of RI
        this.modemDelta |= ((before ^ after) >> 4) & 0xb;
        if ((before & 0x40) !== 0 && (after & 0x40) === 0) this.modemDelta |= 4;
        this.fill();
        break;
      }
      case 7:
        this.scratch = value;
        break;
      default: // LSR and MSR are read-only
    }
    this.update();
  }
  private transmit(byte: number): void {
    this.transmitInterrupt = true;
    if ((this.modemControl & MCR_LOOPBACK) === 0) {
      this.output(byte);
    } else if (this.received.length < this.capacity) {
      this.received.push(byte);
    } else {
      this.overrun = LSR_OVERRUN;
    }
  }
  /** A break condition on the line, as a terminal sends it. */
  sendBreak(): void {
    this.overrun |= LSR_BREAK;
    this.update();
  }

  save(writer: StateWriter): void {
    const { interruptEnable, fifoControl, lineControl, modemControl, modemDelta, scratch, overrun } = this;
    for (const value of [interruptEnable, fifoControl, lineControl, modemControl, modemDelta, scratch, overrun]) {
      writer.u8(value);
    }
    writer.u16(this.divisor);
    writer.bool(this.transmitInterrupt);
    writer.bytes(Uint8Array.from(this.received));
    writer.bytes(this.waiting);
  }
  restore(reader: StateReader): void {
    this.interruptEnable = reader.u8();
    this.fifoControl = reader.u8();
    this.lineControl = reader.u8();
    this.modemControl = reader.u8();
    this.modemDelta = reader.u8();
    this.scratch = reader.u8();
    this.overrun = reader.u8();
    this.divisor = reader.u16();
    this.transmitInterrupt = reader.bool();
    this.received = [...reader.bytes()];
    this.waiting = reader.bytes().slice();
  }
}
