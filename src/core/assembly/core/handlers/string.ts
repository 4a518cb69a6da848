// MOVS STOS LODS CMPS SCAS. A repeated one executes one iteration, then jumps to itself or goes on; a long MOVS or STOS
// as many at once as nobody could look between (system/memory/repeat.ts).
import * as L from '../../../layout';
import { setRegister, setRip, nextOf, lengthOf, maskOf } from '../record';
import { ld, st, stringSource, stringDestination } from '../memory';
import { moveElements, storeElements } from '../imports';
import { setSubtractFlags } from './flags';

const FLAG_DF: u64 = 0x400;

/** Index and count registers by address size: 32 bits clear the upper half, 16 bits keep the rest. */
@inline function setIndex(r: usize, slot: usize, v: u64): void {
  if (maskOf(r) == 0xffff) store<u16>(slot, <u16>v); else store<u64>(slot, v & maskOf(r));
}
@inline function advance<T>(r: usize, slot: usize, elements: u64 = 1): void {
  let size = elements * sizeof<T>();
  setIndex(r, slot, load<u64>(slot) + (load<u64>(L.RFLAGS) & FLAG_DF ? 0 - size : size));
}

@inline export function movs<T>(r: usize): void {
  let from = stringSource(r, sizeof<T>()), to = stringDestination(r, sizeof<T>(), 1);
  st<T>(r, to, ld<T>(r, from));
  advance<T>(r, L.RSI);
  advance<T>(r, L.RDI);
}
@inline export function stos<T>(r: usize): void {
  st<T>(r, stringDestination(r, sizeof<T>(), 1), load<T>(L.RAX));
  advance<T>(r, L.RDI);
}
@inline export function lods<T>(r: usize): void {
  setRegister<T>(L.RAX, ld<T>(r, stringSource(r, sizeof<T>())));
  advance<T>(r, L.RSI);
}
/** The source at DS:rSI is the minuend. */
@inline export function cmps<T>(r: usize): void {
  let from = stringSource(r, sizeof<T>()), to = stringDestination(r, sizeof<T>(), 0), a = ld<T>(r, from);
  let b = ld<T>(r, to);
  setSubtractFlags<T>(a, b, <T>(a - b));
  advance<T>(r, L.RSI);
  advance<T>(r, L.RDI);
}
@inline export function scas<T>(r: usize): void {
  let b = ld<T>(r, stringDestination(r, sizeof<T>(), 0)), a = load<T>(L.RAX);
  setSubtractFlags<T>(a, b, <T>(a - b));
  advance<T>(r, L.RDI);
}

@inline function exhausted(r: usize): bool { return (load<u64>(L.RCX) & maskOf(r)) == 0; }
/** A count of 0 at the start: nothing is accessed and no flag changes. */
@inline function leaveRepetition(r: usize): void {
  store<u32>(L.REP_ACTIVE, 0);
  setRip(nextOf(r));
}
/** RIP of the instruction itself; the mode is looked at only where the next RIP has wrapped, so this folds. */
@inline function startOf(r: usize): u64 {
  let start = nextOf(r) - lengthOf(r);
  if (nextOf(r) >= lengthOf(r)) return start;
  let mode = load<u32>(L.MODE) & L.MODE_CODE;
  return mode == 2 ? start : start & 0xffffffff;
}
/** Counts iterations; again: whether their result lets the repetition go on. */
@inline function count(r: usize, again: bool, iterations: u64 = 1): void {
  let left = (load<u64>(L.RCX) - iterations) & maskOf(r), more = u32(left != 0) & u32(again);
  setIndex(r, L.RCX, left);
  store<u32>(L.REP_ACTIVE, more);
  setRip(more ? startOf(r) : nextOf(r));
}
@inline function isZero(): bool { return load<i64>(L.F_ZERO) == 0; }

/**
 * So many iterations that a compiled region is better left for the slow path that executes them at once: see bench/.
 */
const MANY: u64 = 32;
@inline function isLong(r: usize): bool { return (load<u64>(L.RCX) & maskOf(r)) >= MANY; }

@inline export function rep_movs<T>(r: usize): void {
  if (exhausted(r)) { leaveRepetition(r); return; }
  let from = stringSource(r, sizeof<T>()), to = stringDestination(r, sizeof<T>(), 1);
  let n: u64 = isLong(r) ? moveElements(r, from, to, sizeof<T>()) : 0;
  if (!n) {
    st<T>(r, to, ld<T>(r, from));
    n = 1;
  }
  advance<T>(r, L.RSI, n);
  advance<T>(r, L.RDI, n);
  count(r, true, n);
}
@inline export function rep_stos<T>(r: usize): void {
  if (exhausted(r)) { leaveRepetition(r); return; }
  let to = stringDestination(r, sizeof<T>(), 1);
  let n: u64 = isLong(r) ? storeElements(r, to, sizeof<T>()) : 0;
  if (!n) {
    st<T>(r, to, load<T>(L.RAX));
    n = 1;
  }
  advance<T>(r, L.RDI, n);
  count(r, true, n);
}
@inline export function rep_lods<T>(r: usize): void {
  if (exhausted(r)) { leaveRepetition(r); return; }
  lods<T>(r);
  count(r, true);
}
@inline export function repe_cmps<T>(r: usize): void {
  if (exhausted(r)) { leaveRepetition(r); return; }
  cmps<T>(r);
  count(r, isZero());
}
@inline export function repne_cmps<T>(r: usize): void {
  if (exhausted(r)) { leaveRepetition(r); return; }
  cmps<T>(r);
  count(r, !isZero());
}
@inline export function repe_scas<T>(r: usize): void {
  if (exhausted(r)) { leaveRepetition(r); return; }
  scas<T>(r);
  count(r, isZero());
}
@inline export function repne_scas<T>(r: usize): void {
  if (exhausted(r)) { leaveRepetition(r); return; }
  scas<T>(r);
  count(r, !isZero());
}
