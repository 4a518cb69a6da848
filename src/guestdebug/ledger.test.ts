import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerEntry } from './api.ts';
import { Ledger } from './ledger.ts';

const row: Omit<LedgerEntry, 'sequence'> = {
  clock: 0n,
  vcpu: 0,
  vector: 1,
  rip: 0n,
  causes: [{ cause: 'step', breakpoints: [], machinery: [] }],
  owner: 'host',
  disposition: 'stopped',
  dr6Host: 0n,
  dr6Guest: 0n,
  rule: 'hostStep',
};
const sequences = (rows: readonly LedgerEntry[]): number[] => rows.map(({ sequence }) => sequence);

test('the ring keeps the newest rows and never grows', () => {
  const ledger = new Ledger(4);
  const told: number[] = [];
  ledger.onEntry = ({ sequence }) => void told.push(sequence);
  for (let i = 0; i < 10; i++) ledger.add(row);
  assert.equal(ledger.size, 10);
  assert.deepEqual(sequences(ledger.read(0, 100)), [6, 7, 8, 9]);
  assert.deepEqual(sequences(ledger.read(7, 2)), [7, 8]);
  assert.deepEqual(sequences(ledger.read(10, 5)), []);
  assert.deepEqual(sequences(ledger.read(8, -1)), []);
  assert.equal(told.length, 10);
});
