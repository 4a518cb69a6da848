// The x87 register stack, status word and last-instruction pointers (SDM 1 8.1): what all x87 handlers share. X87 holds
// the physical registers; ST(i) is found through TOP, so its address is dynamic: the one area where the contract allows
// it. FTW holds 0 or 3 for each register, in use or empty; valid, zero and special are told apart when the word is
// stored.
import * as L from '../../../layout';
import { flagsOf, immOf, lengthOf, nextOf, offsetOf, src2Pointer } from '../record';
import { floatError, raise } from '../imports';

const CR0_EM: u64 = 4, CR0_TS: u64 = 8;
export const INVALID: u32 = 1, DENORMAL: u32 = 2, ZERO_DIVIDE: u32 = 4, OVERFLOW: u32 = 8, UNDERFLOW: u32 = 16,
  EXCEPTIONS: u32 = 0x3f, STACK_FAULT: u32 = 0x40, ERROR_SUMMARY: u32 = 0x80;
export const C1: u32 = 0x200, C2: u32 = 0x400, CONDITIONS: u32 = 0x4700, TOP: u32 = 0x3800, BUSY: u32 = 0x8000;
/** IE with SF: C1 is 0 when a register was empty, 1 when it was not (SDM 1 8.5.1.1). */
export const STACK_UNDERFLOW: u32 = INVALID | STACK_FAULT, STACK_OVERFLOW: u32 = INVALID | STACK_FAULT | C1;
export const INDEFINITE_LOW: u64 = 0xc000000000000000, INDEFINITE_HIGH: u32 = 0xffff;

/** #NM with CR0.EM or CR0.TS (SDM 3A 2.5). */
@inline export function x87Present(r: usize): void {
  if (load<u64>(L.CR0) & (CR0_EM | CR0_TS)) raise(r, 7, -1);
}
/** At the head of a waiting instruction: then the exception that an earlier one left pending (SDM 1 8.7). */
@inline export function x87Available(r: usize): void {
  x87Present(r);
  if (load<u16>(L.FSW) & ERROR_SUMMARY) floatError(r);
}

@inline export function statusWord(): u32 { return load<u16>(L.FSW); }
@inline function tagWord(): u32 { return load<u16>(L.FTW); }
@inline export function controlWord(): u32 { return load<u16>(L.FCW); }
/** Address of ST(i). */
@inline export function st(i: u32): usize { return <usize>(L.X87 + (((statusWord() >> 7) + (i << 4)) & 0x70)); }
@inline function tagShift(i: u32): u32 { return ((statusWord() >> 10) + (i << 1)) & 14; }
@inline export function isEmpty(i: u32): bool { return (tagWord() >> tagShift(i) & 3) == 3; }
/** The i of the operand ST(i): R_IMM holds FOP, whose low bits are ModRM.rm. */
@inline export function operandIndex(r: usize): u32 { return <u32>immOf(r) & 7; }

@inline export function lowOf(a: usize): u64 { return load<u64>(a); }
@inline export function highOf(a: usize): u32 { return load<u16>(a, 8); }
@inline export function setRegister80(a: usize, low: u64, high: u32): void {
  store<u64>(a, low);
  store<u16>(a, <u16>high, 8);
}
/** What softfloat answered last. */
@inline export function resultLow(): u64 { return load<u64>(L.FLOAT_EXTENDED_LOW); }
@inline export function resultHigh(): u32 { return load<u32>(L.FLOAT_EXTENDED_HIGH); }

// ---- the end of an instruction --------------------------------------------------------------------------------------
/**
 * FIP, FCS, FOP, and for a memory operand FDP and FDS (SDM 1 8.1.8, 8.1.9): of every instruction but the control ones.
 */
export function remember(r: usize): void {
  store<u64>(L.FIP, nextOf(r) - lengthOf(r));
  store<u16>(L.FCS, load<u16>(L.CS, 16));
  store<u16>(L.FOP, <u16>immOf(r) & 0x7ff);
  if (!(flagsOf(r) & L.R_FLAG_MEMORY)) return;
  store<u64>(L.FDP, offsetOf(r));
  store<u16>(L.FDS, load<u16>(src2Pointer(r), 16));
}
/** Those of the flags whose exception is not masked. */
@inline export function unmasked(flags: u32): u32 { return flags & ~controlWord() & EXCEPTIONS; }
/** Exceptions found before an operation: not masked, they leave operands and stack as they are (SDM 1 8.7). */
@inline export function prevents(flags: u32): bool {
  return (unmasked(flags) & (INVALID | DENORMAL | ZERO_DIVIDE)) != 0;
}
/**
 * Merges flags and condition codes into the status word, where the bits of `codes` and C1 are cleared before. What is
 * not masked and found before the operation lets nothing come of it, no flag of a result either.
 */
export function setStatus(flags: u32, codes: u32): void {
  if (prevents(flags))
    flags &= flags & STACK_FAULT ? STACK_OVERFLOW | DENORMAL | ZERO_DIVIDE : INVALID | DENORMAL | ZERO_DIVIDE;
  let status = statusWord() & ~(C1 | codes) | flags;
  store<u16>(L.FSW, <u16>(unmasked(flags) ? status | ERROR_SUMMARY | BUSY : status));
}
@inline export function setInUse(i: u32): void { store<u16>(L.FTW, <u16>(tagWord() & ~(3 << tagShift(i)))); }
@inline export function setEmpty(i: u32): void { store<u16>(L.FTW, <u16>(tagWord() | 3 << tagShift(i))); }
@inline export function moveTop(by: u32): void {
  let status = statusWord();
  store<u16>(L.FSW, <u16>(status & ~TOP | (status + (by << 11) & TOP)));
}
@inline export function pop(): void { setEmpty(0); moveTop(1); }

/** Ends an instruction with its result for ST(i), then `pops` pops. */
export function finish(r: usize, i: u32, low: u64, high: u32, flags: u32, pops: u32): void {
  remember(r);
  setStatus(flags, 0);
  if (prevents(flags)) return;
  setRegister80(st(i), low, high);
  setInUse(i);
  if (pops) pop();
}
/** Ends an instruction that pushes a value. A denormal is pushed even when its exception is not masked. */
export function finishPush(r: usize, low: u64, high: u32, flags: u32): void {
  remember(r);
  setStatus(flags, 0);
  if (unmasked(flags) & INVALID) return;
  moveTop(7);
  setRegister80(st(0), low, high);
  setInUse(0);
}
/** Ends an instruction that replaces ST(0) and pushes; with C2, out of its range, it changes neither. */
export function finishTwofold(r: usize, pushedLow: u64, pushedHigh: u32, low: u64, high: u32, flags: u32): void {
  remember(r);
  setStatus(flags, 0);
  if (flags & C2 || prevents(flags)) return;
  setRegister80(st(0), low, high);
  setInUse(0);
  moveTop(7);
  setRegister80(st(0), pushedLow, pushedHigh);
  setInUse(0);
}
