/** Random numbers for campaigns: SHA-256 of a seed and a counter, so seeds of 128 bits give streams that never meet. */
import { createHash, randomBytes } from 'node:crypto';

/** 128 fresh bits in hexadecimal. */
export const freshSeed = (): string => randomBytes(16).toString('hex');

export class SeededRandom {
  private readonly seed: string;
  private counter = 0;
  private block = new Uint8Array(0);
  private at = 0;

  constructor(seed: string) {
    this.seed = seed;
  }

  /** 0 to below - 1, for `below` up to 2^32. */
  below(below: number): number {
    if (this.at === this.block.length) {
      this.block = createHash('sha256').update(`${this.seed} ${this.counter++}`).digest();
      this.at = 0;
    }
    const value = new DataView(this.block.buffer, this.block.byteOffset + this.at, 4).getUint32(0);
    this.at += 4;
    return Math.floor((value / 2 ** 32) * below);
  }
  chance(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000;
  }
  pick<Item>(list: readonly Item[]): Item {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }
}
