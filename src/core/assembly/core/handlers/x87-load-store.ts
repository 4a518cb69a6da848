// FLD, FST, FILD, FIST, FISTTP, FBLD, FBSTP, FXCH, FCMOVcc and the constants (SDM 1 8.3.2, 8.3.3).
import { probeWrite } from '../imports';
import { address, extendedHigh, ldExtended, ldOperand, stExtended, stOperand } from '../memory';
import { bcd_to_extF80, extF80_to_bcd, extF80_to_f32, extF80_to_f64, extF80_to_integer, f32_to_extF80, f64_to_extF80,
  i64_to_extF80 } from '../softfloat';
import { condition, sx } from './flags';
import { controlWord, DENORMAL, finish, finishPush, highOf, INDEFINITE_HIGH, INDEFINITE_LOW, INVALID, isEmpty, lowOf,
  operandIndex,
  OVERFLOW, pop, prevents, remember, resultHigh, resultLow, setInUse, setRegister80, setStatus, st, STACK_OVERFLOW,
    STACK_UNDERFLOW,
  UNDERFLOW, unmasked, x87Available } from './x87-stack';

const ROUND_ZERO: u32 = 0xc00, ROUNDING: u32 = 0xc00;
const MARKED_DENORMAL: u32 = 0x10000, QUIET: u64 = 0x4000000000000000;

// ---- loads ----------------------------------------------------------------------------------------------------------
@inline function pushed(r: usize, low: u64, high: u32, flags: u32): void {
  if (!isEmpty(7)) { finishPush(r, INDEFINITE_LOW, INDEFINITE_HIGH, STACK_OVERFLOW); return; }
  finishPush(r, low, high, flags);
}
/** FLD m32, m64: what a conversion to the extended format tells, an SNaN and a denormal operand. */
@inline export function fld_m<T>(r: usize): void {
  x87Available(r);
  let v = ldOperand<T>(r), low: u64;
  if (sizeof<T>() == 4) low = f32_to_extF80(<u32>v); else low = f64_to_extF80(v);
  let high = resultHigh(), flags: u32 = high & MARKED_DENORMAL ? DENORMAL : 0;
  if ((high & 0x7fff) == 0x7fff && low << 1 && !(low & QUIET)) { flags = INVALID; low |= QUIET; }
  pushed(r, low, high, flags);
}
@inline export function fld_extended_m<T = u64>(r: usize): void {
  x87Available(r);
  let low = ldExtended(r), high = extendedHigh(r);
  pushed(r, low, high, 0);
}
@inline export function fld_sti(r: usize): void {
  x87Available(r);
  let i = operandIndex(r), source = st(i), low = lowOf(source), high = highOf(source);
  // an empty source is found before a full destination
  if (isEmpty(i)) finishPush(r, INDEFINITE_LOW, INDEFINITE_HIGH, STACK_UNDERFLOW); else pushed(r, low, high, 0);
}
@inline export function fild_m<T>(r: usize): void {
  x87Available(r);
  let low = i64_to_extF80(sx<T>(ldOperand<T>(r)));
  pushed(r, low, resultHigh(), 0);
}
@inline export function fbld_m<T = u64>(r: usize): void {
  x87Available(r);
  let digits = ldExtended(r), low = bcd_to_extF80(digits, extendedHigh(r));
  pushed(r, low, resultHigh(), 0);
}

/** Significands cut off, with the exponent; up: what they round up in (SDM 1 8.3.3: as the rounding control says). */
export const FLD1: u32 = 0, FLDL2T: u32 = 1, FLDL2E: u32 = 2, FLDPI: u32 = 3, FLDLG2: u32 = 4, FLDLN2: u32 = 5;
export const FLDZ: u32 = 6;
@inline function constantLow(which: u32): u64 {
  if (which == FLD1) return 0x8000000000000000;
  if (which == FLDL2T) return 0xd49a784bcd1b8afe; // followed by 492B...
  if (which == FLDL2E) return 0xb8aa3b295c17f0bb; // BE87...
  if (which == FLDPI) return 0xc90fdaa22168c234; // C4C6...
  if (which == FLDLG2) return 0x9a209a84fbcff798; // 8F89...
  if (which == FLDLN2) return 0xb17217f7d1cf79ab; // C9E3...
  return 0;
}
@inline function constantHigh(which: u32): u32 {
  return which == FLDZ ? 0 : which == FLDL2T || which == FLDPI ? 0x4000 : which == FLDLG2 ? 0x3ffd : which == FLDLN2
    ? 0x3ffe : 0x3fff;
}
@inline export function fld_constant(which: u32, r: usize): void {
  x87Available(r);
  let low = constantLow(which), rounding = controlWord() & ROUNDING;
  if (which != FLD1 && which != FLDZ && (rounding == 0x800 || (rounding == 0 && which != FLDL2T))) low++;
  pushed(r, low, constantHigh(which), 0);
}

// ---- stores ---------------------------------------------------------------------------------------------------------
/** Whether an exception keeps the destination in memory as it is (SDM 1 8.5: IE, and OE and UE of a shorter format). */
@inline function keepsMemory(flags: u32): bool { return (unmasked(flags) & (INVALID | OVERFLOW | UNDERFLOW)) != 0; }
@inline function stored(r: usize, flags: u32, pops: u32): void {
  let kept = keepsMemory(flags);
  remember(r);
  setStatus(flags, 0);
  if (pops && !kept) pop();
}
@inline export function fst_m<T>(pops: u32, r: usize): void {
  x87Available(r);
  let value: T, flags: u32;
  if (isEmpty(0)) {
    flags = STACK_UNDERFLOW;
    value = sizeof<T>() == 4 ? <T>0xffc00000 : <T>0xfff8000000000000;
  } else {
    let a = st(0);
    if (sizeof<T>() == 4) flags = extF80_to_f32(lowOf(a), highOf(a), controlWord());
    else flags = extF80_to_f64(lowOf(a), highOf(a), controlWord());
    value = <T>resultLow();
  }
  if (keepsMemory(flags)) probeWrite(r, address(r, sizeof<T>(), 1), sizeof<T>()); else stOperand<T>(r, value);
  stored(r, flags, pops);
}
@inline export function fist_m<T>(pops: u32, truncates: u32, r: usize): void {
  x87Available(r);
  let value: u64, flags: u32;
  if (isEmpty(0)) {
    flags = STACK_UNDERFLOW;
    value = <u64>1 << (sizeof<T>() * 8 - 1);
  } else {
    let a = st(0);
    flags = extF80_to_integer(lowOf(a), highOf(a), sizeof<T>() * 8, truncates ? controlWord() | ROUND_ZERO
      : controlWord());
    value = resultLow();
  }
  if (keepsMemory(flags)) probeWrite(r, address(r, sizeof<T>(), 1), sizeof<T>()); else stOperand<T>(r, <T>value);
  stored(r, flags, pops);
}
@inline export function fstp_extended_m<T = u64>(r: usize): void {
  x87Available(r);
  let low = INDEFINITE_LOW, high = INDEFINITE_HIGH, flags = STACK_UNDERFLOW, a = st(0);
  if (!isEmpty(0)) { low = lowOf(a); high = highOf(a); flags = 0; }
  if (keepsMemory(flags)) probeWrite(r, address(r, 10, 1), 10); else stExtended(r, low, high);
  stored(r, flags, 1);
}
@inline export function fbstp_m<T = u64>(r: usize): void {
  x87Available(r);
  let low = INDEFINITE_LOW, high = INDEFINITE_HIGH, flags = STACK_UNDERFLOW, a = st(0);
  if (!isEmpty(0)) {
    flags = extF80_to_bcd(lowOf(a), highOf(a), controlWord());
    low = resultLow();
    high = resultHigh();
  }
  if (keepsMemory(flags)) probeWrite(r, address(r, 10, 1), 10); else stExtended(r, low, high);
  stored(r, flags, 1);
}
@inline export function fst_sti(pops: u32, r: usize): void {
  x87Available(r);
  let a = st(0), low = lowOf(a), high = highOf(a), flags: u32 = 0;
  if (isEmpty(0)) { low = INDEFINITE_LOW; high = INDEFINITE_HIGH; flags = STACK_UNDERFLOW; }
  finish(r, operandIndex(r), low, high, flags, pops);
}
/** FSTPNCE: an empty source is no fault; then it only pops. */
@inline export function fstpnce(r: usize): void {
  x87Available(r);
  let i = operandIndex(r), a = st(0);
  if (!isEmpty(0)) { setRegister80(st(i), lowOf(a), highOf(a)); setInUse(i); }
  remember(r);
  setStatus(0, 0);
  pop();
}

// ---- between registers ----------------------------------------------------------------------------------------------
@inline export function fxch(r: usize): void {
  x87Available(r);
  let i = operandIndex(r), a = st(0), b = st(i), flags: u32 = 0;
  let aLow = lowOf(a), aHigh = highOf(a), bLow = lowOf(b), bHigh = highOf(b);
  if (isEmpty(0)) { aLow = INDEFINITE_LOW; aHigh = INDEFINITE_HIGH; flags = STACK_UNDERFLOW; }
  if (isEmpty(i)) { bLow = INDEFINITE_LOW; bHigh = INDEFINITE_HIGH; flags = STACK_UNDERFLOW; }
  remember(r);
  setStatus(flags, 0);
  if (prevents(flags)) return;
  setRegister80(a, bLow, bHigh); setRegister80(b, aLow, aHigh);
  setInUse(0); setInUse(i);
}
/** FCMOVcc: an empty register is a fault whether the condition holds or not; else C1 stays (SDM 2A FCMOVcc). */
@inline export function fcmov(cc: u32, r: usize): void {
  x87Available(r);
  let i = operandIndex(r);
  if (isEmpty(0) || isEmpty(i)) { finish(r, 0, INDEFINITE_LOW, INDEFINITE_HIGH, STACK_UNDERFLOW, 0); return; }
  let a = condition(cc) ? st(i) : st(0);
  setRegister80(st(0), lowOf(a), highOf(a));
  remember(r);
}
