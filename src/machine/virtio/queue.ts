// A split virtqueue, the device's side (virtio 1.2, 2.7). Everything in it is written by a guest that may be hostile:
// whatever stands there, a call does a bounded amount of work and reaches nothing but guest RAM. What no driver may do
// breaks the queue for good (until the device is reset), with the reason in words.
import type { GuestMemory } from '../device.ts';
import type { StateReader, StateWriter } from '../state-stream.ts';
import { DescriptorChain, type Segment } from './descriptor-chain.ts';

const DESCRIPTOR_SIZE = 16;
// descriptor flags
const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
// available ring flags
const NO_INTERRUPT = 1;

interface Descriptor {
  readonly address: number;
  readonly length: number;
  readonly flags: number;
  readonly next: number;
}

/** A 64-bit address as a number; those above 2^53 lose digits, but they are outside RAM either way. */
const toNumber = (low: number, high: number): number => high * 2 ** 32 + low;

export class SplitQueue {
  /** Most entries that the driver may choose. */
  readonly maximumSize: number;
  private readonly memory: GuestMemory;
  size: number;
  enabled = false;
  /** Guest-physical addresses of the three areas. */
  descriptors = 0n;
  driverArea = 0n;
  deviceArea = 0n;
  private lastAvailable = 0;
  private usedIndex = 0;
  /** Why the queue cannot be used any more. */
  broken: string | undefined;
  /** Something was given back, and the driver has not been told yet. */
  unannounced = false;

  /** @param maximumSize a power of two. */
  constructor(memory: GuestMemory, maximumSize: number) {
    this.memory = memory;
    this.maximumSize = maximumSize;
    this.size = maximumSize;
  }
  reset(): void {
    this.size = this.maximumSize;
    this.enabled = false;
    this.descriptors = 0n;
    this.driverArea = 0n;
    this.deviceArea = 0n;
    this.lastAvailable = 0;
    this.usedIndex = 0;
    this.broken = undefined;
    this.unannounced = false;
  }
  /** Takes a size of the driver's: a power of two up to the maximum (2.7). Others are ignored. */
  resize(size: number): void {
    if (size > 0 && size <= this.maximumSize && (size & (size - 1)) === 0) this.size = size;
  }

  private fail(reason: string): undefined {
    this.broken ??= reason;
    return undefined;
  }
  private view(area: bigint, offset: number, size: number): DataView | undefined {
    const bytes = this.memory.read(Number(area) + offset, size);
    return bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset, size);
  }

  /** The next buffer that the driver made available, or undefined. The caller gives it back by complete(). */
  take(): DescriptorChain | undefined {
    if (!this.enabled || this.broken !== undefined) return undefined;
    const available = this.view(this.driverArea, 2, 2)?.getUint16(0, true);
    if (available === undefined) return this.fail('the available ring is outside RAM');
    const waiting = (available - this.lastAvailable) & 0xffff;
    if (waiting === 0) return undefined;
    if (waiting > this.size) return this.fail(`the available ring claims ${waiting} of ${this.size} entries`);
    const slot = this.lastAvailable & (this.size - 1);
    const head = this.view(this.driverArea, 4 + 2 * slot, 2)?.getUint16(0, true);
    if (head === undefined) return this.fail('the available ring is outside RAM');
    this.lastAvailable = (this.lastAvailable + 1) & 0xffff;
    return this.chain(head);
  }
  private descriptor(table: number, index: number): Descriptor | undefined {
    const bytes = this.memory.read(table + index * DESCRIPTOR_SIZE, DESCRIPTOR_SIZE);
    if (bytes === undefined) return this.fail('a descriptor is outside RAM');
    const view = new DataView(bytes.buffer, bytes.byteOffset, DESCRIPTOR_SIZE);
    return {
      address: toNumber(view.getUint32(0, true), view.getUint32(4, true)),
      length: view.getUint32(8, true),
      flags: view.getUint16(12, true),
      next: view.getUint16(14, true),
    };
  }
  /** Follows a chain; no longer than the queue is (2.7.5.3.1), so a loop ends. */
  private chain(head: number): DescriptorChain | undefined {
    let table = Number(this.descriptors);
    let count = this.size;
    let indirect = false;
    const readable: Segment[] = [];
    const writable: Segment[] = [];
    let index = head;
    for (let steps = 0; steps <= this.size; steps++) {
      if (index >= count) return this.fail(`descriptor ${index} does not exist`);
      const found = this.descriptor(table, index);
      if (found === undefined) return undefined;
      const { address, length, flags, next } = found;
      if ((flags & INDIRECT) !== 0) {
        if (indirect || (flags & NEXT) !== 0) return this.fail('an indirect table inside or in front of others');
        if (length === 0 || length % DESCRIPTOR_SIZE !== 0) return this.fail(`an indirect table of ${length} bytes`);
        table = address;
        count = length / DESCRIPTOR_SIZE;
        indirect = true;
        index = 0;
        continue;
      }
      if (address + length > this.memory.size) return this.fail('a buffer is outside RAM');
      if ((flags & WRITE) !== 0) writable.push({ address, length });
      else if (writable.length > 0) return this.fail('a buffer to read follows one to write');
      else readable.push({ address, length });
      if ((flags & NEXT) === 0) return new DescriptorChain(this.memory, head, readable, writable);
      index = next;
    }
    return this.fail('a chain is longer than the queue');
  }

  /** Gives a buffer back with the number of bytes that were written into it. */
  complete(chain: DescriptorChain, written: number): void {
    if (this.broken !== undefined) return;
    const element = new Uint8Array(8);
    const view = new DataView(element.buffer);
    view.setUint32(0, chain.head, true);
    view.setUint32(4, written, true);
    const ring = Number(this.deviceArea);
    const slot = this.usedIndex & (this.size - 1);
    const next = (this.usedIndex + 1) & 0xffff;
    const index = Uint8Array.of(next & 0xff, next >> 8);
    if (!this.memory.write(ring + 4 + 8 * slot, element) || !this.memory.write(ring + 2, index)) {
      this.fail('the used ring is outside RAM');
      return;
    }
    this.usedIndex = next;
    this.unannounced = true;
  }
  /** Whether the driver wants to be interrupted for what was given back (2.7.7.2). Asked once, after a batch. */
  announce(): boolean {
    if (!this.unannounced) return false;
    this.unannounced = false;
    const flags = this.view(this.driverArea, 0, 2)?.getUint16(0, true) ?? 0;
    return (flags & NO_INTERRUPT) === 0;
  }

  save(writer: StateWriter): void {
    writer.u16(this.size);
    writer.bool(this.enabled);
    for (const area of [this.descriptors, this.driverArea, this.deviceArea]) writer.u64(area);
    writer.u16(this.lastAvailable);
    writer.u16(this.usedIndex);
    writer.text(this.broken ?? '');
    writer.bool(this.unannounced);
  }
  restore(reader: StateReader): void {
    this.size = this.maximumSize;
    this.resize(reader.u16());
    this.enabled = reader.bool();
    this.descriptors = reader.u64();
    this.driverArea = reader.u64();
    this.deviceArea = reader.u64();
    this.lastAvailable = reader.u16();
    this.usedIndex = reader.u16();
    this.broken = reader.text() || undefined;
    this.unannounced = reader.bool();
  }
}
