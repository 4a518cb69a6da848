import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostSlots, type SlotPart } from './slots.ts';

const part = (address: bigint, access: SlotPart['access'], start = address, size = 8): SlotPart => ({
  chunk: { address, length: 8 },
  start,
  size,
  access,
});
const at = (linear: bigint, size: number, reads: boolean, writes: boolean) => ({ linear, size, reads, writes });

test('of two breakpoints that share a slot, each hears only the accesses that it asked for', () => {
  const slots = new HostSlots(1);
  slots.allocate({ id: 1, parts: [part(0x1000n, 'write')], vcpus: [0] });
  slots.allocate({ id: 2, parts: [part(0x1000n, 'read')], vcpus: [0] });
  assert.equal(slots.free(0), 3, 'they share one slot');
  assert.deepEqual(slots.covering(0, 0, at(0x1000n, 4, true, false)), [2]);
  assert.deepEqual(slots.covering(0, 0, at(0x1000n, 4, false, true)), [1]);
  assert.deepEqual(slots.covering(0, 0, at(0x1000n, 4, true, true)), [1, 2]);
});

test('an access counts for a range when they have a byte in common, and not when they only touch', () => {
  const slots = new HostSlots(1);
  slots.allocate({ id: 1, parts: [part(0x1000n, 'write', 0x1002n, 2)], vcpus: [0] });
  assert.deepEqual(slots.covering(0, 0, at(0x1000n, 2, false, true)), [], 'ends right below');
  assert.deepEqual(slots.covering(0, 0, at(0x1004n, 4, false, true)), [], 'begins right above');
  assert.deepEqual(slots.covering(0, 0, at(0x1001n, 2, false, true)), [1]);
  assert.deepEqual(slots.covering(0, 0, at(0x1003n, 1, false, true)), [1]);
});

test('when a breakpoint goes, its share goes: the slot narrows, and is free when nobody is left', () => {
  const slots = new HostSlots(1);
  slots.allocate({ id: 1, parts: [part(0x1000n, 'write')], vcpus: [0] });
  slots.allocate({ id: 2, parts: [part(0x1000n, 'read')], vcpus: [0] });
  assert.equal(slots.rows(0)[0]?.type, 'readWrite');
  slots.release(2);
  assert.equal(slots.rows(0)[0]?.type, 'write');
  slots.release(1);
  assert.equal(slots.free(0), 4);
});
