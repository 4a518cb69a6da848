// The two TLBs of a vCPU. The architectural one is guest state: filled by a walk, changed only by what the guest does.
// The fast tags are derived from it entry by entry (same index), so dropping them is never visible to the guest.
import * as L from '../../../layout';

const PAGE_MASK: u64 = ~(<u64>0xfff);
export const FLAG_WRITABLE: u32 = 2;
export const FLAG_USER: u32 = 4;
export const FLAG_DIRTY: u32 = 0x40;
export const FLAG_LARGE: u32 = 0x80;
export const FLAG_GLOBAL: u32 = 0x100;
export const FLAG_NO_EXECUTE: u32 = 0x200;
export const FLAG_HUGE: u32 = 0x400;

@inline export function area(): usize { return load<u32>(L.TLB_AREA); }
@inline export function indexOf(linear: u64): u32 { return <u32>(linear >> 12) & (L.TLB_ENTRIES - 1); }
@inline export function architectural(linear: u64): usize {
  return area() + L.TLB_ARCHITECTURAL + (<usize>indexOf(linear) << 5);
}
@inline export function present(entry: usize, linear: u64): bool {
  return load<u64>(entry, L.TA_TAG) == (linear & PAGE_MASK);
}

/**
 * Makes everything anew that is derived from the architectural TLB, which may hold anything (after power-on and
 * restore).
 */
export function resetTags(): void {
  let count = load<u32>(area() + L.TLB_LIST_COUNT);
  memory.fill(area() + L.TLB_LARGE_COUNTS, 0, L.TLB_LARGE_BUCKETS << 1);
  for (let i: u32 = 0; i < count; i++) {
    let index = load<u16>(area() + L.TLB_LIST + (<usize>i << 1)), e = area() + (<usize>index << 5);
    setPlace(index, i);
    if (load<u32>(e, L.TA_FLAGS) & FLAG_LARGE) countLarge(load<u64>(e, L.TA_TAG), 1);
  }
  for (let e = area() + L.TLB_USER, end = area() + L.TLB_AREA_SIZE; e < end; e += L.TLB_ENTRY) {
    store<u64>(e, L.TLB_INVALID, L.T_READ);
    store<u64>(e, L.TLB_INVALID, L.T_WRITE);
    store<u64>(e, L.TLB_INVALID, L.T_FETCH);
  }
}
/** Empties both TLBs of the running vCPU. */
export function initTlb(): void {
  for (let i: usize = 0; i < <usize>L.TLB_ENTRIES; i++) {
    memory.fill(area() + (i << 5), 0, L.TLB_ENTRY);
    store<u64>(area() + (i << 5), L.TLB_INVALID, L.TA_TAG);
  }
  memory.fill(area() + L.TLB_LIST_COUNT, 0, L.TLB_GUEST_END - L.TLB_LIST_COUNT);
  resetTags();
}
/** Drops the fast tags of one index in all banks. */
function dropTags(index: u32): void {
  for (let e = area() + L.TLB_USER + (<usize>index << 5),
    end = area() + L.TLB_AREA_SIZE; e < end; e += L.TLB_BANK_SIZE) {
    store<u64>(e, L.TLB_INVALID, L.T_READ);
    store<u64>(e, L.TLB_INVALID, L.T_WRITE);
    store<u64>(e, L.TLB_INVALID, L.T_FETCH);
  }
}
export function dropTagsOf(linear: u64): void { dropTags(indexOf(linear)); }
/** Throws all fast tags of this vCPU away; they are refilled from the architectural TLB without a walk. */
export function flushTags(): void {
  let count = load<u32>(area() + L.TLB_LIST_COUNT);
  for (let i: u32 = 0; i < count; i++) dropTags(load<u16>(area() + L.TLB_LIST + (<usize>i << 1)));
}

/** Enters a translation; what stood at its index (and its tags) is gone. */
export function insert(linear: u64, frame: u64, flags: u32): usize {
  let index = indexOf(linear), e = architectural(linear), list = area() + L.TLB_LIST_COUNT;
  if (load<u64>(e, L.TA_TAG) == L.TLB_INVALID) {
    let count = load<u32>(list);
    store<u16>(area() + L.TLB_LIST + (<usize>count << 1), <u16>index);
    store<u32>(list, count + 1);
    setPlace(index, count);
  } else {
    countParts(e, -1);
    dropTags(index);
  }
  store<u64>(e, linear & PAGE_MASK, L.TA_TAG); store<u64>(e, frame, L.TA_FRAME); store<u32>(e, flags, L.TA_FLAGS);
  countParts(e, 1);
  return e;
}
/** An entry that comes from a page larger than 4 KiB is counted, for INVLPG. */
function countParts(e: usize, by: i32): void {
  let flags = load<u32>(e, L.TA_FLAGS);
  if (flags & FLAG_HUGE) countHuge(by);
  if (flags & FLAG_LARGE) countLarge(load<u64>(e, L.TA_TAG), by);
}
@inline function largeCount(linear: u64): usize {
  return area() + L.TLB_LARGE_COUNTS + (<usize>(<u32>(linear >> 21) & (L.TLB_LARGE_BUCKETS - 1)) << 1);
}
function countLarge(linear: u64, by: i32): void {
  let bucket = largeCount(linear);
  store<u16>(bucket, <u16>(load<u16>(bucket) + by));
}
@inline function setPlace(index: u32, place: u32): void {
  store<u16>(area() + L.TLB_LIST_PLACES + (<usize>index << 1), <u16>place);
}
function countHuge(by: i32): void { store<i32>(area() + L.TLB_HUGE_COUNT, load<i32>(area() + L.TLB_HUGE_COUNT) + by); }

/**
 * Removes the entries that a filter names and closes the gaps of the list. all: also global ones; hugeOnly: only parts
 * of huge pages.
 */
function removeWhere(all: bool, hugeOnly: bool): void {
  let list = area() + L.TLB_LIST, count = load<u32>(area() + L.TLB_LIST_COUNT), kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    let index = load<u16>(list + (<usize>i << 1)), e = area() + (<usize>index << 5), flags = load<u32>(e, L.TA_FLAGS);
    if (load<u64>(e, L.TA_TAG) != L.TLB_INVALID) {
      if (hugeOnly ? !(flags & FLAG_HUGE) : !all && flags & FLAG_GLOBAL) {
        store<u16>(list + (<usize>kept << 1), index);
        setPlace(index, kept);
        kept++;
        continue;
      }
      countParts(e, -1);
      store<u64>(e, L.TLB_INVALID, L.TA_TAG); store<u64>(e, 0, L.TA_FRAME); store<u32>(e, 0, L.TA_FLAGS);
    }
    dropTags(index);
  }
  store<u32>(area() + L.TLB_LIST_COUNT, kept);
  memory.fill(list + (<usize>kept << 1), 0, <usize>(count - kept) << 1);
}
/** MOV to CR3 (not global pages), changes of CR0.PG, CR4.PGE and the like (globalToo). SDM 3A 4.10.4.1 */
export function flushTlb(globalToo: bool): void { removeWhere(globalToo, false); }

/** Takes one index out of TLB and list. */
function remove(e: usize, index: u32): void {
  countParts(e, -1);
  store<u64>(e, L.TLB_INVALID, L.TA_TAG); store<u64>(e, 0, L.TA_FRAME); store<u32>(e, 0, L.TA_FLAGS);
  dropTags(index);
  let list = area() + L.TLB_LIST, count = load<u32>(area() + L.TLB_LIST_COUNT);
  let place = load<u16>(area() + L.TLB_LIST_PLACES + (<usize>index << 1));
  let last = load<u16>(list + (<usize>(count - 1) << 1));
  store<u16>(list + (<usize>place << 1), last);
  setPlace(last, place);
  store<u16>(list + (<usize>(count - 1) << 1), 0);
  store<u32>(area() + L.TLB_LIST_COUNT, count - 1);
}
/** INVLPG: every translation of the page that holds the address, whatever its size (SDM 3A 4.10.4.1). */
export function invalidatePage(linear: u64): void {
  if (load<u32>(area() + L.TLB_HUGE_COUNT)) removeWhere(false, true);
  let e = architectural(linear);
  if (present(e, linear)) remove(e, indexOf(linear));
  if (!load<u16>(largeCount(linear))) return;
  let base = linear & ~(<u64>0x1fffff);
  for (let i: u64 = 0; i < 512; i++) {
    let part = base + (i << 12), p = architectural(part);
    if (present(p, part) && load<u32>(p, L.TA_FLAGS) & FLAG_LARGE) remove(p, indexOf(part));
  }
}
/** A page became code: its write tags go, in every bank of every vCPU. */
export function dropWriteTagsOfFrame(frame: u32): void {
  let base: usize = load<u32>(L.CONFIG_TLB), vcpus = load<u32>(L.CONFIG_VCPUS);
  for (let v: u32 = 0; v < vcpus; v++, base += L.TLB_AREA_SIZE) {
    let count = load<u32>(base + L.TLB_LIST_COUNT);
    for (let i: u32 = 0; i < count; i++) {
      let index = <usize>load<u16>(base + L.TLB_LIST + (<usize>i << 1));
      for (let e = base + L.TLB_USER + (index << 5), end = base + L.TLB_MISS; e < end; e += L.TLB_BANK_SIZE)
        if (load<u64>(e, L.T_WRITE) != L.TLB_INVALID && load<u32>(e, L.T_FRAME) == frame)
          store<u64>(e, L.TLB_INVALID, L.T_WRITE);
    }
  }
}
/** Chooses the bank of fast tags by access regime. */
export function selectBank(): void {
  let bank: usize = L.TLB_SUPERVISOR;
  if (load<u32>(L.CPL) == 3) bank = alignmentChecked() ? L.TLB_MISS : L.TLB_USER;
  else if (load<u64>(L.CR4) & 0x200000 && load<u64>(L.RFLAGS) & 0x40000) bank = L.TLB_SUPERVISOR_AC; // SMAP with AC
  store<u32>(L.TLB_BASE, <u32>(area() + bank));
}
/** CPL 3, CR0.AM and RFLAGS.AC: misaligned data accesses raise #AC (SDM 3A 6.15, vector 17). */
export function alignmentChecked(): bool {
  return load<u32>(L.CPL) == 3 && (load<u64>(L.CR0) & 0x40000) != 0 && (load<u64>(L.RFLAGS) & 0x40000) != 0;
}
