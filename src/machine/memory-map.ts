// The physical address space above and beside RAM.
//
// RAM is one piece from 0 on. The 384 KiB from 0xA0000, where a PC has video memory and firmware, are plain RAM too: this
// machine has no VGA and no ROM, and a hole would only cost each access a check. The memory map that guests are given
// keeps the range reserved all the same, so nobody takes it for a PC's ordinary memory.
import type { MemoryDevice } from './device.ts';

/** End of what firmware reports as conventional memory (the last KiB is the EBDA of a PC). */
export const LOW_MEMORY_END = 0x9_fc00;
export const HIGH_MEMORY_START = 0x10_0000;
export const IOAPIC_BASE = 0xfec0_0000;
/** RAM ends below the devices. */
export const MAXIMUM_RAM = 3 * 2 ** 30;

interface Window {
  readonly device: MemoryDevice;
  readonly size: number;
  /** Physical address of the first byte, or undefined while the window is closed. */
  readonly base: () => number | undefined;
}

export class MemoryMap {
  private readonly windows: Window[] = [];
  private readonly unknown: (physical: number, write: boolean) => void;

  constructor(unknown: (physical: number, write: boolean) => void) {
    this.unknown = unknown;
  }
  attach(device: MemoryDevice, size: number, base: () => number | undefined): void {
    this.windows.push({ device, size, base });
  }
  private find(physical: number, size: number): { device: MemoryDevice; offset: number } | undefined {
    for (const window of this.windows) {
      const base = window.base();
      if (base === undefined || physical < base || physical + size > base + window.size) continue;
      return { device: window.device, offset: physical - base };
    }
    return undefined;
  }
  /** Reads 1, 2, 4 or 8 bytes. */
  read(physical: number, size: number): bigint {
    const found = this.find(physical, size);
    if (found !== undefined) return BigInt.asUintN(size * 8, found.device.readMemory(found.offset, size));
    this.unknown(physical, false);
    return (1n << BigInt(size * 8)) - 1n;
  }
  write(physical: number, size: number, value: bigint): void {
    const found = this.find(physical, size);
    if (found !== undefined) found.device.writeMemory(found.offset, size, BigInt.asUintN(size * 8, value));
    else this.unknown(physical, true);
  }
}
