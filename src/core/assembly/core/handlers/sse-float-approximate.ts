// RCPPS, RCPSS, RSQRTPS, RSQRTSS. The manual asks for a relative error of at most 1.5 * 2^-12 and leaves the digits to
// the processor (SDM 2B RCPPS, RSQRTPS); ours are the exact value rounded to 12 digits behind the leading one, an error
// of at most 2^-13 and the same on every host. No exceptions; denormal operands count as zeros, tiny results become
// zeros.
import { src, dstPointer } from '../record';
import { ldOperand } from '../memory';
import { sseAvailable, srcVector, setDstVector, ldAligned } from './sse-operands';

export const RCP: u32 = 0, RSQRT: u32 = 1;

@inline function isTiny(v: v128): v128 { return f32x4.lt(f32x4.abs(v), f32x4.splat(1.17549435082228751e-38)); }
/** Zeros of the same sign in place of what is tiny. */
@inline function flushed(v: v128): v128 { return v128.bitselect(v128.and(v, i32x4.splat(0x80000000)), v, isTiny(v)); }
@inline function approximated(op: u32, operand: v128): v128 {
  let x = flushed(operand), one = f32x4.splat(1);
  let exact = op == RCP ? f32x4.div(one, x) : f32x4.div(one, f32x4.sqrt(x));
  let z = v128.and(i32x4.add(flushed(exact), i32x4.splat(0x400)), i32x4.splat(~0x7ff));
  if (op == RSQRT) z = v128.bitselect(i32x4.splat(0xffc00000), z, f32x4.lt(x, f32x4.splat(0)));
  return v128.bitselect(v128.or(x, i32x4.splat(0x00400000)), z, f32x4.ne(x, x)); // NaNs, made quiet
}
@inline export function float_approximate_rr(op: u32, r: usize): void {
  sseAvailable(r);
  setDstVector(r, approximated(op, srcVector(r)));
}
@inline export function float_approximate_rm(op: u32, r: usize): void {
  sseAvailable(r);
  setDstVector(r, approximated(op, ldAligned(r)));
}
@inline function scalar(op: u32, r: usize, b: u32): void {
  store<u32>(dstPointer(r), v128.extract_lane<u32>(approximated(op, i32x4.splat(b)), 0));
}
@inline export function float_approximate_scalar_rr(op: u32, r: usize): void {
  sseAvailable(r);
  scalar(op, r, src<u32>(r));
}
@inline export function float_approximate_scalar_rm(op: u32, r: usize): void {
  sseAvailable(r);
  scalar(op, r, ldOperand<u32>(r));
}
