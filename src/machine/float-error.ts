// The way of x87 exceptions to a PC's interrupt controller while CR0.NE is clear: the processor asserts FERR#, which the chipset
// latches as IRQ 13. The handler's write to port F0h takes IRQ 13 back and asserts IGNNE#, so that the handler may use the x87
// before it has cleared the exception; when it has, FERR# falls and IGNNE# with it (SDM 1 8.7.2 and appendix D.2.1.2).
import type { InterruptLine, PortDevice } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

/** The boot processor's pins; those of the others lead nowhere, as there is one IRQ 13. */
export interface FloatErrorPins {
  /** FERR#: an exception is pending. */
  readonly pending: () => boolean;
  /** Asserts IGNNE#, which falls by itself. */
  readonly ignore: () => void;
}

export class FloatErrorLatch implements PortDevice {
  readonly name = 'float-error';
  readonly ports = [{ first: 0xf0, count: 1 }];
  readonly portWidth = 1;
  private readonly line: InterruptLine;
  private readonly pins: FloatErrorPins;
  private latched = false;

  /** @param line IRQ 13 */
  constructor(line: InterruptLine, pins: FloatErrorPins) {
    this.line = line;
    this.pins = pins;
  }
  private set(latched: boolean): void {
    this.latched = latched;
    this.line(latched);
  }
  reset(): void {
    this.set(false);
  }
  /** The processor waits with an exception pending. */
  assert(): void {
    this.set(true);
  }
  /** Nothing answers a read. */
  readPort(): number {
    return 0xff;
  }
  writePort(): void {
    this.set(false);
    if (this.pins.pending()) this.pins.ignore();
  }
  save(writer: StateWriter): void {
    writer.bool(this.latched);
  }
  restore(reader: StateReader): void {
    this.latched = reader.bool(); // the controllers have saved their inputs
  }
}
