// ADD, SUB, MUL, DIV, MIN, MAX, SQRT of single and double precision, scalar and packed; the horizontal and alternating
// ones.
import { dst, src, dstPointer, immOf } from '../record';
import { ldOperand } from '../memory';
import { f32_operation, f64_operation, f32x4_operation, f64x2_operation, f32x4_dot, f64x2_dot } from '../softfloat';
import { sseAvailable, dstVector, srcVector, setDstVector, ldAligned } from './sse-operands';
import {
  ADD, SUBTRACT, MULTIPLY, DIVIDE, MINIMUM, MAXIMUM, SQUARE_ROOT, ADD_SUBTRACT, all, asNative, commitExceptions,
    comparables, finites,
  floatResult, isComparable, isFinite, isSafe, isZero, mxcsr, notDenormal, safes, zeros,
} from './sse-float-common';

// ---- scalar: T is u32 or u64, the encoding --------------------------------------------------------------------------
@inline function native64(op: u32, a: f64, b: f64): f64 {
  if (op == ADD) return a + b;
  if (op == SUBTRACT) return a - b;
  if (op == MULTIPLY) return a * b;
  if (op == DIVIDE) return a / b;
  if (op == MINIMUM) return a < b ? a : b;
  if (op == MAXIMUM) return a > b ? a : b;
  return sqrt<f64>(b);
}
@inline function native32(op: u32, a: f32, b: f32): f32 {
  if (op == ADD) return a + b;
  if (op == SUBTRACT) return a - b;
  if (op == MULTIPLY) return a * b;
  if (op == DIVIDE) return a / b;
  if (op == MINIMUM) return a < b ? a : b;
  if (op == MAXIMUM) return a > b ? a : b;
  return sqrt<f32>(b);
}
@inline function native<T>(op: u32, a: T, b: T): T {
  if (sizeof<T>() == 4) return <T>reinterpret<u32>(native32(op, reinterpret<f32>(<u32>a), reinterpret<f32>(<u32>b)));
  return <T>reinterpret<u64>(native64(op, reinterpret<f64>(<u64>a), reinterpret<f64>(<u64>b)));
}
/**
 * Whether the native result z is exactly softfloat's. Sums are exact where they are tiny; products and quotients are
 * not.
 */
@inline function proven<T>(op: u32, a: T, b: T, z: T, control: u32): bool {
  if (op == MINIMUM || op == MAXIMUM) return isComparable<T>(a) && isComparable<T>(b);
  if (!asNative(control)) return false;
  if (op == ADD || op == SUBTRACT) return notDenormal<T>(a) && notDenormal<T>(b) && isFinite<T>(z);
  if (op == SQUARE_ROOT) return isSafe<T>(z) && notDenormal<T>(b);
  if (isSafe<T>(z)) return notDenormal<T>(a) && notDenormal<T>(b);
  return isZero<T>(z) && (isZero<T>(a) ? notDenormal<T>(b) : op == MULTIPLY && isZero<T>(b) && notDenormal<T>(a));
}
function soft32(r: usize, op: u32, a: u32, b: u32, control: u32): void {
  let z = f32_operation(op, a, b, control);
  commitExceptions(r, control);
  store<u32>(dstPointer(r), z);
}
function soft64(r: usize, op: u32, a: u64, b: u64, control: u32): void {
  let z = f64_operation(op, a, b, control);
  commitExceptions(r, control);
  store<u64>(dstPointer(r), z);
}
@inline function scalar<T>(op: u32, r: usize, b: T): void {
  let a = dst<T>(r), control = mxcsr(), z = native<T>(op, a, b);
  if (proven<T>(op, a, b, z, control)) store<T>(dstPointer(r), z);
  else if (sizeof<T>() == 4) soft32(r, op, <u32>a, <u32>b, control);
  else soft64(r, op, <u64>a, <u64>b, control);
}
@inline export function float_scalar_rr<T>(op: u32, r: usize): void { sseAvailable(r); scalar<T>(op, r, src<T>(r)); }
@inline export function float_scalar_rm<T>(op: u32, r: usize): void {
  sseAvailable(r);
  scalar<T>(op, r, ldOperand<T>(r));
}

// ---- packed: the width of the elements is a constant of the row -----------------------------------------------------
@inline function nativeVector<T>(op: u32, a: v128, b: v128): v128 {
  if (op == ADD) return v128.add<T>(a, b);
  if (op == SUBTRACT) return v128.sub<T>(a, b);
  if (op == MULTIPLY) return v128.mul<T>(a, b);
  if (op == DIVIDE) return v128.div<T>(a, b);
  if (op == MINIMUM) return v128.pmin<T>(b, a); // pmin(x, y) is y < x ? y : x
  if (op == MAXIMUM) return v128.pmax<T>(b, a);
  if (op == ADD_SUBTRACT) return v128.add<T>(a, v128.xor(b, evenSigns<T>()));
  return v128.sqrt<T>(b);
}
/** The sign bits of the even elements. */
@inline function evenSigns<T>(): v128 {
  return sizeof<T>() == 4 ? i64x2.splat(0x80000000) : i64x2(<i64>0x8000000000000000, 0);
}
@inline function provenVector<T>(op: u32, a: v128, b: v128, z: v128, control: u32): bool {
  if (op == MINIMUM || op == MAXIMUM) return all<T>(v128.and(comparables<T>(a), comparables<T>(b)));
  if (!asNative(control)) return false;
  if (op == SQUARE_ROOT) return all<T>(v128.and(comparables<T>(b), v128.or(safes<T>(z), zeros<T>(b))));
  let ordinary = v128.and(comparables<T>(a), comparables<T>(b));
  if (op == ADD || op == SUBTRACT || op == ADD_SUBTRACT) return all<T>(v128.and(ordinary, finites<T>(z)));
  let zero = v128.and(op == MULTIPLY ? v128.or(zeros<T>(a), zeros<T>(b)) : zeros<T>(a), zeros<T>(z));
  return all<T>(v128.and(ordinary, v128.or(safes<T>(z), zero)));
}
function softVector32(r: usize, op: u32, a: v128, b: v128, control: u32): void {
  f32x4_operation(op, v128.extract_lane<u64>(a, 0), v128.extract_lane<u64>(a, 1), v128.extract_lane<u64>(b, 0),
    v128.extract_lane<u64>(b, 1), control);
  commitExceptions(r, control);
  setDstVector(r, floatResult());
}
function softVector64(r: usize, op: u32, a: v128, b: v128, control: u32): void {
  f64x2_operation(op, v128.extract_lane<u64>(a, 0), v128.extract_lane<u64>(a, 1), v128.extract_lane<u64>(b, 0),
    v128.extract_lane<u64>(b, 1), control);
  commitExceptions(r, control);
  setDstVector(r, floatResult());
}
/** The operation on all elements of a and b, by softfloat. */
@inline export function softVector<T>(r: usize, op: u32, a: v128, b: v128, control: u32): void {
  if (sizeof<T>() == 4) softVector32(r, op, a, b, control);
  else softVector64(r, op, a, b, control);
}
@inline function vector<T>(op: u32, r: usize, a: v128, b: v128): void {
  let control = mxcsr(), z = nativeVector<T>(op, a, b);
  if (provenVector<T>(op, a, b, z, control)) setDstVector(r, z);
  else softVector<T>(r, op, a, b, control);
}
@inline function packed(op: u32, width: u32, r: usize, b: v128): void {
  if (width == 32) vector<f32>(op, r, dstVector(r), b); else vector<f64>(op, r, dstVector(r), b);
}
@inline export function float_packed_rr(op: u32, width: u32, r: usize): void {
  sseAvailable(r);
  packed(op, width, r, srcVector(r));
}
@inline export function float_packed_rm(op: u32, width: u32, r: usize): void {
  sseAvailable(r);
  packed(op, width, r, ldAligned(r));
}

/** HADDPS and the like: neighbours within the first operand, then within the second. */
@inline function horizontal(op: u32, width: u32, r: usize, b: v128): void {
  let a = dstVector(r);
  if (width == 32) vector<f32>(op, r, v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
  else vector<f64>(op, r, v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3));
}
@inline export function float_horizontal_rr(op: u32, width: u32, r: usize): void {
  sseAvailable(r);
  horizontal(op, width, r, srcVector(r));
}
@inline export function float_horizontal_rm(op: u32, width: u32, r: usize): void {
  sseAvailable(r);
  horizontal(op, width, r, ldAligned(r));
}

/** DPPS, DPPD: several roundings in a row, always by softfloat. */
@inline function dot(width: u32, r: usize, b: v128): void {
  let a = dstVector(r), control = mxcsr(), imm = <u32>immOf(r) & 0xff;
  let aLow = v128.extract_lane<u64>(a, 0), aHigh = v128.extract_lane<u64>(a, 1);
  let bLow = v128.extract_lane<u64>(b, 0), bHigh = v128.extract_lane<u64>(b, 1);
  if (width == 32) f32x4_dot(imm, aLow, aHigh, bLow, bHigh, control);
  else f64x2_dot(imm, aLow, aHigh, bLow, bHigh, control);
  commitExceptions(r, control);
  setDstVector(r, floatResult());
}
@inline export function float_dot_rr(width: u32, r: usize): void { sseAvailable(r); dot(width, r, srcVector(r)); }
@inline export function float_dot_rm(width: u32, r: usize): void { sseAvailable(r); dot(width, r, ldAligned(r)); }
