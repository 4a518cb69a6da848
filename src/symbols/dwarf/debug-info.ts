/** All units of .debug_info: found by offset or signature, trees kept while recently used. */

import type { Reader } from '../reader.ts';
import { elfError } from '../elf.ts';
import { parseAbbreviations, type AbbreviationTable } from './abbreviations.ts';
import { DW_UT } from './constants.ts';
import type { DebugSections } from './sections.ts';
import { Unit, type UnitDie, type UnitHeader } from './unit.ts';

/** How many entries of units that were not used lately stay in memory. */
const entryLimit = 2_000_000;
/** What a tree weighs besides its entries: the bytes that it was read from, its table. */
const treeWeight = 10;

/** Beyond this many bytes of .debug_info (a Linux kernel has 160 MB) nothing may walk over all units to find a name. */
const wholeWalkLimit = 48 << 20;

/** The longest unit header: 64-bit, of a type unit (DWARF 5, 7.5.1). */
const headerSize = 40;
const scanWindow = 1 << 16;

/** The largest programs have some hundred thousand; each takes some hundred bytes of memory. */
const unitLimit = 1 << 20;

/** A file is split as a whole, or little of it is. */
const skeletonsLookedAt = 16;

export class DebugInfo {
  /** Too large to be walked as a whole: names are found by the ELF symbol table, types in the unit at hand. */
  readonly isLarge: boolean;
  readonly sections: DebugSections;
  readonly units: readonly Unit[];
  readonly #abbreviations = new Map<number, AbbreviationTable>();
  readonly #signatures = new Map<bigint, Unit>();
  /** Units with a tree, least recently used first, and the weight of each in entries. */
  readonly #loaded = new Map<Unit, number>();
  #weight = 0;

  constructor(sections: DebugSections) {
    this.sections = sections;
    this.isLarge = sections.size('.debug_info') > wholeWalkLimit;
    this.units = this.#scan();
    this.#sayWhatIsNotRead();
    for (const unit of this.units) {
      if (unit.header.signature !== null) this.#signatures.set(unit.header.signature, unit);
    }
  }

  /** The unit that holds a .debug_info offset, or null. */
  unitAt(offset: number): Unit | null {
    let low = 0;
    let high = this.units.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.units[middle]?.header.offset ?? Infinity) <= offset) low = middle + 1;
      else high = middle;
    }
    const unit = this.units[low - 1];
    return unit !== undefined && offset < unit.header.end ? unit : null;
  }

  /** The entry at a .debug_info offset, or null. */
  dieAt(offset: number): UnitDie | null {
    return this.unitAt(offset)?.tree?.byOffset.get(offset) ?? null;
  }

  /** The type that a type unit defines (DWARF 5, 7.32), or null. */
  typeBySignature(signature: bigint): UnitDie | null {
    const unit = this.#signatures.get(signature);
    return unit === undefined ? null : this.dieAt(unit.header.offset + unit.header.typeOffset);
  }

  abbreviations(offset: number): AbbreviationTable {
    let table = this.#abbreviations.get(offset);
    if (table === undefined) {
      table = this.sections.parseAt('.debug_abbrev', offset, parseAbbreviations);
      this.sections.charge('.debug_abbrev', table.size);
      this.#abbreviations.set(offset, table);
    }
    return table;
  }

  /** Notes that a unit's tree is in use, and releases those that were not for long. */
  treeUsed(unit: Unit, entries: number): void {
    const known = this.#loaded.delete(unit);
    if (!known) this.#weight += entries + treeWeight;
    this.#loaded.set(unit, entries + treeWeight);
    if (this.#weight <= entryLimit || this.#loaded.size <= 8) return;
    // Many at once: to find the oldest takes as long as many were released before it.
    for (const [victim, weight] of this.#loaded) {
      if (victim === unit || this.#weight <= entryLimit / 2) break;
      this.#loaded.delete(victim);
      this.#weight -= weight;
      victim.release();
    }
  }

  /** Kinds of debugging information that are in other places than those that are read: said when the file is opened. */
  #sayWhatIsNotRead(): void {
    const { elf, warnings } = this.sections;
    const say = (section: string, problem: string): void =>
      warnings.add(elfError('unsupported', elf.name, null, problem, section));
    if (this.units.slice(0, skeletonsLookedAt).some((unit) => unit.bases.isSkeleton)) {
      say(
        '.debug_info',
        'has its debugging information in separate .dwo files, which are not read: variables, types and names of inlined functions are missing. Compile without -gsplit-dwarf',
      );
    }
    if (this.sections.size('.debug_types') > 0) {
      say(
        '.debug_types',
        'has types in .debug_types (DWARF 4), which is not read: they are shown as incomplete. Compile with -gdwarf-5 or without -fdebug-types-section',
      );
    }
    if (elf.type === 'relocatable' && this.units.length > 0) {
      say(
        '.debug_info',
        'is a relocatable file: where its sections are loaded is not known, so addresses, lines and variables in it are not right. Link it, or use the file that is loaded',
      );
    }
  }

  #scan(): Unit[] {
    const { sections } = this;
    const { warnings, elf } = sections;
    const size = sections.size('.debug_info');
    const units: Unit[] = [];
    if (size === 0) return units;
    const warn = (code: 'unsupported' | 'malformed', reader: Reader, problem: string): void =>
      warnings.add(elfError(code, elf.name, reader.origin.fileOffset + reader.position, problem, '.debug_info'));
    let empty = false;
    let window = sections.reader('.debug_info', 0, 0);
    let windowAt = 0;
    for (let offset = 0; offset < size;) {
      // Headers of small units lie close together: one read brings many.
      if (offset - windowAt + headerSize > window.bytes.length && windowAt + window.bytes.length < size) {
        windowAt = offset;
        window = sections.reader('.debug_info', offset, Math.min(scanWindow, size - offset));
      }
      window.position = offset - windowAt;
      const header = warnings.guard(() => parseUnitHeader(window, offset, size), null);
      // Without a length there is no next unit.
      if (header === null) break;
      if (typeof header === 'number') {
        warn('unsupported', window, 'has a unit of a DWARF version or kind that is not supported (2 to 5 are)');
        offset = header;
        continue;
      }
      offset = header.end;
      if (header.offset + header.firstDie === header.end) {
        if (!empty) warn('malformed', window, 'has units without any entry, which say nothing');
        empty = true;
        continue;
      }
      if (units.length === unitLimit) {
        warn('unsupported', window, `has more than ${unitLimit} units: those behind are not read`);
        break;
      }
      units.push(new Unit(this, header));
    }
    return units;
  }
}

/**
 * Parses the header of the unit at an offset of the section, where the reader stands; for one that cannot be used, the
 * offset of the next. Throws when even that is unknown.
 */
function parseUnitHeader(reader: Reader, offset: number, sectionSize: number): UnitHeader | number {
  const start = reader.position;
  let length = reader.u32();
  let offsetSize: 4 | 8 = 4;
  if (length === 0xffff_ffff) {
    offsetSize = 8;
    length = reader.offset(8);
  } else if (length >= 0xffff_fff0) {
    throw reader.malformed('a unit has a reserved length');
  }
  const end = offset + reader.position - start + length;
  if (end > sectionSize) throw reader.malformed('a unit reaches beyond the section');
  const headerEnd = end - offset;
  if (length < 7) return end;
  const version = reader.u16();
  let type: number = DW_UT.compile;
  let addressSize: number;
  let abbreviationsOffset: number;
  let signature: bigint | null = null;
  let typeOffset = 0;
  if (version === 5) {
    type = reader.u8();
    addressSize = reader.u8();
    abbreviationsOffset = reader.offset(offsetSize);
    if (type === DW_UT.type || type === DW_UT.split_type) {
      signature = reader.u64();
      typeOffset = reader.offset(offsetSize);
    } else if (type === DW_UT.skeleton || type === DW_UT.split_compile) {
      reader.skip(8);
    }
  } else if (version >= 2 && version <= 4) {
    abbreviationsOffset = reader.offset(offsetSize);
    addressSize = reader.u8();
  } else {
    return end;
  }
  if ((addressSize !== 4 && addressSize !== 8) || reader.position - start > headerEnd) return end;
  return {
    offset,
    end,
    version,
    type,
    addressSize,
    offsetSize,
    abbreviationsOffset,
    firstDie: reader.position - start,
    signature,
    typeOffset,
  };
}
