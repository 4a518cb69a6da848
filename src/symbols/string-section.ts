/** NUL-terminated strings of a section, by offset, each decoded once. */

import type { ReadableBytes } from './api.ts';
import { decodeUtf8 } from './reader.ts';

/** Longer strings are cut. */
const stringLimit = 1 << 16;

export class StringSection {
  readonly #bytes: ReadableBytes;
  readonly #offset: number;
  readonly #size: number;
  readonly #strings = new Map<number, string>();
  /** In a damaged file offsets may point into one endless string: what is decoded stays within the input's scale. */
  #budget: number;

  /** The section's bytes are [offset, offset + size) of the file. */
  constructor(bytes: ReadableBytes, offset: number, size: number) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#size = Math.max(0, Math.min(size, bytes.size - offset));
    this.#budget = 8 * this.#size + (1 << 20);
  }

  /** The string at an offset; empty when there is none. */
  at(offset: number): string {
    const known = this.#strings.get(offset);
    if (known !== undefined) return known;
    const text = this.#read(offset);
    this.#strings.set(offset, text);
    return text;
  }

  #read(offset: number): string {
    if (offset < 0 || offset >= this.#size || this.#budget <= 0) return '';
    for (let length = 64; ; length *= 8) {
      const wanted = Math.min(length, this.#size - offset, stringLimit);
      const bytes = this.#bytes.read(this.#offset + offset, wanted);
      const nul = bytes.indexOf(0);
      if (nul >= 0 || wanted < length) {
        const text = nul >= 0 ? bytes.subarray(0, nul) : bytes;
        this.#budget -= text.length;
        return decodeUtf8(text);
      }
    }
  }
}
