/** Names of C types: for display, and in the spellings by which they are looked up. */

import { DW_AT, DW_TAG } from './constants.ts';
import type { UnitDie } from './unit.ts';

/** Parameters of parameters of functions: deeper ones are not spelled out, lest a damaged type names itself endlessly. */
const parameterDepth = 8;

/** Declarators nest no deeper in real programs; cyclic types in damaged ones do. */
const depthLimit = 32;

const qualifiers = new Map<number, string>([
  [DW_TAG.const_type, 'const'],
  [DW_TAG.volatile_type, 'volatile'],
  [DW_TAG.restrict_type, 'restrict'],
  [DW_TAG.atomic_type, '_Atomic'],
]);

const keywords = new Map<number, string>([
  [DW_TAG.structure_type, 'struct'],
  [DW_TAG.union_type, 'union'],
  [DW_TAG.class_type, 'class'],
  [DW_TAG.enumeration_type, 'enum'],
]);

/** The keyword of a tagged type's entry, or undefined. */
export function typeKeyword(tag: number): string | undefined {
  return keywords.get(tag);
}

/**
 * The C name of a type; null is void.
 *
 * @param declarator what stands where the variable's name would: `*`, `[4]`, `(*)(void)`
 */
export function typeName(die: UnitDie | null, declarator = '', depth = 0): string {
  const leaf = (name: string): string => (declarator === '' ? name : `${name} ${declarator}`);
  if (depth > depthLimit) return leaf('...');
  if (die === null) return leaf('void');
  const { unit, tag } = die;
  const target = (): UnitDie | null => unit.reference(die, DW_AT.type);
  switch (tag) {
    case DW_TAG.pointer_type:
    case DW_TAG.reference_type:
    case DW_TAG.rvalue_reference_type: {
      const inner = target();
      const star = tag === DW_TAG.pointer_type ? '*' : tag === DW_TAG.reference_type ? '&' : '&&';
      const text = star + declarator;
      return typeName(inner, needsParentheses(inner) ? `(${text})` : text, depth + 1);
    }
    case DW_TAG.const_type:
    case DW_TAG.volatile_type:
    case DW_TAG.restrict_type:
    case DW_TAG.atomic_type: {
      const { words, inner } = qualification(die);
      if (isPointer(inner)) {
        return typeName(inner, declarator === '' ? ` ${words}` : ` ${words} ${declarator}`, depth + 1);
      }
      const rest = typeName(inner, declarator, depth + 1);
      // A qualified array is one of qualified elements (ISO C 6.7.3), and gcc describes both: it is said once.
      const element = inner?.tag === DW_TAG.array_type ? inner.unit.reference(inner, DW_AT.type) : null;
      const said = element === null ? [] : qualification(element).words.split(' ');
      const unsaid = words.split(' ').filter((word) => !said.includes(word));
      return [...unsaid, rest].join(' ');
    }
    case DW_TAG.array_type: {
      const bounds = arrayDimensions(die).map(({ count }) => `[${count ?? ''}]`);
      return typeName(target(), declarator + bounds.join(''), depth + 1);
    }
    case DW_TAG.subroutine_type:
      return typeName(target(), `${declarator}(${parameterNames(die, depth)})`, depth + 1);
    default: {
      const name = unit.nameOf(die);
      const keyword = keywords.get(tag);
      if (keyword === undefined) return leaf(tag === DW_TAG.base_type ? shortBaseName(name ?? '?') : (name ?? '?'));
      return leaf(name === null ? `${keyword} {...}` : `${keyword} ${name}`);
    }
  }
}

/** All qualifiers of a type, in the order in which people write them, and what they qualify. */
function qualification(die: UnitDie): { words: string; inner: UnitDie | null } {
  const found = new Set<string>();
  let inner: UnitDie | null = die;
  for (let hops = 0; hops < 8 && inner !== null; hops++) {
    const word = qualifiers.get(inner.tag);
    if (word === undefined) break;
    found.add(word);
    inner = inner.unit.reference(inner, DW_AT.type);
  }
  return { words: [...qualifiers.values()].filter((word) => found.has(word)).join(' '), inner };
}

/** `unsigned long` where gcc writes `long unsigned int`. */
function shortBaseName(name: string): string {
  const canonical = canonicalTypeName(name);
  return canonical === 'int' || canonical === 'unsigned int' ? canonical : canonical.replace(/ int$/, '');
}

function needsParentheses(die: UnitDie | null): boolean {
  return die !== null && (die.tag === DW_TAG.array_type || die.tag === DW_TAG.subroutine_type);
}

function isPointer(die: UnitDie | null): boolean {
  return die?.tag === DW_TAG.pointer_type;
}

function parameterNames(die: UnitDie, depth: number): string {
  if (depth > parameterDepth * 2) return '...';
  const names: string[] = [];
  for (const child of die.children.slice(0, 64)) {
    if (child.tag === DW_TAG.formal_parameter) {
      names.push(typeName(die.unit.reference(child, DW_AT.type), '', depth + parameterDepth));
    } else if (child.tag === DW_TAG.unspecified_parameters) {
      names.push('...');
    }
  }
  if (names.length > 0) return names.join(', ');
  return die.unit.flag(die, DW_AT.prototyped) ? 'void' : '';
}

/** The dimensions of an array's entry, outermost first (DWARF 5, 5.5 and 5.13). */
export function arrayDimensions(die: UnitDie): { count: number | null; lowerBound: number }[] {
  const { unit } = die;
  return die.children
    .filter(({ tag }) => tag === DW_TAG.subrange_type || tag === DW_TAG.enumeration_type)
    .map((child) => {
      const lowerBound = unit.number(child, DW_AT.lower_bound) ?? 0;
      const count = unit.number(child, DW_AT.count);
      if (count !== null) return { count, lowerBound };
      const bound = unit.attribute(child, DW_AT.upper_bound);
      if (bound?.kind !== 'constant') return { count: null, lowerBound };
      const upper = isMinusOne(bound, unit.header.addressSize) ? -1n : bound.value;
      const length = Number(upper) - lowerBound + 1;
      return { count: Number.isSafeInteger(length) && length >= 0 ? length : null, lowerBound };
    });
}

/**
 * Whether an upper bound in DW_FORM_data*, which leaves the sign open, is the -1 of an array without elements: GCC writes
 * it as wide as an address. All ones in a narrower field are a number: `char[256]` ends at the index 0xff.
 */
function isMinusOne({ value, bits }: { value: bigint; bits: number | null }, addressSize: number): boolean {
  return bits !== null && bits >= addressSize * 8 && value === (1n << BigInt(bits)) - 1n;
}

const baseWords = new Set(['unsigned', 'signed', 'long', 'short', 'int', 'char', 'double']);

/** One spelling for all spellings of a base type: `unsigned long int` for `long unsigned`. Others stay as they are. */
export function canonicalTypeName(name: string): string {
  const words = name.trim().split(/\s+/);
  if (words.length === 0 || !words.every((word) => baseWords.has(word))) return words.join(' ');
  const count = (word: string): number => words.filter((candidate) => candidate === word).length;
  if (count('double') > 0) return [...Array<string>(count('long')).fill('long'), 'double'].join(' ');
  const sign = count('unsigned') > 0 ? ['unsigned'] : [];
  if (count('char') > 0) return [...(count('signed') > 0 ? ['signed'] : sign), 'char'].join(' ');
  const width = count('short') > 0 ? ['short'] : Array<string>(Math.min(2, count('long'))).fill('long');
  return [...sign, ...width, 'int'].join(' ');
}
