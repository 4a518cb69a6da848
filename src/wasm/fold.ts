// Constant folding of WebAssembly's integer instructions (core specification 4.3.2). i32 are numbers (signed), i64 bigints (signed).
import type { Value } from './code.ts';

const unsigned = (a: bigint): bigint => BigInt.asUintN(64, a);
const signed = (a: bigint): bigint => BigInt.asIntN(64, a);
const bit = (condition: boolean): number => (condition ? 1 : 0);
type Binary<T, R> = (a: T, b: T) => R;

const unary32: ReadonlyMap<number, (a: number) => number | bigint> = new Map<number, (a: number) => number | bigint>([
  [0x45, (a) => bit(a === 0)],
  [0x69, (a) => popcount(BigInt(a >>> 0))],
  [0xac, (a) => BigInt(a)],
  [0xad, (a) => BigInt(a >>> 0)],
  [0xc0, (a) => (a << 24) >> 24],
  [0xc1, (a) => (a << 16) >> 16],
]);
const unary64: ReadonlyMap<number, (a: bigint) => number | bigint> = new Map<number, (a: bigint) => number | bigint>([
  [0x50, (a) => bit(a === 0n)],
  [0xa7, (a) => Number(BigInt.asIntN(32, a))],
  [0xc2, (a) => BigInt.asIntN(8, a)],
  [0xc3, (a) => BigInt.asIntN(16, a)],
  [0xc4, (a) => BigInt.asIntN(32, a)],
]);
const binary32: ReadonlyMap<number, Binary<number, number>> = new Map<number, Binary<number, number>>([
  [0x46, (a, b) => bit(a === b)],
  [0x47, (a, b) => bit(a !== b)],
  [0x48, (a, b) => bit(a < b)],
  [0x49, (a, b) => bit(a >>> 0 < b >>> 0)],
  [0x4a, (a, b) => bit(a > b)],
  [0x4b, (a, b) => bit(a >>> 0 > b >>> 0)],
  [0x4c, (a, b) => bit(a <= b)],
  [0x4d, (a, b) => bit(a >>> 0 <= b >>> 0)],
  [0x4e, (a, b) => bit(a >= b)],
  [0x4f, (a, b) => bit(a >>> 0 >= b >>> 0)],
  [0x6a, (a, b) => (a + b) | 0],
  [0x6b, (a, b) => (a - b) | 0],
  [0x6c, (a, b) => Math.imul(a, b)],
  [0x71, (a, b) => a & b],
  [0x72, (a, b) => a | b],
  [0x73, (a, b) => a ^ b],
  [0x74, (a, b) => a << b],
  [0x75, (a, b) => a >> b],
  [0x76, (a, b) => (a >>> b) | 0],
]);
const binary64: ReadonlyMap<number, Binary<bigint, number | bigint>> = new Map<number, Binary<bigint, number | bigint>>(
  [
    [0x51, (a, b) => bit(a === b)],
    [0x52, (a, b) => bit(a !== b)],
    [0x53, (a, b) => bit(a < b)],
    [0x54, (a, b) => bit(unsigned(a) < unsigned(b))],
    [0x55, (a, b) => bit(a > b)],
    [0x56, (a, b) => bit(unsigned(a) > unsigned(b))],
    [0x57, (a, b) => bit(a <= b)],
    [0x58, (a, b) => bit(unsigned(a) <= unsigned(b))],
    [0x59, (a, b) => bit(a >= b)],
    [0x5a, (a, b) => bit(unsigned(a) >= unsigned(b))],
    [0x7c, (a, b) => signed(a + b)],
    [0x7d, (a, b) => signed(a - b)],
    [0x7e, (a, b) => signed(a * b)],
    [0x83, (a, b) => a & b],
    [0x84, (a, b) => a | b],
    [0x85, (a, b) => a ^ b],
    [0x86, (a, b) => signed(a << (b & 63n))],
    [0x87, (a, b) => a >> (b & 63n)],
    [0x88, (a, b) => signed(unsigned(a) >> (b & 63n))],
  ],
);
function popcount(value: bigint): number {
  let count = 0;
  for (let rest = value; rest !== 0n; rest >>= 1n) count += Number(rest & 1n);
  return count;
}

/** The value of an instruction with constant operands, or undefined when it is not folded (it may trap, or is not in the tables). */
export function fold(op: number, a: Value, b?: Value): number | bigint | undefined {
  if (b === undefined) {
    if (typeof a === 'number') return unary32.get(op)?.(a);
    return typeof a === 'bigint' ? unary64.get(op)?.(a) : undefined;
  }
  if (typeof a === 'number' && typeof b === 'number') return binary32.get(op)?.(a, b);
  if (typeof a === 'bigint' && typeof b === 'bigint') return binary64.get(op)?.(a, b);
  return undefined;
}

const ZERO_RIGHT_IS_IDENTITY = new Set([
  0x6a, 0x6b, 0x72, 0x73, 0x74, 0x75, 0x76, 0x7c, 0x7d, 0x84, 0x85, 0x86, 0x87, 0x88,
]);
const ZERO_LEFT_IS_IDENTITY = new Set([0x6a, 0x72, 0x73, 0x7c, 0x84, 0x85]);
const ONES_ARE_IDENTITY = new Set([0x71, 0x83]);
/** Whether an instruction with this operand on that side leaves the other operand as it is. */
export function isIdentity(op: number, value: Value, side: 'left' | 'right'): boolean {
  if (value === -1 || value === -1n) return ONES_ARE_IDENTITY.has(op);
  if (value !== 0 && value !== 0n) return false;
  return (side === 'right' ? ZERO_RIGHT_IS_IDENTITY : ZERO_LEFT_IS_IDENTITY).has(op);
}
/** Whether an instruction with this operand has this value, whatever the other operand is. */
export function absorbs(op: number, value: Value): boolean {
  return (value === 0 && (op === 0x71 || op === 0x6c)) || (value === 0n && (op === 0x83 || op === 0x7e));
}
