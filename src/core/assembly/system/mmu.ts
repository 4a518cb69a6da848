// The slow paths of guest memory: what a fast tag does not answer. All faults come before any effect.
import * as L from '../../layout';
import { flagsOf, offsetOf } from '../core/record';
import { noteBusLock } from './bus-lock';
import { fault } from './events';
import { watchedPage, noteAccess } from './debug';
import { mmioRead, mmioWrite } from './host';
import { isRam, hostAddress, pageEntry, written } from './physical';
import { area, architectural, indexOf, present, selectBank, flushTlb, invalidatePage, flushTags, dropTagsOf, alignmentChecked,
  FLAG_DIRTY } from './tlb';
import { walk, allows, isCanonical, longMode, READ, WRITE, USER, FETCH, IMPLICIT } from './walk';

export { flushTlb, invalidatePage, flushTags, dropTagsOf, selectBank };

const KIND_READ: u32 = 1, KIND_WRITE: u32 = 2, KIND_BOTH: u32 = 3;
const SS: u32 = 12, GP: u32 = 13, PF: u32 = 14, AC: u32 = 17;
/** Offsets of RSP and RBP from REGS, as in R_BASE. */
const BASE_RSP: u32 = 0x20, BASE_RBP: u32 = 0x28;

/** Rights of the running code. */
@inline function currentUser(): u32 { return load<u32>(L.CPL) == 3 ? USER : 0; }

/** Vector for an address that is not canonical: #SS where the operand is on the stack, else #GP (SDM 3A 6.15). */
function vectorOf(linear: u64): u32 {
  let r = <usize>load<u32>(L.CURRENT);
  if (!r || (load<u32>(L.MODE) & L.MODE_CODE) != 2) return GP;
  let onStack = (load<u16>(r, L.R_ATTRIBUTES) & L.A_STACK) != 0, operand = (flagsOf(r) & L.R_FLAG_MEMORY) != 0;
  let segment = load<u32>(r, L.R_SEGMENT);
  if (operand && (!onStack || linear - (offsetOf(r) + load<u64>(segment)) < 16)) {
    let base = load<u8>(r, L.R_BASE);
    return segment == L.ZERO && (base == BASE_RSP || base == BASE_RBP) ? SS : GP;
  }
  return onStack ? SS : GP;
}
/** An access that reaches over the end of the canonical addresses faults as a whole, whatever is mapped before it. */
@inline function checkSpan(linear: u64, size: u32): void {
  if (crosses(linear, size) && longMode() && !isCanonical(linear + size - 1)) fault(vectorOf(linear), 0);
}
/** #AC before the page is looked for, as processors have it. alignment: a power of two. */
@inline function checkAlignment(linear: u64, alignment: u32, access: u32): void {
  if (linear & (alignment - 1) && alignmentChecked() && access & USER) fault(AC, 0);
}
/** Linear address of the page behind the one of an access that crosses. */
@inline function secondPage(linear: u64): u64 { return wrap((linear | 0xfff) + 1); }

/** Physical address for an access, from the architectural TLB or by a walk; throws #GP(0) or #PF. */
function physicalFor(linear: u64, access: u32): u64 {
  let e = architectural(linear);
  if (present(e, linear)) {
    let flags = load<u32>(e, L.TA_FLAGS);
    if (allows(flags, access) && (!(access & WRITE) || flags & FLAG_DIRTY)) return load<u64>(e, L.TA_FRAME) | (linear & 0xfff);
  }
  if (longMode()) { if (!isCanonical(linear)) fault(vectorOf(linear), 0); }
  let failed = walk(linear, access, false);
  if (failed) {
    store<u64>(L.CR2, linear);
    fault(PF, <i32>(failed - 1));
  }
  return load<u64>(architectural(linear), L.TA_FRAME) | (linear & 0xfff);
}

/** Every write to the page has to be seen: it holds decoded code, or a line that MONITOR armed. */
@inline function writesSeen(p: usize): bool {
  return load<u64>(p, L.PAGE_CODE) != 0 || (load<u32>(p, L.PAGE_FLAGS) & L.PAGE_MONITORED) != 0;
}

/** Sets the fast tags that this access has earned. Only for accesses with the running code's own rights. */
function fillTags(linear: u64, physical: u64, access: u32, watched: u32): void {
  let base: usize = load<u32>(L.TLB_BASE);
  if (base == area() + L.TLB_MISS || (access & USER) != currentUser() || access & IMPLICIT) return;
  let e = base + (architectural(linear) - area()), page = linear & ~(<u64>0xfff), p = pageEntry(physical);
  store<u32>(e, <u32>hostAddress(physical & ~(<u64>0xfff)) - <u32>page, L.T_ADDEND);
  store<u32>(e, <u32>(physical >> 12), L.T_FRAME);
  if (access & FETCH) { store<u64>(e, page, L.T_FETCH); return; }
  // a write may go where a read may not be allowed to be fast, and the other way round: each tag is earned by itself
  if (!(watched & 1)) store<u64>(e, page, L.T_READ);
  if (access & WRITE && !(watched & 2) && !writesSeen(p)) {
    store<u64>(e, page, L.T_WRITE);
    store<u32>(p, load<u32>(p, L.PAGE_FLAGS) | 1, L.PAGE_FLAGS);
  }
}

function loadHost(a: usize, size: u32): u64 {
  return size == 8 ? load<u64>(a) : size == 4 ? load<u32>(a) : size == 2 ? load<u16>(a) : load<u8>(a);
}
function storeHost(a: usize, size: u32, v: u64): void {
  if (size == 8) store<u64>(a, v);
  else if (size == 4) store<u32>(a, <u32>v);
  else if (size == 2) store<u16>(a, <u16>v);
  else store<u8>(a, <u8>v);
}
@inline function crosses(linear: u64, size: u32): bool { return (<u32>linear & 0xfff) + size > 4096; }
/** Linear addresses wrap at 4 GiB outside long mode. */
@inline function wrap(linear: u64): u64 { return longMode() ? linear : linear & 0xffffffff; }

/** One byte-wise part of an access that crosses a page or touches a device; physical is exact for its whole length. */
function readPart(physical: u64, size: u32): u64 {
  if (isRam(physical)) {
    let v: u64 = 0;
    for (let i: u32 = 0; i < size; i++) v |= <u64>load<u8>(hostAddress(physical + i)) << (i << 3);
    return v;
  }
  if (size == 1 || size == 2 || size == 4 || size == 8) return mmioRead(<f64>physical, size);
  let v: u64 = 0;
  for (let i: u32 = 0; i < size; i++) v |= (mmioRead(<f64>(physical + i), 1) & 0xff) << (i << 3);
  return v;
}
function writePart(physical: u64, size: u32, v: u64): void {
  if (isRam(physical)) {
    for (let i: u32 = 0; i < size; i++) store<u8>(hostAddress(physical + i), <u8>(v >> (i << 3)));
    written(physical, size);
    return;
  }
  if (size == 1 || size == 2 || size == 4 || size == 8) { mmioWrite(<f64>physical, size, v); return; }
  for (let i: u32 = 0; i < size; i++) mmioWrite(<f64>(physical + i), 1, (v >> (i << 3)) & 0xff);
}
@inline function truncate(v: u64, size: u32): u64 { return size >= 8 ? v : v & ((<u64>1 << (size << 3)) - 1); }

/** The fast tags that may answer this access, which has the running code's own rights; else those of a bank that never matches. */
@inline function tagsFor(linear: u64, access: u32): usize {
  let own = (access & (USER | IMPLICIT)) == currentUser(), bank = own ? <usize>load<u32>(L.TLB_BASE) : area() + L.TLB_MISS;
  return bank + (<usize>indexOf(linear) << 5);
}
@inline function pageOfLast(linear: u64, size: u32): u64 { return (linear + size - 1) & ~(<u64>0xfff); }

function readWith(linear: u64, size: u32, access: u32): u64 {
  linear = wrap(linear);
  let tags = tagsFor(linear, access);
  if (load<u64>(tags, L.T_READ) == pageOfLast(linear, size)) return loadHost(<usize>(load<u32>(tags, L.T_ADDEND) + <u32>linear), size);
  checkSpan(linear, size);
  checkAlignment(linear, size, access);
  let physical = physicalFor(linear, access), value: u64, watched = watchedPage(linear & ~(<u64>0xfff));
  if (!crosses(linear, size)) {
    if (isRam(physical)) { value = loadHost(hostAddress(physical), size); fillTags(linear, physical, access, watched); }
    else value = truncate(mmioRead(<f64>physical, size), size);
  } else {
    let first = 4096 - (<u32>linear & 0xfff), next = wrap(linear + first), physical2 = physicalFor(next, access);
    watched |= watchedPage(next);
    value = truncate(readPart(physical, first), first) | (readPart(physical2, size - first) << (first << 3));
  }
  if (watched & 1) noteAccess(linear, size, KIND_READ, physical, value, value);
  return value;
}
function writeWith(linear: u64, size: u32, value: u64, access: u32): void {
  linear = wrap(linear);
  let tags = tagsFor(linear, access);
  if (load<u64>(tags, L.T_WRITE) == pageOfLast(linear, size)) {
    storeHost(<usize>(load<u32>(tags, L.T_ADDEND) + <u32>linear), size, value);
    return;
  }
  checkSpan(linear, size);
  checkAlignment(linear, size, access);
  let physical = physicalFor(linear, access), watched = watchedPage(linear & ~(<u64>0xfff));
  if (!crosses(linear, size)) {
    if (isRam(physical)) {
      let a = hostAddress(physical);
      if (watched & 2) noteAccess(linear, size, KIND_WRITE, physical, loadHost(a, size), truncate(value, size));
      storeHost(a, size, value);
      written(physical, size);
      fillTags(linear, physical, access, watched);
    } else {
      if (watched & 2) noteAccess(linear, size, KIND_WRITE, physical, 0, truncate(value, size));
      mmioWrite(<f64>physical, size, truncate(value, size));
    }
    return;
  }
  let first = 4096 - (<u32>linear & 0xfff), next = wrap(linear + first), physical2 = physicalFor(next, access);
  watched |= watchedPage(next);
  if (watched & 2) {
    let old: u64 = 0;
    if (isRam(physical) && isRam(physical2)) old = readPart(physical, first) | (readPart(physical2, size - first) << (first << 3));
    noteAccess(linear, size, KIND_WRITE, physical, old, truncate(value, size));
  }
  writePart(physical, first, value);
  writePart(physical2, size - first, value >> (first << 3));
}

// ---- what handlers call (core/imports.ts) ---------------------------------------------------------------------------------
export function slowLoad(r: usize, linear: u64, size: u32): u64 {
  store<u32>(L.CURRENT, <u32>r);
  return readWith(linear, size, READ | currentUser());
}
export function slowStore(r: usize, linear: u64, value: u64, size: u32): void {
  store<u32>(L.CURRENT, <u32>r);
  writeWith(linear, size, value, WRITE | currentUser());
}
export function slowModify(r: usize, linear: u64, size: u32): usize {
  store<u32>(L.CURRENT, <u32>r);
  linear = wrap(linear);
  let access = WRITE | currentUser();
  checkSpan(linear, size);
  if (linear & (size - 1) && alignmentChecked()) fault(AC, 0);
  let physical = physicalFor(linear, access), watched = watchedPage(linear & ~(<u64>0xfff)), crossing = crosses(linear, size);
  if (load<u16>(r, L.R_ATTRIBUTES) & L.A_BUS_LOCK) noteBusLock(linear, size, isRam(physical));
  if (!crossing && !watched && isRam(physical) && !writesSeen(pageEntry(physical))) {
    fillTags(linear, physical, access, watched);
    return hostAddress(physical);
  }
  let first = crossing ? 4096 - (<u32>linear & 0xfff) : size, physical2: u64 = crossing ? physicalFor(wrap(linear + first), access) : 0;
  let n = load<u32>(L.BOUNCE_COUNT), b = <usize>L.BOUNCE + n * L.BOUNCE_SIZE;
  store<u32>(L.BOUNCE_COUNT, n + 1);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_RETIRE);
  store<u64>(b, linear); store<u32>(b, size, 8); store<u32>(b, first, 12); store<u64>(b, physical, 16); store<u64>(b, physical2, 24);
  readBytes(b + 32, physical, first);
  if (crossing) readBytes(b + 32 + first, physical2, size - first);
  memory.copy(b + 48, b + 32, 16);
  return b + 32;
}
/** Device accesses of up to 16 bytes go in pieces of at most 8. */
function readBytes(to: usize, physical: u64, size: u32): void {
  if (isRam(physical)) { memory.copy(to, hostAddress(physical), size); return; }
  while (size >= 8) { store<u64>(to, mmioRead(<f64>physical, 8)); to += 8; physical += 8; size -= 8; }
  if (size) { let v = readPart(physical, size); for (let i: u32 = 0; i < size; i++) store<u8>(to + i, <u8>(v >> (i << 3))); }
}
function writeBytes(from: usize, physical: u64, size: u32): void {
  if (isRam(physical)) { memory.copy(hostAddress(physical), from, size); written(physical, size); return; }
  while (size >= 8) { mmioWrite(<f64>physical, 8, load<u64>(from)); from += 8; physical += 8; size -= 8; }
  if (!size) return;
  let v: u64 = 0;
  for (let i: u32 = 0; i < size; i++) v |= <u64>load<u8>(from + i) << (i << 3);
  writePart(physical, size, v);
}
/** Writes the bounce buffers of the instruction that retired back; cannot fault, both pages were translated for write. */
export function commitBounces(): void {
  let n = load<u32>(L.BOUNCE_COUNT);
  for (let i: u32 = 0; i < n; i++) {
    let b = <usize>L.BOUNCE + i * L.BOUNCE_SIZE, linear = load<u64>(b), size = load<u32>(b, 8), first = load<u32>(b, 12);
    writeBytes(b + 32, load<u64>(b, 16), first);
    if (size > first) writeBytes(b + 32 + first, load<u64>(b, 24), size - first);
    if (watchedPage(linear & ~(<u64>0xfff)) || (size > first && watchedPage(linear + first)))
      noteAccess(linear, size, KIND_BOTH, load<u64>(b, 16), load<u64>(b, 48), load<u64>(b, 32));
  }
  store<u32>(L.BOUNCE_COUNT, 0);
}
export function slowLoadVector(r: usize, linear: u64): usize {
  store<u32>(L.CURRENT, <u32>r);
  let access = READ | currentUser();
  linear = wrap(linear);
  checkSpan(linear, 16);
  physicalFor(linear, access);
  if (crosses(linear, 16)) physicalFor(secondPage(linear), access);
  let low = readWith(linear, 8, access), high = readWith(linear + 8, 8, access);
  store<u64>(L.VECTOR_SCRATCH, low); store<u64>(L.VECTOR_SCRATCH, high, 8);
  return L.VECTOR_SCRATCH;
}
export function slowStoreVector(r: usize, linear: u64, low: u64, high: u64): void {
  store<u32>(L.CURRENT, <u32>r);
  let access = WRITE | currentUser();
  linear = wrap(linear);
  checkSpan(linear, 16);
  physicalFor(linear, access);
  if (crosses(linear, 16)) physicalFor(secondPage(linear), access);
  writeWith(linear, 8, low, access);
  writeWith(linear + 8, 8, high, access);
}
/** The 80-bit stores of the x87. */
export function slowStoreExtended(r: usize, linear: u64, low: u64, high: u32): void {
  store<u32>(L.CURRENT, <u32>r);
  let access = WRITE | currentUser();
  linear = wrap(linear);
  checkSpan(linear, 10);
  checkAlignment(linear, 8, access);
  physicalFor(linear, access);
  if (crosses(linear, 10)) physicalFor(secondPage(linear), access);
  writeWith(linear, 8, low, access);
  writeWith(linear + 8, 2, high, access);
}
/** For stores of the x87 whose exception keeps memory as it is: the address is judged all the same. */
export function slowProbeWrite(r: usize, linear: u64, size: u32): void {
  store<u32>(L.CURRENT, <u32>r);
  probe(linear, size, WRITE | currentUser(), size == 10 ? 8 : size); // an 80-bit number: SDM 3A table 6-7
}
/** Makes the fetch tag valid; 1: RAM, 0: code outside RAM. At a boundary: RIP is exact. */
export function fetchPage(linear: u64): u32 {
  store<u32>(L.CURRENT, 0);
  linear = wrap(linear);
  let access = FETCH | currentUser(), physical = physicalFor(linear, access);
  if (!isRam(physical)) return 0;
  fillFetch(linear, physical);
  return 1;
}
function fillFetch(linear: u64, physical: u64): void {
  // fetches do not depend on the alignment check, so they have tags in the bank that never matches data too
  let e = <usize>load<u32>(L.TLB_BASE) + (architectural(linear) - area()), page = linear & ~(<u64>0xfff);
  store<u32>(e, <u32>hostAddress(physical & ~(<u64>0xfff)) - <u32>page, L.T_ADDEND);
  store<u32>(e, <u32>(physical >> 12), L.T_FRAME);
  store<u64>(e, page, L.T_FETCH);
}
export function fetchBytes(linear: u64, n: u32): void {
  store<u32>(L.CURRENT, 0);
  for (let i: u32 = 0; i < n; i++) {
    // the bytes behind a page end are asked for only when they can be had: their fault belongs to a later instruction
    let at = wrap(linear + i);
    if (i && !(at & 0xfff) && translateQuiet(at) < 0) { memory.fill(<usize>L.FETCH_BUFFER + i, 0xff, n - i); return; }
    let physical = physicalFor(at, FETCH | currentUser());
    store<u8>(<usize>L.FETCH_BUFFER + i, isRam(physical) ? load<u8>(hostAddress(physical)) : <u8>mmioRead(<f64>physical, 1));
  }
}
function translateQuiet(linear: u64): i64 { return walk(linear, FETCH, true) ? -1 : 0; }

// ---- what the rest of system uses -----------------------------------------------------------------------------------------
@inline function rights(user: u32): u32 { return user ? USER : IMPLICIT; }
export function readLinear(linear: u64, size: u32, user: u32): u64 { return readWith(linear, size, READ | rights(user)); }
export function writeLinear(linear: u64, size: u32, value: u64, user: u32): void { writeWith(linear, size, value, WRITE | rights(user)); }
export function probeWrite(linear: u64, size: u32, user: u32): void { probe(linear, size, WRITE | rights(user), 1); }
export function probeRead(linear: u64, size: u32, user: u32): void { probe(linear, size, READ | rights(user), 1); }
/**
 * Faults exactly as the running instruction's own access would: an explicit access, which SMAP lets through while AC is set
 * (SDM 3A 5.6). The two above are implicit ones when user is 0. alignment: what an alignment check asks for.
 */
export function probeOperand(linear: u64, size: u32, write: bool, alignment: u32 = 1): void {
  probe(linear, size, (write ? WRITE : READ) | currentUser(), alignment);
}
function probe(linear: u64, size: u32, access: u32, alignment: u32): void {
  linear = wrap(linear);
  checkSpan(linear, size);
  checkAlignment(linear, alignment, access);
  physicalFor(linear, access);
  if (crosses(linear, size)) physicalFor(secondPage(linear), access);
}
