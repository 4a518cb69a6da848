/** Typed values: where an object is, its contents, and scalars decoded from and encoded to them. */
import { fromLittleEndianBytes, littleEndianBytes, sliceBits, spliceBits } from './bits.ts';
import { DebuggerError } from './errors.ts';
import type { TypeStore } from './types.ts';
import type { EvaluatedLocation, EvaluationContext, LocationWrite, Member, Type, TypeId } from '../symbols/index.ts';
import { planWrite, readLocation } from '../symbols/index.ts';

/** An object of a type at a place. Reading it is synchronous and sees the guest as it is now. */
export interface Value {
  readonly store: TypeStore;
  readonly type: TypeId;
  /** Of the whole object that this value is (a part of). */
  readonly location: EvaluatedLocation;
  /** Where this value begins within the object at `location`. Memory locations keep it 0. */
  readonly byteOffset: number;
  /** Bit-fields and parts of registers: counted from bit 0 of the byte at `byteOffset`. */
  readonly bits?: { readonly offset: number; readonly size: number };
  readonly context: EvaluationContext;
}

/** Integers are bigint, floating-point numbers are number. */
export type Scalar = bigint | number;

export type Contents =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'optimizedOut' | 'unavailable' | 'error'; readonly reason: string };

/** A value without a place: the result of a computation. */
export function rvalue(store: TypeStore, type: TypeId, bytes: Uint8Array, context: EvaluationContext): Value {
  return { store, type, location: { kind: 'value', bytes }, byteOffset: 0, context };
}

export function memoryValue(store: TypeStore, type: TypeId, address: bigint, context: EvaluationContext): Value {
  const location = { kind: 'memory', address: BigInt.asUintN(64, address) } as const;
  return { store, type, location, byteOffset: 0, context };
}

/** Linear address of a value; undefined when it is not in memory or is a bit-field. */
export function addressOf(value: Value): bigint | undefined {
  if (value.location.kind !== 'memory' || value.bits !== undefined) return undefined;
  return BigInt.asUintN(64, value.location.address + BigInt(value.byteOffset));
}

/** A part of an aggregate by value. */
export function partOf(whole: Value, byteOffset: number, type: TypeId): Value {
  const { store, context, location } = whole;
  if (location.kind === 'memory') {
    return memoryValue(store, type, location.address + BigInt(whole.byteOffset + byteOffset), context);
  }
  return { store, type, location, byteOffset: whole.byteOffset + byteOffset, context };
}

/** A member of a struct or union value. */
export function memberOf(whole: Value, member: Member): Value {
  if (member.bitField === null) return partOf(whole, member.byteOffset, member.type);
  // Little-endian: bit n of the struct is bit n % 8 of its byte n / 8.
  const first = Math.floor(member.bitField.bitOffset / 8);
  const bits = { offset: member.bitField.bitOffset % 8, size: member.bitField.bitSize };
  return { ...partOf(whole, first, member.type), bits };
}

/** The same bytes with another type. */
export function retyped(value: Value, type: TypeId): Value {
  return { ...value, type };
}

/** Contents of `size` bytes of the value (bit-fields: the bits, zero-extended to `size` bytes). */
export function readBytes(value: Value, size: number): Contents {
  const { location, byteOffset, bits, context } = value;
  if (bits !== undefined) {
    const span = Math.ceil((bits.offset + bits.size) / 8);
    const raw = readSpan(location, byteOffset, span, context);
    if (raw.kind !== 'bytes') return raw;
    return { kind: 'bytes', bytes: littleEndianBytes(sliceBits(raw.bytes, bits.offset, bits.size), size) };
  }
  return readSpan(location, byteOffset, size, context);
}

function readSpan(location: EvaluatedLocation, offset: number, size: number, context: EvaluationContext): Contents {
  if (location.kind === 'memory') {
    return readLocation({ kind: 'memory', address: location.address + BigInt(offset) }, size, context);
  }
  const whole = readLocation(location, offset + size, context);
  return whole.kind === 'bytes' ? { kind: 'bytes', bytes: whole.bytes.subarray(offset, offset + size) } : whole;
}

/** The writes that store `bytes` (little-endian, cut to the value's size) to the value's place. */
export function planStore(value: Value, bytes: Uint8Array): readonly LocationWrite[] {
  const { location, byteOffset, bits, context } = value;
  let content = bytes;
  let offset = byteOffset;
  if (bits !== undefined) {
    const span = Math.ceil((bits.offset + bits.size) / 8);
    const old = readSpan(location, byteOffset, span, context);
    if (old.kind !== 'bytes') throw new DebuggerError('notAvailable', old.reason);
    content = spliceBits(old.bytes, bits.offset, bits.size, fromLittleEndianBytes(bytes));
  }
  let target = location;
  if (location.kind === 'memory') {
    target = { kind: 'memory', address: location.address + BigInt(offset) };
    offset = 0;
  } else if (offset > 0) {
    const whole = readSpan(location, 0, offset + content.length, context);
    if (whole.kind !== 'bytes') throw new DebuggerError('notAvailable', whole.reason);
    const patched = Uint8Array.from(whole.bytes);
    patched.set(content, offset);
    content = patched;
  }
  const writes = planWrite(target, content, context);
  if (typeof writes === 'string') throw new DebuggerError('notAssignable', writes);
  return writes;
}

/** What C does with a type in arithmetic. */
export type ScalarKind =
  | { readonly kind: 'integer'; readonly size: number; readonly signed: boolean }
  | { readonly kind: 'float'; readonly size: number }
  | { readonly kind: 'pointer'; readonly size: number; readonly target: TypeId };

/** How a type takes part in arithmetic; undefined for aggregates, void and functions. */
export function scalarKind(store: TypeStore, id: TypeId): ScalarKind | undefined {
  const type = store.strip(id);
  switch (type.kind) {
    case 'base': {
      const size = type.byteSize ?? 0;
      if (size === 0) return undefined;
      if (type.encoding === 'float') return size === 4 || size === 8 ? { kind: 'float', size } : undefined;
      if (type.encoding === 'complexFloat') return undefined;
      return { kind: 'integer', size, signed: isSigned(type) };
    }
    case 'enum':
      return type.byteSize === null ? undefined : { kind: 'integer', size: type.byteSize, signed: type.signed };
    case 'pointer':
      return { kind: 'pointer', size: type.byteSize ?? store.wordSize, target: type.target };
    default:
      return undefined;
  }
}

function isSigned(type: Type): boolean {
  return type.kind === 'base' && (type.encoding === 'signed' || type.encoding === 'signedChar');
}

export function decodeScalar(kind: ScalarKind, bytes: Uint8Array): Scalar {
  if (kind.kind === 'float') {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return kind.size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  }
  const raw = fromLittleEndianBytes(bytes);
  return kind.kind === 'integer' && kind.signed ? BigInt.asIntN(kind.size * 8, raw) : raw;
}

/** Throws `DebuggerError` when an object cannot hold a number: nothing is cut without a word. */
export function requireFit(object: Value, kind: ScalarKind, scalar: Scalar): void {
  const refuse = (holds: string): never => {
    const shown = typeof scalar === 'bigint' && scalar > 0xffffn ? `0x${scalar.toString(16)}` : String(scalar);
    throw new DebuggerError('notAssignable', `${shown} does not fit: ${holds}.`);
  };
  const name = object.store.nameOf(object.type);
  if (kind.kind === 'float') {
    const single = kind.size === 4 && Number.isFinite(Number(scalar)) && !Number.isFinite(Math.fround(Number(scalar)));
    if (single) refuse(`a '${name}' of 32 bits holds at most 3.4028235e38`);
    return;
  }
  if (typeof scalar === 'number' && !Number.isFinite(scalar)) refuse(`'${name}' holds whole numbers`);
  const value = toInteger(scalar);
  const type = object.store.strip(object.type);
  if (type.kind === 'base' && type.encoding === 'boolean' && value !== 0n && value !== 1n)
    refuse(`a '${name}' is 0 or 1`);
  const bits = BigInt(object.bits?.size ?? kind.size * 8);
  // Bits may be written as a number with or without a sign, whatever the type makes of them.
  const least = -(1n << (bits - 1n));
  const most = (1n << bits) - 1n;
  if (value >= least && value <= most) return;
  const what = object.bits === undefined ? `'${name}' has` : 'this field has';
  refuse(
    `${what} ${bits} bit${bits === 1n ? '' : 's'}, for ${least} to ${most > 0xffffn ? `0x${most.toString(16)}` : most}`,
  );
}

export function encodeScalar(kind: ScalarKind, scalar: Scalar): Uint8Array {
  if (kind.kind === 'float') {
    const bytes = new Uint8Array(kind.size);
    const view = new DataView(bytes.buffer);
    if (kind.size === 4) view.setFloat32(0, Number(scalar), true);
    else view.setFloat64(0, Number(scalar), true);
    return bytes;
  }
  return littleEndianBytes(toInteger(scalar), kind.size);
}

/** C's conversion of a number to an integer: towards zero; what no integer can hold becomes 0. */
export function toInteger(scalar: Scalar): bigint {
  if (typeof scalar === 'bigint') return scalar;
  return Number.isFinite(scalar) ? BigInt(Math.trunc(scalar)) : 0n;
}

/** The scalar that a value holds. Throws `DebuggerError` when it has none or cannot be read. */
export function readScalar(value: Value): Scalar {
  const kind = scalarKind(value.store, value.type);
  if (kind === undefined) {
    throw new DebuggerError('type', `A value of type '${value.store.nameOf(value.type)}' is not a number or pointer.`);
  }
  const contents = readBytes(value, kind.size);
  if (contents.kind !== 'bytes') throw new DebuggerError('notAvailable', contents.reason);
  const scalar = decodeScalar(kind, contents.bytes);
  if (value.bits !== undefined && kind.kind === 'integer' && kind.signed && typeof scalar === 'bigint') {
    return BigInt.asIntN(value.bits.size, scalar);
  }
  return scalar;
}

/** Array elements: the value of element `index`, counted from 0 whatever the array's lower bound. */
export function elementOf(array: Value, index: number): Value {
  const element = array.store.elementOf(array.type);
  const size = element === undefined ? undefined : array.store.sizeOf(element);
  if (element === undefined || size === undefined) {
    throw new DebuggerError('type', `'${array.store.nameOf(array.type)}' has no elements of known size.`);
  }
  return partOf(array, index * size, element);
}
