/** Access to the debugging sections of an ELF file, by piece. */

import { SymbolError } from '../api.ts';
import { isCompressed } from '../compressed-sections.ts';
import { elfError, type ElfFile } from '../elf.ts';
import { SHT_NOBITS } from '../elf-constants.ts';
import type { Reader } from '../reader.ts';
import { StringSection } from '../string-section.ts';
import type { Warnings } from '../warnings.ts';

export class DebugSections {
  readonly elf: ElfFile;
  readonly warnings: Warnings;
  readonly #strings = new Map<string, StringSection>();
  readonly #budgets = new Map<string, number>();

  constructor(elf: ElfFile, warnings: Warnings) {
    this.elf = elf;
    this.warnings = warnings;
  }

  /** Size of a section's contents in bytes; 0 when there is none that can be read. */
  size(name: string): number {
    const section = this.elf.section(name);
    if (section === null || section.type === SHT_NOBITS) return 0;
    // One that could not be decompressed was said when the file was opened.
    if (isCompressed(section)) return 0;
    return section.size;
  }

  /** A reader of [offset, offset + length) of a section. Position 0 is `offset`. */
  reader(name: string, offset: number, length: number): Reader {
    const section = this.elf.section(name);
    const size = this.size(name);
    if (section === null || offset > size || length > size - offset) {
      const place = section === null ? null : section.fileOffset + Math.min(offset, size);
      throw elfError('malformed', this.elf.name, place, `refers to bytes outside its ${name}`, name);
    }
    return this.elf.reader(section.fileOffset + offset, length, name, name);
  }

  /**
   * Parses something of unknown length at an offset: reads a little, and more when that does not suffice.
   * `parse` may run more than once and must not have side effects.
   *
   * @param most how far it can reach at most, when that is known
   */
  parseAt<Result>(name: string, offset: number, parse: (reader: Reader) => Result, most = Infinity): Result {
    const size = Math.min(this.size(name) - offset, most);
    for (let window = 4096; ; window *= 16) {
      const length = Math.max(0, Math.min(window, size));
      try {
        return parse(this.reader(name, offset, length));
      } catch (error) {
        const partial = length < size;
        if (!partial || !(error instanceof SymbolError) || error.code !== 'truncated') throw error;
      }
    }
  }

  /** The string at an offset of .debug_str or .debug_line_str. */
  string(name: '.debug_str' | '.debug_line_str', offset: number): string {
    let strings = this.#strings.get(name);
    if (strings === undefined) {
      const section = this.elf.section(name);
      strings = new StringSection(this.elf.bytes, section?.fileOffset ?? 0, this.size(name));
      this.#strings.set(name, strings);
    }
    return strings.at(offset);
  }

  /**
   * Accounts for parsed items of a section. References may overlap in a damaged file, so that a little input could
   * describe a lot of data: beyond four times what the section's bytes can hold, it is refused.
   */
  charge(name: string, items: number): void {
    const left = (this.#budgets.get(name) ?? 4 * this.size(name) + 4096) - items;
    this.#budgets.set(name, left);
    if (left < 0) {
      throw elfError('malformed', this.elf.name, null, `describes the same bytes of ${name} over and over`, name);
    }
  }
}
