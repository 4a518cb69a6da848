// The 128-bit arithmetic under softfloat against BigInt. The file is compiled by itself, since its functions are inlined
// in system.wasm.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { compileAssembly } from '../../test/harness/assembly.ts';

type Pair = (aHigh: bigint, aLow: bigint, bHigh: bigint, bLow: bigint) => bigint | number;
interface Integers {
  addHigh128: (aHigh: bigint, aLow: bigint, bHigh: bigint, bLow: bigint) => bigint;
  subHigh128: (aHigh: bigint, aLow: bigint, bHigh: bigint, bLow: bigint) => bigint;
  less128: Pair;
  compare128: Pair;
  shiftLeftHigh128: (high: bigint, low: bigint, n: number) => bigint;
  shiftRightLow128: (high: bigint, low: bigint, n: number) => bigint;
  shiftRightJam64: (a: bigint, n: number) => bigint;
  shiftRightHigh128: (high: bigint, n: number) => bigint;
  shiftRightJamLow128: (high: bigint, low: bigint, n: number) => bigint;
  mulHigh64: (a: bigint, b: bigint) => bigint;
  divide128By64: (high: bigint, low: bigint, divisor: bigint) => bigint;
  sqrt64: (a: bigint) => bigint;
  sqrt128: (high: bigint, low: bigint) => bigint;
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const high = (value: bigint): bigint => u64(value >> 64n);
/** Numbers with long runs of equal bits: where carries and estimates go wrong. */
const word = fc.tuple(fc.bigInt(0n, (1n << 64n) - 1n), fc.nat(64), fc.nat(64), fc.nat(3)).map(([value, a, b, kind]) => {
  const run = (1n << BigInt(Math.max(a, b))) - (1n << BigInt(Math.min(a, b)));
  return u64(kind === 0 ? value : kind === 1 ? run : kind === 2 ? run ^ (value & 3n) : ~run);
});
const double = fc.tuple(word, word).map(([top, low]) => (top << 64n) | low);
const runs = { numRuns: 5000, seed: 0x50f7 };

function floorSqrt(value: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(value))));
  for (let i = 0; i < 8; i++) root = root === 0n ? 0n : (root + value / root) >> 1n;
  while (root * root > value) root--;
  while ((root + 1n) * (root + 1n) <= value) root++;
  return root;
}

describe('128-bit integers', () => {
  // the exports are those of integers.ts
  const i = compileAssembly('softfloat/integers.ts') as unknown as Integers;

  it('adds, subtracts and compares', () =>
    fc.assert(
      fc.property(double, double, (a, b) => {
        assert.equal(u64(i.addHigh128(high(a), u64(a), high(b), u64(b))), high(a + b));
        assert.equal(u64(i.subHigh128(high(a), u64(a), high(b), u64(b))), high(a - b));
        assert.equal(Boolean(i.less128(high(a), u64(a), high(b), u64(b))), a < b);
        assert.equal(i.compare128(high(a), u64(a), high(b), u64(b)), a < b ? -1 : a > b ? 1 : 0);
      }),
      runs,
    ));
  it('shifts, and keeps in the lowest bit whether something was lost', () =>
    fc.assert(
      fc.property(double, fc.nat(130), (a, n) => {
        const shift = BigInt(n);
        const jammed = (value: bigint): bigint => {
          const kept = value >> shift;
          return kept << shift === value ? kept : kept | 1n;
        };
        assert.equal(u64(i.shiftRightJam64(u64(a), n)), jammed(u64(a)));
        const both = (u64(i.shiftRightHigh128(high(a), n)) << 64n) | u64(i.shiftRightJamLow128(high(a), u64(a), n));
        assert.equal(both, jammed(a));
        if (n > 63) return;
        assert.equal(u64(i.shiftLeftHigh128(high(a), u64(a), n)), high(a << shift));
        assert.equal(u64(i.shiftRightLow128(high(a), u64(a), n)), u64(a >> shift));
      }),
      runs,
    ));
  it('multiplies', () =>
    fc.assert(
      fc.property(word, word, (a, b) => assert.equal(u64(i.mulHigh64(a, b)), high(a * b))),
      runs,
    ));
  it('divides', () =>
    fc.assert(
      fc.property(double, word, (a, divisor) => {
        fc.pre(high(a) < divisor);
        assert.equal(u64(i.divide128By64(high(a), u64(a), divisor)), a / divisor);
      }),
      runs,
    ));
  it('takes square roots', () =>
    fc.assert(
      fc.property(double, (a) => {
        assert.equal(u64(i.sqrt64(u64(a))), floorSqrt(u64(a)));
        const large = a | (1n << 126n);
        assert.equal(u64(i.sqrt128(high(large), u64(large))), floorSqrt(large));
      }),
      runs,
    ));
  it('takes the square roots beside perfect squares', () =>
    fc.assert(
      fc.property(word, (root) => {
        const large = root | (1n << 63n);
        for (const a of [large * large - 1n, large * large, large * large + 2n * large]) {
          if (a >> 126n !== 0n) assert.equal(u64(i.sqrt128(high(a), u64(a))), floorSqrt(a), String(a));
        }
      }),
      runs,
    ));
});
