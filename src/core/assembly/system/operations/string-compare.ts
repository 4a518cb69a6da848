// PCMPESTRI PCMPESTRM PCMPISTRI PCMPISTRM (SDM 1 14.10 "STTNI", SDM 2B 4.1 "Imm8 control byte operation"). The names
// are the manual's: IntRes1 is what the comparisons of each element with the others come to, IntRes2 the same with its
// polarity.
import * as L from '../../../layout';
import { dstPointer, immOf, srcPointer } from '../../core/record';
import { FLAG_CF, FLAG_OF, FLAG_SF, FLAG_ZF, setArithmetic } from '../state/flags';
import { checkSse } from './floating-point';
import { readOwnVector } from '../memory/mmu';
import { isMemory, operandSize } from '../state/operand-size';
import { operandLinear } from '../memory/operands';

// fields of the control byte
const WORDS: u32 = 1, SIGNED: u32 = 2, NEGATIVE: u32 = 0x10, MASKED: u32 = 0x20, MOST_SIGNIFICANT: u32 = 0x40;
const EXPAND: u32 = 0x40;
const EQUAL_ANY: u32 = 0, RANGES: u32 = 1, EQUAL_EACH: u32 = 2;

/** Element i, extended as the control byte says. */
function element(at: usize, i: u32, control: u32): i32 {
  if (control & WORDS) return control & SIGNED ? load<i16>(at + (i << 1)) : <i32>load<u16>(at + (i << 1));
  return control & SIGNED ? load<i8>(at + i) : <i32>load<u8>(at + i);
}
/** Elements in front of the first that is 0. */
function implicitLength(at: usize, count: u32, control: u32): u32 {
  for (let i: u32 = 0; i < count; i++) if (!element(at, i, control)) return i;
  return count;
}
/** The magnitude of a signed length in EAX or EDX, with REX.W in RAX or RDX, at most the number of elements. */
function explicitLength(slot: usize, long: bool, count: u32): u32 {
  let n = long ? load<i64>(slot) : <i64>load<i32>(slot);
  return n < 0 ? (n > -<i64>count ? <u32>-n : count) : n < <i64>count ? <u32>n : count;
}

/** Whether element i of b is one of a's, or within one of the ranges that pairs of a's elements are. */
function isAny(a: usize, m: u32, b: usize, i: u32, control: u32): bool {
  let x = element(b, i, control);
  for (let k: u32 = 0; k < m; k++) if (element(a, k, control) == x) return true;
  return false;
}
function isInRange(a: usize, m: u32, b: usize, i: u32, control: u32): bool {
  let x = element(b, i, control);
  for (let k: u32 = 0; k + 1 < m; k += 2)
    if (x >= element(a, k, control) && x <= element(a, k + 1, control)) return true;
  return false;
}
/** Whether a, as far as it fits, is found in b at element i. */
function isFoundAt(a: usize, m: u32, b: usize, n: u32, i: u32, count: u32, control: u32): bool {
  for (let k: u32 = 0; k < m && i + k < count; k++) {
    if (i + k >= n || element(a, k, control) != element(b, i + k, control)) return false;
  }
  return true;
}
function intRes1(a: usize, m: u32, b: usize, n: u32, count: u32, control: u32): u32 {
  let aggregation = control >> 2 & 3, v: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    let hit: bool;
    if (aggregation == EQUAL_ANY) hit = i < n && isAny(a, m, b, i, control);
    else if (aggregation == RANGES) hit = i < n && isInRange(a, m, b, i, control);
    else if (aggregation == EQUAL_EACH)
      hit = i < m && i < n ? element(a, i, control) == element(b, i, control) : i >= m && i >= n;
    else hit = isFoundAt(a, m, b, n, i, count, control);
    if (hit) v |= 1 << i;
  }
  return v;
}

/** explicit: the lengths are in rAX and rDX, else a 0 ends each string. index: ECX gets a number, else XMM0 a mask. */
export function compareStrings(r: usize, explicit: bool, index: bool): void {
  checkSse();
  let b = isMemory(r) ? readOwnVector(operandLinear(r, 16, 0)) : srcPointer(r), a = dstPointer(r);
  let control = <u32>immOf(r), count: u32 = control & WORDS ? 8 : 16, all = (<u32>1 << count) - 1;
  let long = operandSize(r) == 8;
  let m = explicit ? explicitLength(L.RAX, long, count) : implicitLength(a, count, control);
  let n = explicit ? explicitLength(L.RDX, long, count) : implicitLength(b, count, control);
  let found = intRes1(a, m, b, n, count, control);
  if (control & NEGATIVE) found ^= control & MASKED ? (<u32>1 << n) - 1 : all;
  if (index) {
    let at = control & MOST_SIGNIFICANT ? 31 - clz<u32>(found) : ctz<u32>(found);
    store<u64>(L.RCX, found ? at : count);
  } else storeMask(found, count, (control & EXPAND) != 0);
  setArithmetic((found ? FLAG_CF : 0) | (n < count ? FLAG_ZF : 0) | (m < count ? FLAG_SF : 0)
    | (found & 1 ? FLAG_OF : 0));
}
/** Into XMM0: the bits themselves, or an element of ones for each. */
function storeMask(found: u32, count: u32, expand: bool): void {
  memory.fill(L.XMM, 0, 16);
  if (!expand) { store<u32>(L.XMM, found); return; }
  let size = 16 / count;
  for (let i: u32 = 0; i < count; i++) if (found >> i & 1) memory.fill(L.XMM + <usize>(i * size), 0xff, size);
}
