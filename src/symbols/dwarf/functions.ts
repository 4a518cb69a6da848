/** Functions and the nesting of scopes at an address (DWARF 5, 3.3). */

import type { AddressRange } from '../api.ts';
import { compareBigint, covers, RangeIndex } from '../search.ts';
import { readAddressRanges } from './address-ranges.ts';
import { DW_AT, DW_TAG } from './constants.ts';
import type { DebugInfo } from './debug-info.ts';
import type { Unit, UnitDie } from './unit.ts';

/** A subprogram entry that has code. */
export interface FunctionEntry {
  readonly unit: Unit;
  /** Offset of the entry. */
  readonly id: number;
  readonly name: string;
  readonly entry: bigint;
  readonly ranges: readonly AddressRange[];
}

/** The entries around an address, from the function inwards: blocks and inlined instances. */
export interface ScopePath {
  readonly unit: Unit;
  readonly function: UnitDie;
  readonly nested: readonly UnitDie[];
}

export class FunctionTable {
  readonly #info: DebugInfo;
  readonly #functions = new Map<Unit, readonly FunctionEntry[]>();
  readonly #byAddress = new Map<Unit, RangeIndex<FunctionEntry>>();
  #units: RangeIndex<Unit> | null = null;

  constructor(info: DebugInfo) {
    this.#info = info;
  }

  /** The units that claim an address, innermost claim first. */
  unitsAt(address: bigint): readonly Unit[] {
    this.#units ??= this.#indexUnits();
    return this.#units.at(address);
  }

  #indexUnits(): RangeIndex<Unit> {
    const { units, isLarge, sections } = this.#info;
    // Thousands of root entries take a second to read; what the table of addresses does not list is still asked.
    const listed = isLarge ? readAddressRanges(sections) : null;
    return new RangeIndex(units, (unit) => listed?.get(unit.header.offset) ?? this.#rangesOf(unit));
  }

  #rangesOf(unit: Unit): readonly AddressRange[] {
    const { warnings } = this.#info.sections;
    if (!unit.isCompilation) return [];
    const ranges = warnings.guard(() => unit.ranges, []);
    // Assemblers and old compilers may leave the unit without ranges.
    return ranges.length > 0 ? ranges : this.of(unit).flatMap((entry) => entry.ranges);
  }

  /** The functions of a unit that have code, sorted by entry. */
  of(unit: Unit): readonly FunctionEntry[] {
    let list = this.#functions.get(unit);
    if (list === undefined) {
      list = this.#collect(unit).toSorted((a, b) => compareBigint(a.entry, b.entry));
      this.#functions.set(unit, list);
    }
    return list;
  }

  #collect(unit: Unit): FunctionEntry[] {
    const found: FunctionEntry[] = [];
    const { warnings, elf } = this.#info.sections;
    for (const die of unit.entries) {
      if (die.tag !== DW_TAG.subprogram) continue;
      warnings.guard(() => {
        const ranges = unit.rangesOf(die);
        const entry = unit.entryOf(die, ranges);
        if (ranges.length > 0 && entry !== null && elf.placement.hasCode(entry)) {
          found.push({ unit, id: die.offset, name: unit.nameOf(die) ?? '', entry, ranges });
        }
      }, undefined);
    }
    return found;
  }

  /** The function that covers an address, or null. */
  at(address: bigint): FunctionEntry | null {
    for (const unit of this.unitsAt(address)) {
      let index = this.#byAddress.get(unit);
      if (index === undefined)
        this.#byAddress.set(unit, (index = new RangeIndex(this.of(unit), (entry) => entry.ranges)));
      // Of nested functions the innermost is meant: the smaller one as a whole, cold parts included.
      const candidates = index.at(address).toSorted((a, b) => compareBigint(extent(a.ranges), extent(b.ranges)));
      const [innermost] = candidates;
      if (innermost !== undefined) return innermost;
    }
    return null;
  }

  /** The scopes around an address, or null. */
  pathAt(address: bigint): ScopePath | null {
    const entry = this.at(address);
    if (entry === null) return null;
    const die = entry.unit.tree?.byOffset.get(entry.id);
    if (die === undefined) return null;
    const nested: UnitDie[] = [];
    for (let scope: UnitDie | undefined = die; scope !== undefined;) {
      const inner: UnitDie | undefined = scope.children.find(
        (child) => isScope(child) && covers(this.rangesOf(child), address),
      );
      if (inner !== undefined) nested.push(inner);
      scope = inner;
    }
    return { unit: entry.unit, function: die, nested };
  }

  rangesOf(die: UnitDie): readonly AddressRange[] {
    return this.#info.sections.warnings.guard(() => die.unit.rangesOf(die), []);
  }

  /** All inlined instances inside an entry, at any depth within its blocks. */
  inlinedInside(scope: UnitDie): UnitDie[] {
    const found: UnitDie[] = [];
    const pending = [...scope.children];
    for (let die = pending.pop(); die !== undefined; die = pending.pop()) {
      if (die.tag === DW_TAG.inlined_subroutine) found.push(die);
      else if (die.tag === DW_TAG.lexical_block) for (const child of die.children) pending.push(child);
    }
    return found;
  }

  /** Whether any variable of the unit has a location list: then gdb trusts locations at a function's very entry. */
  hasLocationLists(unit: Unit): boolean {
    let known = this.#locationLists.get(unit);
    if (known === undefined) {
      known = false;
      for (const die of unit.entries) {
        if (die.tag !== DW_TAG.variable && die.tag !== DW_TAG.formal_parameter) continue;
        const kind = this.#info.sections.warnings.guard(() => unit.attribute(die, DW_AT.location)?.kind, undefined);
        if (kind === 'sectionOffset' || kind === 'listIndex' || kind === 'constant') {
          known = true;
          break;
        }
      }
      this.#locationLists.set(unit, known);
    }
    return known;
  }

  readonly #locationLists = new Map<Unit, boolean>();
}

function isScope({ tag }: UnitDie): boolean {
  return tag === DW_TAG.lexical_block || tag === DW_TAG.inlined_subroutine;
}

function extent(ranges: readonly AddressRange[]): bigint {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0n);
}
