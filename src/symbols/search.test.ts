import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { AddressRange } from './api.ts';
import { covers, intersectRanges, lastNotAbove, normaliseRanges, subtractRanges } from './search.ts';

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
});
