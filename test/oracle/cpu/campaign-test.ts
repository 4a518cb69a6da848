// The test that compares the engine with this processor, short in `npm test` and long in test/full.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seedOf } from '../random.ts';
import { runCampaign } from './campaign.ts';
import { Processor, unavailable } from './processor.ts';

/** Declares the test for this many cases; TRAPLINE_TEST_SEED replaces the seed. */
export function describeProcessor(count: number, byDefault: number): void {
  describe('the engine and this processor', () => {
    it(`agree on ${count} cases of one instruction`, { skip: unavailable() ?? false }, (t) => {
      const seed = seedOf(byDefault);
      const processor = new Processor();
      try {
        const { failures, failed, classes } = runCampaign(processor, count, seed);
        t.diagnostic(`seed ${seed}`);
        for (const [name, { cases, retired }] of classes)
          t.diagnostic(`${name}: ${cases} cases, ${Math.round((100 * retired) / cases)} % retired`);
        const shown = [...failures.values()].slice(0, 20).join('\n');
        assert.equal(failed, 0, `seed ${seed}: ${failed} differences of ${failures.size} kinds, such as\n${shown}`);
      } finally {
        processor.dispose();
      }
    });
  });
}
