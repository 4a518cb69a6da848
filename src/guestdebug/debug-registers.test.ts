import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SlotFields } from './debug-registers.ts';
import { composeDr7, isCanonical, slotBits, slotEnabled, slotFields } from './debug-registers.ts';

test('DR7 values of the manual and of known tests', () => {
  assert.deepEqual(slotFields(0x000d0402n, 0), { type: 'write', length: 4 });
  assert.deepEqual(slotFields(0x00d00408n, 1), { type: 'write', length: 4 });
  assert.equal(composeDr7([{ type: 'write', length: 4 }]), 0x000d0402n);
  assert.equal(composeDr7([undefined, undefined, { type: 'execute', length: 1 }]), 0x420n);
  assert.equal(composeDr7([], 0x2000n), 0x2400n);
});
test('each slot, type and length goes in and comes out', () => {
  for (let index = 0; index < 4; index++) {
    for (const type of ['execute', 'write', 'readWrite', 'io'] as const) {
      for (const length of [1, 2, 4, 8] as const) {
        const fields: SlotFields = { type, length };
        const bits = slotBits(index, fields);
        assert.deepEqual(slotFields(bits, index), fields);
        assert.deepEqual(
          [0, 1, 2, 3].filter((i) => slotEnabled(bits, i)),
          [index],
        );
      }
    }
  }
});
test('canonical addresses', () => {
  for (const address of [0n, 0x7fff_ffff_ffffn, 0xffff_8000_0000_0000n, 0xffff_ffff_ffff_ffffn])
    assert.ok(isCanonical(address));
  for (const address of [0x8000_0000_0000n, 0xffff_7fff_ffff_ffffn]) assert.ok(!isCanonical(address));
});
