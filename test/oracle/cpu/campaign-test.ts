// The test that compares the engine with this processor, short in `npm test` and long in test/full.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { campaignSeed } from '../../harness/random.ts';
import { classLines, Comparison, LEAST_RETIRED, runCampaign, tooFewRetired } from './campaign.ts';
import { describeCase } from './compare.ts';
import { asRegression, minimise } from './minimise.ts';
import { Processor, unavailable } from './processor.ts';

/** Declares the test for this many cases; TRAPLINE_SEED replaces the seed. */
export function describeProcessor(count: number, byDefault: number): void {
  describe('the engine and this processor', { skip: unavailable() ?? false }, () => {
    const seed = campaignSeed(byDefault);
    it(`agree on ${count} cases of one instruction`, (t) => {
      const processor = new Processor();
      try {
        const outcome = runCampaign(processor, { count, seed });
        t.diagnostic(`seed ${seed}`);
        if (processor.leftOut !== undefined) t.diagnostic(`left out: ${processor.leftOut}`);
        for (const line of classLines(outcome)) t.diagnostic(line);
        const comparison = new Comparison(processor);
        const shown = [...outcome.failures.values()].slice(0, 10).map((difference) => {
          const small = minimise(comparison, difference);
          return `${describeCase(small.item, small.lines)}\n${asRegression(small)}`;
        });
        assert.equal(
          outcome.failed,
          0,
          `seed ${seed}: ${outcome.failed} differences of ${outcome.failures.size} kinds, such as\n${shown.join('\n')}`,
        );
        assert.deepEqual(
          tooFewRetired(outcome),
          [],
          `less than ${LEAST_RETIRED} of the cases of these classes retired`,
        );
      } finally {
        processor.dispose();
      }
    });
    it('agree on 16-bit and segmented cases, too', (t) => {
      const processor = new Processor();
      processor.dispose();
      if (processor.leftOut !== undefined) t.skip(processor.leftOut);
      else assert.equal(processor.kinds.length, 4);
    });
  });
}
