// CVTxx between MMX and XMM registers (SDM 1 10.4.4, 11.4.1.6): two integers of 32 bits, and singles or doubles.
import * as L from '../../../layout';
import { dstPointer, srcPointer } from '../record';
import { ldOperand } from '../memory';
import { enterMmx } from '../mmx-unit';
import { f32x4_to_i32x4, f64x2_to_i32x2, i32x4_to_f32x4 } from '../softfloat';
import { mmxAndSseAvailable, setDstMmx, srcMmx } from './mmx-state';
import { ldAligned, setDstVector, sseAvailable, srcVector } from './sse-operands';
import { TRUNCATE, commitExceptions, mxcsr, roundingOf } from './sse-float-common';

/** The low half of what softfloat answered. */
@inline function lowResult(): u64 { return load<u64>(L.FLOAT_RESULT); }

/** CVTPI2PS: the upper half of the XMM register stays. */
@inline function toSingles(r: usize, b: u64): void {
  let control = mxcsr();
  i32x4_to_f32x4(b, 0, control);
  commitExceptions(r, control);
  enterMmx();
  store<u64>(dstPointer(r), lowResult());
}
@inline export function cvtpi2ps_rr(r: usize): void { mmxAndSseAvailable(r); toSingles(r, srcMmx(r)); }
@inline export function cvtpi2ps_rm(r: usize): void { mmxAndSseAvailable(r); toSingles(r, ldOperand<u64>(r)); }

/** CVTPI2PD is exact. From memory it has nothing to do with MMX registers, nor with the x87 (SDM 2A CVTPI2PD). */
@inline function doubles(b: u64): v128 { return f64x2.convert_low_i32x4_s(i64x2.splat(<i64>b)); }
@inline export function cvtpi2pd_rr(r: usize): void {
  mmxAndSseAvailable(r);
  let z = doubles(srcMmx(r));
  enterMmx();
  setDstVector(r, z);
}
@inline export function cvtpi2pd_rm(r: usize): void { sseAvailable(r); setDstVector(r, doubles(ldOperand<u64>(r))); }

@inline function rounding(truncating: u32, control: u32): u32 { return truncating ? TRUNCATE : roundingOf(control); }
/** CVTPS2PI, CVTTPS2PI: the low two singles. */
@inline function fromSingles(truncating: u32, r: usize, b: u64): void {
  let control = mxcsr();
  f32x4_to_i32x4(b, 0, rounding(truncating, control), control);
  commitExceptions(r, control);
  setDstMmx(r, lowResult());
}
@inline export function cvtps2pi_rr(truncating: u32, r: usize): void {
  mmxAndSseAvailable(r);
  fromSingles(truncating, r, load<u64>(srcPointer(r)));
}
@inline export function cvtps2pi_rm(truncating: u32, r: usize): void {
  mmxAndSseAvailable(r);
  fromSingles(truncating, r, ldOperand<u64>(r));
}

/** CVTPD2PI, CVTTPD2PI. */
@inline function fromDoubles(truncating: u32, r: usize, b: v128): void {
  let control = mxcsr();
  f64x2_to_i32x2(v128.extract_lane<u64>(b, 0), v128.extract_lane<u64>(b, 1), rounding(truncating, control), control);
  commitExceptions(r, control);
  setDstMmx(r, lowResult());
}
@inline export function cvtpd2pi_rr(truncating: u32, r: usize): void {
  mmxAndSseAvailable(r);
  fromDoubles(truncating, r, srcVector(r));
}
@inline export function cvtpd2pi_rm(truncating: u32, r: usize): void {
  mmxAndSseAvailable(r);
  fromDoubles(truncating, r, ldAligned(r));
}
