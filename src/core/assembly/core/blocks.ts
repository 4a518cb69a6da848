// The cache of decoded blocks. Key: (physical page, linear address, mode, CS base and limit when not flat). A block
// never spans pages, but for a single instruction that crosses: that block carries both frames and holds nothing else.
import * as L from '../../layout';
import { frameEntry, hashBucket, linearBucket } from '../block-index';
import { decode, decodeBeyondLimit } from './decoder';
import { fallHandler } from './handlers/control';
import { fetchPage, fetchBytes, codePage, isSplit } from './imports';

@inline function fastEntry(linear: u64): usize {
  return <usize>load<u32>(L.TLB_BASE) + ((<u32>(linear >> 12) & (L.TLB_ENTRIES - 1)) << 5);
}
/**
 * Whether flat block b is the one at a linear address of the running code: what lookup would find, asked the other way
 * round.
 */
@inline function isAt(b: usize, linear: u64, mode: u32): bool {
  if (!b || load<u64>(b, L.B_LINEAR) != linear || load<u32>(b, L.B_MODE) != mode) return false;
  if (load<u32>(b, L.B_FLAGS) & L.BLOCK_DROPPED || load<u32>(b, L.B_FRAME2) != L.NO_FRAME) return false;
  let e = fastEntry(linear);
  return load<u64>(e, L.T_FETCH) == (linear & ~(<u64>0xfff)) && load<u32>(e, L.T_FRAME) == load<u32>(b, L.B_FRAME);
}
/**
 * The block at the vCPU's RIP, guessed from the one that ran before (0: none): a guess that the processor can make
 * before it knows RIP. Blocks remember the two last successors that were looked up.
 */
@inline export function successor(previous: usize): usize {
  let mode = load<u32>(L.MODE);
  if (previous && mode & L.MODE_FLAT && load<u32>(previous, L.B_MODE) == mode) {
    let linear = load<u64>(L.RIP); // a flat CS has base 0
    let b: usize = load<u32>(previous, L.B_SUCCESSOR);
    if (isAt(b, linear, mode)) return b;
    b = load<u32>(previous, L.B_SUCCESSOR2);
    if (isAt(b, linear, mode)) return b;
    return learn(previous);
  }
  return lookup();
}
function learn(previous: usize): usize {
  let generation = load<u32>(L.CODE_GENERATION), b = lookup();
  if (load<u32>(L.CODE_GENERATION) != generation || b == L.SCRATCH_BLOCK) return b;
  store<u32>(previous, load<u32>(previous, L.B_SUCCESSOR), L.B_SUCCESSOR2);
  store<u32>(previous, <u32>b, L.B_SUCCESSOR);
  return b;
}
/** Not flat: the records hold offsets, and the limit was looked at when they were decoded. */
@inline function sameCodeSegment(b: usize): bool {
  return load<u64>(b, L.B_CS_BASE) == load<u64>(L.CS) && load<u32>(b, L.B_CS_LIMIT) == load<u32>(L.CS, 8);
}
/** Frame that a linear address is fetched from, or NO_FRAME when it is not RAM; throws #PF. */
function fetchFrame(linear: u64): u32 {
  let e = fastEntry(linear);
  if (load<u64>(e, L.T_FETCH) != (linear & ~(<u64>0xfff)) && !fetchPage(linear)) return L.NO_FRAME;
  return load<u32>(fastEntry(linear), L.T_FRAME);
}

/** The block at the vCPU's RIP: found or decoded. Throws when the first instruction cannot be fetched. */
export function lookup(): usize {
  let mode = load<u32>(L.MODE), linear = load<u64>(L.RIP) + load<u64>(L.CS);
  if ((mode & L.MODE_CODE) != 2) linear &= 0xffffffff;
  let frame = fetchFrame(linear);
  if (frame == L.NO_FRAME) return translateUncached(linear, mode);
  let bucket = hashBucket(linear, frame);
  for (let b: usize = load<u32>(bucket); b; b = load<u32>(b, L.B_NEXT_HASH)) {
    if (load<u64>(b, L.B_LINEAR) != linear || load<u32>(b, L.B_FRAME) != frame || load<u32>(b, L.B_MODE) != mode)
      continue;
    if (!(mode & L.MODE_FLAT) && !sameCodeSegment(b)) continue;
    let frame2 = load<u32>(b, L.B_FRAME2);
    if (frame2 != L.NO_FRAME && fetchFrame((linear | 0xfff) + 1) != frame2) continue;
    return b;
  }
  return translate(linear, frame, mode, bucket);
}

function translate(linear: u64, frame: u32, mode: u32, bucket: usize): usize {
  let need = <usize>(L.HEADER_SIZE + (L.BLOCK_MAX + 1) * L.RECORD_SIZE);
  if (<usize>load<u32>(L.ARENA_TOP) + need > <usize>load<u32>(L.CONFIG_ARENA_END)) flush();
  let b = <usize>load<u32>(L.ARENA_TOP), page = (<usize>load<u32>(L.CONFIG_RAM)) + (<usize>frame << 12);
  let end = fill(b, linear, page + <usize>(<u32>linear & 0xfff), 4096 - (<u32>linear & 0xfff), mode, false);
  store<u32>(b, frame, L.B_FRAME);
  store<u32>(L.ARENA_TOP, <u32>end);
  store<u32>(b, load<u32>(bucket), L.B_NEXT_HASH); store<u32>(bucket, <u32>b);
  let p = frameEntry(frame), lastByte = <u32>linear & 0xfff;
  for (let r = b + L.HEADER_SIZE, i: u32 = 0, n = load<u32>(b); i < n; i++, r += L.RECORD_SIZE)
    lastByte += load<u8>(r, L.R_LENGTH);
  if (lastByte > 0) lastByte--;
  let crossing = load<u32>(b, L.B_FRAME2) != L.NO_FRAME;
  if (crossing || lastByte > 4095) lastByte = 4095;
  mark(p, frame, <u32>linear & 0xfff, lastByte);
  store<u32>(b, load<u32>(p, L.PAGE_BLOCKS), L.B_NEXT_PHYSICAL); store<u32>(p, <u32>b, L.PAGE_BLOCKS);
  if (crossing) {
    let frame2 = load<u32>(b, L.B_FRAME2), p2 = frameEntry(frame2);
    mark(p2, frame2, 0, 15);
    store<u32>(p2, load<u32>(p2, L.PAGE_FLAGS) | 2, L.PAGE_FLAGS);
  }
  let l = linearBucket(linear);
  store<u32>(b, load<u32>(l), L.B_NEXT_LINEAR); store<u32>(l, <u32>b);
  return b;
}
/** Marks the 64-byte lines first..last (offsets in the page) as decoded code. */
function mark(p: usize, frame: u32, first: u32, last: u32): void {
  let lines = load<u64>(p, L.PAGE_CODE);
  if (!lines) codePage(frame);
  for (let i = first >> 6; i <= last >> 6; i++) lines |= (<u64>1) << i;
  store<u64>(p, lines, L.PAGE_CODE);
}

/** Code outside RAM: one instruction, decoded anew each time. */
function translateUncached(linear: u64, mode: u32): usize {
  fetchBytes(linear, 15);
  fill(L.SCRATCH_BLOCK, linear, L.FETCH_BUFFER, 15, mode, true);
  return L.SCRATCH_BLOCK;
}

/** Decodes from bytes (available of them on this page) into block b; answers the first free address behind it. */
function fill(b: usize, linear: u64, bytes: usize, available: u32, mode: u32, single: bool): usize {
  memory.fill(b, 0, L.HEADER_SIZE);
  store<u64>(b, linear, L.B_LINEAR); store<u32>(b, L.NO_FRAME, L.B_FRAME2); store<u32>(b, mode, L.B_MODE);
  if (!(mode & L.MODE_FLAT)) {
    store<u64>(b, load<u64>(L.CS), L.B_CS_BASE);
    store<u32>(b, load<u32>(L.CS, 8), L.B_CS_LIMIT);
  }
  let r = b + L.HEADER_SIZE, rip = load<u64>(L.RIP), n: u32 = 0, flags: u32 = 0, at: u32 = 0;
  if (load<u32>(L.SPLIT_COUNT) && isSplit(linear)) flags |= L.BLOCK_GUARD;
  let flat = (mode & L.MODE_FLAT) != 0, limit = <u64>load<u32>(L.CS, 8);
  while (true) {
    let done = decode(r, bytes + at, available - at, rip, mode);
    // fetches beyond the limit of CS fault before those of a missing page (SDM 3A table 6-2)
    if (!flat && rip + (done ? load<u8>(r, L.R_LENGTH) : available - at + 1) > limit + 1) {
      decodeBeyondLimit(r, rip);
      done = 1;
    }
    if (!done) { // the instruction goes on on the next page
      if (n) break;
      let frame2 = fetchFrame((linear | 0xfff) + 1), first = available - at;
      memory.copy(L.FETCH_BUFFER, bytes + at, first);
      if (frame2 != L.NO_FRAME)
        memory.copy(<usize>L.FETCH_BUFFER + first, (<usize>load<u32>(L.CONFIG_RAM)) + (<usize>frame2 << 12), 15);
      else memory.fill(<usize>L.FETCH_BUFFER + first, 0xff, 15);
      decode(r, L.FETCH_BUFFER, 30, rip, mode);
      if (!flat && rip + load<u8>(r, L.R_LENGTH) > limit + 1) decodeBeyondLimit(r, rip);
      store<u32>(b, frame2, L.B_FRAME2);
      single = true;
    }
    n++;
    let attributes = load<u16>(r, L.R_ATTRIBUTES);
    rip = load<u64>(r, L.R_NEXT); at += load<u8>(r, L.R_LENGTH); r += L.RECORD_SIZE;
    if (attributes & L.A_ENDS_BLOCK) { flags |= L.BLOCK_TERMINATED; break; }
    if (single || attributes & L.A_BOUNDARY || n == L.BLOCK_MAX || at >= available) break;
    if (load<u32>(L.SPLIT_COUNT) && isSplit(linear + at)) break;
  }
  if (!(flags & L.BLOCK_TERMINATED)) { // a record that only stores the next RIP: to the JIT it is a jump like any other
    memory.fill(r, 0, L.RECORD_SIZE);
    store<u16>(r, <u16>fallHandler()); store<u64>(r, rip, L.R_NEXT);
    r += L.RECORD_SIZE;
  }
  store<u32>(b, n, L.B_COUNT); store<u32>(b, flags, L.B_FLAGS);
  return r;
}

/** Forgets every block. Only at a safe point: no block may be running. */
export function flush(): void {
  store<u32>(L.ARENA_TOP, load<u32>(L.CONFIG_ARENA));
  store<u32>(L.CODE_GENERATION, load<u32>(L.CODE_GENERATION) + 1);
  memory.fill(load<u32>(L.CONFIG_BLOCKS), 0, L.BLOCK_HASH_SIZE * 4);
  memory.fill(load<u32>(L.CONFIG_LINEAR_PAGES), 0, L.LINEAR_HASH_SIZE * 4);
  let frames = load<u32>(L.CONFIG_RAM_SIZE) >> 12;
  for (let f: u32 = 0; f < frames; f++) {
    let p = frameEntry(f);
    store<u64>(p, 0, L.PAGE_CODE); store<u32>(p, 0, L.PAGE_BLOCKS);
    store<u32>(p, load<u32>(p, L.PAGE_FLAGS) & ~2, L.PAGE_FLAGS);
  }
}
