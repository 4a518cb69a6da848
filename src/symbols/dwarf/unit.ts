/** Units of .debug_info (DWARF 5, 7.5.1) and access to the attributes of their entries. */

import type { AddressRange, DwarfExpression } from '../api.ts';
import type { Reader } from '../reader.ts';
import { normaliseRanges } from '../search.ts';
import type { AbbreviationTable } from './abbreviations.ts';
import { DW_AT, DW_TAG } from './constants.ts';
import type { DebugInfo } from './debug-info.ts';
import { parseDieTree, readAttribute, type Die, type DieOwner, type DieTree } from './die.ts';
import type { AttributeValue, UnitFormat } from './forms.ts';
import { portableExpression } from './portable-expression.ts';
import { readRangeList } from './ranges.ts';

export type UnitDie = Die<Unit>;

/** How many references from a concrete entry to its origin are followed. */
const originLimit = 16;

export interface UnitHeader extends UnitFormat {
  /** Section offset behind the unit. */
  readonly end: number;
  /** DW_UT_* */
  readonly type: number;
  readonly abbreviationsOffset: number;
  /** Position of the first entry, counted from `offset`. */
  readonly firstDie: number;
  /** Type units: signature and position of the type. */
  readonly signature: bigint | null;
  readonly typeOffset: number;
}

export class Unit implements DieOwner {
  readonly info: DebugInfo;
  readonly header: UnitHeader;
  #reader: Reader | null = null;
  #tree: DieTree<Unit> | null = null;
  #root: Bases | null = null;
  #rangeLists: Map<string, readonly AddressRange[]> | null = null;

  constructor(info: DebugInfo, header: UnitHeader) {
    this.info = info;
    this.header = header;
  }

  get format(): UnitFormat {
    return this.header;
  }

  /** The unit's bytes, header included. */
  get reader(): Reader {
    const { offset, end } = this.header;
    this.#reader ??= this.info.sections.reader('.debug_info', offset, end - offset);
    return this.#reader;
  }

  get abbreviations(): AbbreviationTable {
    return this.info.abbreviations(this.header.abbreviationsOffset);
  }

  /** All entries below the root, and the root; none when there is nothing below it, as in units of assembly. */
  get entries(): Iterable<UnitDie> {
    return this.bases.hasChildren ? (this.tree?.byOffset.values() ?? []) : [];
  }

  /** The whole tree of entries; null when the unit cannot be read. */
  get tree(): DieTree<Unit> | null {
    if (this.#tree === null) {
      const { warnings } = this.info.sections;
      this.#tree = warnings.guard(
        () => parseDieTree(this, this.reader, this.header.firstDie, this.abbreviations, false),
        null,
      );
      if (this.#tree !== null && this.#tree.damage !== null) warnings.add(this.#tree.damage);
    }
    this.info.treeUsed(this, this.#tree?.byOffset.size ?? 0);
    return this.#tree;
  }

  /** Frees the tree and the bytes; they are read again when needed. */
  release(): void {
    this.#tree = null;
    this.#reader = null;
  }

  /** What the root entry says about the unit as a whole. Reads no more than the root. */
  get bases(): Bases {
    this.#root ??= this.info.sections.warnings.guard(() => this.#readBases(), noBases);
    return this.#root;
  }

  #readBases(): Bases {
    const { offset, end, firstDie } = this.header;
    const size = end - offset;
    const parse = (reader: Reader): Bases => {
      const tree = parseDieTree<Unit>(this, reader, firstDie, this.abbreviations, true);
      if (tree === null || tree.damage !== null) throw tree?.damage ?? reader.truncated('a unit has no entries');
      const read = (attribute: number): AttributeValue | null => readAttribute(tree.root, attribute, reader);
      const offsetOf = (attribute: number): number => {
        const value = read(attribute);
        if (value?.kind === 'sectionOffset') return value.offset;
        return value?.kind === 'constant' ? reader.safe(value.value) : 0;
      };
      const present = (attribute: number): boolean => read(attribute) !== null;
      return {
        tag: tree.root.tag,
        hasChildren: tree.root.abbreviation.hasChildren,
        isSkeleton: present(DW_AT.dwo_name) || present(DW_AT.GNU_dwo_name),
        stringOffsets: offsetOf(DW_AT.str_offsets_base),
        addresses: offsetOf(DW_AT.addr_base),
        rangeLists: offsetOf(DW_AT.rnglists_base),
        locationLists: offsetOf(DW_AT.loclists_base),
        lineProgram: present(DW_AT.stmt_list) ? offsetOf(DW_AT.stmt_list) : null,
        name: read(DW_AT.name),
        directory: read(DW_AT.comp_dir),
        producer: read(DW_AT.producer),
        lowPc: read(DW_AT.low_pc),
        highPc: read(DW_AT.high_pc),
        ranges: read(DW_AT.ranges),
      };
    };
    return this.info.sections.parseAt('.debug_info', offset, parse, size);
  }

  get name(): string {
    return this.text(this.bases.name) ?? '';
  }

  /** DW_AT_comp_dir, or the empty string. */
  get directory(): string {
    return this.text(this.bases.directory) ?? '';
  }

  get producer(): string {
    return this.text(this.bases.producer) ?? '';
  }

  /** The unit's base address, to which range and location lists are relative (DWARF 5, 3.1.1). */
  get baseAddress(): bigint {
    return this.addressOf(this.bases.lowPc) ?? 0n;
  }

  /** The addresses that the root entry claims. */
  get ranges(): readonly AddressRange[] {
    const { lowPc, highPc, ranges } = this.bases;
    return this.#rangesFrom(ranges, lowPc, highPc);
  }

  // ---- Attributes of entries ----

  attribute(die: UnitDie, attribute: number): AttributeValue | null {
    return readAttribute(die, attribute);
  }

  /** The attribute of the entry itself or of the entry that it completes (DW_AT_abstract_origin, _specification). */
  inherited(die: UnitDie, attribute: number): { value: AttributeValue; owner: UnitDie } | null {
    let current: UnitDie | null = die;
    for (let hops = 0; current !== null && hops < originLimit; hops++) {
      const value = current.unit.attribute(current, attribute);
      if (value !== null) return { value, owner: current };
      current = current.unit.origin(current);
    }
    return null;
  }

  /** The entry that this one completes, or that it stands for because it is in a type unit; or null. */
  origin(die: UnitDie): UnitDie | null {
    return (
      this.reference(die, DW_AT.abstract_origin) ??
      this.reference(die, DW_AT.specification) ??
      this.reference(die, DW_AT.signature)
    );
  }

  reference(die: UnitDie, attribute: number): UnitDie | null {
    const value = this.attribute(die, attribute);
    if (value?.kind === 'reference') return this.info.dieAt(value.offset);
    return value?.kind === 'signature' ? this.info.typeBySignature(value.value) : null;
  }

  /** The name, inherited. */
  nameOf(die: UnitDie): string | null {
    const found = this.inherited(die, DW_AT.name);
    return found === null ? null : found.owner.unit.text(found.value);
  }

  flag(die: UnitDie, attribute: number): boolean {
    const value = this.attribute(die, attribute);
    return value?.kind === 'flag' ? value.value : value?.kind === 'constant' && value.value !== 0n;
  }

  inheritedFlag(die: UnitDie, attribute: number): boolean {
    const value = this.inherited(die, attribute)?.value;
    return value?.kind === 'flag' && value.value;
  }

  /** A constant that counts something; null when absent, not constant or beyond 2^53. */
  number(die: UnitDie, attribute: number): number | null {
    return constantNumber(this.attribute(die, attribute));
  }

  inheritedNumber(die: UnitDie, attribute: number): number | null {
    return constantNumber(this.inherited(die, attribute)?.value ?? null);
  }

  text(value: AttributeValue | null): string | null {
    const { sections } = this.info;
    switch (value?.kind) {
      case 'string':
        return value.text;
      case 'stringOffset':
        return sections.string(value.section, value.offset);
      case 'stringIndex': {
        const { offsetSize } = this.header;
        const at = this.bases.stringOffsets + value.index * offsetSize;
        return sections.string('.debug_str', sections.reader('.debug_str_offsets', at, offsetSize).offset(offsetSize));
      }
      default:
        return null;
    }
  }

  addressOf(value: AttributeValue | null): bigint | null {
    if (value?.kind === 'address') return value.value;
    return value?.kind === 'addressIndex' ? this.indexedAddress(value.index) : null;
  }

  /** An entry of .debug_addr (DWARF 5, 7.27). */
  indexedAddress(index: number): bigint {
    const { addressSize } = this.header;
    const at = this.bases.addresses + index * addressSize;
    return this.info.sections.reader('.debug_addr', at, addressSize).unsigned(addressSize);
  }

  /** The addresses of an entry with DW_AT_ranges or DW_AT_low_pc and _high_pc, sorted (DWARF 5, 2.17). */
  rangesOf(die: UnitDie): readonly AddressRange[] {
    return this.#rangesFrom(
      this.attribute(die, DW_AT.ranges),
      this.attribute(die, DW_AT.low_pc),
      this.attribute(die, DW_AT.high_pc),
    );
  }

  #rangesFrom(
    ranges: AttributeValue | null,
    lowPc: AttributeValue | null,
    highPc: AttributeValue | null,
  ): readonly AddressRange[] {
    if (ranges !== null) {
      const key = ranges.kind === 'listIndex' ? `x${ranges.index}` : listOffset(ranges);
      const lists = (this.#rangeLists ??= new Map());
      let known = lists.get(key);
      if (known === undefined) {
        known = this.info.sections.warnings.guard(() => normaliseRanges(readRangeList(this, ranges)), []);
        lists.set(key, known);
      }
      return known;
    }
    const start = this.addressOf(lowPc);
    if (start === null || highPc === null) return [];
    const end = highPc.kind === 'constant' ? start + highPc.value : this.addressOf(highPc);
    return end === null || end <= start ? [] : [{ start, end }];
  }

  /** Where execution enters an entry with ranges (DWARF 5, 2.18). */
  entryOf(die: UnitDie, ranges: readonly AddressRange[]): bigint | null {
    const low = this.addressOf(this.attribute(die, DW_AT.low_pc));
    const entry = this.attribute(die, DW_AT.entry_pc);
    const base = low ?? ranges[0]?.start ?? null;
    if (entry?.kind === 'constant') return base === null ? null : base + entry.value;
    return this.addressOf(entry) ?? base;
  }

  /** An expression of this unit with all that is needed to evaluate it elsewhere. */
  expression(bytes: Uint8Array): DwarfExpression {
    return portableExpression(this, bytes);
  }

  get isCompilation(): boolean {
    const { tag } = this.bases;
    return tag === DW_TAG.compile_unit || tag === DW_TAG.partial_unit || tag === DW_TAG.skeleton_unit;
  }
}

/** What the root entry of a unit says about the whole. */
interface Bases {
  readonly tag: number;
  readonly hasChildren: boolean;
  /** What it describes is in a file of its own (DWARF 5, 3.1.2). */
  readonly isSkeleton: boolean;
  readonly stringOffsets: number;
  readonly addresses: number;
  readonly rangeLists: number;
  readonly locationLists: number;
  readonly lineProgram: number | null;
  readonly name: AttributeValue | null;
  readonly directory: AttributeValue | null;
  readonly producer: AttributeValue | null;
  readonly lowPc: AttributeValue | null;
  readonly highPc: AttributeValue | null;
  readonly ranges: AttributeValue | null;
}

const noBases: Bases = {
  tag: 0,
  hasChildren: true,
  isSkeleton: false,
  stringOffsets: 0,
  addresses: 0,
  rangeLists: 0,
  locationLists: 0,
  lineProgram: null,
  name: null,
  directory: null,
  producer: null,
  lowPc: null,
  highPc: null,
  ranges: null,
};

function listOffset(value: AttributeValue): string {
  if (value.kind === 'sectionOffset') return `${value.offset}`;
  return value.kind === 'constant' ? `${value.value}` : 'none';
}

/** A constant as a number; the sign of DW_FORM_data* is taken as positive (DWARF 5, 7.5.5 leaves it to context). */
export function constantNumber(value: AttributeValue | null): number | null {
  if (value?.kind !== 'constant') return null;
  const number = Number(value.value);
  return Number.isSafeInteger(number) ? number : null;
}

/** The linkage name of a function's entry, inherited. */
export function linkageName(die: UnitDie): string | null {
  const found = die.unit.inherited(die, DW_AT.linkage_name) ?? die.unit.inherited(die, DW_AT.MIPS_linkage_name);
  return found === null ? null : found.owner.unit.text(found.value);
}
