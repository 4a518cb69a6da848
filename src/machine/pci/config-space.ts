// The 256 bytes of configuration space that every PCI function has (PCI 3.0, ch. 6): what they read, and which of their
// bits a guest can change. Sizing of base addresses needs nothing more: bits below the size are simply read-only.
import type { StateReader, StateWriter } from '../state-stream.ts';

const SIZE = 256;
const VENDOR_ID = 0x00;
const DEVICE_ID = 0x02;
const COMMAND = 0x04;
const STATUS = 0x06;
const REVISION = 0x08;
const CLASS_CODE = 0x09;
const BASE_ADDRESS_0 = 0x10;
const SUBSYSTEM_VENDOR_ID = 0x2c;
const SUBSYSTEM_ID = 0x2e;
const CAPABILITIES_POINTER = 0x34;
const INTERRUPT_LINE = 0x3c;
const INTERRUPT_PIN = 0x3d;
const FIRST_CAPABILITY = 0x40;

const COMMAND_MEMORY = 1 << 1;
const COMMAND_BUS_MASTER = 1 << 2;
const COMMAND_INTERRUPT_DISABLE = 1 << 10;
const STATUS_INTERRUPT = 1 << 3;
const STATUS_CAPABILITIES = 1 << 4;

export interface PciIdentity {
  readonly vendor: number;
  readonly device: number;
  readonly revision: number;
  /** Base class, subclass, programming interface: 24 bits. */
  readonly classCode: number;
  readonly subsystemVendor?: number;
  readonly subsystem?: number;
  /** 1: INTA#; 0: none. */
  readonly interruptPin: 0 | 1;
}

export class ConfigSpace {
  private readonly bytes = new Uint8Array(SIZE);
  private readonly view = new DataView(this.bytes.buffer);
  /** Bits that a guest can change. */
  private readonly writable = new Uint8Array(SIZE);
  private readonly atPowerOn: [offset: number, value: number][] = [];
  private nextCapability = FIRST_CAPABILITY;
  private lastPointer = CAPABILITIES_POINTER;
  /** Level of the function's INTx pin before the interrupt disable bit; the status register shows it. */
  interruptPending = false;

  constructor(identity: PciIdentity) {
    this.view.setUint16(VENDOR_ID, identity.vendor, true);
    this.view.setUint16(DEVICE_ID, identity.device, true);
    this.bytes[REVISION] = identity.revision;
    for (let i = 0; i < 3; i++) this.bytes[CLASS_CODE + i] = identity.classCode >> (8 * i);
    this.view.setUint16(SUBSYSTEM_VENDOR_ID, identity.subsystemVendor ?? 0, true);
    this.view.setUint16(SUBSYSTEM_ID, identity.subsystem ?? 0, true);
    this.bytes[INTERRUPT_PIN] = identity.interruptPin;
    if (identity.interruptPin !== 0) this.writable[INTERRUPT_LINE] = 0xff;
    this.setWritable(COMMAND, [0, COMMAND_INTERRUPT_DISABLE >> 8]);
  }
  private setWritable(offset: number, mask: readonly number[]): void {
    mask.forEach((bits, i) => {
      this.writable[offset + i] = (this.writable[offset + i] ?? 0) | bits;
    });
  }

  /**
   * Gives the function a 32-bit window in memory space of a power of two of bytes. It stands at `base` after power-on,
   * where firmware would have put it; it opens when the guest sets the memory bit of the command register.
   */
  addMemoryBar(index: number, size: number, base: number): void {
    const mask = -size >>> 0;
    const offset = BASE_ADDRESS_0 + 4 * index;
    this.setWritable(offset, [mask & 0xff, (mask >>> 8) & 0xff, (mask >>> 16) & 0xff, mask >>> 24]);
    this.setWritable(COMMAND, [COMMAND_MEMORY | COMMAND_BUS_MASTER]);
    this.presetAtPowerOn(offset, base);
  }
  /** What firmware would have written into the interrupt line register. */
  presetInterruptLine(interrupt: number): void {
    this.presetAtPowerOn(INTERRUPT_LINE, interrupt | (this.view.getUint32(INTERRUPT_LINE, true) & ~0xff));
  }
  private presetAtPowerOn(offset: number, value: number): void {
    this.atPowerOn.push([offset, value]);
    this.view.setUint32(offset, value, true);
  }
  /**
   * Appends a capability: id, and the bytes behind its next pointer (6.7). Answers its offset.
   * @param writable bits of `body` that a guest can change.
   */
  addCapability(id: number, body: readonly number[], writable: readonly number[] = []): number {
    const offset = this.nextCapability;
    if (offset + 2 + body.length > SIZE) throw new RangeError('the capabilities do not fit');
    this.bytes[this.lastPointer] = offset;
    this.bytes.set([id, 0, ...body], offset);
    this.setWritable(offset + 2, writable);
    this.lastPointer = offset + 1;
    this.nextCapability = (offset + 2 + body.length + 3) & ~3;
    this.view.setUint16(STATUS, STATUS_CAPABILITIES, true);
    return offset;
  }

  get memoryEnabled(): boolean {
    return (this.view.getUint16(COMMAND, true) & COMMAND_MEMORY) !== 0;
  }
  get busMaster(): boolean {
    return (this.view.getUint16(COMMAND, true) & COMMAND_BUS_MASTER) !== 0;
  }
  get interruptDisabled(): boolean {
    return (this.view.getUint16(COMMAND, true) & COMMAND_INTERRUPT_DISABLE) !== 0;
  }
  /** Where a window is in memory space; undefined while it is closed. */
  memoryBar(index: number): number | undefined {
    const base = (this.view.getUint32(BASE_ADDRESS_0 + 4 * index, true) & ~0xf) >>> 0;
    return this.memoryEnabled && base !== 0 ? base : undefined;
  }

  /** Reads size bytes (1, 2 or 4) that do not cross a doubleword. */
  read(offset: number, size: number): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) {
      const at = offset + i;
      let byte = this.bytes[at] ?? 0;
      if (at === STATUS && this.interruptPending) byte |= STATUS_INTERRUPT;
      value = value * 256 + byte;
    }
    return value;
  }
  write(offset: number, size: number, value: number): void {
    for (let i = 0; i < size; i++) {
      const at = offset + i;
      const mask = this.writable[at] ?? 0;
      this.bytes[at] = ((this.bytes[at] ?? 0) & ~mask) | ((value >>> (8 * i)) & mask);
    }
  }

  /** Back to the state after power-on. */
  reset(): void {
    for (let at = 0; at < SIZE; at++) this.bytes[at] = (this.bytes[at] ?? 0) & ~(this.writable[at] ?? 0);
    for (const [offset, value] of this.atPowerOn) this.view.setUint32(offset, value, true);
    this.interruptPending = false;
  }
  save(writer: StateWriter): void {
    writer.raw(this.bytes);
    writer.bool(this.interruptPending);
  }
  /** Only what a guest can change is taken over. */
  restore(reader: StateReader): void {
    const saved = reader.raw(SIZE);
    for (let at = 0; at < SIZE; at++) {
      const mask = this.writable[at] ?? 0;
      this.bytes[at] = ((this.bytes[at] ?? 0) & ~mask) | ((saved[at] ?? 0) & mask);
    }
    this.interruptPending = reader.bool();
  }
}
