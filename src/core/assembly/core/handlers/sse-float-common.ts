// What the handlers of SSE floating-point instructions share. Softfloat (src/core/assembly/softfloat) is the semantics;
// WebAssembly's own f32 and f64, which round to nearest and report nothing, stand in where they give provably the same:
// MXCSR rounds to nearest, has PE set already and masks it, and operands and results are ordinary numbers. What is
// asked in front of that is a few integer operations on the encodings; MXCSR then stays as it is.
import * as L from '../../../layout';
import { simdException } from '../imports';
import * as F from '../../softfloat/operations';

export const ADD: u32 = F.ADD, SUBTRACT: u32 = F.SUBTRACT, MULTIPLY: u32 = F.MULTIPLY, DIVIDE: u32 = F.DIVIDE,
  MINIMUM: u32 = F.MINIMUM,
  MAXIMUM: u32 = F.MAXIMUM, SQUARE_ROOT: u32 = F.SQUARE_ROOT, ADD_SUBTRACT: u32 = F.ADD_SUBTRACT,
    COMPARE: u32 = F.COMPARE,
  ROUND: u32 = F.ROUND;
export const NEAREST: u32 = 0, DOWN: u32 = 1, UP: u32 = 2, TRUNCATE: u32 = 3;

const PE: u32 = 0x20, UM: u32 = 0x800, PM: u32 = 0x1000, ROUNDING: u32 = 0x6000, FTZ: u32 = 0x8000;
const MASKS_SHIFT: u32 = 7;

@inline export function mxcsr(): u32 { return load<u32>(L.MXCSR); }
@inline export function roundingOf(control: u32): u32 { return (control >> 13) & 3; }
/** Inexactness has nothing to report any more. */
@inline export function inexactReported(control: u32): bool { return (control & (PE | PM)) == (PE | PM); }
/**
 * Round to nearest, inexactness reported; tiny results are neither flushed nor, when they are exact, reported. Then
 * only operands and results decide whether a native operation does the same.
 */
@inline export function asNative(control: u32): bool {
  return (control & (ROUNDING | FTZ | UM | PE | PM)) == (UM | PE | PM);
}

/**
 * Before the first write: the exceptions of the softfloat call just made; leaves when one is unmasked. Else sets MXCSR.
 */
@inline export function commitExceptions(r: usize, control: u32): void {
  let flags = load<u32>(L.FLOAT_FLAGS);
  if (flags & ~(control >> MASKS_SHIFT)) simdException(r, flags);
  store<u32>(L.MXCSR, control | flags);
}
/** A vector that softfloat answered. */
@inline export function floatResult(): v128 { return v128.load(L.FLOAT_RESULT); }

// ---- encodings; T is u32 for binary32, u64 for binary64. Doubling drops the sign. -----------------------------------
@inline function smallestNormal<T>(): T { return <T>(sizeof<T>() == 4 ? 0x00800000 : 0x0010000000000000); }
@inline function infinity<T>(): T { return <T>(sizeof<T>() == 4 ? 0x7f800000 : 0x7ff0000000000000); }

@inline export function isZero<T>(a: T): bool { return a << 1 == 0; }
@inline export function notDenormal<T>(a: T): bool { return <T>((a << 1) - 1) >= <T>((smallestNormal<T>() << 1) - 1); }
@inline export function isFinite<T>(a: T): bool { return <T>(a << 1) < <T>(infinity<T>() << 1); }
/** Zero, normal or infinite: neither denormal nor NaN. */
@inline export function isComparable<T>(a: T): bool {
  return notDenormal<T>(a) && <T>(a << 1) <= <T>(infinity<T>() << 1);
}
/** Finite, and greater than the smallest normal number, to which tiny results may have been rounded. */
@inline export function isSafe<T>(z: T): bool {
  return <T>((z << 1) - (smallestNormal<T>() << 1) - 2) < <T>((infinity<T>() << 1) - (smallestNormal<T>() << 1) - 2);
}

// ---- the same for vectors: all ones in the elements for which it is so; T is f32 or f64 -----------------------------
@inline function smallest<T>(): v128 {
  return sizeof<T>() == 4 ? f32x4.splat(1.17549435082228751e-38) : f64x2.splat(2.2250738585072014e-308);
}
@inline function infinite<T>(): v128 { return sizeof<T>() == 4 ? f32x4.splat(Infinity) : f64x2.splat(Infinity); }
@inline export function zeros<T>(a: v128): v128 { return v128.eq<T>(a, i64x2.splat(0)); }
@inline export function comparables<T>(a: v128): v128 {
  return v128.or(v128.ge<T>(v128.abs<T>(a), smallest<T>()), zeros<T>(a));
}
@inline export function finites<T>(a: v128): v128 { return v128.lt<T>(v128.abs<T>(a), infinite<T>()); }
@inline export function safes<T>(z: v128): v128 {
  return v128.and(v128.gt<T>(v128.abs<T>(z), smallest<T>()), v128.lt<T>(v128.abs<T>(z), infinite<T>()));
}
@inline export function all<T>(mask: v128): bool {
  return sizeof<T>() == 4 ? i32x4.all_true(mask) : i64x2.all_true(mask);
}
