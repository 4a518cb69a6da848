// CMPPS and the like, COMISS, UCOMISS, and rounding to integral numbers: an immediate or two registers decide, nothing
// is rounded away unseen.
import * as L from '../../../layout';
import { dst, src, dstPointer, immOf } from '../record';
import { ldOperand } from '../memory';
import { f32_operation, f64_operation, f32_compare, f64_compare } from '../softfloat';
import { sseAvailable, dstVector, srcVector, setDstVector, ldAligned } from './sse-operands';
import {
  COMPARE, ROUND, NEAREST, DOWN, UP, all, commitExceptions, comparables, inexactReported, isComparable, mxcsr,
    roundingOf,
} from './sse-float-common';
import { softVector } from './sse-float';

// ---- CMPxx: predicates 0 EQ, 1 LT, 2 LE, 3 UNORD, and their opposites 4 to 7 (SDM 2A table 3-1) ---------------------
/** The relation of comparable numbers. */
@inline function relation<F>(predicate: u32, a: F, b: F): bool {
  let base = predicate & 3;
  return (base == 0 ? a == b : base == 1 ? a < b : base == 2 ? a <= b : false) != predicate > 3;
}
@inline function compareScalar<T>(r: usize, b: T): void {
  let a = dst<T>(r), control = mxcsr(), predicate = <u32>immOf(r) & 7, z: T;
  if (isComparable<T>(a) && isComparable<T>(b)) {
    let is = sizeof<T>() == 4
      ? relation<f32>(predicate, reinterpret<f32>(<u32>a), reinterpret<f32>(<u32>b))
      : relation<f64>(predicate, reinterpret<f64>(<u64>a), reinterpret<f64>(<u64>b));
    store<T>(dstPointer(r), <T>-(<i64>is));
    return;
  }
  if (sizeof<T>() == 4) z = <T>f32_operation(COMPARE + predicate, <u32>a, <u32>b, control);
  else z = <T>f64_operation(COMPARE + predicate, <u64>a, <u64>b, control);
  commitExceptions(r, control);
  store<T>(dstPointer(r), z);
}
@inline export function float_compare_scalar_rr<T>(r: usize): void { sseAvailable(r); compareScalar<T>(r, src<T>(r)); }
@inline export function float_compare_scalar_rm<T>(r: usize): void {
  sseAvailable(r);
  compareScalar<T>(r, ldOperand<T>(r));
}

@inline function relations<F>(predicate: u32, a: v128, b: v128): v128 {
  let base = predicate & 3, is = i64x2.splat(0);
  if (base == 0) is = v128.eq<F>(a, b);
  else if (base == 1) is = v128.lt<F>(a, b);
  else if (base == 2) is = v128.le<F>(a, b);
  return v128.xor(is, i64x2.splat(predicate > 3 ? -1 : 0));
}
@inline function comparePacked<F>(r: usize, b: v128): void {
  let a = dstVector(r), predicate = <u32>immOf(r) & 7;
  if (all<F>(v128.and(comparables<F>(a), comparables<F>(b)))) setDstVector(r, relations<F>(predicate, a, b));
  else softVector<F>(r, COMPARE + predicate, a, b, mxcsr());
}
@inline function compareVector(width: u32, r: usize, b: v128): void {
  if (width == 32) comparePacked<f32>(r, b); else comparePacked<f64>(r, b);
}
@inline export function float_compare_packed_rr(width: u32, r: usize): void {
  sseAvailable(r);
  compareVector(width, r, srcVector(r));
}
@inline export function float_compare_packed_rm(width: u32, r: usize): void {
  sseAvailable(r);
  compareVector(width, r, ldAligned(r));
}

// ---- COMIS, UCOMIS: ZF PF CF = 000 greater, 001 less, 100 equal, 111 unordered; OF SF AF = 0 ------------------------
@inline function setRelation(equal: bool, less: bool, unordered: bool): void {
  store<i64>(L.F_ZERO, equal || unordered ? 0 : 1);
  store<i64>(L.F_SIGN, unordered ? 0 : 1); // PF: parity of the low byte
  store<i32>(L.F_CF, i32(less || unordered)); store<i32>(L.F_LT, 0); store<i32>(L.F_AF, 0);
}
@inline function compareOrdered<T>(signalling: u32, r: usize, b: T): void {
  let a = dst<T>(r), control = mxcsr();
  if (isComparable<T>(a) && isComparable<T>(b)) {
    if (sizeof<T>() == 4) {
      let x = reinterpret<f32>(<u32>a), y = reinterpret<f32>(<u32>b);
      setRelation(x == y, x < y, false);
    } else {
      let x = reinterpret<f64>(<u64>a), y = reinterpret<f64>(<u64>b);
      setRelation(x == y, x < y, false);
    }
    return;
  }
  let is = sizeof<T>() == 4 ? f32_compare(<u32>a, <u32>b, signalling, control)
    : f64_compare(<u64>a, <u64>b, signalling, control);
  commitExceptions(r, control);
  setRelation(is == 1, is == 0, is == 3);
}
@inline export function float_compare_flags_rr<T>(signalling: u32, r: usize): void {
  sseAvailable(r);
  compareOrdered<T>(signalling, r, src<T>(r));
}
@inline export function float_compare_flags_rm<T>(signalling: u32, r: usize): void {
  sseAvailable(r);
  compareOrdered<T>(signalling, r, ldOperand<T>(r));
}

// ---- ROUNDxx: immediate bits 0-1 rounding mode, bit 2 that of MXCSR, bit 3 no report of inexactness -----------------
@inline function modeOf(imm: u32, control: u32): u32 { return imm & 4 ? roundingOf(control) : imm & 3; }
@inline function integral<F>(mode: u32, b: F): F {
  return mode == NEAREST ? nearest<F>(b) : mode == DOWN ? floor<F>(b) : mode == UP ? ceil<F>(b) : trunc<F>(b);
}
@inline function roundScalar<T>(r: usize, b: T): void {
  let control = mxcsr(), imm = <u32>immOf(r), mode = modeOf(imm, control), z: T;
  if (isComparable<T>(b)) {
    if (sizeof<T>() == 4) z = <T>reinterpret<u32>(integral<f32>(mode, reinterpret<f32>(<u32>b)));
    else z = <T>reinterpret<u64>(integral<f64>(mode, reinterpret<f64>(<u64>b)));
    if (z == b || imm & 8 || inexactReported(control)) { store<T>(dstPointer(r), z); return; }
  }
  let operation = ROUND + mode + (imm & 8);
  if (sizeof<T>() == 4) z = <T>f32_operation(operation, 0, <u32>b, control);
  else z = <T>f64_operation(operation, 0, <u64>b, control);
  commitExceptions(r, control);
  store<T>(dstPointer(r), z);
}
@inline export function float_round_scalar_rr<T>(r: usize): void { sseAvailable(r); roundScalar<T>(r, src<T>(r)); }
@inline export function float_round_scalar_rm<T>(r: usize): void {
  sseAvailable(r);
  roundScalar<T>(r, ldOperand<T>(r));
}

@inline function integrals<F>(mode: u32, b: v128): v128 {
  return mode == NEAREST ? v128.nearest<F>(b) : mode == DOWN ? v128.floor<F>(b) : mode == UP ? v128.ceil<F>(b)
    : v128.trunc<F>(b);
}
@inline function roundPacked<F>(r: usize, b: v128): void {
  let control = mxcsr(), imm = <u32>immOf(r), mode = modeOf(imm, control);
  if (all<F>(comparables<F>(b)) && (imm & 8 || inexactReported(control))) setDstVector(r, integrals<F>(mode, b));
  else softVector<F>(r, ROUND + mode + (imm & 8), b, b, control);
}
@inline function roundVector(width: u32, r: usize, b: v128): void {
  if (width == 32) roundPacked<f32>(r, b); else roundPacked<f64>(r, b);
}
@inline export function float_round_packed_rr(width: u32, r: usize): void {
  sseAvailable(r);
  roundVector(width, r, srcVector(r));
}
@inline export function float_round_packed_rm(width: u32, r: usize): void {
  sseAvailable(r);
  roundVector(width, r, ldAligned(r));
}
