// How many comparators a byte range needs (guest-debug-spec 3.3).
import type { CoverPolicy } from './api.ts';
import type { SlotLength } from './debug-registers.ts';
import { SLOT_WINDOW } from './policy.ts';

export interface Chunk {
  readonly address: bigint;
  readonly length: SlotLength;
}
const WINDOW = BigInt(SLOT_WINDOW);
const DESCENDING: readonly SlotLength[] = [8, 4, 2, 1];

/** Number of comparators for `size` bytes at `linear`, without building the list: size comes from outside. */
export function slotsNeeded(linear: bigint, size: number, policy: CoverPolicy): number {
  if (policy === 'windows') return Number((linear + BigInt(size) - 1n) / WINDOW - linear / WINDOW) + 1;
  // Greedy: a rising run up to the first multiple of 8, whole windows, a falling run.
  const head = Math.min(Number((WINDOW - (linear % WINDOW)) % WINDOW), size);
  const rest = size - head;
  return greedy(linear, head).length + Math.floor(rest / SLOT_WINDOW) + greedy(0n, rest % SLOT_WINDOW).length;
}

/** `windows`: one 8-byte window for each aligned one that is touched. `exact`: largest aligned power of two that fits. */
export function cover(linear: bigint, size: number, policy: CoverPolicy): readonly Chunk[] {
  if (policy === 'exact') return greedy(linear, size);
  const chunks: Chunk[] = [];
  for (let at = linear - (linear % WINDOW); at < linear + BigInt(size); at += WINDOW) {
    chunks.push({ address: at, length: SLOT_WINDOW });
  }
  return chunks;
}

function greedy(linear: bigint, size: number): Chunk[] {
  const chunks: Chunk[] = [];
  let at = linear;
  let left = size;
  while (left > 0) {
    const length = DESCENDING.find((n) => n <= left && at % BigInt(n) === 0n) ?? 1;
    chunks.push({ address: at, length });
    at += BigInt(length);
    left -= length;
  }
  return chunks;
}
