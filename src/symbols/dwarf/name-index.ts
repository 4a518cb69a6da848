/** Names of global things, over all units or some. Built on first use by one pass over each of them. */

import { DW_AT, DW_OP, DW_TAG } from './constants.ts';
import type { DebugInfo } from './debug-info.ts';
import { canonicalTypeName, typeKeyword } from './type-names.ts';
import type { Unit, UnitDie } from './unit.ts';

export interface IndexEntry {
  readonly unit: Unit;
  /** Offset of the entry. */
  readonly id: number;
  readonly external: boolean;
  /** Only a declaration. */
  readonly declaration: boolean;
}

type Table = Map<string, IndexEntry[]>;

export class NameIndex {
  /** `struct node`, `node_t`, canonical base types. */
  readonly types: Table = new Map();
  /** Variables with one place for the whole run: globals, file-statics, statics inside functions. */
  readonly variables: Table = new Map();
  /** Enumerators; the id is the enumerator's own. */
  readonly enumerators: Table = new Map();
  #variableNames: readonly string[] | null = null;

  constructor(info: DebugInfo, units: readonly Unit[] = info.units) {
    for (const unit of units) {
      for (const die of unit.entries) {
        info.sections.warnings.guard(() => this.#add(unit, die), undefined);
      }
    }
  }

  get variableNames(): readonly string[] {
    this.#variableNames ??= [...this.variables.keys()].toSorted();
    return this.#variableNames;
  }

  #add(unit: Unit, die: UnitDie): void {
    switch (die.tag) {
      case DW_TAG.base_type:
      case DW_TAG.typedef:
      case DW_TAG.structure_type:
      case DW_TAG.union_type:
      case DW_TAG.class_type:
      case DW_TAG.enumeration_type: {
        const name = unit.text(unit.attribute(die, DW_AT.name));
        if (name === null) return;
        const keyword = typeKeyword(die.tag);
        const key = keyword === undefined ? canonicalTypeName(name) : `${keyword} ${name}`;
        return put(this.types, key, entry(unit, die));
      }
      case DW_TAG.enumerator: {
        const name = unit.text(unit.attribute(die, DW_AT.name));
        if (name !== null) put(this.enumerators, name, entry(unit, die));
        return;
      }
      case DW_TAG.variable: {
        const name = unit.nameOf(die);
        if (name !== null && isStatic(unit, die)) put(this.variables, name, entry(unit, die));
        return;
      }
    }
  }

  /** The entries of a name with those of a preferred unit first, then definitions, then external ones. */
  ordered(table: Table, name: string, preferred: readonly Unit[]): readonly IndexEntry[] {
    const rank = (candidate: IndexEntry): number =>
      (candidate.declaration ? 4 : 0) + (preferred.includes(candidate.unit) ? 0 : 2) + (candidate.external ? 0 : 1);
    return (table.get(name) ?? []).toSorted((a, b) => rank(a) - rank(b));
  }
}

function entry(unit: Unit, die: UnitDie): IndexEntry {
  return {
    unit,
    id: die.offset,
    external: unit.inheritedFlag(die, DW_AT.external),
    declaration: unit.flag(die, DW_AT.declaration),
  };
}

function put(table: Table, name: string, item: IndexEntry): void {
  const same = table.get(name);
  if (same === undefined) table.set(name, [item]);
  else same.push(item);
}

/** Whether a variable exists once: at the top of the unit, or inside a function with an address. */
function isStatic(unit: Unit, die: UnitDie): boolean {
  if (isTopLevel(die)) return true;
  const location = unit.attribute(die, DW_AT.location);
  if (location?.kind !== 'expression' && location?.kind !== 'block') return false;
  const operation = location.bytes[0];
  return operation === DW_OP.addr || operation === DW_OP.addrx || operation === DW_OP.GNU_addr_index;
}

/** Whether an entry stands at file scope: directly in the unit or in a namespace. */
export function isTopLevel(die: UnitDie): boolean {
  const parent = die.parent;
  return parent === null || parent.parent === null || parent.tag === DW_TAG.namespace;
}
