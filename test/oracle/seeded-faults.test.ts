// Two of the twenty seeded faults: a handler's and the disassembler's. test/full has them all.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { describeSeededFaults } from './seeded-faults-test.ts';
import { SEEDED_FAULTS } from './seeded-faults.ts';

const root = join(import.meta.dirname, '../..');

it('twenty faults fit the source as it is', () => {
  assert.equal(SEEDED_FAULTS.length, 20);
  const lost = SEEDED_FAULTS.filter(({ file, find }) => {
    const at = join(root, file);
    return !existsSync(at) || readFileSync(at, 'utf8').split(find).length !== 2;
  });
  assert.deepEqual(lost, []);
});
describeSeededFaults(SEEDED_FAULTS.filter(({ name }) => /^(RCL of|the disassembler)/.test(name)));
