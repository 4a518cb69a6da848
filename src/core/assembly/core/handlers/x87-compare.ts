// FCOM, FUCOM, FICOM, FTST, FCOMI, FUCOMI, FXAM (SDM 1 8.3.6).
import { ldOperand } from '../memory';
import { extF80_classify, extF80_compare, f32_to_extF80, f64_to_extF80, i64_to_extF80 } from '../softfloat';
import { setLowFlags, sx } from './flags';
import { C1, CONDITIONS, highOf, isEmpty, lowOf, operandIndex, pop, prevents, remember, resultHigh, setStatus, st,
  STACK_UNDERFLOW,
  unmasked, x87Available } from './x87-stack';

const C0: u32 = 0x100, C2: u32 = 0x400, C3: u32 = 0x4000, CODES: u32 = C3 | C2 | C0;
/** An empty register compares as unordered. */
const EMPTY: u32 = STACK_UNDERFLOW | CODES;

/** Not masked, an exception leaves condition codes and stack as they are. */
@inline function ended(r: usize, found: u32, pops: u32): void {
  remember(r);
  if (prevents(found)) { setStatus(found & ~CODES, 0); return; }
  setStatus(found, CODES);
  if (pops) pop();
  if (pops == 2) pop();
}
@inline function withMemory(r: usize, low: u64, pops: u32): void {
  let a = st(0), high = resultHigh();
  ended(r, isEmpty(0) ? EMPTY : extF80_compare(lowOf(a), highOf(a), low, high, 0), pops);
}
@inline export function fcom_m<T>(pops: u32, r: usize): void {
  x87Available(r);
  let v = ldOperand<T>(r);
  if (sizeof<T>() == 4) withMemory(r, f32_to_extF80(<u32>v), pops); else withMemory(r, f64_to_extF80(v), pops);
}
@inline export function ficom_m<T>(pops: u32, r: usize): void {
  x87Available(r);
  withMemory(r, i64_to_extF80(sx<T>(ldOperand<T>(r))), pops);
}
@inline function compared(quiet: u32, i: u32): u32 {
  let a = st(0), b = st(i);
  return isEmpty(0) || isEmpty(i) ? EMPTY : extF80_compare(lowOf(a), highOf(a), lowOf(b), highOf(b), quiet);
}
/** FCOM and FUCOM (quiet 1) with ST(i). */
@inline export function fcom_sti(quiet: u32, pops: u32, r: usize): void {
  x87Available(r);
  ended(r, compared(quiet, operandIndex(r)), pops);
}
/** FTST: with 0.0. */
@inline export function ftst(r: usize): void {
  x87Available(r);
  let a = st(0);
  ended(r, isEmpty(0) ? EMPTY : extF80_compare(lowOf(a), highOf(a), 0, 0, 0), 0);
}
/** FCOMI, FUCOMI: ZF, PF and CF in the places of C3, C2 and C0; OF, SF and AF are cleared (SDM 2A FCOMI). */
@inline export function fcomi(quiet: u32, pops: u32, r: usize): void {
  x87Available(r);
  let found = compared(quiet, operandIndex(r));
  remember(r);
  setStatus(found & ~CODES, 0);
  if (prevents(found)) return;
  setLowFlags(found >> 8 & 0x45, 0);
  if (pops) pop();
}
@inline export function fxam(r: usize): void {
  x87Available(r);
  let a = st(0), codes = isEmpty(0) ? C3 | C0 : extF80_classify(lowOf(a), highOf(a));
  remember(r);
  setStatus(codes | (highOf(a) & 0x8000 ? C1 : 0), CONDITIONS);
}
