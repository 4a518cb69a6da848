// QEMU's isa-debug-exit at port 0xF4: a write ends the machine with status (value << 1) | 1.
import type { PortDevice } from './device.ts';

export class IsaDebugExit implements PortDevice {
  readonly name = 'isa-debug-exit';
  readonly ports = [{ first: 0xf4, count: 4 }];
  readonly portWidth = 4;
  private readonly exit: (value: number) => void;

  constructor(exit: (value: number) => void) {
    this.exit = exit;
  }
  reset(): void {}
  readPort(): number {
    return 0;
  }
  writePort(_port: number, _size: number, value: number): void {
    this.exit(value);
  }
  save(): void {}
  restore(): void {}
}
