// docs/coverage.md lists what the decode table has: its numbers are those of its last run.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { opcodeRows } from '../../src/core/opcodes/index.ts';
import { COVERAGE_FILE, listedForms } from './coverage.ts';
import { forms } from './forms.ts';
import { SYSTEM_TESTS } from './system-tests.ts';

const root = join(import.meta.dirname, '../..');

describe('coverage of the decode table', () => {
  it('names each form differently', () => assert.equal(forms.size, opcodeRows.length));
  it('lists every form of the table, and no other (write it anew with: npm run oracle -- --coverage)', () => {
    const listed = listedForms(readFileSync(join(root, COVERAGE_FILE), 'utf8'));
    assert.deepEqual(listed.toSorted(), [...forms.keys()].toSorted());
  });
  it('names tests that exist', () => {
    const lost = SYSTEM_TESTS.filter(({ file, name }) => {
      const at = join(root, file);
      return !existsSync(at) || !readFileSync(at, 'utf8').includes(name);
    });
    assert.deepEqual(lost, []);
  });
});
