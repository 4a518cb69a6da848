/** C's arithmetic on decoded scalars: promotions, usual conversions (ISO C 6.3.1), wrapping. */
import { DebuggerError } from '../errors.ts';
import type { BinaryOperator } from './ast.ts';
import type { Scalar, ScalarKind } from '../value.ts';
import { toInteger } from '../value.ts';

export type ArithmeticKind = Exclude<ScalarKind, { kind: 'pointer' }>;

/** Integer promotion: everything narrower than int becomes int. */
export function promote(kind: ArithmeticKind): ArithmeticKind {
  return kind.kind === 'integer' && kind.size < 4 ? { kind: 'integer', size: 4, signed: true } : kind;
}

/** The common type of two operands. */
export function commonKind(left: ArithmeticKind, right: ArithmeticKind): ArithmeticKind {
  if (left.kind === 'float' || right.kind === 'float') {
    const size = Math.max(left.kind === 'float' ? left.size : 0, right.kind === 'float' ? right.size : 0);
    return { kind: 'float', size };
  }
  const a = promote(left);
  const b = promote(right);
  if (a.kind === 'float' || b.kind === 'float') return a;
  if (a.size !== b.size) return a.size > b.size ? a : b;
  return a.signed ? b : a;
}

/** The value as the type holds it: wrapped to its size and sign. */
export function convert(scalar: Scalar, kind: ScalarKind): Scalar {
  if (kind.kind === 'float') return kind.size === 4 ? Math.fround(Number(scalar)) : Number(scalar);
  const integer = toInteger(scalar);
  const signed = kind.kind === 'integer' && kind.signed;
  return signed ? BigInt.asIntN(kind.size * 8, integer) : BigInt.asUintN(kind.size * 8, integer);
}

export function isTrue(scalar: Scalar): boolean {
  return typeof scalar === 'bigint' ? scalar !== 0n : scalar !== 0;
}

const noSolution = (what: string): DebuggerError => new DebuggerError('type', what);

/** `+ - * / % << >> & ^ |` on operands that were already converted to `kind`; shifts convert only the left one. */
export function compute(operator: BinaryOperator, left: Scalar, right: Scalar, kind: ArithmeticKind): Scalar {
  if (kind.kind === 'float') {
    const a = Number(left);
    const b = Number(right);
    switch (operator) {
      case '+':
        return convert(a + b, kind);
      case '-':
        return convert(a - b, kind);
      case '*':
        return convert(a * b, kind);
      case '/':
        return convert(a / b, kind);
      default:
        throw noSolution(`'${operator}' does not apply to floating-point numbers.`);
    }
  }
  return convert(computeInteger(operator, toInteger(left), toInteger(right), kind.size * 8), kind);
}

function computeInteger(operator: BinaryOperator, a: bigint, b: bigint, bits: number): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      if (b === 0n) throw noSolution('Division by zero.');
      return a / b;
    case '%':
      if (b === 0n) throw noSolution('Division by zero.');
      return a % b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '<<':
    case '>>': {
      // Undefined in C; refused here, since every answer would be a surprise.
      if (b < 0n || b >= BigInt(bits)) throw noSolution(`A shift by ${b} does not fit ${bits} bits.`);
      return operator === '<<' ? a << b : a >> b;
    }
    default:
      throw noSolution(`'${operator}' is not arithmetic.`);
  }
}

export function compare(operator: BinaryOperator, left: Scalar, right: Scalar): boolean {
  switch (operator) {
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
    case '==':
      return left === right;
    default:
      return left !== right;
  }
}
