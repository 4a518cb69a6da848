import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CauseKind, LedgerCause } from '../guestdebug/api.ts';
import { causesText, ledgerRow, rowSentence, virtualTime, type LedgerRow } from './ledger.ts';

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

const own = (cause: CauseKind, more: Partial<LedgerCause> = {}): LedgerCause => ({
  cause,
  breakpoints: [],
  machinery: [],
  ...more,
});

test('a row is a sentence', () => {
  const sentence = '#DB on vCPU 2 at remember_sample+31, host-owned, stopped, data breakpoint DR0, 13.037 ms';
  assert.equal(rowSentence(row), sentence);
});

test("the guest's own #DB is explained by its DR6, causes of the host by slot and maker", () => {
  const said = (dr6Guest: string, ...causes: LedgerCause[]): string => causesText({ causes, dr6Guest });
  assert.equal(said('0xffff4ff1', own('guestDb')), 'DR0, single step');
  assert.equal(said('0xffff0ff0', own('guestDb')), "the guest's own");
  assert.equal(said('0x0', own('int3')), 'int3');
  assert.equal(said('0x0', own('watch', { slot: 0, breakpoints: [3] }), own('step')), 'data breakpoint DR0, step');
  assert.equal(said('0x0', own('bp', { machinery: ['step'] })), 'breakpoint of a step');
});

test('an entry travels as JSON, its 64-bit numbers as text', () => {
  const { clock, rip, dr6Host, dr6Guest, symbol, ...same } = row;
  const wide = { clock: BigInt(clock), rip: BigInt(rip), dr6Host: BigInt(dr6Host), dr6Guest: BigInt(dr6Guest) };
  const made = ledgerRow({ ...same, ...wide }, symbol);
  assert.deepEqual(made, row);
  assert.deepEqual(JSON.parse(JSON.stringify(made)), made);
});

test('virtual time is read at a glance', () => {
  assert.equal(virtualTime('0'), '0 ns');
  assert.equal(virtualTime('12034'), '12.034 µs');
  assert.equal(virtualTime('13056999'), '13.056 ms');
  assert.equal(virtualTime('61000000001'), '61.000000 s');
});
