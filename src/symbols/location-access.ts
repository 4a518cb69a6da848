/** Reading and writing objects at evaluated locations, and entry values. Pure; runs in the debugger's thread. */

import type {
  CallSite,
  DwarfExpression,
  EvaluatedLocation,
  EvaluationContext,
  LocationContents,
  LocationPiece,
  LocationWrite,
} from './api.ts';
import { evaluateLocation, evaluateValue, fromLittleEndian, toLittleEndian } from './dwarf/expression.ts';

/** Objects larger than this are not fetched in one piece from registers and pieces. */
const sizeLimit = 1 << 20;

/** The contents of an object of `byteSize` bytes at a location. */
export function readLocation(
  location: EvaluatedLocation,
  byteSize: number,
  context: EvaluationContext,
): LocationContents {
  switch (location.kind) {
    case 'memory': {
      const bytes = context.readMemory(location.address, byteSize);
      if (bytes !== undefined) return { kind: 'bytes', bytes };
      return { kind: 'unavailable', reason: `Memory at 0x${location.address.toString(16)} cannot be read.` };
    }
    case 'register': {
      const value = context.register(location.register);
      if (value !== undefined && byteSize <= sizeLimit) {
        return { kind: 'bytes', bytes: toLittleEndian(value, byteSize) };
      }
      return { kind: 'unavailable', reason: 'The register that holds it is not known in this frame.' };
    }
    case 'value': {
      const bytes = new Uint8Array(Math.min(byteSize, sizeLimit));
      bytes.set(location.bytes.subarray(0, bytes.length));
      return { kind: 'bytes', bytes };
    }
    case 'pieces':
      return readPieces(location.pieces, byteSize, context);
    default:
      return location;
  }
}

function readPieces(pieces: readonly LocationPiece[], byteSize: number, context: EvaluationContext): LocationContents {
  if (byteSize > sizeLimit) return { kind: 'error', reason: 'It is in parts and too large to read at once.' };
  let value = 0n;
  let position = 0;
  for (const piece of pieces) {
    const bitSize = Math.min(piece.bitSize, byteSize * 8 - position);
    if (bitSize <= 0) break;
    if (piece.bitOffset > sizeLimit)
      return {
        kind: 'error',
        reason: 'The debug information gives a part of it a place that cannot be: its bit offset is too large.',
      };
    const part = readLocation(piece.location, Math.ceil((piece.bitOffset + bitSize) / 8), context);
    if (part.kind !== 'bytes') return part;
    const bits = BigInt.asUintN(bitSize, fromLittleEndian(part.bytes) >> BigInt(piece.bitOffset));
    value |= bits << BigInt(position);
    position += bitSize;
  }
  if (position < byteSize * 8) return { kind: 'optimizedOut', reason: 'The compiler kept only a part of it.' };
  return { kind: 'bytes', bytes: toLittleEndian(value, byteSize) };
}

/** The writes that store `bytes` to an object, in order; a string is the sentence that says why it cannot be done. */
export function planWrite(
  location: EvaluatedLocation,
  bytes: Uint8Array,
  context: EvaluationContext,
): readonly LocationWrite[] | string {
  switch (location.kind) {
    case 'memory':
      return [{ kind: 'memory', address: location.address, bytes }];
    case 'register':
      return [{ kind: 'register', register: location.register, bytes }];
    case 'value':
      return 'It has no place in memory or a register here: the compiler only kept its value.';
    case 'pieces':
      return planPieces(location.pieces, bytes, context);
    default:
      return location.reason;
  }
}

function planPieces(
  pieces: readonly LocationPiece[],
  bytes: Uint8Array,
  context: EvaluationContext,
): readonly LocationWrite[] | string {
  const value = fromLittleEndian(bytes);
  const writes: LocationWrite[] = [];
  let position = 0;
  for (const piece of pieces) {
    const bitSize = Math.min(piece.bitSize, bytes.length * 8 - position);
    if (bitSize <= 0) break;
    const size = Math.ceil((piece.bitOffset + bitSize) / 8);
    let part = BigInt.asUintN(bitSize, value >> BigInt(position));
    if (piece.bitOffset !== 0 || bitSize % 8 !== 0) {
      const old = readLocation(piece.location, size, context);
      if (old.kind !== 'bytes') return old.reason;
      const keep = fromLittleEndian(old.bytes);
      const field = ((1n << BigInt(bitSize)) - 1n) << BigInt(piece.bitOffset);
      part = (keep & ~field) | (part << BigInt(piece.bitOffset));
    }
    const planned = planWrite(piece.location, toLittleEndian(part, size), context);
    if (typeof planned === 'string') return planned;
    writes.push(...planned);
    position += bitSize;
  }
  return position < bytes.length * 8 ? 'The compiler kept only a part of it.' : writes;
}

/**
 * What a register or a stack slot held when a function was entered, reconstructed from what its caller passed
 * (DWARF 5, 2.5.1.7 and 3.4).
 *
 * @param site the call that returns to the caller's pc
 * @param calleeEntry link-time entry of the function of the frame; the call must go there: when a tail call came in
 *   between, what the caller passed says nothing about this function
 * @param expression the operand of DW_OP_entry_value
 * @param caller the caller's frame
 */
export function entryValueFromCallSite(
  site: CallSite,
  calleeEntry: bigint,
  expression: DwarfExpression,
  caller: EvaluationContext,
): bigint | undefined {
  if (site.targetExpression !== null) {
    const target = evaluateValue(site.targetExpression, caller);
    if (target === undefined || target - (caller.loadBias ?? 0n) !== calleeEntry) return undefined;
  } else if (site.target !== calleeEntry) {
    return undefined;
  }
  const parameter = site.parameters.find(({ location }) => sameBytes(location.bytes, expression.bytes));
  if (parameter === undefined || parameter.value === null) return undefined;
  const result = evaluateLocation(parameter.value, caller);
  switch (result.kind) {
    case 'memory':
      return result.address;
    case 'register':
      return caller.register(result.register);
    case 'value':
      return BigInt.asUintN(parameter.value.addressSize * 8, fromLittleEndian(result.bytes));
    default:
      return undefined;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/**
 * The location of a part of an object: a member, an element.
 *
 * @param byteOffset of the part from the start of the object
 * @param byteSize of the part
 */
export function partOfLocation(location: EvaluatedLocation, byteOffset: number, byteSize: number): EvaluatedLocation {
  switch (location.kind) {
    case 'memory':
      return { kind: 'memory', address: location.address + BigInt(byteOffset) };
    case 'value':
      return { kind: 'value', bytes: location.bytes.subarray(byteOffset, byteOffset + byteSize) };
    case 'register': {
      if (byteOffset === 0) return location;
      return { kind: 'pieces', pieces: [{ location, bitSize: byteSize * 8, bitOffset: byteOffset * 8 }] };
    }
    case 'pieces':
      return partOfPieces(location.pieces, byteOffset * 8, byteSize * 8);
    default:
      return location;
  }
}

function partOfPieces(pieces: readonly LocationPiece[], start: number, size: number): EvaluatedLocation {
  const part: LocationPiece[] = [];
  let position = 0;
  for (const piece of pieces) {
    const first = Math.max(start, position);
    const last = Math.min(start + size, position + piece.bitSize);
    if (first < last) part.push({ ...piece, bitOffset: piece.bitOffset + first - position, bitSize: last - first });
    position += piece.bitSize;
  }
  const [only] = part;
  if (only === undefined) return { kind: 'optimizedOut', reason: 'The compiler kept only a part of it.' };
  if (part.length > 1) return { kind: 'pieces', pieces: part };
  const known = only.location.kind === 'memory' || only.location.kind === 'register' || only.location.kind === 'value';
  if (!known) return only.location;
  if (only.location.kind === 'memory' && only.bitOffset % 8 === 0 && only.bitSize === size) {
    return partOfLocation(only.location, only.bitOffset / 8, size / 8);
  }
  return { kind: 'pieces', pieces: part };
}
