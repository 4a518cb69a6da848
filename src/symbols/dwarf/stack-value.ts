/** Arithmetic on the DWARF expression stack (DWARF 5, 2.5.1.4): the generic type, integer base types and floats. */

import type { ExpressionBaseType } from '../api.ts';
import { DW_OP } from './constants.ts';

export interface StackValue {
  /** The bits, as an unsigned integer. */
  readonly value: bigint;
  /** Null is the generic type: address-sized, of unspecified sign. */
  readonly type: ExpressionBaseType | null;
}

export function mask(value: bigint, bits: number): bigint {
  return BigInt.asUintN(bits, value);
}

export function toSigned(value: bigint, bits: number): bigint {
  return BigInt.asIntN(bits, value);
}

const bitsOf = (type: ExpressionBaseType | null, genericBits: number): number =>
  type === null ? genericBits : type.byteSize * 8;

const isFloat = (type: ExpressionBaseType | null): boolean => type !== null && type.encoding === 'float';

const isSigned = (type: ExpressionBaseType): boolean => type.encoding === 'signed' || type.encoding === 'signedChar';

/** The result, or a sentence that says why there is none. */
export function unaryOperation(operation: number, operand: StackValue, genericBits: number): StackValue | string {
  const { type } = operand;
  if (isFloat(type)) return floatUnary(operation, operand);
  const bits = bitsOf(type, genericBits);
  const signed = toSigned(operand.value, bits);
  switch (operation) {
    case DW_OP.abs:
      return { value: mask(signed < 0n ? -signed : signed, bits), type };
    case DW_OP.neg:
      return { value: mask(-signed, bits), type };
    default:
      return { value: mask(~operand.value, bits), type };
  }
}

/** The result, or a sentence that says why there is none. Comparisons give a generic 0 or 1. */
export function binaryOperation(
  operation: number,
  left: StackValue,
  right: StackValue,
  genericBits: number,
): StackValue | string {
  const { type } = left;
  const shift = operation === DW_OP.shl || operation === DW_OP.shr || operation === DW_OP.shra;
  if (!shift && (type?.offset ?? 0) !== (right.type?.offset ?? 0)) {
    return 'The DWARF expression combines values of different types.';
  }
  if (isFloat(type)) return floatBinary(operation, left, right);
  const bits = bitsOf(type, genericBits);
  const a = toSigned(left.value, bits);
  const b = toSigned(right.value, bits);
  // Comparisons of the generic type are signed; division too (2.5.1.4: "signed division"); mod is unsigned there.
  const unsigned = type !== null && !isSigned(type);
  const integer = (value: bigint): StackValue => ({ value: mask(value, bits), type });
  const truth = (value: boolean): StackValue => ({ value: value ? 1n : 0n, type: null });
  switch (operation) {
    case DW_OP.and:
      return integer(left.value & right.value);
    case DW_OP.or:
      return integer(left.value | right.value);
    case DW_OP.xor:
      return integer(left.value ^ right.value);
    case DW_OP.plus:
      return integer(a + b);
    case DW_OP.minus:
      return integer(a - b);
    case DW_OP.mul:
      return integer(a * b);
    case DW_OP.div:
      if (b === 0n) return 'The DWARF expression divides by zero.';
      return integer(unsigned ? left.value / right.value : a / b);
    case DW_OP.mod:
      if (b === 0n) return 'The DWARF expression divides by zero.';
      return integer(type !== null && isSigned(type) ? a % b : left.value % right.value);
    case DW_OP.shl:
      return integer(right.value >= BigInt(bits) ? 0n : left.value << right.value);
    case DW_OP.shr:
      return integer(right.value >= BigInt(bits) ? 0n : mask(left.value, bits) >> right.value);
    case DW_OP.shra:
      return integer(a >> (right.value >= BigInt(bits) ? BigInt(bits) : right.value));
    case DW_OP.eq:
      return truth(left.value === right.value);
    case DW_OP.ne:
      return truth(left.value !== right.value);
    case DW_OP.ge:
      return truth(unsigned ? left.value >= right.value : a >= b);
    case DW_OP.gt:
      return truth(unsigned ? left.value > right.value : a > b);
    case DW_OP.le:
      return truth(unsigned ? left.value <= right.value : a <= b);
    case DW_OP.lt:
      return truth(unsigned ? left.value < right.value : a < b);
    default:
      return `DWARF operation 0x${operation.toString(16)} is not supported.`;
  }
}

/** DW_OP_convert; null converts to the generic type. */
export function convert(
  operand: StackValue,
  type: ExpressionBaseType | null,
  genericBits: number,
): StackValue | string {
  const bits = bitsOf(type, genericBits);
  if (isFloat(operand.type)) {
    const number = toFloat(operand);
    if (number === null) return 'The DWARF expression uses a floating-point format that is not supported.';
    if (isFloat(type)) return fromFloat(number, type);
    if (!Number.isFinite(number)) return 'The DWARF expression converts a value that is not finite to an integer.';
    return { value: mask(BigInt(Math.trunc(number)), bits), type };
  }
  const sourceBits = bitsOf(operand.type, genericBits);
  const signed = operand.type !== null && isSigned(operand.type);
  const integer = signed ? toSigned(operand.value, sourceBits) : mask(operand.value, sourceBits);
  if (isFloat(type)) return fromFloat(Number(integer), type);
  return { value: mask(integer, bits), type };
}

function toFloat({ value, type }: StackValue): number | null {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, mask(value, 64));
  if (type?.byteSize === 8) return view.getFloat64(0);
  if (type?.byteSize === 4) return view.getFloat32(4);
  return null;
}

function fromFloat(number: number, type: ExpressionBaseType | null): StackValue | string {
  const view = new DataView(new ArrayBuffer(8));
  if (type?.byteSize === 8) view.setFloat64(0, number);
  else if (type?.byteSize === 4) view.setFloat32(4, number);
  else return 'The DWARF expression uses a floating-point format that is not supported.';
  return { value: view.getBigUint64(0), type };
}

function floatUnary(operation: number, operand: StackValue): StackValue | string {
  const number = toFloat(operand);
  if (number === null || operation === DW_OP.not) return 'The DWARF expression uses floats in a way not supported.';
  return fromFloat(operation === DW_OP.abs ? Math.abs(number) : -number, operand.type);
}

function floatBinary(operation: number, left: StackValue, right: StackValue): StackValue | string {
  const a = toFloat(left);
  const b = toFloat(right);
  if (a === null || b === null) return 'The DWARF expression uses a floating-point format that is not supported.';
  const truth = (value: boolean): StackValue => ({ value: value ? 1n : 0n, type: null });
  switch (operation) {
    case DW_OP.plus:
      return fromFloat(a + b, left.type);
    case DW_OP.minus:
      return fromFloat(a - b, left.type);
    case DW_OP.mul:
      return fromFloat(a * b, left.type);
    case DW_OP.div:
      return fromFloat(a / b, left.type);
    case DW_OP.eq:
      return truth(a === b);
    case DW_OP.ne:
      return truth(a !== b);
    case DW_OP.ge:
      return truth(a >= b);
    case DW_OP.gt:
      return truth(a > b);
    case DW_OP.le:
      return truth(a <= b);
    case DW_OP.lt:
      return truth(a < b);
    default:
      return 'The DWARF expression uses floats in a way not supported.';
  }
}
