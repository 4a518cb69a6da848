import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEmptyFilter, matcher, noFilter } from './ledger-filter.ts';
import type { LedgerRow } from '../words/ledger.ts';
import { readFromLedger, readKeptFilter } from './protocol.ts';

const row: LedgerRow = {
  sequence: 7,
  clock: '13037000',
  vcpu: 2,
  vector: 1,
  rip: '0x102a29',
  symbol: 'remember_sample+31',
  causes: [{ cause: 'watch', slot: 0, breakpoints: [3], machinery: [] }],
  owner: 'host',
  disposition: 'stopped',
  dr6Host: '0xffff0ff1',
  dr6Guest: '0xffff0ff0',
  rule: 'hostData',
};

test('a filter wants every word, whatever the case, and every choice', () => {
  const passes = (filter: Partial<typeof noFilter>): boolean => matcher({ ...noFilter, ...filter })(row);
  assert.ok(passes({}));
  assert.ok(passes({ text: 'REMEMBER host-owned #db' }));
  assert.ok(!passes({ text: 'remember guest-owned' }));
  assert.ok(passes({ owner: 'host', vector: 1, vcpu: 2 }));
  assert.ok(!passes({ owner: 'guest' }));
  assert.ok(!passes({ vector: 3 }));
  assert.ok(!passes({ vcpu: 0 }));
  assert.ok(isEmptyFilter({ ...noFilter, text: '  ' }));
});

test('messages of the page are checked', () => {
  assert.deepEqual(readFromLedger({ type: 'open', sequence: 3 }), { type: 'open', sequence: 3 });
  const filter = { text: 'x', owner: '', vector: 3, vcpu: undefined };
  assert.deepEqual(readFromLedger({ type: 'filter', filter }), { type: 'filter', filter });
  for (const wrong of [undefined, 3, {}, { type: 'open' }, { type: 'filter', filter: { text: 1 } }, { type: 'x' }]) {
    assert.equal(readFromLedger(wrong), undefined);
  }
  assert.equal(readKeptFilter({ filter: { text: '', owner: 'nobody' } }), undefined);
});
