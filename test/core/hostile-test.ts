// The test with hostile programs, short in `npm test` and long in test/full.
import { describe, it } from 'node:test';
import { runHostile } from './hostile-campaign.ts';
import { HOSTILE_MODES } from './hostile-machine.ts';

/** Declares the tests: so many programs in each mode and engine; TRAPLINE_TEST_SEED replaces the seed. */
export function describeHostile(programs: number, byDefault: number): void {
  const seed = Number(process.env['TRAPLINE_TEST_SEED'] ?? byDefault);
  describe('hostile programs', () => {
    for (const mode of HOSTILE_MODES) {
      for (const compiled of [false, true]) {
        it(`${programs}, ${mode}, ${compiled ? 'compiled' : 'interpreted'}`, (t) => {
          const ticks = runHostile(mode, compiled, programs, seed + mode.length);
          t.diagnostic(`seed ${seed}: ${ticks} ticks`);
        });
      }
    }
  });
}
