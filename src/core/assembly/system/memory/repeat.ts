// Iterations of REP MOVS and REP STOS at once: as many as the fast tags of one page reach and as there are ticks for,
// and only where nobody looks between two of them. The guest cannot tell them from single ones: each takes its tick,
// none can fault.
import * as L from '../../../layout';
import { flagsOf, maskOf } from '../../core/record';

const FLAG_DF: u64 = 0x400;

/** Whether something has to see the boundary between two iterations. */
@inline function isObserved(r: usize): bool {
  if (load<u32>(L.ATTENTION) | load<u32>(L.ONE_INSTRUCTION)) return true;
  return (load<u32>(load<u32>(L.BLOCK), L.B_FLAGS) & L.BLOCK_GUARD) != 0 || (flagsOf(r) & L.R_FLAG_CHECKED) != 0;
}
@inline function tagOf(linear: u64): usize {
  return <usize>load<u32>(L.TLB_BASE) + ((<u32>(linear >> 12) & (L.TLB_ENTRIES - 1)) << 5);
}
@inline function isBackward(): bool { return (load<u64>(L.RFLAGS) & FLAG_DF) != 0; }
/** Elements of size bytes from a linear address on, or backward, that lie on its page. */
@inline function onPage(linear: u64, size: u32): u64 {
  let offset = <u32>linear & 0xfff;
  if (offset + size > 4096) return 0;
  return isBackward() ? offset / size + 1 : (4096 - offset) / size;
}
/** The same before an index register wraps. */
@inline function beforeWrap(r: usize, index: usize, size: u32): u64 {
  let mask = maskOf(r), at = load<u64>(index) & mask;
  return (isBackward() ? at : mask - at) / size;
}
/** What RCX and the budget allow of n; the instruction's own tick has been taken. */
function allowed(r: usize, n: u64): u64 {
  let left = load<u64>(L.RCX) & maskOf(r), budget = load<i64>(L.BUDGET);
  return min(min(n, left), <u64>max(budget, 0) + 1);
}
@inline function takeTicks(n: u64): u32 {
  if (n) store<i64>(L.BUDGET, load<i64>(L.BUDGET) - <i64>(n - 1));
  return <u32>n;
}

export function moveElements(r: usize, from: u64, to: u64, size: u32): u32 {
  if (isObserved(r)) return 0;
  let source = tagOf(from), destination = tagOf(to);
  if (load<u64>(source, L.T_READ) != (from & ~(<u64>0xfff))
    || load<u64>(destination, L.T_WRITE) != (to & ~(<u64>0xfff))) return 0;
  let n = min(onPage(from, size), onPage(to, size));
  n = allowed(r, min(n, min(beforeWrap(r, L.RSI, size), beforeWrap(r, L.RDI, size))));
  if (n) move(load<u32>(source, L.T_ADDEND) + <u32>from, load<u32>(destination, L.T_ADDEND) + <u32>to, <u32>n, size);
  return takeTicks(n);
}
/**
 * Host addresses of the first elements. Pages may be mapped twice, so these tell whether an element is read after it
 * was written.
 */
function move(from: usize, to: usize, n: u32, size: u32): void {
  let length = n * size, backward = isBackward(), ahead = backward ? from - to : to - from;
  let reach = backward ? length - size : 0;
  if (ahead >= length || !ahead) {
    memory.copy(to - reach, from - reach, length);
    return;
  }
  let step = backward ? 0 - <usize>size : <usize>size;
  for (let i: u32 = 0; i < n; i++, from += step, to += step) {
    if (size == 8) store<u64>(to, load<u64>(from));
    else if (size == 4) store<u32>(to, load<u32>(from));
    else if (size == 2) store<u16>(to, load<u16>(from));
    else store<u8>(to, load<u8>(from));
  }
}

export function storeElements(r: usize, to: u64, size: u32): u32 {
  if (isObserved(r)) return 0;
  let destination = tagOf(to);
  if (load<u64>(destination, L.T_WRITE) != (to & ~(<u64>0xfff))) return 0;
  let n = allowed(r, min(onPage(to, size), beforeWrap(r, L.RDI, size)));
  if (n) fill(load<u32>(destination, L.T_ADDEND) + <u32>to, <u32>n, size);
  return takeTicks(n);
}
/** Stores AL, AX, EAX or RAX n times, from a host address on or backward. */
function fill(to: usize, n: u32, size: u32): void {
  let length = n * size, value = load<u64>(L.RAX);
  if (isBackward()) to -= length - size;
  if (size == 1 || !value) { memory.fill(to, <u8>value, length); return; }
  for (let end = to + length; to < end; to += size) {
    if (size == 8) store<u64>(to, value);
    else if (size == 4) store<u32>(to, <u32>value);
    else store<u16>(to, <u16>value);
  }
}
