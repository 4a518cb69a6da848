/** All units of .debug_info: found by offset or signature, trees kept while recently used. */

import type { Reader } from '../reader.ts';
import { elfError } from '../elf.ts';
import { parseAbbreviations, type AbbreviationTable } from './abbreviations.ts';
import { DW_UT } from './constants.ts';
import type { DebugSections } from './sections.ts';
import { Unit, type UnitDie, type UnitHeader } from './unit.ts';

/** How many entries of units that were not used lately stay in memory. */
const entryLimit = 2_000_000;

/** Beyond this many bytes of .debug_info (a Linux kernel has 160 MB) nothing may walk over all units to find a name. */
const wholeWalkLimit = 48 << 20;

export class DebugInfo {
  /** Too large to be walked as a whole: names are found by the ELF symbol table, types in the unit at hand. */
  readonly isLarge: boolean;
  readonly sections: DebugSections;
  readonly units: readonly Unit[];
  readonly #abbreviations = new Map<number, AbbreviationTable>();
  readonly #signatures = new Map<bigint, Unit>();
  /** Units with a tree, least recently used first, and the number of entries in each. */
  readonly #loaded = new Map<Unit, number>();
  #entries = 0;

  constructor(sections: DebugSections) {
    this.sections = sections;
    this.isLarge = sections.size('.debug_info') > wholeWalkLimit;
    this.units = this.#scan();
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
    const known = this.#loaded.get(unit);
    if (known !== undefined) this.#loaded.delete(unit);
    else this.#entries += entries;
    this.#loaded.set(unit, known ?? entries);
    while (this.#entries > entryLimit && this.#loaded.size > 8) {
      const oldest = this.#loaded.entries().next();
      if (oldest.done) break;
      const [victim, size] = oldest.value;
      this.#loaded.delete(victim);
      this.#entries -= size;
      victim.release();
    }
  }

  #scan(): Unit[] {
    const { sections } = this;
    const size = sections.size('.debug_info');
    const units: Unit[] = [];
    let offset = 0;
    while (offset < size) {
      const reader = sections.reader('.debug_info', offset, Math.min(40, size - offset));
      let header: UnitHeader | number;
      try {
        header = parseUnitHeader(reader, offset, size);
      } catch (error) {
        // Without a length there is no next unit.
        sections.warnings.add(error);
        break;
      }
      if (typeof header === 'number') {
        const place = reader.origin.fileOffset;
        const problem = `has a unit in .debug_info of a DWARF version or kind that is not supported (2 to 5 are)`;
        sections.warnings.add(elfError('unsupported', sections.elf.name, place, problem, '.debug_info'));
        offset = header;
      } else {
        units.push(new Unit(this, header));
        offset = header.end;
      }
    }
    return units;
  }
}

/** Parses a unit's header; for one that cannot be used, the offset of the next. Throws when even that is unknown. */
function parseUnitHeader(reader: Reader, offset: number, sectionSize: number): UnitHeader | number {
  let length = reader.u32();
  let offsetSize: 4 | 8 = 4;
  if (length === 0xffff_ffff) {
    offsetSize = 8;
    length = reader.offset(8);
  } else if (length >= 0xffff_fff0) {
    throw reader.malformed('a unit has a reserved length');
  }
  const end = offset + reader.position + length;
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
  if ((addressSize !== 4 && addressSize !== 8) || reader.position > headerEnd) return end;
  return {
    offset,
    end,
    version,
    type,
    addressSize,
    offsetSize,
    abbreviationsOffset,
    firstDie: reader.position,
    signature,
    typeOffset,
  };
}
