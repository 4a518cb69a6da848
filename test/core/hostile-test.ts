// The test with hostile programs, short in `npm test` and long in test/full.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { campaignSeed } from '../harness/random.ts';
import { runHostile } from './hostile-campaign.ts';
import { HOSTILE_MODES } from './hostile-machine.ts';

/**
 * Declares the tests: so many programs in each mode, and so many of them in the compiled engine, too, which has to end where
 * the interpreter does. TRAPLINE_SEED replaces the seed.
 */
export function describeHostile(programs: number, compiled: number, byDefault: number): void {
  const seed = campaignSeed(byDefault);
  describe(`hostile programs, seed ${seed}`, () => {
    for (const mode of HOSTILE_MODES) {
      let ends: string[] = [];
      it(`${programs}, ${mode}, interpreted`, () => {
        ends = runHostile(mode, false, programs, seed);
        assert.equal(ends.length, programs);
      });
      it(`${compiled}, ${mode}, compiled: the same ends`, () => {
        assert.deepEqual(runHostile(mode, true, compiled, seed), ends.slice(0, compiled));
      });
    }
  });
}
