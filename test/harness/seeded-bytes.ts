/** Random numbers for campaigns: a stream of SHA-256 blocks, so that campaigns of different 128-bit seeds share nothing. */
import { createHash, randomBytes } from 'node:crypto';

export class SeededBytes {
  readonly seed: string;
  private block = Buffer.alloc(0);
  private blocks = 0;

  /** @param seed 32 hexadecimal digits, as a failure prints them; fresh when absent */
  constructor(seed: string = randomBytes(16).toString('hex')) {
    this.seed = seed;
  }
  bytes(count: number): Uint8Array {
    const pieces: Buffer[] = [];
    for (let missing = count; missing > 0;) {
      if (this.block.length === 0) this.block = createHash('sha256').update(`${this.seed} ${this.blocks++}`).digest();
      const piece = this.block.subarray(0, missing);
      this.block = this.block.subarray(piece.length);
      missing -= piece.length;
      pieces.push(piece);
    }
    return new Uint8Array(Buffer.concat(pieces));
  }
  /** A whole number from 0 to below `limit`, at most 2^32. */
  below(limit: number): number {
    return new DataView(this.bytes(4).buffer).getUint32(0) % limit;
  }
  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0];
  }
}
