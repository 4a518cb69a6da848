// The table of what is not compared stays a table: few rows, each about instructions that exist and with its place in the manual.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { opcodeRows } from '../../../src/core/opcodes/index.ts';
import { RULES } from './undefined.ts';

const MOST = 40;

describe('what the comparison with the processor leaves out', () => {
  it('is a short table', () => assert.ok(RULES.length <= MOST, `${RULES.length} rows`));
  it('cites the manual in each row', () =>
    assert.deepEqual(
      RULES.filter(({ reason }) => !/SDM [1-4][A-D]? /.test(reason)).map(({ reason }) => reason),
      [],
    ));
  it('is about instructions of the decode table', () => {
    const names = opcodeRows.flatMap(({ mnemonic }) => [mnemonic, ...mnemonic.split('|')]);
    assert.deepEqual(
      RULES.filter(({ form }) => !names.some((name) => form.test(name))).map(({ reason }) => reason),
      [],
    );
  });
});
