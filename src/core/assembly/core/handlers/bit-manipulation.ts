// LZCNT TZCNT, BMI1 and BMI2 (SDM 1 5.1.16). Flags that the manual leaves undefined stay, or follow the result.
import * as L from '../../../layout';
import { src, src2, setDst, setRegister, srcPointer, immOf } from '../record';
import { ldOperand } from '../memory';
import { setCarry, setFlags, setLogicFlags, sign, sx } from './flags';
import { highUnsigned } from './multiply-divide';

export const BLSR: u32 = 0, BLSMSK: u32 = 1, BLSI: u32 = 2;
export const SHLX: u32 = 0, SARX: u32 = 1, SHRX: u32 = 2;
export const PDEP: u32 = 0, PEXT: u32 = 1;

@inline function bits<T>(): u32 { return sizeof<T>() * 8; }

/** CF says that the source was 0, ZF that the count is; a source of 0 counts all bits. */
@inline function setCount<T>(r: usize, a: T, count: u64): void {
  setDst<T>(r, <T>count);
  store<u64>(L.F_ZERO, count);
  setCarry(i32(a == 0));
}
@inline function countLeading<T>(r: usize, a: T): void { setCount<T>(r, a, clz<u64>(<u64>a) - (64 - bits<T>())); }
@inline function countTrailing<T>(r: usize, a: T): void { setCount<T>(r, a, a == 0 ? bits<T>() : ctz<u64>(<u64>a)); }
@inline export function lzcnt_rr<T>(r: usize): void { countLeading<T>(r, src<T>(r)); }
@inline export function lzcnt_rm<T>(r: usize): void { countLeading<T>(r, ldOperand<T>(r)); }
@inline export function tzcnt_rr<T>(r: usize): void { countTrailing<T>(r, src<T>(r)); }
@inline export function tzcnt_rm<T>(r: usize): void { countTrailing<T>(r, ldOperand<T>(r)); }

@inline function setAndNot<T>(r: usize, b: T): void {
  let v = <T>(~src<T>(r) & b);
  setDst<T>(r, v);
  setLogicFlags<T>(v);
}
@inline export function andn_rr<T>(r: usize): void { setAndNot<T>(r, src2<T>(r)); }
@inline export function andn_rm<T>(r: usize): void { setAndNot<T>(r, ldOperand<T>(r)); }

/** BLSR, BLSMSK, BLSI: a and its lowest set bit. CF tells whether there was none, for BLSI whether there was one. */
@inline function lowestBit<T>(op: u32, r: usize, a: T): void {
  let v = op == BLSR ? <T>(a & (a - <T>1)) : op == BLSMSK ? <T>(a ^ (a - <T>1)) : <T>(a & (<T>0 - a));
  setDst<T>(r, v);
  setFlags<T>(v, op == BLSI ? i32(a != 0) : i32(a == 0), sign<T>(v), 0);
}
@inline export function lowest_bit_rr<T>(op: u32, r: usize): void { lowestBit<T>(op, r, src<T>(r)); }
@inline export function lowest_bit_rm<T>(op: u32, r: usize): void { lowestBit<T>(op, r, ldOperand<T>(r)); }

/** The low n bits of a. */
@inline function lowBits(a: u64, n: u64): u64 { return n < 64 ? a & ((<u64>1 << n) - 1) : a; }
/** BEXTR: bits 0-7 of the control are the start, 8-15 the length; bits beyond the operand are 0. */
@inline function extractField<T>(r: usize, a: T): void {
  let control = <u64>src2<T>(r), start = control & 0xff;
  let v = <T>lowBits(start < bits<T>() ? <u64>a >> start : 0, (control >> 8) & 0xff);
  setDst<T>(r, v);
  setLogicFlags<T>(v);
}
@inline export function bextr_rr<T>(r: usize): void { extractField<T>(r, src<T>(r)); }
@inline export function bextr_rm<T>(r: usize): void { extractField<T>(r, ldOperand<T>(r)); }

/** BZHI: CF says that the number of bits, a byte, covers the whole operand. */
@inline function zeroHigh<T>(r: usize, a: T): void {
  let n = <u64>src2<T>(r) & 0xff, v = <T>lowBits(<u64>a, n);
  setDst<T>(r, v);
  setFlags<T>(v, i32(n >= bits<T>()), sign<T>(v), 0);
}
@inline export function bzhi_rr<T>(r: usize): void { zeroHigh<T>(r, src<T>(r)); }
@inline export function bzhi_rm<T>(r: usize): void { zeroHigh<T>(r, ldOperand<T>(r)); }

/**
 * MULX: rDX times the operand; the low half is written first, so that with one register for both the high half stays.
 */
@inline function multiplyWide<T>(r: usize, b: T): void {
  if (sizeof<T>() == 8) {
    let a = load<u64>(L.RDX), high = highUnsigned(a, <u64>b);
    setRegister<u64>(srcPointer(r), a * <u64>b);
    setDst<u64>(r, high);
  } else {
    let v = <u64>load<u32>(L.RDX) * <u64>b;
    setRegister<u32>(srcPointer(r), <u32>v);
    setDst<u32>(r, <u32>(v >> 32));
  }
}
@inline export function mulx_rr<T>(r: usize): void { multiplyWide<T>(r, src2<T>(r)); }
@inline export function mulx_rm<T>(r: usize): void { multiplyWide<T>(r, ldOperand<T>(r)); }

/** Counts are taken modulo the operand's bits; no flag changes. */
@inline function shifted<T>(op: u32, a: T, count: T): T {
  let n = count & <T>(bits<T>() - 1);
  if (op == SHLX) return <T>(a << n);
  if (op == SHRX) return <T>(a >> n);
  return <T>(sx<T>(a) >> <i64>n);
}
@inline export function shiftx_rr<T>(op: u32, r: usize): void { setDst<T>(r, shifted<T>(op, src<T>(r), src2<T>(r))); }
@inline export function shiftx_rm<T>(op: u32, r: usize): void {
  let a = ldOperand<T>(r);
  setDst<T>(r, shifted<T>(op, a, src2<T>(r)));
}
@inline export function rorx_rr<T>(r: usize): void { setDst<T>(r, rotr<T>(src<T>(r), <T>(immOf(r) & 0xff))); }
@inline export function rorx_rm<T>(r: usize): void { setDst<T>(r, rotr<T>(ldOperand<T>(r), <T>(immOf(r) & 0xff))); }

// PDEP and PEXT move every selected bit by the number of clear mask bits below it, in six steps of 1, 2, 4 ... 32
// places (H. S. Warren, Hacker's Delight, 2nd edition, 7-4 and 7-5). A step's mask holds the bits that it moves.

/** Bit i: the parity of bits 0 to i. */
@inline function parityBelow(x: u64): u64 {
  x ^= x << 1; x ^= x << 2; x ^= x << 4; x ^= x << 8; x ^= x << 16;
  return x ^ (x << 32);
}
@inline function movedDown(x: u64, moving: u64, by: u64): u64 { return (x & ~moving) | ((x & moving) >> by); }
@inline function movedUp(x: u64, moving: u64, by: u64): u64 { return (x & ~moving) | ((x << by) & moving); }

function depositOrExtract(op: u32, x: u64, mask: u64): u64 {
  // below each bit: clear mask bits, of which each step takes the lowest digit of the count
  let m = mask, clear = ~m << 1;
  let p = parityBelow(clear), by1 = p & m;
  m = movedDown(m, by1, 1); clear &= ~p; p = parityBelow(clear);
  let by2 = p & m;
  m = movedDown(m, by2, 2); clear &= ~p; p = parityBelow(clear);
  let by4 = p & m;
  m = movedDown(m, by4, 4); clear &= ~p; p = parityBelow(clear);
  let by8 = p & m;
  m = movedDown(m, by8, 8); clear &= ~p; p = parityBelow(clear);
  let by16 = p & m;
  m = movedDown(m, by16, 16); clear &= ~p; p = parityBelow(clear);
  let by32 = p & m;
  if (op == PEXT) {
    x = movedDown(movedDown(movedDown(x & mask, by1, 1), by2, 2), by4, 4);
    return movedDown(movedDown(movedDown(x, by8, 8), by16, 16), by32, 32);
  }
  x = movedUp(movedUp(movedUp(x, by32, 32), by16, 16), by8, 8);
  return movedUp(movedUp(movedUp(x, by4, 4), by2, 2), by1, 1) & mask;
}
@inline export function deposit_extract_rr<T>(op: u32, r: usize): void {
  setDst<T>(r, <T>depositOrExtract(op, <u64>src<T>(r), <u64>src2<T>(r)));
}
@inline export function deposit_extract_rm<T>(op: u32, r: usize): void {
  let mask = <u64>ldOperand<T>(r);
  setDst<T>(r, <T>depositOrExtract(op, <u64>src<T>(r), mask));
}
