/** Where a function's prologue ends, by the rules of gdb 13 (amd64_skip_prologue, skip_prologue_sal). */

import type { AddressRange } from './api.ts';

/** What the rules need to know of the function and its lines. */
export interface PrologueSource {
  /** Bytes of loaded memory as in the file; null when there are none. */
  readCode(address: bigint, length: number): Uint8Array | null;
  /** Stretch of the row that stands for an address. */
  rowAt(address: bigint): { readonly start: bigint; readonly end: bigint } | null;
  /**
   * Locations in the unit are valid from a function's first instruction on: gcc made location lists, so that nothing
   * is gained by skipping.
   */
  readonly locationsValidAtEntry: boolean;
  /** clang sets a row behind the prologue. */
  readonly secondRowEndsPrologue: boolean;
}

/** The address for a breakpoint on a function. */
export function skipPrologue(entry: bigint, ranges: readonly AddressRange[], source: PrologueSource): bigint {
  if (source.locationsValidAtEntry) return entry;
  const first = source.rowAt(entry);
  const inside = (address: bigint): boolean => ranges.some(({ start, end }) => address >= start && address < end);
  const code = source.readCode(entry, 16);
  // Without the code (a file of debugging information alone) the rows have to do.
  const byRows = source.secondRowEndsPrologue || code === null;
  if (byRows && first !== null && first.end > entry && inside(first.end)) return first.end;

  const frameReady = analyzePrologue(code ?? new Uint8Array());
  if (frameReady === null) return entry;
  const pc = entry + BigInt(frameReady);
  const row = source.rowAt(pc);
  // In the middle of a line the rest of it is prologue too.
  return row !== null && row.start !== pc && inside(row.end) ? row.end : pc;
}

/** Length of `[endbr64] push %rbp; mov %rsp,%rbp`, or null when the function does not begin so. */
function analyzePrologue(code: Uint8Array): number | null {
  const matches = (at: number, ...bytes: number[]): boolean => bytes.every((byte, index) => code[at + index] === byte);
  let at = 0;
  if (matches(0, 0xf3, 0x0f, 0x1e, 0xfa) || matches(0, 0xf3, 0x0f, 0x1e, 0xfb)) at = 4;
  if (matches(at, 0x55)) at += 1;
  else if (matches(at, 0x40, 0x55)) at += 2;
  else return null;
  if (matches(at, 0x48, 0x89, 0xe5) || matches(at, 0x48, 0x8b, 0xec)) return at + 3;
  if (matches(at, 0x89, 0xe5) || matches(at, 0x8b, 0xec)) return at + 2;
  return null;
}
