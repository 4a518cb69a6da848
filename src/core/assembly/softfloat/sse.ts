// What the handlers of SSE instructions call: one element, or all of a vector. The exceptions come in FLOAT_FLAGS,
// vectors in FLOAT_RESULT. Pure: nothing else is read than the arguments, nothing else is written.
import * as L from '../../layout';
import { add, divide, multiply, squareRoot, subtract } from './arithmetic';
import { clearFlags, flag, settleFlags, TRUNCATE, unmasked } from './binary';
import { compare, extremum, matches } from './compare';
import { fromInteger, toFormat, toInteger, toIntegral } from './convert';
import {
  ADD, SUBTRACT, MULTIPLY, DIVIDE, MINIMUM, MAXIMUM, SQUARE_ROOT, ADD_SUBTRACT, COMPARE, ROUND,
} from './operations';

const LOW: u64 = 0xffffffff;

function one<T>(operation: u32, a: u64, b: u64, mxcsr: u32): u64 {
  if (operation == ADD) return add<T>(a, b, mxcsr);
  if (operation == SUBTRACT) return subtract<T>(a, b, mxcsr);
  if (operation == MULTIPLY) return multiply<T>(a, b, mxcsr);
  if (operation == DIVIDE) return divide<T>(a, b, mxcsr);
  if (operation == MINIMUM) return extremum<T>(a, b, false, mxcsr);
  if (operation == MAXIMUM) return extremum<T>(a, b, true, mxcsr);
  if (operation == SQUARE_ROOT) return squareRoot<T>(b, mxcsr);
  if (operation >= ROUND) return toIntegral<T>(b, operation & TRUNCATE, (operation & 8) != 0, mxcsr);
  return matches<T>(operation - COMPARE, a, b, mxcsr);
}
/** The operation for element i of a vector. */
@inline function ofElement(operation: u32, i: u32): u32 {
  return operation == ADD_SUBTRACT ? (i & 1 ? ADD : SUBTRACT) : operation;
}
@inline function answer(low: u64, high: u64): void {
  store<u64>(L.FLOAT_RESULT, low);
  store<u64>(L.FLOAT_RESULT, high, 8);
}

export function f32_operation(operation: u32, a: u32, b: u32, mxcsr: u32): u32 {
  clearFlags();
  let z = <u32>one<f32>(operation, a, b, mxcsr);
  settleFlags(mxcsr);
  return z;
}
export function f64_operation(operation: u32, a: u64, b: u64, mxcsr: u32): u64 {
  clearFlags();
  let z = one<f64>(operation, a, b, mxcsr);
  settleFlags(mxcsr);
  return z;
}
@inline function two(operation: u32, i: u32, a: u64, b: u64, mxcsr: u32): u64 {
  let low = one<f32>(ofElement(operation, i), a & LOW, b & LOW, mxcsr);
  return low | one<f32>(ofElement(operation, i + 1), a >> 32, b >> 32, mxcsr) << 32;
}
export function f32x4_operation(operation: u32, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64, mxcsr: u32): void {
  clearFlags();
  let low = two(operation, 0, aLow, bLow, mxcsr);
  answer(low, two(operation, 2, aHigh, bHigh, mxcsr));
  settleFlags(mxcsr);
}
export function f64x2_operation(operation: u32, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64, mxcsr: u32): void {
  clearFlags();
  let low = one<f64>(ofElement(operation, 0), aLow, bLow, mxcsr);
  answer(low, one<f64>(ofElement(operation, 1), aHigh, bHigh, mxcsr));
  settleFlags(mxcsr);
}

/** COMISS, UCOMISS: 0 less, 1 equal, 2 greater, 3 unordered. */
export function f32_compare(a: u32, b: u32, signalling: u32, mxcsr: u32): u32 {
  clearFlags();
  return compare<f32>(a, b, signalling != 0, mxcsr);
}
export function f64_compare(a: u64, b: u64, signalling: u32, mxcsr: u32): u32 {
  clearFlags();
  return compare<f64>(a, b, signalling != 0, mxcsr);
}

// ---- conversions; rounding: the mode for a conversion to integers ---------------------------------------------------
export function f32_to_i32(a: u32, rounding: u32, mxcsr: u32): u32 {
  clearFlags();
  return <u32>toInteger<f32, i32>(a, rounding, mxcsr);
}
export function f32_to_i64(a: u32, rounding: u32, mxcsr: u32): u64 {
  clearFlags();
  return toInteger<f32, i64>(a, rounding, mxcsr);
}
export function f64_to_i32(a: u64, rounding: u32, mxcsr: u32): u32 {
  clearFlags();
  return <u32>toInteger<f64, i32>(a, rounding, mxcsr);
}
export function f64_to_i64(a: u64, rounding: u32, mxcsr: u32): u64 {
  clearFlags();
  return toInteger<f64, i64>(a, rounding, mxcsr);
}
export function i64_to_f32(a: u64, mxcsr: u32): u32 { clearFlags(); return <u32>fromInteger<f32>(<i64>a, mxcsr); }
export function i64_to_f64(a: u64, mxcsr: u32): u64 { clearFlags(); return fromInteger<f64>(<i64>a, mxcsr); }
export function f32_to_f64(a: u32, mxcsr: u32): u64 { clearFlags(); return toFormat<f32, f64>(a, mxcsr); }
export function f64_to_f32(a: u64, mxcsr: u32): u32 {
  clearFlags();
  let z = <u32>toFormat<f64, f32>(a, mxcsr);
  settleFlags(mxcsr);
  return z;
}

@inline function twoToIntegers(a: u64, rounding: u32, mxcsr: u32): u64 {
  return toInteger<f32, i32>(a & LOW, rounding, mxcsr) | toInteger<f32, i32>(a >> 32, rounding, mxcsr) << 32;
}
export function f32x4_to_i32x4(low: u64, high: u64, rounding: u32, mxcsr: u32): void {
  clearFlags();
  let first = twoToIntegers(low, rounding, mxcsr);
  answer(first, twoToIntegers(high, rounding, mxcsr));
  settleFlags(mxcsr);
}
@inline function twoFromIntegers(a: u64, mxcsr: u32): u64 {
  return fromInteger<f32>(<i64><i32>a, mxcsr) | fromInteger<f32>(<i64>a >> 32, mxcsr) << 32;
}
export function i32x4_to_f32x4(low: u64, high: u64, mxcsr: u32): void {
  clearFlags();
  let first = twoFromIntegers(low, mxcsr);
  answer(first, twoFromIntegers(high, mxcsr));
}
/** To the low half; the high half is 0. */
export function f64x2_to_i32x2(low: u64, high: u64, rounding: u32, mxcsr: u32): void {
  clearFlags();
  let first = toInteger<f64, i32>(low, rounding, mxcsr);
  answer(first | toInteger<f64, i32>(high, rounding, mxcsr) << 32, 0);
  settleFlags(mxcsr);
}
export function f64x2_to_f32x2(low: u64, high: u64, mxcsr: u32): void {
  clearFlags();
  let first = toFormat<f64, f32>(low, mxcsr);
  answer(first | toFormat<f64, f32>(high, mxcsr) << 32, 0);
  settleFlags(mxcsr);
}
export function f32x2_to_f64x2(a: u64, mxcsr: u32): void {
  clearFlags();
  let first = toFormat<f32, f64>(a & LOW, mxcsr);
  answer(first, toFormat<f32, f64>(a >> 32, mxcsr));
  settleFlags(mxcsr);
}

// ---- dot products ---------------------------------------------------------------------------------------------------
// Multiplication and each level of additions are steps of their own: an unmasked exception in one ends the instruction
// there, with the exceptions of that step (settled as for any vector) and of those before it.
/** Begins a step; answers the exceptions so far. */
@inline function nextStep(): u32 {
  let before = load<u32>(L.FLOAT_FLAGS);
  clearFlags();
  return before;
}
/** Ends a step; whether it is the last because of an unmasked exception. */
@inline function endsStep(before: u32, mxcsr: u32): bool {
  settleFlags(mxcsr);
  flag(before);
  return unmasked(mxcsr) != 0;
}
/**
 * Products of the elements that bits 4-7 of the immediate choose, +0 for the others; their sum where bits 0-3 say (SDM
 * 2A DPPS).
 */
export function f32x4_dot(imm: u32, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64, mxcsr: u32): void {
  clearFlags();
  let x0 = imm & 0x10 ? multiply<f32>(aLow & LOW, bLow & LOW, mxcsr) : 0;
  let x1 = imm & 0x20 ? multiply<f32>(aLow >> 32, bLow >> 32, mxcsr) : 0;
  let x2 = imm & 0x40 ? multiply<f32>(aHigh & LOW, bHigh & LOW, mxcsr) : 0;
  let x3 = imm & 0x80 ? multiply<f32>(aHigh >> 32, bHigh >> 32, mxcsr) : 0;
  if (endsStep(0, mxcsr)) return;
  let before = nextStep(), low = add<f32>(x0, x1, mxcsr), high = add<f32>(x2, x3, mxcsr);
  if (endsStep(before, mxcsr)) return;
  before = nextStep();
  let sum = add<f32>(low, high, mxcsr);
  if (endsStep(before, mxcsr)) return;
  answer((imm & 1 ? sum : 0) | (imm & 2 ? sum << 32 : 0), (imm & 4 ? sum : 0) | (imm & 8 ? sum << 32 : 0));
}
export function f64x2_dot(imm: u32, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64, mxcsr: u32): void {
  clearFlags();
  let x0 = imm & 0x10 ? multiply<f64>(aLow, bLow, mxcsr) : 0, x1 = imm & 0x20 ? multiply<f64>(aHigh, bHigh, mxcsr) : 0;
  if (endsStep(0, mxcsr)) return;
  let before = nextStep(), sum = add<f64>(x0, x1, mxcsr);
  if (endsStep(before, mxcsr)) return;
  answer(imm & 1 ? sum : 0, imm & 2 ? sum : 0);
}
