// ROL ROR RCL RCR SHL SHR SAR, SHLD SHRD. A masked count of 0 changes no flag, but a 32-bit register still loses its
// upper half.
import { dst, src, src2, setDst } from '../record';
import { modifyOperand } from '../memory';
import { setFlags, setCarry, setOverflow, carryFlag, sign, sx } from './flags';

export const ROL: u32 = 0, ROR: u32 = 1, RCL: u32 = 2, RCR: u32 = 3, SHL: u32 = 4, SHR: u32 = 5, SAR: u32 = 7;

@inline function bits<T>(): u32 { return sizeof<T>() * 8; }
/** Counts are taken modulo 32, or 64 for 64-bit operands (SDM 2B SAL/SAR/SHL/SHR). */
@inline function countMask<T>(): u32 { return sizeof<T>() == 8 ? 63 : 31; }
/** Rotation through the carry of 8 and 16 bits has a period of 9 and 17 (SDM 2B RCL/RCR/ROL/ROR). */
@inline function effectiveCount<T>(op: u32, count: u32): u32 {
  let c = count & countMask<T>();
  if ((op == RCL || op == RCR) && sizeof<T>() < 4) return c % (bits<T>() + 1);
  return c;
}

// c is not 0 in the functions that follow

/** The operand and the carry flag above it, rotated; the new carry flag is bit number bits. */
@inline function rotatedWithCarry<T>(op: u32, a: T, c: u64): u64 {
  let x = <u64>a | (<u64>carryFlag() << bits<T>()), rest = <u64>(bits<T>() + 1) - c;
  return op == RCL ? (x << c) | (x >> rest) : (x >> c) | (x << rest);
}
@inline function result<T>(op: u32, a: T, count: u32): T {
  let c = <u64>count;
  if (op == ROL || op == ROR) {
    if (sizeof<T>() == 8) return <T>(op == ROL ? rotl<u64>(<u64>a, c) : rotr<u64>(<u64>a, c));
    if (sizeof<T>() == 4) return <T>(op == ROL ? rotl<u32>(<u32>a, count) : rotr<u32>(<u32>a, count));
    let n = count & (bits<T>() - 1), m = bits<T>() - n, x = <u32>a;
    return <T>(op == ROL ? (x << n) | (x >> m) : (x >> n) | (x << m));
  }
  if (op == RCL || op == RCR) {
    if (sizeof<T>() < 8) return <T>rotatedWithCarry<T>(op, a, c);
    let x = <u64>a, carry = <u64>carryFlag();
    if (op == RCL) return <T>((x << c) | (carry << (c - 1)) | ((x >> (64 - c)) >> 1));
    return <T>((x >> c) | (carry << (64 - c)) | ((x << (64 - c)) << 1));
  }
  if (op == SHL) return <T>(<u64>a << c);
  if (op == SHR) return <T>(<u64>a >> c);
  return <T>(sx<T>(a) >> <i64>c);
}
/** The bit that left last (SHL, SHR, SAR, RCL, RCR); 0 when a logical shift was longer than the operand. */
@inline function lastOut<T>(op: u32, a: T, count: u32): i32 {
  let c = <u64>count;
  if (op == SAR) return <i32>(sx<T>(a) >> <i64>(c - 1)) & 1;
  if (op == SHR) return <i32>(<u64>a >> (c - 1)) & 1;
  if (sizeof<T>() == 8) return <i32>(op == RCR ? <u64>a >> (c - 1) : <u64>a >> (64 - c)) & 1;
  if (op == SHL) return <i32>((<u64>a << c) >> bits<T>()) & 1;
  return <i32>(rotatedWithCarry<T>(op, a, c) >> bits<T>()) & 1;
}
/** 1 when the two top bits differ. */
@inline function topBitsDiffer<T>(v: T): i32 { return sign<T>(<T>(v ^ <T>(v << 1))); }
/**
 * OF is defined for a count of 1 only; for others the same formula is used. Rotations change CF and OF alone, and the
 * new CF is given, since theirs depends on the old one.
 */
@inline function setShiftFlags<T>(op: u32, a: T, v: T, count: u32, out: i32): void {
  if (op == ROL) { let cf = <i32>v & 1; setCarry(cf); setOverflow(cf ^ sign<T>(v)); }
  else if (op == ROR) { setCarry(sign<T>(v)); setOverflow(topBitsDiffer<T>(v)); }
  else if (op == RCL) { setCarry(out); setOverflow(out ^ sign<T>(v)); }
  else if (op == RCR) { setCarry(out); setOverflow(topBitsDiffer<T>(v)); }
  else if (op == SHL) setFlags<T>(v, out, out, 0); // OF = CF ^ SF
  // OF = sign before the last step, SF = 0
  else if (op == SHR) setFlags<T>(v, out, sign<T>(<T>(<u64>a >> <u64>(count - 1))), 0);
  else setFlags<T>(v, out, sign<T>(v), 0); // OF = 0
}
@inline function outOf<T>(op: u32, a: T, c: u32): i32 { return op == ROL || op == ROR ? 0 : lastOut<T>(op, a, c); }

@inline export function shift_rr<T>(op: u32, r: usize): void {
  let c = effectiveCount<T>(op, src<u8>(r)), a = dst<T>(r);
  if (c == 0) { setDst<T>(r, a); return; }
  let v = result<T>(op, a, c), out = outOf<T>(op, a, c);
  setDst<T>(r, v);
  setShiftFlags<T>(op, a, v, c, out);
}
@inline export function shift_mr<T>(op: u32, r: usize): void {
  let p = modifyOperand<T>(r), c = effectiveCount<T>(op, src<u8>(r)), a = load<T>(p);
  if (c == 0) return;
  let v = result<T>(op, a, c), out = outOf<T>(op, a, c);
  store<T>(p, v);
  setShiftFlags<T>(op, a, v, c, out);
}

/**
 * For 16 bits: a, b, a in a row. With a count above 16, undefined by the manual, processors since P6 shift in a again.
 */
@inline function row16(a: u64, b: u64): u64 { return (a << 32) | (b << 16) | a; }
@inline function doubleResult<T>(op: u32, a: T, b: T, count: u32): T {
  let c = <u64>count, x = <u64>a, y = <u64>b;
  if (sizeof<T>() == 2) return <T>(op == SHL ? (row16(x, y) << c) >> 32 : row16(x, y) >> c);
  if (sizeof<T>() == 4) return <T>(op == SHL ? (((x << 32) | y) << c) >> 32 : ((y << 32) | x) >> c);
  return <T>(op == SHL ? (x << c) | (y >> (64 - c)) : (x >> c) | (y << (64 - c)));
}
@inline function doubleLastOut<T>(op: u32, a: T, b: T, count: u32): i32 {
  let c = <u64>count;
  if (sizeof<T>() == 2) return <i32>(row16(<u64>a, <u64>b) >> (op == SHL ? 48 - c : c - 1)) & 1;
  return <i32>(<u64>a >> (op == SHL ? <u64>bits<T>() - c : c - 1)) & 1;
}
/** OF, defined for a count of 1 only, is a change of the sign there. */
@inline function setDoubleFlags<T>(op: u32, v: T, out: i32): void {
  if (op == SHL) setFlags<T>(v, out, out, 0); // OF = CF ^ SF
  else setFlags<T>(v, out, topBitsDiffer<T>(v) ^ sign<T>(v), 0);
}
/** SHLD (op SHL) and SHRD (SHR): src2 is the count. */
@inline export function double_shift_rr<T>(op: u32, r: usize): void {
  let c = <u32>src2<u8>(r) & countMask<T>(), a = dst<T>(r), b = src<T>(r);
  if (c == 0) { setDst<T>(r, a); return; }
  let v = doubleResult<T>(op, a, b, c);
  setDst<T>(r, v);
  setDoubleFlags<T>(op, v, doubleLastOut<T>(op, a, b, c));
}
@inline export function double_shift_mr<T>(op: u32, r: usize): void {
  let p = modifyOperand<T>(r), c = <u32>src2<u8>(r) & countMask<T>(), a = load<T>(p), b = src<T>(r);
  if (c == 0) return;
  let v = doubleResult<T>(op, a, b, c);
  store<T>(p, v);
  setDoubleFlags<T>(op, v, doubleLastOut<T>(op, a, b, c));
}
