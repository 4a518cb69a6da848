// BT BTS BTR BTC, BSF BSR POPCNT, BSWAP, SETcc.
import * as L from '../../../layout';
import { dst, src, setDst, offsetOf, maskOf, flagsOf } from '../record';
import { ld, modify, ldOperand, stOperand, modifyOperand } from '../memory';
import { slowLinear } from '../imports';
import { condition, setCarry, setFlags, sx } from './flags';

export const BT: u32 = 0, BTS: u32 = 1, BTR: u32 = 2, BTC: u32 = 3;

@inline function changed<T>(op: u32, a: T, n: T): T {
  let one = <T>(<T>1 << n);
  if (op == BTS) return <T>(a | one);
  if (op == BTR) return <T>(a & ~one);
  return <T>(a ^ one);
}
/** Number of the bit within the operand. */
@inline function within<T>(n: T): T { return <T>(n & <T>(sizeof<T>() * 8 - 1)); }
/** Only CF changes; the manual leaves OF SF AF PF undefined. */
@inline function testRegister<T>(op: u32, r: usize, n: T): void {
  let a = dst<T>(r);
  if (op != BT) setDst<T>(r, changed<T>(op, a, n));
  setCarry(<i32>(a >> n) & 1);
}
@inline function testModified<T>(op: u32, p: usize, n: T): void {
  let a = load<T>(p);
  store<T>(p, changed<T>(op, a, n));
  setCarry(<i32>(a >> n) & 1);
}

/**
 * The operand that holds the bit: a signed bit number in a register reaches beyond the one addressed (SDM 2A 3.1.1.9,
 * Bit()).
 */
@inline function bitAddress<T>(r: usize, write: u32): u64 {
  let n = sx<T>(src<T>(r));
  let ahead = sizeof<T>() == 8 ? (n >> 6) << 3 : sizeof<T>() == 4 ? (n >> 5) << 2 : (n >> 4) << 1;
  let o = (offsetOf(r) + <u64>ahead) & maskOf(r), segment = load<u32>(r, L.R_SEGMENT);
  if (flagsOf(r) & L.R_FLAG_CHECKED) return slowLinear(r, segment, o, sizeof<T>(), write);
  return o + load<u64>(segment);
}
@inline export function bit_rr<T>(op: u32, r: usize): void { testRegister<T>(op, r, within<T>(src<T>(r))); }
@inline export function bit_mr<T>(op: u32, r: usize): void {
  let n = within<T>(src<T>(r));
  if (op == BT) setCarry(<i32>(ld<T>(r, bitAddress<T>(r, 0)) >> n) & 1);
  else testModified<T>(op, modify<T>(r, bitAddress<T>(r, 1)), n);
}
@inline export function bit_immediate_rr<T>(op: u32, r: usize): void {
  testRegister<T>(op, r, within<T>(<T>src<u8>(r)));
}
@inline export function bit_immediate_mr<T>(op: u32, r: usize): void {
  let n = within<T>(<T>src<u8>(r));
  if (op == BT) setCarry(<i32>(ldOperand<T>(r) >> n) & 1);
  else testModified<T>(op, modifyOperand<T>(r), n);
}

/**
 * A source of 0 sets ZF and leaves the whole destination alone (SDM 2A BSF, BSR). Only ZF changes: the manual leaves
 * the other flags undefined.
 */
@inline function scanForward<T>(r: usize, a: T): void {
  store<i64>(L.F_ZERO, sx<T>(a));
  if (a != 0) setDst<T>(r, <T>ctz<u64>(<u64>a));
}
@inline function scanReverse<T>(r: usize, a: T): void {
  store<i64>(L.F_ZERO, sx<T>(a));
  if (a != 0) setDst<T>(r, <T>(63 - clz<u64>(<u64>a)));
}
@inline export function bsf_rr<T>(r: usize): void { scanForward<T>(r, src<T>(r)); }
@inline export function bsf_rm<T>(r: usize): void { scanForward<T>(r, ldOperand<T>(r)); }
@inline export function bsr_rr<T>(r: usize): void { scanReverse<T>(r, src<T>(r)); }
@inline export function bsr_rm<T>(r: usize): void { scanReverse<T>(r, ldOperand<T>(r)); }

/** ZF from the source, all others clear, PF too (SDM 2B POPCNT). */
@inline function countOnes<T>(r: usize, a: T): void {
  setDst<T>(r, <T>popcnt<u64>(<u64>a));
  setFlags<u8>(1, 0, 0, 0);
  store<i64>(L.F_ZERO, sx<T>(a));
}
@inline export function popcnt_rr<T>(r: usize): void { countOnes<T>(r, src<T>(r)); }
@inline export function popcnt_rm<T>(r: usize): void { countOnes<T>(r, ldOperand<T>(r)); }

/** 16 bits, undefined by the manual, give 0 as on real processors. */
@inline export function bswap_r<T>(r: usize): void {
  if (sizeof<T>() == 2) setDst<T>(r, <T>0); else setDst<T>(r, bswap<T>(dst<T>(r)));
}

@inline export function set_r(cc: u32, r: usize): void { setDst<u8>(r, <u8>condition(cc)); }
@inline export function set_m(cc: u32, r: usize): void { stOperand<u8>(r, <u8>condition(cc)); }
