import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Visits } from './visits.ts';

test('a visit is one of a place: what was asked there says nothing about another', () => {
  const visits = new Visits();
  visits.arrived(0, 0x1000n, [1]);
  assert.ok(visits.wasAsked(0, 0x1000n, 1));
  assert.ok(!visits.wasAsked(0, 0x2000n, 1), 'the user moved the vCPU');
  assert.ok(!visits.wasAsked(1, 0x1000n, 1), 'another vCPU');
  visits.late(0, 0x2000n, 2, { id: 2 });
  assert.deepEqual(visits.lateStops(0, 0x2000n), [{ id: 2 }]);
  assert.ok(!visits.wasAsked(0, 0x1000n, 1), 'it came back: a new visit');
  visits.leave(0);
  assert.deepEqual(visits.lateStops(0, 0x2000n), []);
});
