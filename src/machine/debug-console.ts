// The debug console port of Bochs and QEMU: bytes written to 0xE9 go to the host, a read answers 0xE9 ("it is here").
import type { PortDevice } from './device.ts';

export class DebugConsole implements PortDevice {
  readonly name = 'debug-console';
  readonly ports = [{ first: 0xe9, count: 1 }];
  readonly portWidth = 1;
  private readonly output: (byte: number) => void;

  constructor(output: (byte: number) => void) {
    this.output = output;
  }
  reset(): void {}
  readPort(): number {
    return 0xe9;
  }
  writePort(_port: number, _size: number, value: number): void {
    this.output(value);
  }
  save(): void {}
  restore(): void {}
}
