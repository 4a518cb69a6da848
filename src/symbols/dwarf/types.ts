/** Types (DWARF 5, chapter 5) as plain, immutable nodes. */

import { voidType, type Member, type Type, type TypeId } from '../api.ts';
import { Reader } from '../reader.ts';
import { DW_AT, DW_OP, DW_TAG } from './constants.ts';
import type { DebugInfo } from './debug-info.ts';
import type { NameIndex } from './name-index.ts';
import { baseTypeEncoding } from './portable-expression.ts';
import { arrayDimensions, canonicalTypeName, typeKeyword, typeName } from './type-names.ts';
import type { Unit, UnitDie } from './unit.ts';

/** Chains of typedefs and qualifiers are no longer in real programs; cyclic ones in damaged ones are. */
const depthLimit = 64;

export class TypeBuilder {
  readonly #info: DebugInfo;
  readonly #names: () => NameIndex;
  readonly #types = new Map<TypeId, Type>();

  /** @param names gives the index of names; called only for types that are declared and not defined */
  constructor(info: DebugInfo, names: () => NameIndex) {
    this.#info = info;
    this.#names = names;
  }

  /** See `SymbolFile.types`. */
  graph(ids: readonly TypeId[], limit: number): readonly Type[] {
    const found = new Map<TypeId, Type>();
    let near = [...ids];
    while (near.length > 0) {
      const far: TypeId[] = [];
      for (let id = near.pop(); id !== undefined; id = near.pop()) {
        if (found.has(id)) continue;
        const type = this.get(id);
        if (type === null) continue;
        found.set(id, type);
        // One by one: a call takes no million arguments.
        for (const contained of containedTypes(type)) near.push(contained);
        for (const referred of referredTypes(type)) far.push(referred);
      }
      if (found.size >= limit) break;
      near = far;
    }
    return [...found.values()];
  }

  /** One type, or null when the id stands for none. */
  get(id: TypeId): Type | null {
    if (id === voidType) return { kind: 'void', id, name: 'void', byteSize: null };
    const known = this.#types.get(id);
    if (known !== undefined) return known;
    const die = this.#info.dieAt(id);
    if (die === null) return null;
    const damaged: Type = { kind: 'unspecified', id, name: '<damaged type>', byteSize: null };
    const type = this.#info.sections.warnings.guard(() => this.#build(die), damaged);
    if (type !== null) this.#types.set(id, type);
    return type;
  }

  /** The id of the type that an entry's DW_AT_type names. */
  idOf(die: UnitDie): TypeId {
    const found = die.unit.inherited(die, DW_AT.type);
    if (found === null) return voidType;
    const { value } = found;
    if (value.kind === 'reference') return value.offset;
    if (value.kind === 'signature') return this.#info.typeBySignature(value.value)?.offset ?? voidType;
    return voidType;
  }

  #build(die: UnitDie): Type | null {
    const { unit, tag } = die;
    const id = die.offset;
    const name = typeName(die);
    const byteSize = this.#sizeOf(die, 0);
    switch (tag) {
      case DW_TAG.base_type:
        return { kind: 'base', id, name, byteSize, encoding: baseTypeEncoding(unit.number(die, DW_AT.encoding)) };
      case DW_TAG.pointer_type:
      case DW_TAG.reference_type:
      case DW_TAG.rvalue_reference_type: {
        const reference = tag !== DW_TAG.pointer_type;
        return { kind: 'pointer', id, name, byteSize, target: this.idOf(die), reference };
      }
      case DW_TAG.const_type:
        return { kind: 'qualified', id, name, byteSize, qualifier: 'const', target: this.idOf(die) };
      case DW_TAG.volatile_type:
        return { kind: 'qualified', id, name, byteSize, qualifier: 'volatile', target: this.idOf(die) };
      case DW_TAG.restrict_type:
        return { kind: 'qualified', id, name, byteSize, qualifier: 'restrict', target: this.idOf(die) };
      case DW_TAG.atomic_type:
        return { kind: 'qualified', id, name, byteSize, qualifier: 'atomic', target: this.idOf(die) };
      case DW_TAG.typedef:
        return { kind: 'typedef', id, name, byteSize, target: this.idOf(die) };
      case DW_TAG.structure_type:
      case DW_TAG.union_type:
      case DW_TAG.class_type: {
        const kind = tag === DW_TAG.union_type ? 'union' : tag === DW_TAG.class_type ? 'class' : 'struct';
        const definition = this.#definition(die);
        const members = this.#members(definition);
        const incomplete = definition.unit.flag(definition, DW_AT.declaration);
        return { kind, id, name, byteSize, tag: unit.nameOf(die), members, incomplete };
      }
      case DW_TAG.enumeration_type:
        return this.#enumeration(die, name, byteSize);
      case DW_TAG.array_type: {
        const dimensions = arrayDimensions(die);
        const vector = unit.flag(die, DW_AT.GNU_vector);
        return { kind: 'array', id, name, byteSize, element: this.idOf(die), dimensions, vector };
      }
      case DW_TAG.subroutine_type:
      case DW_TAG.subprogram: {
        const parameters = die.children.filter((child) => child.tag === DW_TAG.formal_parameter);
        return {
          kind: 'function',
          id,
          name: tag === DW_TAG.subprogram ? (unit.nameOf(die) ?? '') : name,
          byteSize: null,
          returnType: this.idOf(die),
          parameters: parameters.map((child) => this.idOf(child)),
          variadic: die.children.some((child) => child.tag === DW_TAG.unspecified_parameters),
          prototyped: unit.inheritedFlag(die, DW_AT.prototyped),
        };
      }
      case DW_TAG.unspecified_type:
        return { kind: 'unspecified', id, name, byteSize };
      default:
        return null;
    }
  }

  #enumeration(die: UnitDie, name: string, byteSize: number | null): Type {
    const definition = this.#definition(die);
    const { unit } = definition;
    const enumerators = definition.children
      .filter(({ tag }) => tag === DW_TAG.enumerator)
      .map((child) => ({
        name: unit.nameOf(child) ?? '',
        value: enumeratorValue(child),
      }));
    const underlying = this.get(this.idOf(definition));
    const signed =
      underlying?.kind === 'base'
        ? underlying.encoding === 'signed' || underlying.encoding === 'signedChar'
        : enumerators.some(({ value }) => value < 0n);
    return {
      kind: 'enum',
      id: die.offset,
      name,
      byteSize,
      tag: die.unit.nameOf(die),
      enumerators,
      signed,
      incomplete: unit.flag(definition, DW_AT.declaration),
    };
  }

  /** The definition that a mere declaration stands for, in any unit; else the entry itself. */
  #definition(die: UnitDie): UnitDie {
    const { unit } = die;
    if (!unit.flag(die, DW_AT.declaration)) return die;
    const bySignature = unit.reference(die, DW_AT.signature);
    if (bySignature !== null) return bySignature;
    const name = unit.nameOf(die);
    const keyword = typeKeyword(die.tag);
    if (name === null || keyword === undefined) return die;
    const names = this.#names();
    const [best] = names.ordered(names.types, `${keyword} ${name}`, [unit]);
    if (best === undefined || best.declaration) return die;
    return this.#info.dieAt(best.id) ?? die;
  }

  #sizeOf(die: UnitDie | null, depth: number): number | null {
    if (die === null || depth > depthLimit) return null;
    const { unit, tag } = die;
    if (tag === DW_TAG.subroutine_type || tag === DW_TAG.subprogram) return null;
    const size = unit.number(die, DW_AT.byte_size);
    if (size !== null) return size;
    const target = (): UnitDie | null => unit.reference(die, DW_AT.type);
    switch (tag) {
      case DW_TAG.pointer_type:
      case DW_TAG.reference_type:
      case DW_TAG.rvalue_reference_type:
        return unit.header.addressSize;
      case DW_TAG.typedef:
      case DW_TAG.const_type:
      case DW_TAG.volatile_type:
      case DW_TAG.restrict_type:
      case DW_TAG.atomic_type:
        return this.#sizeOf(target(), depth + 1);
      case DW_TAG.array_type: {
        const element = this.#sizeOf(target(), depth + 1);
        let total = element;
        for (const { count } of arrayDimensions(die)) {
          total = total === null || count === null ? null : total * count;
        }
        return total !== null && Number.isSafeInteger(total) ? total : null;
      }
      case DW_TAG.structure_type:
      case DW_TAG.union_type:
      case DW_TAG.class_type:
      case DW_TAG.enumeration_type: {
        const definition = this.#definition(die);
        if (definition !== die) return definition.unit.number(definition, DW_AT.byte_size);
        return tag === DW_TAG.enumeration_type ? this.#sizeOf(target(), depth + 1) : null;
      }
      default:
        return null;
    }
  }

  #members(die: UnitDie): Member[] {
    const members: Member[] = [];
    for (const child of die.children) {
      if (child.tag !== DW_TAG.member && child.tag !== DW_TAG.inheritance) continue;
      const { unit } = child;
      // A static member of C++ has no place in the object.
      if (unit.flag(child, DW_AT.declaration) || unit.flag(child, DW_AT.external)) continue;
      const inherited = child.tag === DW_TAG.inheritance;
      members.push({
        name: inherited ? null : unit.nameOf(child),
        type: this.idOf(child),
        inherited,
        ...this.#place(unit, child),
      });
    }
    return members;
  }

  /** DWARF 5, 5.7.6: DW_AT_data_bit_offset, or the older DW_AT_bit_offset, which counts from the high end. */
  #place(unit: Unit, die: UnitDie): Pick<Member, 'byteOffset' | 'bitField'> {
    const byteOffset = memberOffset(unit, die);
    const bitSize = unit.number(die, DW_AT.bit_size);
    if (bitSize === null) return { byteOffset, bitField: null };
    const storage = this.#sizeOf(unit.reference(die, DW_AT.type), 0) ?? 1;
    const oldOffset = unit.number(die, DW_AT.bit_offset);
    let bitOffset = byteOffset * 8 + (unit.number(die, DW_AT.data_bit_offset) ?? 0);
    if (oldOffset !== null) {
      const container = unit.number(die, DW_AT.byte_size) ?? storage;
      bitOffset = byteOffset * 8 + container * 8 - oldOffset - bitSize;
    }
    const unitBits = Math.max(1, storage) * 8;
    return {
      byteOffset: Math.floor(bitOffset / unitBits) * Math.max(1, storage),
      bitField: { bitSize, bitOffset },
    };
  }
}

function memberOffset(unit: Unit, die: UnitDie): number {
  const value = unit.attribute(die, DW_AT.data_member_location);
  if (value?.kind === 'constant') {
    const offset = Number(value.value);
    return Number.isSafeInteger(offset) ? offset : 0;
  }
  // DWARF 2: an expression that adds a constant to the struct's address.
  if (value?.kind === 'block' || value?.kind === 'expression') {
    const reader = new Reader(value.bytes, { file: '', section: '.debug_info', fileOffset: 0 });
    if (reader.remaining > 1 && reader.u8() === DW_OP.plus_uconst) return reader.ulebNumber();
  }
  return 0;
}

/** The value of a DW_TAG_enumerator entry. */
export function enumeratorValue(die: UnitDie): bigint {
  const value = die.unit.attribute(die, DW_AT.const_value);
  return value?.kind === 'constant' ? value.value : 0n;
}

/** Types that a value of the type contains. */
function containedTypes(type: Type): TypeId[] {
  switch (type.kind) {
    case 'struct':
    case 'union':
    case 'class':
      return type.members.map((member) => member.type);
    case 'array':
      return [type.element];
    case 'typedef':
    case 'qualified':
      return [type.target];
    default:
      return [];
  }
}

/** Types that the type only refers to. */
function referredTypes(type: Type): TypeId[] {
  if (type.kind === 'pointer') return [type.target];
  return type.kind === 'function' ? [type.returnType, ...type.parameters] : [];
}

/** Finds a type by its C name; see `SymbolFile.typeNamed`. */
export function findType(names: NameIndex, name: string, preferred: readonly Unit[]): TypeId | null {
  const canonical = canonicalTypeName(name);
  if (canonical === 'void') return voidType;
  return names.ordered(names.types, canonical, preferred)[0]?.id ?? null;
}
