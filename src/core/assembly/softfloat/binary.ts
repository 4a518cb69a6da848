// The interchange formats binary32 and binary64 (IEEE 754-2019, 3.4). Every function is written once for both: T is f32
// or f64 and stands for the format alone; encodings travel as u64, those of binary32 zero-extended.
//
// Inside, a finite number that is not zero is sign, exponent e and significand s with bit 62 as its highest: value = s
// * 2^(e - bias - 62). That leaves 39 or 10 bits below the format's own for exact rounding and one above for a carry.
import * as L from '../../layout';

// ---- MXCSR (SDM 1 10.2.3) -------------------------------------------------------------------------------------------
export const IE: u32 = 1, DE: u32 = 2, ZE: u32 = 4, OE: u32 = 8, UE: u32 = 0x10, PE: u32 = 0x20;
export const DAZ: u32 = 0x40, OM: u32 = 0x400, UM: u32 = 0x800, FTZ: u32 = 0x8000;
const MASKS_SHIFT: u32 = 7;
/** Exceptions that are found before the computation; one that is unmasked prevents it (SDM 1 11.5.2). */
const PRE_COMPUTATION: u32 = IE | DE | ZE;
export const NEAREST: u32 = 0, DOWN: u32 = 1, UP: u32 = 2, TRUNCATE: u32 = 3;
@inline export function roundingOf(mxcsr: u32): u32 { return (mxcsr >> 13) & 3; }

// ---- exceptions -----------------------------------------------------------------------------------------------------
/** At the head of every function that the handlers call. */
@inline export function clearFlags(): void { store<u32>(L.FLOAT_FLAGS, 0); }
@inline export function flag(exceptions: u32): void {
  store<u32>(L.FLOAT_FLAGS, load<u32>(L.FLOAT_FLAGS) | exceptions);
}
/** Exceptions so far that are not masked. */
@inline export function unmasked(mxcsr: u32): u32 { return load<u32>(L.FLOAT_FLAGS) & ~(mxcsr >> MASKS_SHIFT); }
/**
 * At the end, when all elements of a vector are done: an unmasked exception of one element before its computation means
 * that none was computed, so what the computations found did not happen (SDM 1 11.5.2, 11.5.3).
 */
@inline export function settleFlags(mxcsr: u32): void {
  if (unmasked(mxcsr) & PRE_COMPUTATION) store<u32>(L.FLOAT_FLAGS, load<u32>(L.FLOAT_FLAGS) & PRE_COMPUTATION);
}

// ---- fields ---------------------------------------------------------------------------------------------------------
/** Bits of the trailing significand. */
@inline export function fractionBits<T>(): u32 { return sizeof<T>() == 4 ? 23 : 52; }
@inline export function bias<T>(): i32 { return sizeof<T>() == 4 ? 127 : 1023; }
/** Biased exponent of infinities and NaNs. */
@inline export function specialExponent<T>(): i32 { return sizeof<T>() == 4 ? 0xff : 0x7ff; }
@inline export function signBit<T>(): u64 { return sizeof<T>() == 4 ? 0x80000000 : 0x8000000000000000; }
@inline export function infinity<T>(): u64 { return <u64>specialExponent<T>() << fractionBits<T>(); }
@inline export function quietBit<T>(): u64 { return <u64>1 << (fractionBits<T>() - 1); }
/** QNaN floating-point indefinite: the answer to an invalid operation (SDM 1 4.8.3.7). */
@inline export function indefinite<T>(): u64 { return signBit<T>() | infinity<T>() | quietBit<T>(); }
/** From the leading bit of the trailing significand's last place to bit 62. */
@inline export function guardBits<T>(): u32 { return 62 - fractionBits<T>(); }

@inline export function signOf<T>(a: u64): u64 { return a & signBit<T>(); }
@inline export function magnitudeOf<T>(a: u64): u64 { return a & (signBit<T>() - 1); }
@inline export function fractionOf<T>(a: u64): u64 { return a & ((<u64>1 << fractionBits<T>()) - 1); }
@inline export function biasedExponent<T>(a: u64): i32 { return <i32>(a >> fractionBits<T>()) & specialExponent<T>(); }

// ---- classes --------------------------------------------------------------------------------------------------------
@inline export function isNaN<T>(a: u64): bool { return magnitudeOf<T>(a) > infinity<T>(); }
@inline export function isSignalling<T>(a: u64): bool { return isNaN<T>(a) && !(a & quietBit<T>()); }
@inline export function isInfinite<T>(a: u64): bool { return magnitudeOf<T>(a) == infinity<T>(); }
@inline export function isZero<T>(a: u64): bool { return magnitudeOf<T>(a) == 0; }
@inline export function isDenormal<T>(a: u64): bool {
  return magnitudeOf<T>(a) - 1 < (<u64>1 << fractionBits<T>()) - 1;
}

/** An operand as MXCSR.DAZ has it: a denormal counts as a zero of its sign, without an exception (SDM 1 10.2.3.4). */
@inline export function operand<T>(a: u64, mxcsr: u32): u64 {
  return mxcsr & DAZ && isDenormal<T>(a) ? signOf<T>(a) : a;
}

/** Result of an operation with a NaN among its operands: the first that is one, made quiet (SDM 1 table 4-7). */
export function propagate<T>(a: u64, b: u64): u64 {
  if (isSignalling<T>(a) || isSignalling<T>(b)) flag(IE);
  return (isNaN<T>(a) ? a : b) | quietBit<T>();
}
@inline export function invalid<T>(): u64 { flag(IE); return indefinite<T>(); }

// ---- the inner form -------------------------------------------------------------------------------------------------
/** Places by which a denormal's significand has to move up. */
@inline function normalising<T>(a: u64): u32 { return <u32>clz<u64>(fractionOf<T>(a)) - 63 + fractionBits<T>(); }
/** Significand of a finite number that is not zero, highest bit at 62. */
@inline export function significandOf<T>(a: u64): u64 {
  if (biasedExponent<T>(a)) return (fractionOf<T>(a) | (<u64>1 << fractionBits<T>())) << guardBits<T>();
  return fractionOf<T>(a) << (normalising<T>(a) + guardBits<T>());
}
/** The exponent that belongs to it, biased; 0 and less for denormals. */
@inline export function exponentOf<T>(a: u64): i32 {
  let e = biasedExponent<T>(a);
  return e ? e : 1 - <i32>normalising<T>(a);
}
