// FADD, FSUB, FMUL, FDIV and their reversed, integer and popping forms; FCHS, FABS, FSQRT, FRNDINT, FSCALE, FXTRACT,
// FPREM and the transcendental instructions (SDM 1 8.3.4 to 8.3.8).
import * as L from '../../../layout';
import { ldOperand } from '../memory';
import * as float from '../softfloat';
import { sx } from './flags';
import { C2, controlWord, finish, finishTwofold, highOf, INDEFINITE_HIGH, INDEFINITE_LOW, isEmpty, lowOf, operandIndex,
  prevents,
  resultHigh, resultLow, st, STACK_OVERFLOW, STACK_UNDERFLOW, x87Available } from './x87-stack';

/** In the order of ModRM.reg, where 2 and 3 are comparisons. */
export const FADD: u32 = 0, FMUL: u32 = 1, FSUB: u32 = 4, FSUBR: u32 = 5, FDIV: u32 = 6, FDIVR: u32 = 7;
const SIGN: u32 = 0x8000;

/** a op b. */
@inline function computed(op: u32, aLow: u64, aHigh: u32, bLow: u64, bHigh: u32): u32 {
  let control = controlWord();
  if (op == FADD) return float.extF80_add(aLow, aHigh, bLow, bHigh, control);
  if (op == FMUL) return float.extF80_mul(aLow, aHigh, bLow, bHigh, control);
  if (op == FSUB) return float.extF80_sub(aLow, aHigh, bLow, bHigh, control);
  if (op == FSUBR) return float.extF80_sub(bLow, bHigh, aLow, aHigh, control);
  if (op == FDIV) return float.extF80_div(aLow, aHigh, bLow, bHigh, control);
  return float.extF80_div(bLow, bHigh, aLow, aHigh, control);
}
@inline function ended(r: usize, i: u32, flags: u32, pops: u32): void {
  finish(r, i, resultLow(), resultHigh(), flags, pops);
}
@inline function underflowed(r: usize, i: u32, pops: u32): void {
  finish(r, i, INDEFINITE_LOW, INDEFINITE_HIGH, STACK_UNDERFLOW, pops);
}
@inline function withMemory(op: u32, r: usize, low: u64): void {
  if (isEmpty(0)) { underflowed(r, 0, 0); return; }
  let a = st(0);
  ended(r, 0, computed(op, lowOf(a), highOf(a), low, resultHigh()), 0);
}
/** ST(0) with m32 or m64. */
@inline export function float_arithmetic_m<T>(op: u32, r: usize): void {
  x87Available(r);
  let v = ldOperand<T>(r);
  if (sizeof<T>() == 4) withMemory(op, r, float.f32_to_extF80(<u32>v)); else withMemory(op, r, float.f64_to_extF80(v));
}
/** ST(0) with an integer of 16 or 32 bits. */
@inline export function integer_arithmetic_m<T>(op: u32, r: usize): void {
  x87Available(r);
  withMemory(op, r, float.i64_to_extF80(sx<T>(ldOperand<T>(r))));
}
/** ST(0) with ST(i), the result to ST(0) or (`to_sti`) to ST(i). */
@inline function betweenRegisters(op: u32, r: usize, i: u32, destination: u32, pops: u32): void {
  x87Available(r);
  if (isEmpty(0) || isEmpty(i)) { underflowed(r, destination, pops); return; }
  let a = st(destination), b = st(destination ^ i);
  ended(r, destination, computed(op, lowOf(a), highOf(a), lowOf(b), highOf(b)), pops);
}
@inline export function stack_arithmetic(op: u32, r: usize): void { betweenRegisters(op, r, operandIndex(r), 0, 0); }
@inline export function stack_arithmetic_to(op: u32, pops: u32, r: usize): void {
  betweenRegisters(op, r, operandIndex(r), operandIndex(r), pops);
}

// ---- one operand ----------------------------------------------------------------------------------------------------
export const FCHS: u32 = 8, FABS: u32 = 9;
@inline export function change_sign(op: u32, r: usize): void {
  x87Available(r);
  if (isEmpty(0)) { underflowed(r, 0, 0); return; }
  let a = st(0);
  finish(r, 0, lowOf(a), op == FCHS ? highOf(a) ^ SIGN : highOf(a) & ~SIGN, 0, 0);
}
export const FSQRT: u32 = 10, FRNDINT: u32 = 11, F2XM1: u32 = 12, FSIN: u32 = 13, FCOS: u32 = 14;
@inline function unary(op: u32, low: u64, high: u32): u32 {
  if (op == FSQRT) return float.extF80_sqrt(low, high, controlWord());
  if (op == FRNDINT) return float.extF80_roundToInt(low, high, controlWord());
  if (op == F2XM1) return float.extF80_2xm1(low, high, controlWord());
  if (op == FSIN) return float.extF80_sin(low, high, controlWord());
  return float.extF80_cos(low, high, controlWord());
}
/** FSIN and FCOS set C2, and leave the operand, when it is out of range. */
@inline export function stack_unary(op: u32, r: usize): void {
  x87Available(r);
  let codes = op == FSIN || op == FCOS ? C2 : 0;
  if (isEmpty(0)) { setCodes(codes); underflowed(r, 0, 0); return; }
  let a = st(0), flags = unary(op, lowOf(a), highOf(a));
  setCodes(codes);
  ended(r, 0, flags, 0);
}
/** Clears condition codes that an instruction defines, before its own are set. */
@inline function setCodes(codes: u32): void { if (codes) store<u16>(L.FSW, <u16>(load<u16>(L.FSW) & ~codes)); }

// ---- two operands ---------------------------------------------------------------------------------------------------
export const FSCALE: u32 = 15, FPREM: u32 = 16, FPREM1: u32 = 17, FYL2X: u32 = 18, FYL2XP1: u32 = 19, FPATAN: u32 = 20;
@inline function binary(op: u32, aLow: u64, aHigh: u32, bLow: u64, bHigh: u32): u32 {
  let control = controlWord();
  if (op == FSCALE) return float.extF80_scale(aLow, aHigh, bLow, bHigh, control);
  if (op == FPREM) return float.extF80_rem(aLow, aHigh, bLow, bHigh, 0, control);
  if (op == FPREM1) return float.extF80_rem(aLow, aHigh, bLow, bHigh, 1, control);
  if (op == FYL2X) return float.extF80_yl2x(aLow, aHigh, bLow, bHigh, control);
  if (op == FYL2XP1) return float.extF80_yl2xp1(aLow, aHigh, bLow, bHigh, control);
  return float.extF80_atan(aLow, aHigh, bLow, bHigh, control);
}
const C0_C2_C3: u32 = 0x4500;
/** FSCALE, FPREM, FPREM1: of ST(0) by ST(1), to ST(0). FYL2X, FYL2XP1, FPATAN: to ST(1), then a pop. */
@inline export function stack_binary(op: u32, r: usize): void {
  x87Available(r);
  let pops: u32 = op >= FYL2X ? 1 : 0, remainder = op == FPREM || op == FPREM1;
  if (isEmpty(0) || isEmpty(1)) { setCodes(remainder ? C2 : 0); underflowed(r, pops, pops); return; }
  let a = st(0), b = st(1), flags = binary(op, lowOf(a), highOf(a), lowOf(b), highOf(b));
  // with a NaN, or without a result, there is no quotient whose bits C0 and C3 could tell
  if (remainder) setCodes((resultHigh() & 0x7fff) == 0x7fff || prevents(flags) ? C2 : C0_C2_C3);
  ended(r, pops, flags, pops);
}

// ---- two results ----------------------------------------------------------------------------------------------------
export const FXTRACT: u32 = 21, FSINCOS: u32 = 22, FPTAN: u32 = 23;
@inline function twofold(op: u32, low: u64, high: u32): u32 {
  if (op == FXTRACT) return float.extF80_extract(low, high);
  if (op == FSINCOS) return float.extF80_sincos(low, high, controlWord());
  return float.extF80_tan(low, high, controlWord());
}
/**
 * Leaves the one result (exponent, sine, tangent) in ST(0) and pushes the other (significand, cosine, 1). Out of range
 * (C2, SDM 1 8.3.8) it pushes nothing.
 */
@inline export function stack_twofold(op: u32, r: usize): void {
  x87Available(r);
  let flags: u32, codes = op == FXTRACT ? 0 : C2;
  let firstLow = INDEFINITE_LOW, firstHigh = INDEFINITE_HIGH, secondLow = INDEFINITE_LOW, secondHigh = INDEFINITE_HIGH;
  if (isEmpty(0)) flags = STACK_UNDERFLOW;
  else if (!isEmpty(7)) flags = STACK_OVERFLOW;
  else {
    let a = st(0);
    flags = twofold(op, lowOf(a), highOf(a));
    firstLow = resultLow(); firstHigh = resultHigh();
    secondLow = load<u64>(L.FLOAT_SECOND_LOW); secondHigh = load<u32>(L.FLOAT_SECOND_HIGH);
  }
  setCodes(codes);
  finishTwofold(r, firstLow, firstHigh, secondLow, secondHigh, flags);
}
