// MUL IMUL DIV IDIV and the sign conversions of the accumulator.
import * as L from '../../../layout';
import { src, src2, setDst } from '../record';
import { ldOperand } from '../memory';
import { rare } from '../imports';
import { setFlags, sx, sign } from './flags';

@inline export function highUnsigned(a: u64, b: u64): u64 {
  let al = a & 0xffffffff, ah = a >> 32, bl = b & 0xffffffff, bh = b >> 32;
  let t = ah * bl + ((al * bl) >> 32), u = al * bh + (t & 0xffffffff);
  return ah * bh + (t >> 32) + (u >> 32);
}
@inline function highSigned(a: i64, b: i64): i64 {
  return <i64>highUnsigned(<u64>a, <u64>b) - (a < 0 ? b : 0) - (b < 0 ? a : 0);
}
/** SF ZF AF PF are undefined after a multiplication (SDM 2A IMUL): SF, ZF and PF follow the low half here. */
@inline function setMultiplyFlags<T>(low: T, overflow: i32): void {
  setFlags<T>(low, overflow, overflow ^ sign<T>(low), 0);
}

@inline function multiply<T>(b: T): void {
  if (sizeof<T>() == 8) {
    let a = load<u64>(L.RAX), high = highUnsigned(a, <u64>b), low = a * <u64>b;
    store<u64>(L.RAX, low); store<u64>(L.RDX, high);
    setMultiplyFlags<u64>(low, i32(high != 0));
  } else {
    let v = <u64>load<T>(L.RAX) * <u64>b;
    storeProduct<T>(v);
    setMultiplyFlags<T>(<T>v, i32((v >> (sizeof<T>() * 8)) != 0));
  }
}
@inline function multiplySigned<T>(b: T): void {
  if (sizeof<T>() == 8) {
    let a = load<i64>(L.RAX), high = highSigned(a, <i64>b), low = a * <i64>b;
    store<i64>(L.RAX, low); store<i64>(L.RDX, high);
    setMultiplyFlags<u64>(<u64>low, i32(high != low >> 63));
  } else {
    let v = sx<T>(load<T>(L.RAX)) * sx<T>(b);
    storeProduct<T>(<u64>v);
    setMultiplyFlags<T>(<T>v, i32(v != sx<T>(<T>v)));
  }
}
@inline function storeProduct<T>(v: u64): void {
  if (sizeof<T>() == 1) store<u16>(L.RAX, <u16>v);
  else if (sizeof<T>() == 2) { store<u16>(L.RAX, <u16>v); store<u16>(L.RDX, <u16>(v >> 16)); }
  else { store<u64>(L.RAX, v & 0xffffffff); store<u64>(L.RDX, v >> 32); }
}
@inline export function mul_r<T>(r: usize): void { multiply<T>(src<T>(r)); }
@inline export function mul_m<T>(r: usize): void { multiply<T>(ldOperand<T>(r)); }
@inline export function imul_r<T>(r: usize): void { multiplySigned<T>(src<T>(r)); }
@inline export function imul_m<T>(r: usize): void { multiplySigned<T>(ldOperand<T>(r)); }

/** Two and three operand forms: src times src2, which is the destination when the instruction has two operands. */
@inline function multiplyTruncated<T>(r: usize, a: T): void {
  let b = src2<T>(r), v = <T>(a * b), overflow: i32;
  if (sizeof<T>() == 8) overflow = i32(highSigned(<i64>a, <i64>b) != <i64>v >> 63);
  else overflow = i32(sx<T>(a) * sx<T>(b) != sx<T>(v));
  setDst<T>(r, v);
  setMultiplyFlags<T>(v, overflow);
}
@inline export function imul_rr<T>(r: usize): void { multiplyTruncated<T>(r, src<T>(r)); }
@inline export function imul_rm<T>(r: usize): void { multiplyTruncated<T>(r, ldOperand<T>(r)); }

/** The dividend: AX, DX:AX, EDX:EAX (not used for 64 bits). */
@inline function dividend<T>(): u64 {
  if (sizeof<T>() == 1) return <u64>load<u16>(L.RAX);
  if (sizeof<T>() == 2) return <u64>load<u16>(L.RAX) | (<u64>load<u16>(L.RDX) << 16);
  return <u64>load<u32>(L.RAX) | (<u64>load<u32>(L.RDX) << 32);
}
@inline function dividendSigned<T>(): i64 {
  if (sizeof<T>() == 1) return <i64>load<i16>(L.RAX);
  if (sizeof<T>() == 2) return <i64><i32>(<u32>load<u16>(L.RAX) | (<u32>load<u16>(L.RDX) << 16));
  return <i64>dividend<T>();
}
@inline function storeQuotient<T>(quotient: u64, remainder: u64): void {
  if (sizeof<T>() == 1) { store<u8>(L.RAX, <u8>quotient); store<u8>(L.RAX + 1, <u8>remainder); }
  else if (sizeof<T>() == 2) { store<u16>(L.RAX, <u16>quotient); store<u16>(L.RDX, <u16>remainder); }
  else if (sizeof<T>() == 4) { store<u64>(L.RAX, <u64><u32>quotient); store<u64>(L.RDX, <u64><u32>remainder); }
  else { store<u64>(L.RAX, quotient); store<u64>(L.RDX, remainder); }
}
/** #DE and true 128-bit dividends are rare; flags, all undefined, stay. */
@inline function divide<T>(r: usize, b: T): void {
  let d = <u64>b;
  if (sizeof<T>() == 8) {
    if (d == 0 || load<u64>(L.RDX) != 0) { rare(r); return; }
    let a = load<u64>(L.RAX);
    storeQuotient<T>(a / d, a % d);
  } else {
    let a = dividend<T>();
    if (d == 0 || (a >> (sizeof<T>() * 8)) >= d) { rare(r); return; }
    storeQuotient<T>(a / d, a % d);
  }
}
@inline function divideSigned<T>(r: usize, b: T): void {
  let d = sx<T>(b), a: i64;
  if (sizeof<T>() == 8) {
    a = load<i64>(L.RAX);
    if (load<i64>(L.RDX) != a >> 63) { rare(r); return; }
  } else a = dividendSigned<T>();
  if (d == 0 || (d == -1 && a == i64.MIN_VALUE)) { rare(r); return; }
  let q = a / d;
  if (q != sx<T>(<T>q)) { rare(r); return; }
  storeQuotient<T>(<u64>q, <u64>(a % d));
}
@inline export function div_r<T>(r: usize): void { divide<T>(r, src<T>(r)); }
@inline export function div_m<T>(r: usize): void { divide<T>(r, ldOperand<T>(r)); }
@inline export function idiv_r<T>(r: usize): void { divideSigned<T>(r, src<T>(r)); }
@inline export function idiv_m<T>(r: usize): void { divideSigned<T>(r, ldOperand<T>(r)); }

/** CBW, CWDE, CDQE. */
@inline export function convert_in_accumulator<T>(r: usize): void {
  if (sizeof<T>() == 2) store<i16>(L.RAX, <i16>load<i8>(L.RAX));
  else if (sizeof<T>() == 4) store<u64>(L.RAX, <u64><u32><i32>load<i16>(L.RAX));
  else store<i64>(L.RAX, <i64>load<i32>(L.RAX));
}
/** CWD, CDQ, CQO. */
@inline export function convert_to_pair<T>(r: usize): void {
  if (sizeof<T>() == 2) store<i16>(L.RDX, <i16>(<i32>load<i16>(L.RAX) >> 15));
  else if (sizeof<T>() == 4) store<u64>(L.RDX, <u64><u32>(load<i32>(L.RAX) >> 31));
  else store<i64>(L.RDX, load<i64>(L.RAX) >> 63);
}
