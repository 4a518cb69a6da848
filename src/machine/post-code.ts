// The diagnostic port 0x80: firmware shows its progress there, and kernels write to it to pass a microsecond. The last byte
// reads back, as from the latch of a POST card.
import type { PortDevice } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

export class PostCode implements PortDevice {
  readonly name = 'post-code';
  readonly ports = [{ first: 0x80, count: 1 }];
  readonly portWidth = 1;
  private code = 0;

  reset(): void {
    this.code = 0;
  }
  readPort(): number {
    return this.code;
  }
  writePort(_port: number, _size: number, value: number): void {
    this.code = value;
  }
  save(writer: StateWriter): void {
    writer.u8(this.code);
  }
  restore(reader: StateReader): void {
    this.code = reader.u8();
  }
}
