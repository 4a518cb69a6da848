import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { cover, slotsNeeded } from './cover.ts';

const linear = fc.bigInt({ min: 0n, max: (1n << 47n) - 64n });
const size = fc.integer({ min: 1, max: 64 });

test('exact chunks tile the range: aligned, in order, without gaps', () => {
  fc.assert(
    fc.property(linear, size, (at, bytes) => {
      let next = at;
      for (const { address, length } of cover(at, bytes, 'exact')) {
        assert.equal(address, next);
        assert.equal(address % BigInt(length), 0n);
        next += BigInt(length);
      }
      assert.equal(next, at + BigInt(bytes));
    }),
  );
});
test('windows are aligned, adjacent, and touch the range at both ends', () => {
  fc.assert(
    fc.property(linear, size, (at, bytes) => {
      const chunks = cover(at, bytes, 'windows');
      assert.ok(chunks.every(({ address, length }) => length === 8 && address % 8n === 0n));
      const [first] = chunks;
      const last = chunks.at(-1);
      assert.ok(first !== undefined && first.address <= at && at < first.address + 8n);
      const end = at + BigInt(bytes) - 1n;
      assert.ok(last !== undefined && last.address <= end && end < last.address + 8n);
      assert.equal(last.address - first.address, 8n * BigInt(chunks.length - 1));
    }),
  );
});
test('the number of slots is known without making the list', () => {
  fc.assert(
    fc.property(linear, size, fc.constantFrom('windows', 'exact'), (at, bytes, policy) => {
      assert.equal(slotsNeeded(at, bytes, policy), cover(at, bytes, policy).length);
    }),
  );
  assert.equal(slotsNeeded(0n, 2 ** 50, 'exact'), 2 ** 47);
});
