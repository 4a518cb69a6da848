import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Overlays } from './overlay.ts';

const all = new Set([0, 1]);

test('splits are counted by address, not by breakpoint, and only while one is enabled', () => {
  const overlays = new Overlays();
  overlays.add({ id: 1, linear: 0x10n, cr3: undefined, vcpus: all });
  overlays.add({ id: 1, linear: 0x10n, cr3: undefined, vcpus: all });
  overlays.add({ id: 2, linear: 0x10n, cr3: undefined, vcpus: all });
  overlays.add({ id: 3, linear: 0x20n, cr3: undefined, vcpus: all });
  assert.equal(overlays.splitCount, 2);
  overlays.setEnabled(1, false);
  assert.deepEqual([overlays.splitCount, overlays.matching(0, 0x10n, 0n)], [2, [2]]);
  overlays.remove(2);
  assert.deepEqual([overlays.splitCount, overlays.isSplit(0x10n)], [1, false]);
  overlays.setEnabled(1, true);
  assert.equal(overlays.isSplit(0x10n), true);
  for (const id of [1, 1, 3, 9]) overlays.remove(id);
  assert.deepEqual([overlays.splitCount, [...overlays.addresses()]], [0, []]);
});
test('address spaces are compared by page-table base, without PCID and cache bits', () => {
  const overlays = new Overlays();
  overlays.add({ id: 1, linear: 0x10n, cr3: 0x5000n, vcpus: new Set([1]) });
  assert.deepEqual(overlays.matching(1, 0x10n, 0x8000000000005fffn), [1]);
  assert.deepEqual(overlays.matching(1, 0x10n, 0x6000n), []);
  assert.deepEqual(overlays.matching(0, 0x10n, 0x5000n), []);
});
