import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GUEST_ROWS, HOST_ROWS, attributeGuest } from './ownership.ts';
import type { GuestDebugEvent } from './ownership.ts';

const event = (change: Partial<GuestDebugEvent>): GuestDebugEvent => ({
  vector: 1,
  kind: 'exception',
  causes: 0xffff0ff0n,
  atExecuteSlot: false,
  icebp: false,
  injected: false,
  ...change,
});

test('each guest event has its row; what has none is unattributed', () => {
  const cases: [Partial<GuestDebugEvent>, unknown][] = [
    [{ vector: 3 }, GUEST_ROWS.int3],
    [{ vector: 3, kind: 'softwareInterrupt' }, GUEST_ROWS.softwareInt3],
    [{ kind: 'softwareInterrupt' }, GUEST_ROWS.softwareInt1],
    [{ causes: 0xffff0ff2n, atExecuteSlot: true }, GUEST_ROWS.slotExecute],
    [{ causes: 0xffff4ff2n }, GUEST_ROWS.slotData],
    [{ causes: 0xffff4ff0n }, GUEST_ROWS.singleStep],
    [{ causes: 0xffff2ff0n }, GUEST_ROWS.generalDetect],
    [{ causes: 0xffff8ff0n }, GUEST_ROWS.taskSwitch],
    [{ causes: 0xffff07f0n }, GUEST_ROWS.busLock],
    [{ icebp: true }, GUEST_ROWS.icebp],
    [{ injected: true }, GUEST_ROWS.injected],
    [{}, undefined],
    [{ vector: 2 }, undefined],
    [{ vector: 4, kind: 'softwareInterrupt' }, undefined],
  ];
  for (const [change, row] of cases) assert.equal(attributeGuest(event(change)), row);
});
test('every row names its rule and its owner; fault-like are breakpoints, caught int3 and general detect only (2.2)', () => {
  for (const row of Object.values(HOST_ROWS)) assert.equal(row.owner, 'host');
  for (const row of Object.values(GUEST_ROWS)) assert.equal(row.owner, 'guest');
  const faultLike = Object.entries({ ...HOST_ROWS })
    .filter(([, row]) => row.faultLike)
    .map(([name]) => name);
  assert.deepEqual(faultLike, ['overlay', 'slotExecute', 'generalDetect']);
});
