// CVTxx: between single and double precision, and to and from signed integers. Exact conversions are always native; the
// others when they are in range and inexactness has nothing to report any more.
import { src, dstPointer, setDst, srcPointer } from '../record';
import { ldOperand } from '../memory';
import {
  f32_to_i32, f32_to_i64, f64_to_i32, f64_to_i64, i64_to_f32, i64_to_f64, f32_to_f64, f64_to_f32, f32x4_to_i32x4,
    i32x4_to_f32x4,
  f64x2_to_i32x2, f64x2_to_f32x2, f32x2_to_f64x2,
} from '../softfloat';
import { sseAvailable, srcVector, setDstVector, ldAligned } from './sse-operands';
import {
  NEAREST, TRUNCATE, all, asNative, commitExceptions, comparables, floatResult, inexactReported, isComparable, mxcsr,
    roundingOf, zeros,
} from './sse-float-common';

const SMALLEST_NORMAL_32: f64 = 1.1754943508222875e-38, LARGEST_32: f64 = 3.4028234663852886e38;

// ---- CVTSI2SS, CVTSI2SD: T is the integer's type, width the format's ------------------------------------------------
@inline function fromInteger<T>(width: u32, r: usize, b: T): void {
  let control = mxcsr(), value = sizeof<T>() == 4 ? <i64><i32>b : <i64>b;
  if (width == 64) {
    // below 2^53 it is exact
    let z = <f64>value;
    if (sizeof<T>() == 4 || asNative(control) || <u64>(value + 0x20000000000000) <= 0x40000000000000) {
      store<u64>(dstPointer(r), reinterpret<u64>(z));
      return;
    }
    let bits = i64_to_f64(<u64>value, control);
    commitExceptions(r, control);
    store<u64>(dstPointer(r), bits);
  } else {
    let z = <f32>value;
    if (asNative(control) || <u64>(value + 0x1000000) <= 0x2000000) {
      store<u32>(dstPointer(r), reinterpret<u32>(z));
      return;
    }
    let bits = i64_to_f32(<u64>value, control);
    commitExceptions(r, control);
    store<u32>(dstPointer(r), bits);
  }
}
@inline export function float_from_integer_rr<T>(width: u32, r: usize): void {
  sseAvailable(r);
  fromInteger<T>(width, r, src<T>(r));
}
@inline export function float_from_integer_rm<T>(width: u32, r: usize): void {
  sseAvailable(r);
  fromInteger<T>(width, r, ldOperand<T>(r));
}

// ---- CVTSS2SI, CVTSD2SI, CVTTSS2SI, CVTTSD2SI: T is the integer's type ----------------------------------------------
/** Whether an integral number fits T. */
@inline function fits<T>(z: f64): bool {
  return sizeof<T>() == 4 ? z >= -2147483648.0 && z <= 2147483647.0 : z >= -9223372036854775808.0
    && z < 9223372036854775808.0;
}
/** Whether b becomes z by WebAssembly's conversion too, z being b rounded to nearest or truncated. */
@inline function provenInteger<T>(b: f64, z: f64, truncating: u32, control: u32): bool {
  return (truncating || roundingOf(control) == NEAREST) && fits<T>(z) && (z == b || inexactReported(control));
}
@inline function integral(b: f64, truncating: u32): f64 { return truncating ? trunc<f64>(b) : nearest<f64>(b); }
@inline function integer<T>(z: f64): T { return sizeof<T>() == 4 ? <T><i32>z : <T><i64>z; }
@inline function from32<T>(truncating: u32, r: usize, b: u32): void {
  let control = mxcsr(), rounding = truncating ? TRUNCATE : roundingOf(control);
  let exact = <f64>reinterpret<f32>(b), z = integral(exact, truncating);
  if (provenInteger<T>(exact, z, truncating, control)) setDst<T>(r, integer<T>(z));
  else {
    let soft = sizeof<T>() == 4 ? <T>f32_to_i32(b, rounding, control) : <T>f32_to_i64(b, rounding, control);
    commitExceptions(r, control);
    setDst<T>(r, soft);
  }
}
@inline function from64<T>(truncating: u32, r: usize, b: u64): void {
  let control = mxcsr(), rounding = truncating ? TRUNCATE : roundingOf(control);
  let value = reinterpret<f64>(b), z = integral(value, truncating);
  if (provenInteger<T>(value, z, truncating, control)) setDst<T>(r, integer<T>(z));
  else {
    let soft = sizeof<T>() == 4 ? <T>f64_to_i32(b, rounding, control) : <T>f64_to_i64(b, rounding, control);
    commitExceptions(r, control);
    setDst<T>(r, soft);
  }
}
@inline export function float_to_integer_rr<T>(width: u32, truncating: u32, r: usize): void {
  sseAvailable(r);
  if (width == 32) from32<T>(truncating, r, src<u32>(r)); else from64<T>(truncating, r, src<u64>(r));
}
@inline export function float_to_integer_rm<T>(width: u32, truncating: u32, r: usize): void {
  sseAvailable(r);
  if (width == 32) from32<T>(truncating, r, ldOperand<u32>(r)); else from64<T>(truncating, r, ldOperand<u64>(r));
}

// ---- CVTSS2SD, CVTSD2SS ---------------------------------------------------------------------------------------------
@inline function widened(r: usize, b: u32): void {
  if (isComparable<u32>(b)) { store<u64>(dstPointer(r), reinterpret<u64>(<f64>reinterpret<f32>(b))); return; }
  let control = mxcsr(), z = f32_to_f64(b, control);
  commitExceptions(r, control);
  store<u64>(dstPointer(r), z);
}
@inline export function float_widen_rr(r: usize): void { sseAvailable(r); widened(r, src<u32>(r)); }
@inline export function float_widen_rm(r: usize): void { sseAvailable(r); widened(r, ldOperand<u32>(r)); }

@inline function narrowed(r: usize, b: u64): void {
  let control = mxcsr(), value = reinterpret<f64>(b), magnitude = abs<f64>(value);
  if (asNative(control) && ((magnitude >= SMALLEST_NORMAL_32 && magnitude <= LARGEST_32) || magnitude == 0)) {
    store<u32>(dstPointer(r), reinterpret<u32>(<f32>value));
    return;
  }
  let z = f64_to_f32(b, control);
  commitExceptions(r, control);
  store<u32>(dstPointer(r), z);
}
@inline export function float_narrow_rr(r: usize): void { sseAvailable(r); narrowed(r, src<u64>(r)); }
@inline export function float_narrow_rm(r: usize): void { sseAvailable(r); narrowed(r, ldOperand<u64>(r)); }

// ---- packed ---------------------------------------------------------------------------------------------------------
@inline function low(v: v128): u64 { return v128.extract_lane<u64>(v, 0); }
@inline function high(v: v128): u64 { return v128.extract_lane<u64>(v, 1); }
@inline function commitVector(r: usize, control: u32): void {
  commitExceptions(r, control);
  setDstVector(r, floatResult());
}

/** CVTDQ2PD: exact. */
@inline export function packed_i32_to_f64_rr(r: usize): void {
  sseAvailable(r);
  setDstVector(r, f64x2.convert_low_i32x4_s(srcVector(r)));
}
@inline export function packed_i32_to_f64_rm(r: usize): void {
  sseAvailable(r);
  setDstVector(r, f64x2.convert_low_i32x4_s(i64x2.splat(<i64>ldOperand<u64>(r))));
}
/** CVTDQ2PS. */
@inline function i32ToF32(r: usize, b: v128): void {
  let control = mxcsr();
  if (asNative(control)) { setDstVector(r, f32x4.convert_i32x4_s(b)); return; }
  i32x4_to_f32x4(low(b), high(b), control);
  commitVector(r, control);
}
@inline export function packed_i32_to_f32_rr(r: usize): void { sseAvailable(r); i32ToF32(r, srcVector(r)); }
@inline export function packed_i32_to_f32_rm(r: usize): void { sseAvailable(r); i32ToF32(r, ldAligned(r)); }

/** CVTPS2DQ, CVTTPS2DQ. */
@inline function f32ToI32(truncating: u32, r: usize, b: v128): void {
  let control = mxcsr(), rounding = truncating ? TRUNCATE : roundingOf(control);
  if ((truncating || rounding == NEAREST) && inexactReported(control)) {
    let z = truncating ? f32x4.trunc(b) : f32x4.nearest(b);
    if (all<f32>(f32x4.lt(f32x4.abs(z), f32x4.splat(2147483648.0)))) {
      setDstVector(r, i32x4.trunc_sat_f32x4_s(z));
      return;
    }
  }
  f32x4_to_i32x4(low(b), high(b), rounding, control);
  commitVector(r, control);
}
@inline export function packed_f32_to_i32_rr(truncating: u32, r: usize): void {
  sseAvailable(r);
  f32ToI32(truncating, r, srcVector(r));
}
@inline export function packed_f32_to_i32_rm(truncating: u32, r: usize): void {
  sseAvailable(r);
  f32ToI32(truncating, r, ldAligned(r));
}

/** CVTPD2DQ, CVTTPD2DQ: to the low half, the high half is cleared. */
@inline function f64ToI32(truncating: u32, r: usize, b: v128): void {
  let control = mxcsr(), rounding = truncating ? TRUNCATE : roundingOf(control);
  if ((truncating || rounding == NEAREST) && inexactReported(control)) {
    let z = truncating ? f64x2.trunc(b) : f64x2.nearest(b);
    if (all<f64>(f64x2.lt(f64x2.abs(z), f64x2.splat(2147483648.0)))) {
      setDstVector(r, i32x4.trunc_sat_f64x2_s_zero(z));
      return;
    }
  }
  f64x2_to_i32x2(low(b), high(b), rounding, control);
  commitVector(r, control);
}
@inline export function packed_f64_to_i32_rr(truncating: u32, r: usize): void {
  sseAvailable(r);
  f64ToI32(truncating, r, srcVector(r));
}
@inline export function packed_f64_to_i32_rm(truncating: u32, r: usize): void {
  sseAvailable(r);
  f64ToI32(truncating, r, ldAligned(r));
}

/** CVTPS2PD. */
@inline function f32ToF64(r: usize, b: u64): void {
  let v = i64x2.splat(<i64>b);
  if (all<f32>(comparables<f32>(v))) { setDstVector(r, f64x2.promote_low_f32x4(v)); return; }
  let control = mxcsr();
  f32x2_to_f64x2(b, control);
  commitVector(r, control);
}
@inline export function packed_f32_to_f64_rr(r: usize): void { sseAvailable(r); f32ToF64(r, load<u64>(srcPointer(r))); }
@inline export function packed_f32_to_f64_rm(r: usize): void { sseAvailable(r); f32ToF64(r, ldOperand<u64>(r)); }

/** CVTPD2PS: to the low half, the high half is cleared. */
@inline function f64ToF32(r: usize, b: v128): void {
  let control = mxcsr(), magnitude = f64x2.abs(b);
  let inRange = v128.and(f64x2.ge(magnitude, f64x2.splat(SMALLEST_NORMAL_32)),
    f64x2.le(magnitude, f64x2.splat(LARGEST_32)));
  if (asNative(control) && all<f64>(v128.or(inRange, zeros<f64>(b)))) {
    setDstVector(r, f32x4.demote_f64x2_zero(b));
    return;
  }
  f64x2_to_f32x2(low(b), high(b), control);
  commitVector(r, control);
}
@inline export function packed_f64_to_f32_rr(r: usize): void { sseAvailable(r); f64ToF32(r, srcVector(r)); }
@inline export function packed_f64_to_f32_rm(r: usize): void { sseAvailable(r); f64ToF32(r, ldAligned(r)); }
