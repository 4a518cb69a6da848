// A driver for virtio devices over PCI as a guest would write one: it finds the structures by capabilities, agrees on
// features, lays out queues in memory, and works with chains of buffers.
import assert from 'node:assert/strict';
import { PciBus } from '../../src/machine/pci/bus.ts';
import { PCI_MEMORY_WINDOW, pciInterrupt } from '../../src/machine/pci/layout.ts';
import type { VirtioBackend } from '../../src/machine/virtio/backend.ts';
import { VIRTIO_WINDOW, VirtioPci } from '../../src/machine/virtio/pci-transport.ts';
import { ArrayMemory, HandClock } from './fakes.ts';

export const SLOT = 5;
const CONFIG_ADDRESS = 0xcf8;
const CONFIG_DATA = 0xcfc;
export const NEXT = 1;
export const WRITE = 2;
export const INDIRECT = 4;

/** A bus with one device on it, memory, time, and the interrupt lines as last seen. */
export class VirtioBench {
  readonly clock = new HandClock();
  readonly memory: ArrayMemory;
  readonly lines = new Map<number, boolean>();
  readonly messages: string[] = [];
  readonly bus: PciBus;
  readonly device: VirtioPci;

  constructor(makeBackend: (say: (text: string) => void) => VirtioBackend, memorySize = 1 << 20) {
    this.memory = new ArrayMemory(memorySize);
    this.bus = new PciBus((interrupt, asserted) => this.lines.set(interrupt, asserted));
    const say = (text: string): void => void this.messages.push(text);
    this.device = new VirtioPci({
      backend: makeBackend(say),
      memory: this.memory,
      timers: this.clock,
      interruptPin: this.bus.interruptPin(SLOT),
      base: PCI_MEMORY_WINDOW.first + SLOT * VIRTIO_WINDOW,
      interrupt: pciInterrupt(SLOT, 0),
      say,
    });
    this.bus.attach(SLOT, this.device);
  }
  configRead(offset: number, size: number, device = SLOT): number {
    this.bus.writePort(CONFIG_ADDRESS, 4, (0x8000_0000 | (device << 11) | (offset & 0xfc)) >>> 0);
    return this.bus.readPort(CONFIG_DATA + (offset & 3), size);
  }
  configWrite(offset: number, size: number, value: number, device = SLOT): void {
    this.bus.writePort(CONFIG_ADDRESS, 4, (0x8000_0000 | (device << 11) | (offset & 0xfc)) >>> 0);
    this.bus.writePort(CONFIG_DATA + (offset & 3), size, value);
  }
  get interrupt(): boolean {
    return this.lines.get(pciInterrupt(SLOT, 0)) === true;
  }
}

interface Structure {
  readonly offset: number;
  readonly length: number;
  readonly capability: number;
}
interface Buffer {
  /** Bytes for the device to read, or a number of bytes for it to write. */
  readonly content: Uint8Array | number;
}
export interface Finished {
  readonly head: number;
  readonly length: number;
}

/** Memory of one queue of the driver's. */
class DriverQueue {
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  availableIndex = 0;
  usedIndex = 0;
  nextDescriptor = 0;

  constructor(base: number) {
    this.descriptors = base;
    this.available = base + 0x800;
    this.used = base + 0xa00;
  }
}

export class VirtioDriver {
  readonly bench: VirtioBench;
  readonly structures = new Map<number, Structure>();
  readonly queues: DriverQueue[] = [];
  private readonly view: DataView;
  readonly queueSize: number;
  /** Where the next buffer goes. */
  private free = 0x1_0000;

  constructor(bench: VirtioBench, queueSize = 16) {
    this.bench = bench;
    this.queueSize = queueSize;
    this.view = new DataView(bench.memory.bytes.buffer);
    let at = bench.configRead(0x34, 1);
    while (at !== 0) {
      const [id, next, type] = [bench.configRead(at, 1), bench.configRead(at + 1, 1), bench.configRead(at + 3, 1)];
      assert.equal(id, 9);
      const [offset, length] = [bench.configRead(at + 8, 4), bench.configRead(at + 12, 4)];
      this.structures.set(type, { offset, length, capability: at });
      at = next;
    }
  }
  private at(type: number): number {
    const structure = this.structures.get(type);
    assert.ok(structure, `there is no structure of type ${type}`);
    return structure.offset;
  }
  readCommon(offset: number, size: number): number {
    return Number(this.bench.device.readMemory(this.at(1) + offset, size));
  }
  writeCommon(offset: number, size: number, value: number | bigint): void {
    this.bench.device.writeMemory(this.at(1) + offset, size, BigInt(value));
  }
  readDevice(offset: number, size: number): number {
    return Number(this.bench.device.readMemory(this.at(4) + offset, size));
  }
  notify(queue: number): void {
    this.bench.device.writeMemory(this.at(2) + 4 * queue, 2, BigInt(queue));
  }
  /** Reads and thereby acknowledges the interrupt status. */
  interruptStatus(): number {
    return Number(this.bench.device.readMemory(this.at(3), 1));
  }
  offeredFeatures(): bigint {
    this.writeCommon(0x00, 4, 0);
    const low = this.readCommon(0x04, 4);
    this.writeCommon(0x00, 4, 1);
    return BigInt(low) | (BigInt(this.readCommon(0x04, 4)) << 32n);
  }
  get status(): number {
    return this.readCommon(0x14, 1);
  }
  set status(value: number) {
    this.writeCommon(0x14, 1, value);
  }
  acceptFeatures(features: bigint): void {
    for (const word of [0, 1]) {
      this.writeCommon(0x08, 4, word);
      this.writeCommon(0x0c, 4, (features >> BigInt(32 * word)) & 0xffff_ffffn);
    }
  }
  setUpQueue(index: number): void {
    const queue = new DriverQueue(0x1000 * (index + 1));
    this.queues[index] = queue;
    this.writeCommon(0x16, 2, index);
    this.writeCommon(0x18, 2, this.queueSize);
    assert.equal(this.readCommon(0x18, 2), this.queueSize);
    for (const [offset, address] of [
      [0x20, queue.descriptors],
      [0x28, queue.available],
      [0x30, queue.used],
    ] as const) {
      this.writeCommon(offset, 4, address);
      this.writeCommon(offset + 4, 4, 0);
    }
    this.writeCommon(0x1c, 2, 1);
  }
  /** The initialisation of virtio 1.2, 3.1.1. */
  start(queues = 1, features = this.offeredFeatures()): void {
    this.bench.configWrite(0x04, 2, 6); // memory, bus master
    this.status = 0;
    this.status = 1;
    this.status = 3;
    this.acceptFeatures(features);
    this.status = 11;
    assert.equal(this.status, 11, 'the features are agreed on');
    for (let index = 0; index < queues; index++) this.setUpQueue(index);
    this.status = 15;
  }

  writeDescriptor(table: number, index: number, address: number, length: number, flags: number, next: number): void {
    const at = table + 16 * index;
    this.view.setBigUint64(at, BigInt(address), true);
    this.view.setUint32(at + 8, length, true);
    this.view.setUint16(at + 12, flags, true);
    this.view.setUint16(at + 14, next, true);
  }
  /** Puts the head of a chain into the available ring. */
  makeAvailable(index: number, head: number): void {
    const queue = this.queue(index);
    this.view.setUint16(queue.available + 4 + 2 * (queue.availableIndex % this.queueSize), head, true);
    queue.availableIndex = (queue.availableIndex + 1) & 0xffff;
    this.view.setUint16(queue.available + 2, queue.availableIndex, true);
  }
  queue(index: number): DriverQueue {
    const queue = this.queues[index];
    assert.ok(queue);
    return queue;
  }
  private allocate(size: number): number {
    const address = this.free;
    this.free += Math.ceil(size / 16) * 16;
    if (this.free > this.bench.memory.size) {
      this.free = 0x1_0000;
      return this.allocate(size);
    }
    return address;
  }
  /** Offers one chain; answers the addresses of its buffers. */
  offer(index: number, buffers: readonly Buffer['content'][], how: { readonly indirect?: boolean } = {}): number[] {
    const queue = this.queue(index);
    const table = how.indirect === true ? this.allocate(16 * buffers.length) : queue.descriptors;
    const numbers = buffers.map((_, i) => (how.indirect === true ? i : queue.nextDescriptor++ % this.queueSize));
    const addresses = buffers.map((content) => this.allocate(typeof content === 'number' ? content : content.length));
    buffers.forEach((content, i) => {
      const address = addresses[i] ?? 0;
      const length = typeof content === 'number' ? content : content.length;
      if (typeof content !== 'number') this.bench.memory.bytes.set(content, address);
      const flags = (typeof content === 'number' ? WRITE : 0) | (i + 1 < buffers.length ? NEXT : 0);
      this.writeDescriptor(table, numbers[i] ?? 0, address, length, flags, numbers[i + 1] ?? 0);
    });
    let head = numbers[0] ?? 0;
    if (how.indirect === true) {
      head = queue.nextDescriptor++ % this.queueSize;
      this.writeDescriptor(queue.descriptors, head, table, 16 * buffers.length, INDIRECT, 0);
    }
    this.makeAvailable(index, head);
    return addresses;
  }
  /** What the device gave back since the last call. */
  finished(index: number): Finished[] {
    const queue = this.queue(index);
    const found: Finished[] = [];
    while (queue.usedIndex !== this.view.getUint16(queue.used + 2, true)) {
      const at = queue.used + 4 + 8 * (queue.usedIndex % this.queueSize);
      found.push({ head: this.view.getUint32(at, true), length: this.view.getUint32(at + 4, true) });
      queue.usedIndex = (queue.usedIndex + 1) & 0xffff;
    }
    return found;
  }
  bytes(address: number, length: number): Uint8Array {
    return this.bench.memory.bytes.slice(address, address + length);
  }
  /** Notifies, lets time pass, and answers what came back. */
  run(index: number, ticks = 10_000_000n): Finished[] {
    this.notify(index);
    this.bench.clock.advance(ticks);
    return this.finished(index);
  }
}
