import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { AddressRange } from './api.ts';
import { covers, intersectRanges, lastNotAbove, normaliseRanges, RangeIndex, subtractRanges } from './search.ts';

const range = fc
  .tuple(fc.bigInt({ min: 0n, max: 60n }), fc.bigInt({ min: 0n, max: 12n }))
  .map(([start, length]): AddressRange => ({ start, end: start + length }));
const ranges = fc.array(range, { maxLength: 6 });
const seed = 77;

describe('address ranges', () => {
  it('finds the last item that is not above a value', () => {
    const items = [1n, 3n, 3n, 9n];
    const find = (value: bigint): number => lastNotAbove(items, value, (item) => item);
    assert.deepEqual([0n, 1n, 2n, 3n, 8n, 9n, 99n].map(find), [-1, 0, 0, 2, 2, 3, 3]);
  });

  it(`sets of ranges are sets of addresses, seed ${seed}`, () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const both = intersectRanges(a, b);
        const rest = subtractRanges(a, b);
        for (let address = 0n; address < 80n; address++) {
          const inA = covers(a, address);
          const inB = covers(b, address);
          assert.equal(covers(normaliseRanges(a), address), inA);
          assert.equal(covers(both, address), inA && inB);
          assert.equal(covers(rest, address), inA && !inB);
        }
        for (const [index, { start }] of rest.entries()) assert.ok(index === 0 || start > (rest[index - 1]?.end ?? 0n));
      }),
      { seed },
    );
  });

  it(`an index finds whoever claims an address, the smallest claim first, seed ${seed}`, () => {
    fc.assert(
      fc.property(fc.array(fc.array(range, { maxLength: 3 }), { maxLength: 12 }), (claims) => {
        const items = [...claims.keys()];
        const index = new RangeIndex(items, (item) => claims[item] ?? []);
        for (let address = 0n; address < 80n; address++) {
          const around = (item: number): readonly bigint[] =>
            (claims[item] ?? []).filter((one) => covers([one], address)).map(({ start, end }) => end - start);
          const found = index.at(address);
          assert.deepEqual(
            found.toSorted((a, b) => a - b),
            items.filter((item) => around(item).length > 0),
          );
          const sizes = found.map((item) => around(item).reduce((a, b) => (a < b ? a : b)));
          assert.deepEqual(
            sizes,
            sizes.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
          );
        }
      }),
      { seed },
    );
  });
});
