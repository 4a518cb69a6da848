// docs/coverage.md lists what the decode table has: its numbers are those of its last run.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { opcodeRows } from '../../src/core/opcodes/index.ts';
import { COVERAGE_FILE, listedForms } from './coverage.ts';
import { notExecuted, privileged } from './cpu/left-out.ts';
import { forms, formText } from './forms.ts';
import { allSystemTests, systemTestOf } from './system-tests.ts';

const root = join(import.meta.dirname, '../..');

describe('coverage of the decode table', () => {
  it('names each form differently', () => assert.equal(forms.size, opcodeRows.length));
  it('lists every form of the table, and no other (write it anew with: npm run oracle -- --coverage)', () => {
    const listed = listedForms(readFileSync(join(root, COVERAGE_FILE), 'utf8'));
    assert.deepEqual(listed.toSorted(), [...forms.keys()].toSorted());
  });
  it('names a test for every form that ring 3 does not execute or may not', () => {
    const bare = opcodeRows.filter(
      (row) => (notExecuted(row) !== undefined || privileged(row)) && systemTestOf(row) === undefined,
    );
    assert.deepEqual(bare.map(formText), []);
  });
  it('names tests that exist', () => {
    const lost = allSystemTests.filter(({ file, name }) => {
      const at = join(root, file);
      return !existsSync(at) || !readFileSync(at, 'utf8').includes(name);
    });
    assert.deepEqual(lost, []);
  });
});
