// A disk image in memory, which can be told to fail.
import { DiskError, type DiskImage } from '../../src/machine/virtio/disk-image.ts';

export class MemoryDisk implements DiskImage {
  readonly name: string;
  readonly writable: boolean;
  readonly bytes: Uint8Array;
  flushes = 0;
  /** Set: every access fails with this sentence. */
  fault: string | undefined;

  constructor(name: string, bytes: Uint8Array, writable = false) {
    this.name = name;
    this.bytes = bytes;
    this.writable = writable;
  }
  get size(): number {
    return this.bytes.length;
  }
  private check(): void {
    if (this.fault !== undefined) throw new DiskError(`${this.name}: ${this.fault}`);
  }
  read(offset: number, length: number): Uint8Array {
    this.check();
    return this.bytes.slice(offset, offset + length);
  }
  write(offset: number, bytes: Uint8Array): void {
    this.check();
    this.bytes.set(bytes, offset);
  }
  flush(): void {
    this.check();
    this.flushes++;
  }
}
