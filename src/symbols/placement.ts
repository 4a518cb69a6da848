/** Link-time addresses of a file: which are in its image, which move with it (KASLR), which stay what they are. */

import type { AddressRange, ElfSummary } from './api.ts';
import { SHF_ALLOC } from './elf-constants.ts';
import { covers, normaliseRanges } from './search.ts';

/**
 * Linux's per-CPU variables: until 6.15 the section is linked at 0 (arch/x86/kernel/vmlinux.lds.S: PERCPU_VADDR), and its
 * "addresses" are distances from a CPU's own area.
 */
const PER_CPU_SECTION = '.data..percpu';

export class Placement {
  readonly #loaded: readonly AddressRange[];
  readonly #fixed: readonly AddressRange[];
  readonly #sections: readonly AddressRange[];

  constructor({ type, segments, sections }: Pick<ElfSummary, 'type' | 'segments' | 'sections'>) {
    this.#loaded = segments
      .filter(({ isLoad }) => isLoad)
      // The end belongs to it, too: that is where `_end` is.
      .map(({ virtualAddress: start, memorySize }) => ({ start, end: start + memorySize + 1n }));
    this.#fixed = sections
      .filter(({ name, address }) => name === PER_CPU_SECTION && address === 0n)
      .map(({ address: start, size }) => ({ start, end: start + BigInt(size) }));
    this.#sections =
      type === 'relocatable'
        ? []
        : normaliseRanges(
            sections
              .filter(({ flags }) => (flags & SHF_ALLOC) !== 0n)
              .map(({ address: start, size }) => ({ start, end: start + BigInt(size) })),
          );
  }

  /** Whether code can be at an address: linkers set those of discarded code to 0 or another place that holds nothing. */
  hasCode(address: bigint): boolean {
    return this.#sections.length === 0 || (covers(this.#sections, address) && !covers(this.#fixed, address));
  }

  /** Whether a link-time address is a place in the loaded image. Absolute numbers and per-CPU distances are none. */
  moves(address: bigint): boolean {
    // Relocatable files have no segments.
    return !covers(this.#fixed, address) && (this.#loaded.length === 0 || covers(this.#loaded, address));
  }
}
