// Page-table walks (SDM 3A chapter 4): none, 32-bit, PAE and 4-level paging.
import * as L from '../../../layout';
import { readEntry, writeEntry } from './physical';
import {
  insert, FLAG_WRITABLE, FLAG_USER, FLAG_DIRTY, FLAG_LARGE, FLAG_GLOBAL, FLAG_NO_EXECUTE, FLAG_HUGE,
} from '../state/tlb';

// kinds of access; WRITE and USER have the positions of the page-fault error code, FETCH its instruction bit
export const READ: u32 = 0;
export const WRITE: u32 = 2;
export const USER: u32 = 4;
export const FETCH: u32 = 16;
/** Implicit supervisor access (descriptor tables, TSS): RFLAGS.AC does not help against SMAP. */
export const IMPLICIT: u32 = 0x100;

const P: u64 = 1, RW: u64 = 2, US: u64 = 4, A: u64 = 0x20, D: u64 = 0x40, PS: u64 = 0x80, G: u64 = 0x100;
const NX: u64 = 1 << 63;
const ADDRESS: u64 = 0x000ffffffffff000;
/** Bits above the physical address width of 40 (CPUID 80000008h) are reserved. */
const RESERVED: u64 = 0x000fff0000000000;
/** PAE entries have no ignored bits there either. */
const RESERVED_PAE: u64 = 0x7fffff0000000000;
const NOT_MAPPED: u64 = ~(<u64>0);

const CR0_PG: u64 = 1 << 31, CR0_WP: u64 = 1 << 16;
const CR4_PSE: u64 = 1 << 4, CR4_PAE: u64 = 1 << 5, CR4_PGE: u64 = 1 << 7, CR4_SMEP: u64 = 1 << 20;
const CR4_SMAP: u64 = 1 << 21;
const EFER_LMA: u64 = 1 << 10, EFER_NXE: u64 = 1 << 11;

@inline export function longMode(): bool { return (load<u64>(L.EFER) & EFER_LMA) != 0; }
/** Bits 63:47 all alike (48-bit linear addresses). */
@inline export function isCanonical(linear: u64): bool { return ((<i64>linear << 16) >> 16) == <i64>linear; }

/** Whether flags of a translation allow an access now (CR0.WP, SMEP, SMAP, AC). */
export function allows(flags: u32, access: u32): bool {
  if (access & FETCH && flags & FLAG_NO_EXECUTE) return false;
  if (access & USER) return (flags & FLAG_USER) != 0 && (!(access & WRITE) || (flags & FLAG_WRITABLE) != 0);
  if (flags & FLAG_USER) {
    if (access & FETCH) { if (load<u64>(L.CR4) & CR4_SMEP) return false; }
    else if (load<u64>(L.CR4) & CR4_SMAP && (access & IMPLICIT || !(load<u64>(L.RFLAGS) & 0x40000))) return false;
  }
  return !(access & WRITE) || (flags & FLAG_WRITABLE) != 0 || !(load<u64>(L.CR0) & CR0_WP);
}

/** Error code of the last failed walk (SDM 3A 4.7). */
function errorOf(access: u32, bits: u32): u32 {
  let error = bits | (access & (WRITE | USER));
  if (access & FETCH && ((load<u64>(L.EFER) & EFER_NXE && load<u64>(L.CR4) & CR4_PAE) || load<u64>(L.CR4) & CR4_SMEP))
    error |= FETCH;
  return error;
}

/**
 * Walks the paging structures for an access, sets A and D, and enters the translation in the architectural TLB.
 * Answers 0, or 1 + the page-fault error code. quiet: no side effects at all, result in walkedPhysical().
 */
export function walk(linear: u64, access: u32, quiet: bool): u32 {
  let page = linear & ~(<u64>0xfff);
  if (!(load<u64>(L.CR0) & CR0_PG)) return finish(linear, page, FLAG_WRITABLE | FLAG_USER | FLAG_DIRTY, quiet);
  let cr4 = load<u64>(L.CR4), nxe = (load<u64>(L.EFER) & EFER_NXE) != 0, wide = (cr4 & CR4_PAE) != 0;
  let level: u32 = wide ? (longMode() ? 4 : 3) : 2, bits: u32 = wide ? 9 : 10;
  let table = load<u64>(L.CR3) & (wide ? (level == 4 ? ADDRESS : 0xffffffe0) : 0xfffff000);
  let allowed = FLAG_WRITABLE | FLAG_USER, blocked: u32 = 0;
  let reserved: u64 = wide ? (longMode() ? RESERVED : RESERVED_PAE) : 0;
  if (wide && !nxe) reserved |= NX;
  if (level == 3) { // PAE's top level are registers, loaded and checked with CR3: no R/W, U/S, A, no reserved bits
    let pointer = load<u64>(L.PDPTE + (<usize>(linear >> 30 & 3) << 3));
    if (!(pointer & P)) return 1 + errorOf(access, 0);
    table = pointer & ADDRESS;
    level = 2;
  }
  while (true) {
    let shift = 12 + (level - 1) * bits, at = table + (((linear >> shift) & ((<u64>1 << bits) - 1)) << (wide ? 3 : 2));
    let entry = readEntry(at, wide);
    if (!(entry & P)) return 1 + errorOf(access, 0);
    let leaf = level == 1 || (entry & PS && (level == 2 ? wide || (cr4 & CR4_PSE) != 0 : level == 3));
    let forbidden = reserved;
    if (level == 4) forbidden |= PS;
    if (leaf && level == 2) forbidden |= wide ? 0x1fe000 : 0x200000;
    if (leaf && level == 3) forbidden |= 0x3fffe000;
    if (entry & forbidden) return 1 + errorOf(access, 9);
    if (!(entry & RW)) allowed &= ~FLAG_WRITABLE;
    if (!(entry & US)) allowed &= ~FLAG_USER;
    if (wide && entry & NX) blocked = FLAG_NO_EXECUTE;
    if (leaf) return enterLeaf(linear, access, quiet, at, entry, level, wide, allowed | blocked);
    if (!(entry & A) && !quiet) writeEntry(at, wide, entry | A);
    table = wide ? entry & ADDRESS : entry & 0xfffff000;
    level--;
  }
}
function enterLeaf(linear: u64, access: u32, quiet: bool, at: u64, entry: u64, level: u32, wide: bool,
  flags: u32): u32 {
  if (entry & G && load<u64>(L.CR4) & CR4_PGE) flags |= FLAG_GLOBAL;
  if (level == 2) flags |= wide ? FLAG_LARGE : FLAG_HUGE;
  if (level == 3) flags |= FLAG_HUGE;
  if (!quiet && !allows(flags, access)) return 1 + errorOf(access, 1);
  let updated = entry | A;
  if (access & WRITE) updated |= D;
  if (!quiet && updated != entry) writeEntry(at, wide, updated);
  if (updated & D) flags |= FLAG_DIRTY;
  let span: u64 = level == 1 ? 0xfff : level == 3 ? 0x3fffffff : wide ? 0x1fffff : 0x3fffff;
  let base = wide ? entry & ADDRESS & ~span : level == 1 ? entry & 0xfffff000
    : (entry & 0xffc00000) | ((entry & 0x1fe000) << 19);
  return finish(linear, base | (linear & span & ~(<u64>0xfff)), flags, quiet);
}
function finish(linear: u64, frame: u64, flags: u32, quiet: bool): u32 {
  if (quiet) store<u64>(L.WALK_RESULT, frame | (linear & 0xfff));
  else insert(linear, frame, flags);
  return 0;
}
/**
 * Physical address of a linear address for the debugger: no permission check, no A or D bits, no TLB; -1: not mapped.
 */
export function translate(linear: u64): u64 {
  if (longMode()) { if (!isCanonical(linear)) return NOT_MAPPED; } else linear &= 0xffffffff;
  return walk(linear, READ, true) ? NOT_MAPPED : load<u64>(L.WALK_RESULT);
}
