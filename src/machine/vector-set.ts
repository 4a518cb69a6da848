// A 256-bit register of the local APIC: IRR, ISR or TMR (SDM 3A 11.8.4).
import type { StateReader, StateWriter } from './state-stream.ts';

export class VectorSet {
  private readonly words = new Uint32Array(8);

  set(vector: number): void {
    this.words[vector >> 5] = this.word(vector >> 5) | (1 << (vector & 31));
  }
  clear(vector: number): void {
    this.words[vector >> 5] = this.word(vector >> 5) & ~(1 << (vector & 31));
  }
  has(vector: number): boolean {
    return ((this.word(vector >> 5) >>> (vector & 31)) & 1) !== 0;
  }
  /** The highest vector in the set, or -1. */
  get highest(): number {
    for (let i = 7; i >= 0; i--) {
      const word = this.word(i);
      if (word !== 0) return i * 32 + 31 - Math.clz32(word);
    }
    return -1;
  }
  /** 32 bits of it: vectors 32 index and up. */
  word(index: number): number {
    return this.words[index] ?? 0;
  }
  clearAll(): void {
    this.words.fill(0);
  }
  save(writer: StateWriter): void {
    for (const word of this.words) writer.u32(word);
  }
  restore(reader: StateReader): void {
    for (let i = 0; i < 8; i++) this.words[i] = reader.u32();
  }
}
