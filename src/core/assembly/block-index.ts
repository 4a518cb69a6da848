// Where blocks are found: by code address, by linear page, by RAM frame. Both modules compute with it: core.wasm enters
// blocks, system.wasm takes them out.
import * as L from '../layout';

/** Address of the chain head of blocks that begin at a linear address in a frame. */
@inline export function hashBucket(linear: u64, frame: u32): usize {
  let hash = (<u32>linear ^ <u32>(linear >> 13) ^ frame * 0x9e3779b1) & (L.BLOCK_HASH_SIZE - 1);
  return <usize>load<u32>(L.CONFIG_BLOCKS) + (hash << 2);
}
/** Address of the chain head of blocks on a linear page (and on those that share its hash). */
@inline export function linearBucket(linear: u64): usize {
  let page = <u32>(linear >> 12);
  return <usize>load<u32>(L.CONFIG_LINEAR_PAGES) + (((page ^ (page >> 11)) & (L.LINEAR_HASH_SIZE - 1)) << 2);
}
/** Address of a RAM frame's PAGE_* entry. */
@inline export function frameEntry(frame: u32): usize {
  return <usize>load<u32>(L.CONFIG_PAGES) + <usize>frame * L.PAGE_SIZE;
}
