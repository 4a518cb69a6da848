/** Values as a C programmer writes them. Synchronous: symbol names for addresses come from a cache (see Symbolizer). */
import { fromLittleEndianBytes, hexadecimal } from './bits.ts';
import type { EnumType, StructType, TypeStore } from './types.ts';
import type { Value } from './value.ts';
import { addressOf, elementOf, memberOf, readBytes, readScalar, scalarKind } from './value.ts';
import type { ArrayType, PointerType, Type } from '../symbols/index.ts';

/** Names for addresses: `list_push+16`. Undefined when there is none or it is not known yet. */
export type Symbolize = (address: bigint) => string | undefined;

export interface FormatOptions {
  readonly hexadecimal: boolean;
  readonly symbolize: Symbolize;
}

const STRING_LIMIT = 200;
const SUMMARY_MEMBERS = 6;
const SUMMARY_ELEMENTS = 8;
const SUMMARY_LENGTH = 160;
const SUMMARY_DEPTH = 2;

/** One line for a value of any type. Never throws a `DebuggerError`: what cannot be read is said in angle brackets. */
export function formatValue(value: Value, options: FormatOptions, depth = 0): string {
  const { store } = value;
  const type = store.strip(value.type);
  switch (type.kind) {
    case 'struct':
    case 'union':
    case 'class':
      return formatAggregate(value, type, options, depth);
    case 'array':
      return formatArray(value, type, options, depth);
    case 'function':
      return formatFunction(value, options);
    case 'void':
      return '<void>';
    case 'unspecified':
      return '<type not described>';
    default:
      return formatScalarValue(value, type, options);
  }
}

function unreadable(kind: string, reason: string): string {
  return kind === 'optimizedOut' ? '<optimized out>' : `<${reason.replace(/\.$/, '')}>`;
}

function formatScalarValue(value: Value, type: Type, options: FormatOptions): string {
  const { store } = value;
  const kind = scalarKind(store, value.type);
  const size = kind?.size ?? type.byteSize ?? 0;
  const contents = readBytes(value, size);
  if (contents.kind !== 'bytes') return unreadable(contents.kind, contents.reason);
  // Types that C cannot compute with here (long double, complex): the bytes, highest first.
  if (kind === undefined) return hexadecimal(fromLittleEndianBytes(contents.bytes), size * 2);
  const scalar = readScalar(value);
  if (typeof scalar === 'number') return formatFloat(scalar);
  if (type.kind === 'pointer') return formatPointer(value, type, scalar, options);
  if (type.kind === 'enum') return formatEnum(type, scalar, options);
  return formatInteger(type, size, scalar, options);
}

function formatFloat(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : String(value);
}

/** An integer of a base type: booleans by name, characters with their glyph, the rest in decimal or hexadecimal. */
export function formatInteger(type: Type, size: number, value: bigint, options: FormatOptions): string {
  const encoding = type.kind === 'base' ? type.encoding : 'unsigned';
  if (encoding === 'boolean') return value === 0n ? 'false' : value === 1n ? 'true' : `true (${value})`;
  const raw = BigInt.asUintN(size * 8, value);
  const number = options.hexadecimal ? hexadecimal(raw) : String(value);
  // uint8_t has the same encoding as unsigned char: a glyph beside the number helps for one and hurts for none.
  if ((encoding === 'signedChar' || encoding === 'unsignedChar' || encoding === 'utf') && raw >= 32n && raw < 127n) {
    return `${number} '${escapeCharacter(Number(raw), "'")}'`;
  }
  return number;
}

function formatEnum(type: EnumType, value: bigint, options: FormatOptions): string {
  const number = options.hexadecimal ? hexadecimal(BigInt.asUintN((type.byteSize ?? 4) * 8, value)) : String(value);
  const exact = type.enumerators.find((enumerator) => enumerator.value === value);
  if (exact !== undefined) return `${exact.name} (${number})`;
  // An enumeration of single bits is a set of flags.
  const flags = type.enumerators.filter(({ value: bit }) => bit > 0n && (bit & (bit - 1n)) === 0n);
  if (value > 0n && flags.length > 1 && flags.length >= type.enumerators.filter((one) => one.value !== 0n).length) {
    const names: string[] = [];
    let rest = value;
    for (const { name, value: bit } of flags) {
      if ((rest & bit) === 0n) continue;
      names.push(name);
      rest &= ~bit;
    }
    if (names.length > 0) {
      if (rest !== 0n) names.push(hexadecimal(rest));
      return `${names.join(' | ')} (${number})`;
    }
  }
  return number;
}

function formatPointer(value: Value, type: PointerType, address: bigint, options: FormatOptions): string {
  const text = hexadecimal(address);
  if (address === 0n) return text;
  const { store, context } = value;
  const target = store.strip(type.target);
  if (isCharacter(target)) {
    const string = readString((at, size) => context.readMemory(at, size), address);
    return string === undefined ? `${text} <not readable>` : `${text} ${string}`;
  }
  const name = options.symbolize(address);
  return name === undefined ? text : `${text} <${name}>`;
}

/** Plain `char` and `signed char`; `unsigned char` is mostly a byte of data. */
function isCharacter(type: Type): boolean {
  return type.kind === 'base' && type.encoding === 'signedChar' && type.byteSize === 1;
}

/** A quoted C string from memory, cut at 200 characters; undefined when its first byte cannot be read. */
function readString(
  readMemory: (address: bigint, size: number) => Uint8Array | undefined,
  address: bigint,
): string | undefined {
  const bytes: number[] = [];
  while (bytes.length < STRING_LIMIT) {
    // Piece by piece up to page ends, so that a string at the end of mapped memory can be read.
    const at = address + BigInt(bytes.length);
    const size = Math.min(STRING_LIMIT - bytes.length, 4096 - Number(at & 4095n), 64);
    const piece = readMemory(at, size);
    if (piece === undefined) return bytes.length === 0 ? undefined : `${quote(bytes)}...`;
    const end = piece.indexOf(0);
    bytes.push(...(end < 0 ? piece : piece.subarray(0, end)));
    if (end >= 0) return quote(bytes);
  }
  return `${quote(bytes)}...`;
}

function quote(bytes: readonly number[]): string {
  return `"${bytes.map((byte) => escapeCharacter(byte, '"')).join('')}"`;
}

function escapeCharacter(code: number, delimiter: string): string {
  const character = String.fromCharCode(code);
  if (character === delimiter || character === '\\') return `\\${character}`;
  if (code >= 32 && code < 127) return character;
  const names: Readonly<Record<number, string>> = { 10: '\\n', 13: '\\r', 9: '\\t', 27: '\\e' };
  return names[code] ?? `\\x${code.toString(16).padStart(2, '0')}`;
}

function formatFunction(value: Value, options: FormatOptions): string {
  const address = addressOf(value);
  if (address === undefined) return '<function>';
  const name = options.symbolize(address);
  return `{${value.store.nameOf(value.type)}} ${hexadecimal(address)}${name === undefined ? '' : ` <${name}>`}`;
}

function formatAggregate(value: Value, type: StructType, options: FormatOptions, depth: number): string {
  if (type.incomplete) return '<incomplete type>';
  if (depth >= SUMMARY_DEPTH) return '{...}';
  const probe = readBytes(value, Math.min(type.byteSize ?? 1, 1));
  if (probe.kind !== 'bytes') return unreadable(probe.kind, probe.reason);
  const parts: string[] = [];
  let length = 0;
  for (const member of type.members) {
    if (parts.length >= SUMMARY_MEMBERS || length > SUMMARY_LENGTH) {
      parts.push('...');
      break;
    }
    const text = formatValue(memberOf(value, member), options, depth + 1);
    const part = member.name === null ? text : `${member.name} = ${text}`;
    parts.push(part);
    length += part.length;
  }
  return `{${parts.join(', ')}}`;
}

function formatArray(value: Value, type: ArrayType, options: FormatOptions, depth: number): string {
  const { store } = value;
  const count = type.dimensions[0]?.count ?? null;
  const element = store.elementOf(value.type);
  if (count === null || element === undefined) return '[]';
  if (type.dimensions.length === 1 && isCharacter(store.strip(element))) return formatCharacters(value, count);
  if (depth >= SUMMARY_DEPTH) return `[${count}] {...}`;
  const shown = Math.min(count, SUMMARY_ELEMENTS);
  const parts: string[] = [];
  let length = 0;
  for (let i = 0; i < shown && length <= SUMMARY_LENGTH; i++) {
    const text = formatValue(elementOf(value, i), options, depth + 1);
    parts.push(text);
    length += text.length;
  }
  if (parts.length < count) parts.push('...');
  return `[${count}] {${parts.join(', ')}}`;
}

function formatCharacters(value: Value, count: number): string {
  const contents = readBytes(value, Math.min(count, STRING_LIMIT));
  if (contents.kind !== 'bytes') return unreadable(contents.kind, contents.reason);
  const end = contents.bytes.indexOf(0);
  const shown = end < 0 ? contents.bytes : contents.bytes.subarray(0, end);
  return quote([...shown]) + (end < 0 && count > STRING_LIMIT ? '...' : '');
}

/** How many children a value can unfold into. */
export function childCounts(
  store: TypeStore,
  type: Type,
  id: number,
): { readonly named: number; readonly indexed: number } {
  switch (type.kind) {
    case 'struct':
    case 'union':
    case 'class':
      return { named: type.members.length, indexed: 0 };
    case 'array': {
      const count = type.dimensions[0]?.count ?? 0;
      return { named: 0, indexed: store.elementOf(id) === undefined ? 0 : count };
    }
    case 'pointer': {
      const target = store.strip(type.target);
      if (target.kind === 'void' || target.kind === 'function' || target.kind === 'unspecified')
        return { named: 0, indexed: 0 };
      // A pointer to a struct unfolds straight into the members.
      const aggregate = target.kind === 'struct' || target.kind === 'union' || target.kind === 'class';
      if (aggregate && target.incomplete) return { named: 0, indexed: 0 };
      return { named: aggregate ? target.members.length : 1, indexed: 0 };
    }
    default:
      return { named: 0, indexed: 0 };
  }
}

/** `expression,x` asks for hexadecimal numbers, `expression,d` for decimal ones; undefined: neither. */
export function splitFormat(written: string): { readonly text: string; readonly hexadecimal: boolean | undefined } {
  const match = /^(.*\S)\s*,\s*([xdh])\s*$/s.exec(written);
  return match === null
    ? { text: written, hexadecimal: undefined }
    : { text: match[1] ?? '', hexadecimal: match[2] !== 'd' };
}
