/** Binary search in sorted arrays, and sets of address ranges. */

import type { AddressRange } from './api.ts';

/** Index of the last item whose key is not above the value, or -1. */
export function lastNotAbove<Item>(items: readonly Item[], value: bigint, key: (item: Item) => bigint): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && key(item) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function compareBigint(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Items that claim address ranges, which may overlap: those around an address are found by binary search. */
export class RangeIndex<Item> {
  readonly #ranges: readonly (AddressRange & { readonly item: Item })[];
  /** The highest end among a range and all in front of it: where it is not above the address, nothing further down is. */
  readonly #highest: readonly bigint[];

  constructor(items: Iterable<Item>, rangesOf: (item: Item) => readonly AddressRange[]) {
    const ranges: (AddressRange & { item: Item })[] = [];
    for (const item of items) for (const { start, end } of rangesOf(item)) ranges.push({ start, end, item });
    this.#ranges = ranges.sort((a, b) => compareBigint(a.start, b.start));
    let highest = 0n;
    this.#highest = this.#ranges.map(({ end }) => (highest = end > highest ? end : highest));
  }

  /** The items that claim an address, the smallest claim first; of equal ones in the order of the input. */
  at(address: bigint): readonly Item[] {
    const found: (AddressRange & { readonly item: Item })[] = [];
    for (let index = lastNotAbove(this.#ranges, address, ({ start }) => start); index >= 0; index--) {
      if ((this.#highest[index] ?? 0n) <= address) break;
      const range = this.#ranges[index];
      if (range !== undefined && address < range.end) found.push(range);
    }
    if (found.length > 1) found.reverse().sort((a, b) => compareBigint(a.end - a.start, b.end - b.start));
    return [...new Set(found.map(({ item }) => item))];
  }
}

/** Sorts ranges, drops empty ones and joins those that touch or overlap. */
export function normaliseRanges(ranges: readonly AddressRange[]): AddressRange[] {
  const sorted = ranges.filter(({ start, end }) => start < end).toSorted((a, b) => compareBigint(a.start, b.start));
  const joined: AddressRange[] = [];
  for (const range of sorted) {
    const last = joined[joined.length - 1];
    if (last === undefined || range.start > last.end) joined.push(range);
    else if (range.end > last.end) joined[joined.length - 1] = { start: last.start, end: range.end };
  }
  return joined;
}

/** Whether one of the ranges holds the address. */
export function covers(ranges: readonly AddressRange[], address: bigint): boolean {
  return ranges.some(({ start, end }) => address >= start && address < end);
}

/** What two sets of ranges share. */
export function intersectRanges(a: readonly AddressRange[], b: readonly AddressRange[]): AddressRange[] {
  const shared: AddressRange[] = [];
  for (const first of a) {
    for (const second of b) {
      const start = first.start > second.start ? first.start : second.start;
      const end = first.end < second.end ? first.end : second.end;
      if (start < end) shared.push({ start, end });
    }
  }
  return normaliseRanges(shared);
}

/** The first set without the second. */
export function subtractRanges(a: readonly AddressRange[], b: readonly AddressRange[]): AddressRange[] {
  let rest = normaliseRanges(a);
  for (const hole of normaliseRanges(b)) {
    rest = rest.flatMap(({ start, end }) => {
      if (hole.end <= start || hole.start >= end) return [{ start, end }];
      const parts: AddressRange[] = [];
      if (start < hole.start) parts.push({ start, end: hole.start });
      if (hole.end < end) parts.push({ start: hole.end, end });
      return parts;
    });
  }
  return rest;
}
