/** Debugging information entries of one unit, as a tree whose attributes are decoded when asked for (DWARF 5, 2.1). */

import type { Abbreviation, AbbreviationTable } from './abbreviations.ts';
import type { Reader } from '../reader.ts';
import { readForm, skipForm, type AttributeValue, type UnitFormat } from './forms.ts';

/** Deeper nesting is damage; it also bounds every recursion over the tree. */
const depthLimit = 256;

/** What an entry needs of its unit to decode attributes. */
export interface DieOwner {
  readonly format: UnitFormat;
  /** Covers the unit; positions count from the unit's offset. */
  readonly reader: Reader;
}

export class Die<Owner extends DieOwner = DieOwner> {
  readonly unit: Owner;
  /** Offset in .debug_info. */
  readonly offset: number;
  readonly abbreviation: Abbreviation;
  readonly parent: Die<Owner> | null;
  readonly children: Die<Owner>[] = [];
  /** Reader position of the attributes. */
  readonly attributesAt: number;

  constructor(
    unit: Owner,
    offset: number,
    abbreviation: Abbreviation,
    parent: Die<Owner> | null,
    attributesAt: number,
  ) {
    this.unit = unit;
    this.offset = offset;
    this.abbreviation = abbreviation;
    this.parent = parent;
    this.attributesAt = attributesAt;
  }

  get tag(): number {
    return this.abbreviation.tag;
  }
}

export interface DieTree<Owner extends DieOwner> {
  readonly root: Die<Owner>;
  readonly byOffset: ReadonlyMap<number, Die<Owner>>;
  /** The error that ended the tree early, or null. */
  readonly damage: unknown;
}

/**
 * Reads the tree of a unit.
 *
 * @param firstDie position of the root
 * @param rootOnly reads no children
 * @returns null when there is not even a root
 */
export function parseDieTree<Owner extends DieOwner>(
  unit: Owner,
  reader: Reader,
  firstDie: number,
  abbreviations: AbbreviationTable,
  rootOnly: boolean,
): DieTree<Owner> | null {
  const byOffset = new Map<number, Die<Owner>>();
  let root: Die<Owner> | null = null;
  let parent: Die<Owner> | null = null;
  let depth = 0;
  let damage: unknown = null;
  const cursor = reader.at(firstDie);
  const { format } = unit;
  try {
    while (cursor.remaining > 0) {
      const position = cursor.position;
      const code = cursor.ulebNumber();
      if (code === 0) {
        if (parent === null) break;
        parent = parent.parent;
        depth--;
        if (parent === null) break;
        continue;
      }
      const abbreviation = abbreviations.get(code);
      if (abbreviation === undefined) throw cursor.malformed(`abbreviation ${code} does not exist`);
      const die: Die<Owner> = new Die(unit, format.offset + position, abbreviation, parent, cursor.position);
      for (const { form } of abbreviation.attributes) skipForm(cursor, form, format);
      byOffset.set(die.offset, die);
      if (parent === null) root = die;
      else parent.children.push(die);
      if (rootOnly) break;
      if (abbreviation.hasChildren) {
        parent = die;
        if (++depth > depthLimit) throw cursor.malformed('entries are nested too deeply');
      } else if (parent === null) {
        break;
      }
    }
  } catch (error) {
    // What was read so far stays useful.
    damage = error;
  }
  return root === null ? null : { root, byOffset, damage };
}

/** The value of one attribute, or null. */
export function readAttribute(die: Die, attribute: number, reader: Reader = die.unit.reader): AttributeValue | null {
  const { attributes } = die.abbreviation;
  if (!attributes.some((candidate) => candidate.attribute === attribute)) return null;
  const cursor = reader.at(die.attributesAt);
  const { format } = die.unit;
  for (const { attribute: current, form, implicitConst } of attributes) {
    if (current === attribute) return readForm(cursor, form, implicitConst, format);
    skipForm(cursor, form, format);
  }
  return null;
}
