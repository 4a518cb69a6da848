import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OverlayTable } from './overlay-table.ts';

const all = new Set([0, 1]);
function add(overlays: OverlayTable, id: number, linear: bigint | readonly bigint[], vcpus = all, cr3?: bigint): void {
  const scope = cr3 === undefined ? {} : { cr3 };
  assert.equal(overlays.take({ id, request: { kind: 'execution', linear, ...scope }, vcpus }).ok, true);
}

test('splits are counted by address, not by breakpoint, and only while one is enabled', () => {
  const overlays = new OverlayTable();
  add(overlays, 1, 0x10n);
  add(overlays, 1, 0x10n);
  add(overlays, 2, 0x10n);
  add(overlays, 3, 0x20n);
  assert.equal(overlays.splitCount, 2);
  overlays.setEnabled(1, false);
  assert.deepEqual([overlays.splitCount, overlays.matching(0, 0x10n, 0n)], [2, [2]]);
  overlays.release(2);
  assert.deepEqual([overlays.splitCount, overlays.isSplit(0x10n)], [1, false]);
  overlays.setEnabled(1, true);
  assert.equal(overlays.isSplit(0x10n), true);
  for (const id of [1, 1, 3, 9]) overlays.release(id);
  assert.deepEqual([overlays.splitCount, [...overlays.addresses()]], [0, []]);
});
test('address spaces are compared by page-table base, without PCID and cache bits', () => {
  const overlays = new OverlayTable();
  add(overlays, 1, 0x10n, new Set([1]), 0x5000n);
  assert.deepEqual(overlays.matching(1, 0x10n, 0x8000000000005fffn), [1]);
  assert.deepEqual(overlays.matching(1, 0x10n, 0x6000n), []);
  assert.deepEqual(overlays.matching(0, 0x10n, 0x5000n), []);
});
test('one breakpoint at several addresses gives back some of them or all', () => {
  const overlays = new OverlayTable();
  add(overlays, 1, [0x10n, 0x20n, 0x10n]);
  add(overlays, 2, 0x20n);
  assert.equal(overlays.splitCount, 2);
  overlays.withdraw(1, (linear) => linear === 0x20n);
  assert.deepEqual([overlays.matching(0, 0x10n, 0n), overlays.matching(0, 0x20n, 0n)], [[1], [2]]);
  overlays.release(1);
  assert.deepEqual([...overlays.addresses()], [0x20n]);
});
