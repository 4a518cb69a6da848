// Copy on write: a disk whose image stays as it is. What the guest writes lives here, and is part of its state.
import { SnapshotError, type StateReader, type StateWriter } from '../state-stream.ts';
import { DiskError, type DiskImage } from './disk-image.ts';

const GRANULE = 4096;
/** A guest cannot make the host keep more than this. */
const MAXIMUM_BYTES = 2 ** 30;
const END = 0xffff_ffff;

export class Overlay implements DiskImage {
  readonly name: string;
  readonly size: number;
  readonly writable = false;
  private readonly base: DiskImage;
  private readonly maximum: number;
  private readonly granules = new Map<number, Uint8Array>();

  constructor(base: DiskImage, maximumBytes = MAXIMUM_BYTES) {
    this.base = base;
    this.name = base.name;
    this.size = base.size;
    this.maximum = Math.floor(maximumBytes / GRANULE);
  }
  /** Whether every granule of a range is here, so that the image itself need not be asked. */
  private covers(offset: number, length: number): boolean {
    for (let at = Math.floor(offset / GRANULE); at * GRANULE < offset + length; at++) {
      if (!this.granules.has(at)) return false;
    }
    return true;
  }
  read(offset: number, length: number): Uint8Array {
    const bytes = this.covers(offset, length) ? new Uint8Array(length) : this.base.read(offset, length);
    for (let at = Math.floor(offset / GRANULE); at * GRANULE < offset + length; at++) {
      const granule = this.granules.get(at);
      if (granule === undefined) continue;
      const start = Math.max(offset, at * GRANULE);
      const end = Math.min(offset + length, (at + 1) * GRANULE);
      bytes.set(granule.subarray(start - at * GRANULE, end - at * GRANULE), start - offset);
    }
    return bytes;
  }
  write(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    for (let at = Math.floor(offset / GRANULE); at * GRANULE < end; at++) {
      const start = Math.max(offset, at * GRANULE);
      const stop = Math.min(end, (at + 1) * GRANULE);
      this.granule(at, stop - start < GRANULE).set(bytes.subarray(start - offset, stop - offset), start - at * GRANULE);
    }
  }
  /** @param keep the rest of the granule matters: take it from the image. */
  private granule(at: number, keep: boolean): Uint8Array {
    const found = this.granules.get(at);
    if (found !== undefined) return found;
    if (this.granules.size >= this.maximum) {
      const limit = (this.maximum * GRANULE) / 2 ** 20;
      throw new DiskError(`${this.name}: the guest wrote more than the ${limit} MiB that are kept of a disk.`);
    }
    const fresh = new Uint8Array(GRANULE);
    const length = Math.min(GRANULE, this.size - at * GRANULE);
    if (keep) fresh.set(this.base.read(at * GRANULE, length));
    this.granules.set(at, fresh);
    return fresh;
  }
  flush(): void {
    // memory is as stable as it gets
  }

  save(writer: StateWriter): void {
    for (const at of [...this.granules.keys()].sort((a, b) => a - b)) {
      writer.u32(at);
      writer.raw(this.granules.get(at) ?? new Uint8Array(GRANULE));
    }
    writer.u32(END);
  }
  restore(reader: StateReader): void {
    this.granules.clear();
    for (;;) {
      const start = reader.offset;
      const at = reader.u32();
      if (at === END) return;
      if (at * GRANULE >= this.size) {
        throw new SnapshotError('format', start, `block ${at} is outside the disk ${this.name}; it is damaged.`);
      }
      this.granules.set(at, reader.raw(GRANULE).slice());
    }
  }
}
