// The memory map that guests are given, by whatever boot protocol: E820, Multiboot and PVH say the same.
import { HIGH_MEMORY_START, LOW_MEMORY_END } from '../memory-map.ts';

export interface MemoryRegion {
  readonly base: number;
  readonly length: number;
  /** Usable RAM; otherwise reserved. */
  readonly available: boolean;
}
/** Types of E820 entries, which PVH and Multiboot share (ACPI 6.5 table 15.4). */
export const E820_RAM = 1;
export const E820_RESERVED = 2;

/** The topmost RAM is the firmware's, as on QEMU's pc, where SeaBIOS keeps its tables: guests are given the same end of memory. */
const FIRMWARE_RAM = 128 * 1024;
/** Where a PC has its boot ROM, up to 4 GiB: 256 KiB, as on QEMU's pc. */
const ROM = { base: 0xfffc_0000, length: 0x4_0000, available: false } as const;

/** End of the RAM that guests may use. */
export const usableEnd = (memorySize: number): number => memorySize - FIRMWARE_RAM;

/** The 384 KiB below 1 MiB are reserved as on a PC, although they are RAM here; the ACPI tables lie there. */
export function memoryRegions(memorySize: number): MemoryRegion[] {
  return [
    { base: 0, length: LOW_MEMORY_END, available: true },
    { base: LOW_MEMORY_END, length: HIGH_MEMORY_START - LOW_MEMORY_END, available: false },
    { base: HIGH_MEMORY_START, length: usableEnd(memorySize) - HIGH_MEMORY_START, available: true },
    { base: usableEnd(memorySize), length: FIRMWARE_RAM, available: false },
    ROM,
  ];
}
