// The slow paths of guest memory: what a fast tag does not answer. All faults come before any effect; they are noted
// (raise.ts), and whoever asked for the access throws them or holds them.
import * as L from '../../../layout';
import { flagsOf, offsetOf } from '../../core/record';
import { noteBusLock } from '../state/bus-lock';
import { watchedPage, noteAccess } from './debug';
import { mmioRead, mmioWrite } from '../state/host';
import { written } from './physical';
import { holdNoted, isNoted, note, throwNoted } from '../raise/raise';
import { isRam, hostAddress, pageEntry } from '../state/ram';
import {
  area, architectural, indexOf, present, selectBank, flushTlb, invalidatePage, flushTags, dropTagsOf,
  alignmentChecked, FLAG_DIRTY,
} from '../state/tlb';
import { AC, GP, PF, SS } from '../state/vectors';
import { walk, allows, isCanonical, longMode, READ, WRITE, USER, FETCH, IMPLICIT } from './walk';

export { flushTlb, invalidatePage, flushTags, dropTagsOf, selectBank };

const KIND_READ: u32 = 1, KIND_WRITE: u32 = 2, KIND_BOTH: u32 = 3;
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
/** What physicalFor() answers when the access faults. */
const NO_ADDRESS: u64 = ~(<u64>0);

/**
 * The checks of an access that no page table decides, in the order of processors: its first and its last byte have
 * canonical addresses (#GP, #SS), whatever is mapped between them; then its alignment (#AC). The page comes behind
 * both. alignment: a power of two. True: the fault is noted.
 */
function faultsByAddress(linear: u64, size: u32, alignment: u32, access: u32): bool {
  if (longMode()) { if (!isCanonical(linear) || !isCanonical(linear + size - 1)) return note(vectorOf(linear), 0); }
  if (linear & (alignment - 1) && alignmentChecked() && access & USER) return note(AC, 0);
  return false;
}
/** Linear address of the page behind the one of an access that crosses. */
@inline function secondPage(linear: u64): u64 { return wrap((linear | 0xfff) + 1); }

/** Physical address of a canonical one for an access, by the architectural TLB or a walk; NO_ADDRESS: #PF is noted. */
function physicalFor(linear: u64, access: u32): u64 {
  let e = architectural(linear);
  if (present(e, linear)) {
    let flags = load<u32>(e, L.TA_FLAGS);
    if (allows(flags, access) && (!(access & WRITE) || flags & FLAG_DIRTY))
      return load<u64>(e, L.TA_FRAME) | (linear & 0xfff);
  }
  let failed = walk(linear, access, false);
  if (failed) {
    store<u64>(L.CR2, linear);
    note(PF, failed - 1);
    return NO_ADDRESS;
  }
  return load<u64>(architectural(linear), L.TA_FRAME) | (linear & 0xfff);
}
/** All checks of an access without the access itself. True: its fault is noted. */
function faults(linear: u64, size: u32, alignment: u32, access: u32): bool {
  if (faultsByAddress(linear, size, alignment, access) || physicalFor(linear, access) == NO_ADDRESS) return true;
  return crosses(linear, size) && physicalFor(secondPage(linear), access) == NO_ADDRESS;
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

/**
 * The fast tags that may answer this access, which has the running code's own rights; else those of a bank that never
 * matches.
 */
@inline function tagsFor(linear: u64, access: u32): usize {
  let own = (access & (USER | IMPLICIT)) == currentUser();
  let bank = own ? <usize>load<u32>(L.TLB_BASE) : area() + L.TLB_MISS;
  return bank + (<usize>indexOf(linear) << 5);
}
@inline function pageOfLast(linear: u64, size: u32): u64 { return (linear + size - 1) & ~(<u64>0xfff); }

/** Reads with the rights of access; 0 and a noted fault when it is not allowed. */
function readWith(linear: u64, size: u32, access: u32): u64 {
  linear = wrap(linear);
  let tags = tagsFor(linear, access);
  if (load<u64>(tags, L.T_READ) == pageOfLast(linear, size))
    return loadHost(<usize>(load<u32>(tags, L.T_ADDEND) + <u32>linear), size);
  if (faultsByAddress(linear, size, size, access)) return 0;
  let physical = physicalFor(linear, access), value: u64, watched = watchedPage(linear & ~(<u64>0xfff));
  if (physical == NO_ADDRESS) return 0;
  if (!crosses(linear, size)) {
    if (isRam(physical)) { value = loadHost(hostAddress(physical), size); fillTags(linear, physical, access, watched); }
    else value = truncate(mmioRead(<f64>physical, size), size);
  } else {
    let first = 4096 - (<u32>linear & 0xfff), next = wrap(linear + first), physical2 = physicalFor(next, access);
    if (physical2 == NO_ADDRESS) return 0;
    watched |= watchedPage(next);
    value = truncate(readPart(physical, first), first) | (readPart(physical2, size - first) << (first << 3));
  }
  if (watched & 1) noteAccess(linear, size, KIND_READ, physical, value, value);
  return value;
}
/** Writes likewise: all or nothing. */
function writeWith(linear: u64, size: u32, value: u64, access: u32): void {
  linear = wrap(linear);
  let tags = tagsFor(linear, access);
  if (load<u64>(tags, L.T_WRITE) == pageOfLast(linear, size)) {
    storeHost(<usize>(load<u32>(tags, L.T_ADDEND) + <u32>linear), size, value);
    return;
  }
  if (faultsByAddress(linear, size, size, access)) return;
  let physical = physicalFor(linear, access), watched = watchedPage(linear & ~(<u64>0xfff));
  if (physical == NO_ADDRESS) return;
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
  if (physical2 == NO_ADDRESS) return;
  watched |= watchedPage(next);
  if (watched & 2) {
    let old: u64 = 0;
    if (isRam(physical) && isRam(physical2))
      old = readPart(physical, first) | (readPart(physical2, size - first) << (first << 3));
    noteAccess(linear, size, KIND_WRITE, physical, old, truncate(value, size));
  }
  writePart(physical, first, value);
  writePart(physical2, size - first, value >> (first << 3));
}

// ---- what handlers in core.wasm call (core/imports.ts): their faults are held until they end (raise.ts) -------------
/** Begins an access of the handler of record r; false: an earlier one faulted, and nothing more happens. */
@inline function begin(r: usize): bool {
  if (isNoted()) return false;
  store<u32>(L.CURRENT, <u32>r);
  return true;
}
/** Ends it: a fault that it met is held. True: it met one. */
@inline function end(): bool {
  if (!isNoted()) return false;
  holdNoted();
  return true;
}
export function handlerLoad(r: usize, linear: u64, size: u32): u64 {
  if (!begin(r)) return 0;
  let value = readWith(linear, size, READ | currentUser());
  end();
  return value;
}
export function handlerStore(r: usize, linear: u64, value: u64, size: u32): void {
  if (!begin(r)) return;
  writeWith(linear, size, value, WRITE | currentUser());
  end();
}
export function handlerModify(r: usize, linear: u64, size: u32): usize {
  if (!begin(r)) return L.DUMMY_OPERAND;
  let place = modifyWith(r, linear, size);
  return end() ? <usize>L.DUMMY_OPERAND : place;
}
/** Answers the address of a copy; the dummy's is as good as any. */
export function handlerLoadVector(r: usize, linear: u64): usize {
  if (!begin(r)) return L.VECTOR_SCRATCH;
  readVector(linear);
  end();
  return L.VECTOR_SCRATCH;
}
export function handlerStoreVector(r: usize, linear: u64, low: u64, high: u64): void {
  if (!begin(r)) return;
  let access = WRITE | currentUser();
  linear = wrap(linear);
  if (faults(linear, 16, 8, access)) { end(); return; }
  writeWith(linear, 8, low, access);
  writeWith(linear + 8, 8, high, access);
}
/** The 80-bit stores of the x87. */
export function handlerStoreExtended(r: usize, linear: u64, low: u64, high: u32): void {
  if (!begin(r)) return;
  let access = WRITE | currentUser();
  linear = wrap(linear);
  if (faults(linear, 10, 8, access)) { end(); return; }
  writeWith(linear, 8, low, access);
  writeWith(linear + 8, 2, high, access);
}
/** For stores of the x87 whose exception keeps memory as it is: the address is judged all the same. */
export function handlerProbe(r: usize, linear: u64, size: u32): void {
  if (!begin(r)) return;
  // alignment of an 80-bit number: SDM 3A table 6-7
  faults(wrap(linear), size, size == 10 ? 8 : size, WRITE | currentUser());
  end();
}

function modifyWith(r: usize, linear: u64, size: u32): usize {
  linear = wrap(linear);
  let access = WRITE | currentUser();
  if (faultsByAddress(linear, size, size, access)) return 0;
  let physical = physicalFor(linear, access), watched = watchedPage(linear & ~(<u64>0xfff));
  let crossing = crosses(linear, size);
  if (physical == NO_ADDRESS) return 0;
  if (load<u16>(r, L.R_ATTRIBUTES) & L.A_BUS_LOCK) noteBusLock(linear, size, isRam(physical));
  if (!crossing && !watched && isRam(physical) && !writesSeen(pageEntry(physical))) {
    fillTags(linear, physical, access, watched);
    return hostAddress(physical);
  }
  let first = crossing ? 4096 - (<u32>linear & 0xfff) : size, physical2: u64 = 0;
  if (crossing) {
    physical2 = physicalFor(wrap(linear + first), access);
    if (physical2 == NO_ADDRESS) return 0;
  }
  let n = load<u32>(L.BOUNCE_COUNT), b = <usize>L.BOUNCE + n * L.BOUNCE_SIZE;
  store<u32>(L.BOUNCE_COUNT, n + 1);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_RETIRE);
  store<u64>(b, linear);
  store<u32>(b, size, 8);
  store<u32>(b, first, 12);
  store<u64>(b, physical, 16);
  store<u64>(b, physical2, 24);
  readBytes(b + 32, physical, first);
  if (crossing) readBytes(b + 32 + first, physical2, size - first);
  memory.copy(b + 48, b + 32, 16);
  return b + 32;
}
/** Reads 16 bytes into VECTOR_SCRATCH. */
function readVector(linear: u64): void {
  let access = READ | currentUser();
  linear = wrap(linear);
  if (faults(linear, 16, 8, access)) return;
  let low = readWith(linear, 8, access), high = readWith(linear + 8, 8, access);
  store<u64>(L.VECTOR_SCRATCH, low); store<u64>(L.VECTOR_SCRATCH, high, 8);
}
/** Device accesses of up to 16 bytes go in pieces of at most 8. */
function readBytes(to: usize, physical: u64, size: u32): void {
  if (isRam(physical)) { memory.copy(to, hostAddress(physical), size); return; }
  while (size >= 8) { store<u64>(to, mmioRead(<f64>physical, 8)); to += 8; physical += 8; size -= 8; }
  if (size) {
    let v = readPart(physical, size);
    for (let i: u32 = 0; i < size; i++) store<u8>(to + i, <u8>(v >> (i << 3)));
  }
}
function writeBytes(from: usize, physical: u64, size: u32): void {
  if (isRam(physical)) { memory.copy(hostAddress(physical), from, size); written(physical, size); return; }
  while (size >= 8) { mmioWrite(<f64>physical, 8, load<u64>(from)); from += 8; physical += 8; size -= 8; }
  if (!size) return;
  let v: u64 = 0;
  for (let i: u32 = 0; i < size; i++) v |= <u64>load<u8>(from + i) << (i << 3);
  writePart(physical, size, v);
}
/**
 * Writes the bounce buffers of the instruction that retired back; cannot fault, both pages were translated for write.
 */
export function commitBounces(): void {
  let n = load<u32>(L.BOUNCE_COUNT);
  for (let i: u32 = 0; i < n; i++) {
    let b = <usize>L.BOUNCE + i * L.BOUNCE_SIZE, linear = load<u64>(b), size = load<u32>(b, 8);
    let first = load<u32>(b, 12);
    writeBytes(b + 32, load<u64>(b, 16), first);
    if (size > first) writeBytes(b + 32 + first, load<u64>(b, 24), size - first);
    if (watchedPage(linear & ~(<u64>0xfff)) || (size > first && watchedPage(linear + first)))
      noteAccess(linear, size, KIND_BOTH, load<u64>(b, 16), load<u64>(b, 48), load<u64>(b, 32));
  }
  store<u32>(L.BOUNCE_COUNT, 0);
}
/** Makes the fetch tag valid; 1: RAM, 0: code outside RAM. At a boundary: RIP is exact. */
export function fetchPage(linear: u64): u32 {
  store<u32>(L.CURRENT, 0);
  linear = wrap(linear);
  let physical = fetchable(linear);
  throwNoted();
  if (!isRam(physical)) return 0;
  fillFetch(linear, physical);
  return 1;
}
/** Physical address of code, or a noted fault. */
function fetchable(linear: u64): u64 {
  let access = FETCH | currentUser();
  return faultsByAddress(linear, 1, 1, access) ? NO_ADDRESS : physicalFor(linear, access);
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
    let physical = fetchable(at);
    throwNoted();
    store<u8>(<usize>L.FETCH_BUFFER + i, isRam(physical) ? load<u8>(hostAddress(physical))
      : <u8>mmioRead(<f64>physical, 1));
  }
}
function translateQuiet(linear: u64): i64 { return walk(linear, FETCH, true) ? -1 : 0; }

// ---- what the rest of system uses: faults are thrown ----------------------------------------------------------------
@inline function rights(user: u32): u32 { return user ? USER : IMPLICIT; }
export function readLinear(linear: u64, size: u32, user: u32): u64 {
  let value = readWith(linear, size, READ | rights(user));
  throwNoted();
  return value;
}
export function writeLinear(linear: u64, size: u32, value: u64, user: u32): void {
  writeWith(linear, size, value, WRITE | rights(user));
  throwNoted();
}
/** The running instruction's own accesses, with its rights. */
export function readOwn(linear: u64, size: u32): u64 {
  let value = readWith(linear, size, READ | currentUser());
  throwNoted();
  return value;
}
export function writeOwn(linear: u64, size: u32, value: u64): void {
  writeWith(linear, size, value, WRITE | currentUser());
  throwNoted();
}
/** Reads 16 bytes; answers the address of a copy. */
export function readOwnVector(linear: u64): usize {
  readVector(linear);
  throwNoted();
  return L.VECTOR_SCRATCH;
}
export function probeWrite(linear: u64, size: u32, user: u32): void { probe(linear, size, WRITE | rights(user), 1); }
export function probeRead(linear: u64, size: u32, user: u32): void { probe(linear, size, READ | rights(user), 1); }
/**
 * Faults exactly as the running instruction's own access would: an explicit access, which SMAP lets through while AC is
 * set (SDM 3A 5.6). The two above are implicit ones when user is 0. alignment: what an alignment check asks for.
 */
export function probeOperand(linear: u64, size: u32, write: bool, alignment: u32 = 1): void {
  probe(linear, size, (write ? WRITE : READ) | currentUser(), alignment);
}
function probe(linear: u64, size: u32, access: u32, alignment: u32): void {
  faults(wrap(linear), size, alignment, access);
  throwNoted();
}
