// Randomness of every campaign and fuzzer: xoroshiro128+ (128 bits of state), the same numbers on every machine for a seed.
//
// The state is a hash of the seed and of whatever else names the stream (a mode, a program's number), so that neighbouring seeds and
// streams have nothing in common: two campaigns meet the same cases only when they have the same seed.
import { createHash, randomInt } from 'node:crypto';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

export interface Random {
  /** A whole number from 0 to below - 1; below is at most 2^32. */
  (below: number): number;
  /** What the stream was made from: a failure prints it. */
  readonly seed: number;
}

/**
 * A stream of numbers.
 * @param seed of the campaign
 * @param names of the stream within the campaign; each combination is a stream of its own
 */
export function randomOf(seed: number, ...names: readonly (string | number)[]): Random {
  const hash = createHash('sha256')
    .update(JSON.stringify([seed, ...names]))
    .digest();
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => hash.readInt32LE(offset)));
  const next = (below: number): number => Math.floor(((generator.next() >>> 0) / 2 ** 32) * below);
  return Object.assign(next, { seed });
}

/** The environment variable that sets the seed of a campaign, and repeats one. */
export const SEED_VARIABLE = 'TRAPLINE_SEED';

/** A seed that nobody has had before: 47 bits of the operating system's randomness. */
export const freshSeed = (): number => randomInt(2 ** 47);

/**
 * The seed of a campaign: that of TRAPLINE_SEED (`npm run test:full` sets a fresh one and prints it), else `byDefault`, else a fresh one.
 * Whoever uses it says it in the names or the messages of the tests. Throws when the variable is no whole number.
 */
export function campaignSeed(byDefault: number = freshSeed()): number {
  const given = process.env[SEED_VARIABLE];
  if (given === undefined || given === '') return byDefault;
  const seed = Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`${SEED_VARIABLE} is "${given}"; it has to be a whole number`);
  return seed;
}

/** fast-check takes 32 bits; its own generator has 128, and is made from them. */
export const fastCheckSeed = (seed: number): number => randomOf(seed, 'fast-check')(2 ** 32) | 0;

/** One of the list, which must not be empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  const item = list[random(list.length)];
  if (item === undefined) throw new Error('the list is empty');
  return item;
}

/** 64 random bits. */
export const random64 = (random: Random): bigint => (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
