// Virtio over PCI, modern only (virtio 1.2, 4.1): capabilities that lead to four structures in one window of memory, the
// common configuration, notifications, interrupt status, and the device's own configuration.
//
// All work on queues is done at ticks of the virtual clock, never at once and never by the host's event loop: a
// notification arms a timer. So a run depends on nothing but its inputs, and each firing does a bounded amount of work.
import type { GuestMemory, InterruptLine, MemoryDevice, Timer, Timers } from '../device.ts';
import type { PciFunction } from '../pci/bus.ts';
import { ConfigSpace } from '../pci/config-space.ts';
import type { StateReader, StateWriter } from '../state-stream.ts';
import { FEATURE_INDIRECT_DESCRIPTORS, FEATURE_VERSION_1, type VirtioBackend } from './backend.ts';
import { DeviceStatus, NEEDS_RESET_TEXT } from './device-status.ts';
import { SplitQueue } from './queue.ts';

const VENDOR = 0x1af4;
const MODERN_DEVICE = 0x1040;
/** The window, and where the structures are in it. */
export const VIRTIO_WINDOW = 0x4000;
const BAR = 0;
const COMMON = 0x0000;
const INTERRUPT_STATUS = 0x1000;
const DEVICE = 0x2000;
const NOTIFY = 0x3000;
const STRUCTURE = 0x1000;
const COMMON_SIZE = 0x38;
/** Queue n is notified at NOTIFY + 4 n. */
const NOTIFY_MULTIPLIER = 4;

const VENDOR_CAPABILITY = 0x09;
const CFG_COMMON = 1;
const CFG_NOTIFY = 2;
const CFG_INTERRUPT_STATUS = 3;
const CFG_DEVICE = 4;
const CFG_PCI = 5;
// offsets in struct virtio_pci_cap, without the two bytes in front that all capabilities have
const CAP_BAR = 2;
const CAP_OFFSET = 6;
const CAP_LENGTH = 10;
const CAP_DATA = 14;

const INTERRUPT_QUEUE = 1;
const INTERRUPT_CONFIGURATION = 2;
const NO_VECTOR = 0xffff;
/** From a notification to the work on the queue. */
const NOTIFICATION_DELAY = 2000n;

const le32 = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];

export interface VirtioPciOptions {
  readonly backend: VirtioBackend;
  readonly memory: GuestMemory;
  readonly timers: Timers;
  readonly interruptPin: InterruptLine;
  /** Where the window is and which interrupt the pin is wired to, as firmware would leave it. */
  readonly base: number;
  readonly interrupt: number;
  /** Told once why a device stopped working. */
  readonly say: (text: string) => void;
}

export class VirtioPci implements MemoryDevice, PciFunction {
  readonly name: string;
  private readonly options: VirtioPciOptions;
  private readonly backend: VirtioBackend;
  private readonly config: ConfigSpace;
  private readonly pciAccess: number;
  private readonly offered: bigint;
  private readonly queues: readonly SplitQueue[];
  private readonly timer: Timer;
  private readonly status = new DeviceStatus();
  private accepted = 0n;
  private deviceSelect = 0;
  private driverSelect = 0;
  private queueSelect = 0;
  private interruptStatus = 0;
  /** Virtual time of each queue's next turn. */
  private readonly turns: (bigint | undefined)[];

  constructor(options: VirtioPciOptions) {
    const { backend } = options;
    this.options = options;
    this.backend = backend;
    this.name = backend.name;
    this.offered = backend.features | FEATURE_INDIRECT_DESCRIPTORS | FEATURE_VERSION_1;
    this.queues = backend.queueSizes.map((size) => new SplitQueue(options.memory, size));
    this.turns = this.queues.map(() => undefined);
    this.timer = options.timers.create(`${backend.name} work`, () => this.work());
    this.config = new ConfigSpace({
      vendor: VENDOR,
      device: MODERN_DEVICE + backend.deviceType,
      revision: 1,
      classCode: backend.classCode,
      subsystemVendor: VENDOR,
      subsystem: 0x1100,
      interruptPin: 1,
    });
    this.config.addMemoryBar(BAR, VIRTIO_WINDOW, options.base);
    this.config.presetInterruptLine(options.interrupt);
    this.addStructure(CFG_COMMON, COMMON, COMMON_SIZE);
    this.addStructure(CFG_NOTIFY, NOTIFY, NOTIFY_MULTIPLIER * this.queues.length, le32(NOTIFY_MULTIPLIER));
    this.addStructure(CFG_INTERRUPT_STATUS, INTERRUPT_STATUS, 1);
    if (backend.configuration.length > 0) this.addStructure(CFG_DEVICE, DEVICE, backend.configuration.length);
    this.pciAccess = this.addPciAccess();
  }
  private addStructure(type: number, offset: number, length: number, more: readonly number[] = []): void {
    const size = 16 + more.length;
    const body = [size, type, BAR, 0, 0, 0, ...le32(offset), ...le32(length), ...more];
    this.config.addCapability(VENDOR_CAPABILITY, body);
  }
  /** The window through configuration space, for guests without memory access (4.1.4.9). */
  private addPciAccess(): number {
    const size = 20;
    const ones = [0xff, 0xff, 0xff, 0xff];
    const writable = [0, 0, 0xff, 0, 0, 0, ...ones, ...ones];
    return (
      2 +
      this.config.addCapability(VENDOR_CAPABILITY, [size, CFG_PCI, ...Array.from({ length: 16 }, () => 0)], writable)
    );
  }

  // ---- configuration space -------------------------------------------------------------------------------------------
  /** Where the window is now; undefined while it is closed. */
  get window(): number | undefined {
    return this.config.memoryBar(BAR);
  }
  readConfig(offset: number, size: number): number {
    if (offset >= this.pciAccess + CAP_DATA && offset < this.pciAccess + CAP_DATA + 4) {
      const at = this.pciAccessOffset(size);
      return at === undefined ? 0 : Number(this.readMemory(at, size));
    }
    return this.config.read(offset, size);
  }
  writeConfig(offset: number, size: number, value: number): void {
    if (offset >= this.pciAccess + CAP_DATA && offset < this.pciAccess + CAP_DATA + 4) {
      const at = this.pciAccessOffset(size);
      if (at !== undefined) this.writeMemory(at, size, BigInt(value));
      return;
    }
    this.config.write(offset, size, value);
    this.updateInterrupt(); // the interrupt disable bit
    this.schedule(); // the bus master bit
  }
  private pciAccessOffset(size: number): number | undefined {
    const bar = this.config.read(this.pciAccess + CAP_BAR, 1);
    const offset = this.config.read(this.pciAccess + CAP_OFFSET, 4);
    const length = this.config.read(this.pciAccess + CAP_LENGTH, 4);
    const fits = bar === BAR && length === size && offset % size === 0 && offset + size <= VIRTIO_WINDOW;
    return fits ? offset : undefined;
  }

  // ---- the window ----------------------------------------------------------------------------------------------------
  readMemory(offset: number, size: number): bigint {
    if (offset === INTERRUPT_STATUS) {
      const status = this.interruptStatus;
      this.interruptStatus = 0; // reading acknowledges (4.1.4.5)
      this.updateInterrupt();
      return BigInt(status);
    }
    const structure = offset & ~(STRUCTURE - 1);
    const at = offset & (STRUCTURE - 1);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) {
      const byte = structure === COMMON ? this.commonByte(at + i) : structure === DEVICE ? this.deviceByte(at + i) : 0;
      value = (value << 8n) | BigInt(byte);
    }
    return value;
  }
  private deviceByte(at: number): number {
    return this.backend.configuration[at] ?? 0;
  }
  private get queue(): SplitQueue | undefined {
    return this.queues[this.queueSelect];
  }
  /** One byte of struct virtio_pci_common_cfg (4.1.4.3). */
  private commonByte(at: number): number {
    const byteOf = (start: number, value: number | bigint): number =>
      Number((BigInt(value) >> BigInt(8 * (at - start))) & 0xffn);
    if (at < 0x04) return byteOf(0x00, this.deviceSelect);
    if (at < 0x08) return byteOf(0x04, this.featureWord(this.offered, this.deviceSelect));
    if (at < 0x0c) return byteOf(0x08, this.driverSelect);
    if (at < 0x10) return byteOf(0x0c, this.featureWord(this.accepted, this.driverSelect));
    if (at < 0x12) return byteOf(0x10, NO_VECTOR); // there is no MSI-X
    if (at < 0x14) return byteOf(0x12, this.queues.length);
    if (at < 0x15) return this.status.value;
    if (at < 0x16) return 0; // the configuration never changes
    if (at < 0x18) return byteOf(0x16, this.queueSelect);
    const { queue } = this;
    if (at < 0x1a) return byteOf(0x18, queue?.size ?? 0);
    if (at < 0x1c) return byteOf(0x1a, NO_VECTOR);
    if (at < 0x1e) return byteOf(0x1c, queue?.enabled === true ? 1 : 0);
    if (at < 0x20) return byteOf(0x1e, queue === undefined ? 0 : this.queueSelect);
    if (at < 0x28) return byteOf(0x20, queue?.descriptors ?? 0n);
    if (at < 0x30) return byteOf(0x28, queue?.driverArea ?? 0n);
    if (at < 0x38) return byteOf(0x30, queue?.deviceArea ?? 0n);
    return 0;
  }
  private featureWord(features: bigint, select: number): bigint {
    return select > 1 ? 0n : (features >> BigInt(32 * select)) & 0xffff_ffffn;
  }

  /** Fields are written as wholes, 64-bit ones also by halves (4.1.3.1); other accesses mean nothing. */
  writeMemory(offset: number, size: number, value: bigint): void {
    const structure = offset & ~(STRUCTURE - 1);
    if (structure === NOTIFY) this.notified(Math.floor((offset - NOTIFY) / NOTIFY_MULTIPLIER));
    if (structure !== COMMON) return;
    const number = Number(value & 0xffff_ffffn);
    switch (offset) {
      case 0x00:
        if (size === 4) this.deviceSelect = number;
        return;
      case 0x08:
        if (size === 4) this.driverSelect = number;
        return;
      case 0x0c:
        if (size === 4) this.acceptFeatures(value);
        return;
      case 0x14:
        if (size === 1) this.writeStatus(number);
        return;
      case 0x16:
        if (size === 2) this.queueSelect = number;
        return;
      default:
        if (offset >= 0x18) this.writeQueue(offset, size, value);
    }
  }
  private acceptFeatures(word: bigint): void {
    if (this.status.featuresAgreed || this.driverSelect > 1) return;
    const shift = BigInt(32 * this.driverSelect);
    this.accepted = (this.accepted & ~(0xffff_ffffn << shift)) | (word << shift);
  }
  private writeStatus(value: number): void {
    if (value === 0) {
      this.resetDevice();
      return;
    }
    const agreeable = (this.accepted & ~this.offered) === 0n && (this.accepted & FEATURE_VERSION_1) !== 0n;
    this.status.write(value, agreeable);
    this.schedule();
  }
  private writeQueue(offset: number, size: number, value: bigint): void {
    const { queue } = this;
    if (queue === undefined || queue.enabled) return; // the areas of a live queue stay (4.1.4.3.2)
    if (offset === 0x18 && size === 2) queue.resize(Number(value));
    if (offset === 0x1c && size === 2 && value === 1n) queue.enabled = true;
    const half = (area: bigint): bigint => {
      if (size === 8 && (offset & 7) === 0) return value;
      if (size !== 4 || (offset & 3) !== 0) return area;
      const shift = (offset & 4) === 0 ? 0n : 32n;
      return (area & ~(0xffff_ffffn << shift)) | (value << shift);
    };
    const area = offset & ~7;
    if (area === 0x20) queue.descriptors = half(queue.descriptors);
    if (area === 0x28) queue.driverArea = half(queue.driverArea);
    if (area === 0x30) queue.deviceArea = half(queue.deviceArea);
  }

  // ---- work ----------------------------------------------------------------------------------------------------------
  private notified(index: number): void {
    this.requestTurn(index, NOTIFICATION_DELAY);
  }
  /** The outside has something for a queue. */
  attend(index: number): void {
    this.requestTurn(index, NOTIFICATION_DELAY);
  }
  private requestTurn(index: number, delay: bigint): void {
    if (index >= this.queues.length) return;
    // a notification while a turn is due changes nothing: the queue is looked at then
    this.turns[index] ??= this.options.timers.now + delay;
    this.schedule();
  }
  private get mayWork(): boolean {
    return this.status.live && this.config.busMaster;
  }
  private schedule(): void {
    let earliest: bigint | undefined;
    for (const turn of this.turns) {
      if (turn !== undefined && (earliest === undefined || turn < earliest)) earliest = turn;
    }
    if (earliest === undefined || !this.mayWork) this.timer.cancel();
    else if (this.timer.deadline !== earliest) this.timer.arm(earliest);
  }
  private work(): void {
    const { now } = this.options.timers;
    this.queues.forEach((queue, index) => {
      const turn = this.turns[index];
      if (turn === undefined || turn > now || !this.mayWork) return;
      const delay = this.backend.service(index, queue);
      this.turns[index] = delay === undefined ? undefined : now + delay;
      if (queue.announce()) this.interruptStatus |= INTERRUPT_QUEUE;
      if (queue.broken !== undefined) this.breakDown(queue.broken);
    });
    this.updateInterrupt();
    this.schedule();
  }
  /** The driver broke the rules: nothing more happens until it resets the device (2.1.2). */
  private breakDown(reason: string): void {
    this.status.needsReset();
    this.turns.fill(undefined);
    this.interruptStatus |= INTERRUPT_CONFIGURATION;
    this.options.say(`${this.name}: ${reason}; ${NEEDS_RESET_TEXT}`);
  }
  private updateInterrupt(): void {
    this.config.interruptPending = this.interruptStatus !== 0;
    this.options.interruptPin(this.interruptStatus !== 0 && !this.config.interruptDisabled);
  }

  // ---- state ---------------------------------------------------------------------------------------------------------
  private resetDevice(): void {
    this.status.reset();
    this.accepted = 0n;
    this.deviceSelect = 0;
    this.driverSelect = 0;
    this.queueSelect = 0;
    this.interruptStatus = 0;
    this.turns.fill(undefined);
    this.timer.cancel();
    for (const queue of this.queues) queue.reset();
    this.backend.reset();
    this.updateInterrupt();
  }
  reset(): void {
    this.config.reset();
    this.resetDevice();
  }
  save(writer: StateWriter): void {
    this.config.save(writer);
    writer.u8(this.status.value);
    writer.u64(this.accepted);
    writer.u32(this.deviceSelect);
    writer.u32(this.driverSelect);
    writer.u16(this.queueSelect);
    writer.u8(this.interruptStatus);
    for (const turn of this.turns) writer.optional64(turn);
    for (const queue of this.queues) queue.save(writer);
    this.backend.save(writer);
  }
  restore(reader: StateReader): void {
    this.config.restore(reader);
    this.status.restore(reader.u8());
    this.accepted = reader.u64();
    this.deviceSelect = reader.u32();
    this.driverSelect = reader.u32();
    this.queueSelect = reader.u16();
    this.interruptStatus = reader.u8();
    for (let index = 0; index < this.turns.length; index++) this.turns[index] = reader.optional64();
    for (const queue of this.queues) queue.restore(reader);
    this.backend.restore(reader);
  }
}
