// Two of the faults that can be seeded into the JIT: the evaluator's and the region builder's. test/full has them all.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { describeJitFaults } from './seeded-faults-test.ts';
import { JIT_FAULTS } from './seeded-faults.ts';

it('at least fifteen faults fit the source as it is', () => {
  assert.ok(JIT_FAULTS.length >= 15);
  const source = (file: string): string => readFileSync(join(import.meta.dirname, '../../src', file), 'utf8');
  assert.deepEqual(
    JIT_FAULTS.filter(({ file, find }) => source(file).split(find).length !== 2),
    [],
  );
});
describeJitFaults(JIT_FAULTS.filter(({ name }) => /^(AH is|ticks that)/.test(name)));
