// Guest-physical memory, and the one hook for writes to pages that hold decoded code.
import * as L from '../../../layout';
import { frameEntry, hashBucket, linearBucket } from '../../block-index';
import { monitoredWrite } from './monitor-line';
import { hostAddress, isRam, pageEntry } from '../state/ram';
import { dropWriteTagsOfFrame } from '../state/tlb';

/** Reads a paging-structure entry; outside RAM it reads all-ones. */
export function readEntry(physical: u64, wide: bool): u64 {
  if (!isRam(physical)) return wide ? ~(<u64>0) : 0xffffffff;
  return wide ? load<u64>(hostAddress(physical)) : <u64>load<u32>(hostAddress(physical));
}
/** Eight bytes of physical memory; all-ones outside RAM. */
export function physicalQuad(physical: u64): u64 { return readEntry(physical, true); }
export function writeEntry(physical: u64, wide: bool, value: u64): void {
  if (!isRam(physical)) return;
  if (wide) store<u64>(hostAddress(physical), value); else store<u32>(hostAddress(physical), <u32>value);
  written(physical, wide ? 8 : 4);
}

/** Called after bytes of RAM changed; they lie on one page. Blocks decoded from them are dropped. */
export function written(physical: u64, size: u32): void {
  let p = pageEntry(physical), lines = load<u64>(p, L.PAGE_CODE);
  if (load<u32>(p, L.PAGE_FLAGS) & L.PAGE_MONITORED) monitoredWrite(physical, size);
  if (!lines) return;
  let first = (<u32>physical & 0xfff) >> 6, last = ((<u32>physical & 0xfff) + size - 1) >> 6;
  let mask = (~(<u64>0) << first) & (~(<u64>0) >> (63 - last));
  if (lines & mask) dropPage(p, <u32>(physical >> 12));
}
/** The same for any range (DMA, debugger). */
export function physicalWritten(physical: u32, size: u32): void {
  let at = <u64>physical, end = at + size;
  while (at < end) {
    let stop = min((at | 0xfff) + 1, end);
    if (isRam(at)) written(at, <u32>(stop - at));
    at = stop;
  }
}

/**
 * Drops all blocks of a frame. The running one stays readable until the next flush: the loop leaves it after this
 * instruction.
 */
function dropPage(p: usize, frame: u32): void {
  for (let b: usize = load<u32>(p, L.PAGE_BLOCKS); b; b = load<u32>(b, L.B_NEXT_PHYSICAL)) unlink(b, true);
  store<u32>(p, 0, L.PAGE_BLOCKS);
  if (load<u32>(p, L.PAGE_FLAGS) & 2) {
    dropCrossing(frame);
    store<u32>(p, load<u32>(p, L.PAGE_FLAGS) & ~2, L.PAGE_FLAGS);
  }
  store<u64>(p, 0, L.PAGE_CODE);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
}
/** Blocks of one crossing instruction whose second page is this frame: rare enough for a look at all of them. */
function dropCrossing(frame: u32): void {
  let table: usize = load<u32>(L.CONFIG_BLOCKS);
  for (let i: usize = 0; i < <usize>L.BLOCK_HASH_SIZE; i++) {
    let b: usize = load<u32>(table + (i << 2));
    while (b) {
      let next: usize = load<u32>(b, L.B_NEXT_HASH);
      if (load<u32>(b, L.B_FRAME2) == frame) unlink(b, false);
      b = next;
    }
  }
}
/** Takes block b out of a chain that starts at `head` and goes on at offset `next`. */
function cut(head: usize, b: usize, next: usize): void {
  for (let at = head; ;) {
    let x: usize = load<u32>(at);
    if (!x) return;
    if (x == b) { store<u32>(at, load<u32>(b + next)); return; }
    at = x + next;
  }
}
/** keepPhysical: the caller walks the physical chain itself and empties it. */
function unlink(b: usize, keepPhysical: bool): void {
  let linear = load<u64>(b, L.B_LINEAR), frame = load<u32>(b, L.B_FRAME);
  cut(hashBucket(linear, frame), b, L.B_NEXT_HASH);
  cut(linearBucket(linear), b, L.B_NEXT_LINEAR);
  if (!keepPhysical) cut(frameEntry(frame) + L.PAGE_BLOCKS, b, L.B_NEXT_PHYSICAL);
  store<u32>(b, load<u32>(b, L.B_FLAGS) | L.BLOCK_DROPPED, L.B_FLAGS);
}
/** Drops the blocks of the linear page that holds an address: the set of execution breakpoints changed there. */
export function dropBlocksAt(linear: u64): void {
  let page = linear >> 12;
  let b: usize = load<u32>(linearBucket(linear));
  while (b) {
    let next: usize = load<u32>(b, L.B_NEXT_LINEAR);
    if (load<u64>(b, L.B_LINEAR) >> 12 == page) unlink(b, false);
    b = next;
  }
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
}
/** First decoded line on a page: from now on its stores go the slow way. */
export function codePage(frame: u32): void {
  let p = frameEntry(frame);
  if (!(load<u32>(p, L.PAGE_FLAGS) & 1)) return;
  dropWriteTagsOfFrame(frame);
  store<u32>(p, load<u32>(p, L.PAGE_FLAGS) & ~1, L.PAGE_FLAGS);
}
