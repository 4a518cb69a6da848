import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountedOutlet, isTaken, OutletBacklog, UNSENT_LIMIT } from './outlet.ts';

const serial = (length: number) => ({ type: 'event', event: 'trapline/serial', body: { data: 'x'.repeat(length) } });

test('an outlet between threads is full of what was sent and not taken, whatever is said of more', async () => {
  const outlet = new CountedOutlet();
  const backlog = new OutletBacklog(outlet);
  for (let i = 0; i < 4; i++) outlet.sent(serial(UNSENT_LIMIT / 4));
  assert.equal(backlog.full, true);
  const changed = backlog.changed();
  outlet.taken(1);
  await changed;
  assert.equal(backlog.full, false);
  outlet.taken(1);
  assert.ok(outlet.unsent > (UNSENT_LIMIT / 4) * 3);
  outlet.taken(4);
  assert.equal(outlet.unsent, 0);
  outlet.taken(1000);
  outlet.sent(serial(5));
  assert.equal(outlet.unsent > 0, true, 'what was not sent yet cannot have been taken');
});

test('what says that something was taken is no message of the protocol', () => {
  assert.equal(isTaken({ type: 'trapline/taken', count: 3 }), true);
  for (const other of [{ type: 'request', seq: 1, command: 'trapline/taken' }, { type: 'trapline/taken' }, null, 7]) {
    assert.equal(isTaken(other), false);
  }
});
