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

/** The 384 KiB below 1 MiB are reserved as on a PC, although they are RAM here; the ACPI tables lie there. */
export function memoryRegions(memorySize: number): MemoryRegion[] {
  return [
    { base: 0, length: LOW_MEMORY_END, available: true },
    { base: LOW_MEMORY_END, length: HIGH_MEMORY_START - LOW_MEMORY_END, available: false },
    { base: HIGH_MEMORY_START, length: memorySize - HIGH_MEMORY_START, available: true },
    { base: 0xfec0_0000, length: 0x0140_0000, available: false }, // APICs and what firmware would have there
  ];
}
