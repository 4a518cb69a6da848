// The cache of decoded blocks (src/core/assembly/core/blocks.ts) as the JIT sees it: what has been decoded, without decoding.
import * as L from '../core/layout.ts';

const PAGE_MASK = 0xfffn;

/** Reads headers and records of decoded blocks. Addresses are valid until the arena is flushed (CODE_GENERATION). */
export class Blocks {
  readonly view: DataView;
  constructor(view: DataView) {
    this.view = view;
  }
  u32(address: number): number {
    return this.view.getUint32(address, true);
  }
  linear(header: number): bigint {
    return this.view.getBigUint64(header + L.B_LINEAR, true);
  }
  count(header: number): number {
    return this.u32(header + L.B_COUNT);
  }
  /** Records with the fall record that a block without a terminator has. */
  records(header: number): number {
    const terminated = (this.u32(header + L.B_FLAGS) & L.BLOCK_TERMINATED) !== 0;
    return this.count(header) + (terminated ? 0 : 1);
  }
  record(header: number, index: number): number {
    return header + L.HEADER_SIZE + index * L.RECORD_SIZE;
  }
  attributes(record: number): number {
    return this.view.getUint16(record + L.R_ATTRIBUTES, true);
  }
  next(record: number): bigint {
    return this.view.getBigUint64(record + L.R_NEXT, true);
  }

  /** Blocks that may be inside a region: flat, in RAM, on one page, without a breakpoint's guard, still in the cache. */
  compilable(header: number): boolean {
    if (header < this.u32(L.CONFIG_ARENA) || this.u32(header + L.B_FRAME2) !== L.NO_FRAME) return false;
    if ((this.u32(header + L.B_FLAGS) & (L.BLOCK_GUARD | L.BLOCK_DROPPED)) !== 0) return false;
    return (this.u32(header + L.B_MODE) & L.MODE_FLAT) !== 0;
  }
  /**
   * The block at a linear address that code in block `from` would reach: on the same page the one of the same frame, elsewhere
   * the one that was executed most often (whether its frame is mapped there is checked when the region gets there). 0: none.
   */
  find(linear: bigint, from: number): number {
    const mode = this.u32(from + L.B_MODE);
    const frame = this.u32(from + L.B_FRAME);
    const samePage = (linear & ~PAGE_MASK) === (this.linear(from) & ~PAGE_MASK);
    let best = 0;
    for (let b = this.u32(this.linearBucket(linear)); b !== 0; b = this.u32(b + L.B_NEXT_LINEAR)) {
      if (this.linear(b) !== linear || this.u32(b + L.B_MODE) !== mode) continue;
      if (samePage && this.u32(b + L.B_FRAME) !== frame) continue;
      if (best === 0 || this.u32(b + L.B_HOT) > this.u32(best + L.B_HOT)) best = b;
    }
    return best;
  }
  /** As in src/core/assembly/block-index.ts. */
  private linearBucket(linear: bigint): number {
    const page = Number(BigInt.asUintN(32, linear >> 12n));
    return this.u32(L.CONFIG_LINEAR_PAGES) + (((page ^ (page >>> 11)) & (L.LINEAR_HASH_SIZE - 1)) << 2);
  }
}
