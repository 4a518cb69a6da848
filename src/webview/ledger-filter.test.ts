import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEmptyFilter, matcher, noFilter } from './ledger-filter.ts';
import { causeInWords, rowSentence, virtualTime } from './ledger-words.ts';
import { readFromLedger, readKeptFilter, type LedgerRow } from './protocol.ts';

const row: LedgerRow = {
  sequence: 7,
  clock: '13037000',
  vcpu: 2,
  vector: 1,
  rip: '0x102a29',
  symbol: 'remember_sample+31',
  cause: 'watch',
  owner: 'host',
  disposition: 'stopped',
  dr6Host: '0xffff0ff1',
  dr6Guest: '0xffff0ff0',
  rule: '2.4 host slot',
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

test('a row is a sentence', () => {
  const sentence = '#DB on vCPU 2 at remember_sample+31, host-owned, stopped, data breakpoint, 13.037 ms';
  assert.equal(rowSentence(row), sentence);
});

test("the guest's own #DB is explained by its DR6", () => {
  assert.equal(causeInWords({ cause: 'guestDb', dr6Guest: '0xffff4ff1' }), 'DR0, single step');
  assert.equal(causeInWords({ cause: 'guestDb', dr6Guest: '0xffff0ff0' }), "the guest's own");
  assert.equal(causeInWords({ cause: 'int3', dr6Guest: '0x0' }), 'int3');
  const both = { cause: 'watch H0 #3, step', dr6Guest: '0x0' };
  assert.equal(causeInWords(both), 'data breakpoint DR0, step');
});

test('virtual time is read at a glance', () => {
  assert.equal(virtualTime('0'), '0 ns');
  assert.equal(virtualTime('12034'), '12.034 µs');
  assert.equal(virtualTime('13056999'), '13.056 ms');
  assert.equal(virtualTime('61000000001'), '61.000000 s');
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
