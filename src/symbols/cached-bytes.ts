/** Keeps recently used pieces of a file in memory, so that thousands of tiny reads do not become system calls. */

import type { ReadableBytes } from './api.ts';

/** Small: unit headers lie far apart, and each brings in a page. */
const pageSize = 1 << 12;
const pageLimit = 4_096;

export class CachedBytes implements ReadableBytes {
  readonly size: number;
  readonly #source: ReadableBytes;
  /** Insertion order is order of use. */
  readonly #pages = new Map<number, Uint8Array>();
  #last: { readonly index: number; readonly page: Uint8Array } | null = null;

  constructor(source: ReadableBytes) {
    this.#source = source;
    this.size = source.size;
  }

  read(offset: number, length: number): Uint8Array {
    const start = Math.min(Math.max(0, offset), this.size);
    const end = Math.min(start + Math.max(0, length), this.size);
    const firstPage = Math.floor(start / pageSize);
    if (end <= (firstPage + 1) * pageSize) {
      return this.#page(firstPage).subarray(start - firstPage * pageSize, end - firstPage * pageSize);
    }
    // Long reads go past the cache: their caller keeps what it needs.
    return this.#source.read(start, end - start);
  }

  close(): void {
    this.#pages.clear();
    this.#source.close?.();
  }

  #page(index: number): Uint8Array {
    if (this.#last?.index === index) return this.#last.page;
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = this.#source.read(index * pageSize, pageSize);
      if (this.#pages.size >= pageLimit) {
        const oldest = this.#pages.keys().next();
        if (!oldest.done) this.#pages.delete(oldest.value);
      }
    } else {
      this.#pages.delete(index);
    }
    this.#pages.set(index, page);
    this.#last = { index, page };
    return page;
  }
}

/** ReadableBytes over an array in memory. */
export function bytesInMemory(bytes: Uint8Array): ReadableBytes {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}
