// QEMU's firmware configuration device (docs/specs/fw_cfg.rst of QEMU): items by key, read byte by byte or by DMA.
import type { GuestMemory, PortDevice } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';

export const FW_CFG = {
  signature: 0x00,
  id: 0x01,
  ramSize: 0x03,
  graphics: 0x04,
  cpuCount: 0x05,
  maximumCpus: 0x0f,
  fileDirectory: 0x19,
  firstFile: 0x20,
} as const;
const NO_ITEM = 0xffff;
/** Zeros that one DMA access may read behind the end of an item: an access does a bounded amount of work. */
const MAXIMUM_PADDING = 1 << 20;
// control word of a DMA access
const DMA_ERROR = 1;
const DMA_READ = 2;
const DMA_SKIP = 4;
const DMA_SELECT = 8;
const DMA_WRITE = 16;
/** "QEMU CFG", as the DMA address register reads. */
const DMA_SIGNATURE = [0x51, 0x45, 0x4d, 0x55, 0x20, 0x43, 0x46, 0x47];

export interface FwCfgFile {
  /** At most 55 characters, for example "etc/acpi/tables". */
  readonly name: string;
  readonly data: Uint8Array;
}

export class FwCfg implements PortDevice {
  readonly name = 'fw-cfg';
  readonly ports = [
    { first: 0x510, count: 2 },
    { first: 0x514, count: 8 },
  ];
  readonly portWidth = 4;
  private readonly memory: GuestMemory;
  private readonly items = new Map<number, Uint8Array>();
  private key: number = NO_ITEM;
  private offset = 0;
  private dmaHigh = 0;

  constructor(memory: GuestMemory, cpus: number, files: readonly FwCfgFile[] = []) {
    this.memory = memory;
    this.items.set(FW_CFG.signature, new TextEncoder().encode('QEMU'));
    this.items.set(FW_CFG.id, littleEndian(4, 3n)); // traditional interface and DMA
    this.items.set(FW_CFG.ramSize, littleEndian(8, BigInt(memory.size)));
    this.items.set(FW_CFG.graphics, littleEndian(2, 0n));
    this.items.set(FW_CFG.cpuCount, littleEndian(2, BigInt(cpus)));
    this.items.set(FW_CFG.maximumCpus, littleEndian(2, BigInt(cpus)));
    this.items.set(FW_CFG.fileDirectory, directory(files));
    files.forEach(({ data }, i) => this.items.set(FW_CFG.firstFile + i, data));
  }
  reset(): void {
    this.key = NO_ITEM;
    this.offset = 0;
    this.dmaHigh = 0;
  }

  private select(key: number): void {
    this.key = key & 0x3fff;
    this.offset = 0;
  }
  /** Items end in zeros without end. */
  private next(): number {
    const byte = this.items.get(this.key)?.[this.offset] ?? 0;
    this.offset++;
    return byte;
  }

  readPort(port: number, size: number): number {
    if (port >= 0x514) {
      let value = 0;
      for (let i = 0; i < size; i++) value |= (DMA_SIGNATURE[(port - 0x514 + i) & 7] ?? 0) << (8 * i);
      return value >>> 0;
    }
    if (port === 0x511 && size === 1) return this.next();
    return size === 1 ? 0xff : size === 2 ? 0xffff : 0xffff_ffff;
  }
  writePort(port: number, size: number, value: number): void {
    if (port === 0x510 && size >= 2) this.select(value & 0xffff);
    else if (port === 0x514 && size === 4) this.dmaHigh = swap(value);
    else if (port === 0x518 && size === 4) this.transfer(this.dmaHigh, swap(value));
    // writes of items ended with QEMU 2.4: data written to 0x511 is dropped
  }

  /** One DMA access. */
  private transfer(high: number, low: number): void {
    this.dmaHigh = 0;
    const at = high * 2 ** 32 + low;
    const access = this.memory.read(at, 16);
    if (access === undefined) return;
    const view = new DataView(access.buffer, access.byteOffset, 16);
    const control = view.getUint32(0);
    const length = view.getUint32(4);
    const target = Number(view.getBigUint64(8));
    if ((control & DMA_SELECT) !== 0) this.select(control >>> 16);
    let failed = false;
    if ((control & DMA_READ) !== 0) failed = !this.copyTo(target, length);
    else if ((control & DMA_WRITE) !== 0) failed = true;
    else if ((control & DMA_SKIP) !== 0) this.offset = Math.min(this.offset + length, Number.MAX_SAFE_INTEGER);
    const answer = new Uint8Array(4);
    new DataView(answer.buffer).setUint32(0, failed ? DMA_ERROR : 0);
    this.memory.write(at, answer);
  }
  private copyTo(target: number, length: number): boolean {
    if (target + length > this.memory.size) return false;
    const item = this.items.get(this.key) ?? new Uint8Array();
    const part = item.subarray(Math.min(this.offset, item.length), Math.min(this.offset + length, item.length));
    if (length - part.length > MAXIMUM_PADDING) return false;
    this.offset += length;
    const bytes = new Uint8Array(length);
    bytes.set(part);
    return this.memory.write(target, bytes);
  }

  save(writer: StateWriter): void {
    writer.u16(this.key);
    writer.u64(BigInt(this.offset));
    writer.u32(this.dmaHigh);
  }
  restore(reader: StateReader): void {
    this.key = reader.u16();
    this.offset = Number(reader.u64());
    this.dmaHigh = reader.u32();
  }
}

function swap(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
function littleEndian(size: number, value: bigint): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}
/** FWCfgFiles: a big-endian count, then 64 bytes a file: size, key, reserved, name. */
function directory(files: readonly FwCfgFile[]): Uint8Array {
  const bytes = new Uint8Array(4 + files.length * 64);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, files.length);
  files.forEach(({ name, data }, i) => {
    const at = 4 + i * 64;
    view.setUint32(at, data.length);
    view.setUint16(at + 4, FW_CFG.firstFile + i);
    bytes.set(new TextEncoder().encode(name).subarray(0, 55), at + 8);
  });
  return bytes;
}
