// The way of x87 exceptions to a PC's interrupt controller while CR0.NE is clear: the processor asserts FERR#, which the chipset
// latches as IRQ 13 until the handler writes to port F0h (SDM 1 8.7.2 and appendix D.2).
//
// IGNNE#, which that write asserts on a PC until FERR# falls, is not there: until it has cleared the exception, a handler
// has to use the control instructions that do not wait (FNSTENV, FNSTSW, FNCLEX).
import type { InterruptLine, PortDevice } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

export class FloatErrorLatch implements PortDevice {
  readonly name = 'float-error';
  readonly ports = [{ first: 0xf0, count: 1 }];
  readonly portWidth = 1;
  private readonly line: InterruptLine;
  private latched = false;

  /** @param line IRQ 13 */
  constructor(line: InterruptLine) {
    this.line = line;
  }
  private set(latched: boolean): void {
    this.latched = latched;
    this.line(latched);
  }
  reset(): void {
    this.set(false);
  }
  /** FERR# of the boot processor; that of the others leads nowhere, as there is one IRQ 13. */
  assert(): void {
    this.set(true);
  }
  /** Nothing answers a read. */
  readPort(): number {
    return 0xff;
  }
  writePort(): void {
    this.set(false);
  }
  save(writer: StateWriter): void {
    writer.bool(this.latched);
  }
  restore(reader: StateReader): void {
    this.latched = reader.bool(); // the controllers have saved their inputs
  }
}
