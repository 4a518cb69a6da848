// Random numbers for tests: xorshift, the same on every machine for a seed.

export interface Random {
  /** 0 to below - 1. */
  (below: number): number;
  readonly seed: number;
}

export function randomOf(seed: number): Random {
  let state = seed | 0 || 1;
  const next = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 4294967296) * below);
  };
  return Object.assign(next, { seed });
}

/** TRAPLINE_TEST_SEED, else this one. */
export function seedOf(byDefault: number): number {
  const given = process.env['TRAPLINE_TEST_SEED'];
  return given === undefined ? byDefault : Number(given);
}

export function pick<T>(random: Random, list: readonly T[]): T {
  const item = list[random(list.length)];
  if (item === undefined) throw new Error('the list is empty');
  return item;
}

export const bytesText = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replaceAll(/..(?=.)/g, '$& ');
export const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
