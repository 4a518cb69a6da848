// The test of the decoders against iced-x86, short in `npm test` and long in test/full.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { opcodeRows } from '../../src/core/opcodes/index.ts';
import { formText } from './forms.ts';
import { compare, MODES, randomStrings, Report, SLOT, systematic } from './iced-agreement.ts';
import { campaignSeed, randomOf } from '../harness/random.ts';

/** Bytes of one comparison at a time. */
const CHUNK = 100_000;

/** Declares the tests, with this many random byte strings in each mode; TRAPLINE_SEED replaces the seed. */
export function describeAgreement(count: number): void {
  describe('decoders and iced-x86', () => {
    for (const code of MODES) {
      it(`agree on each row with each ModRM class and prefix set in ${code}-bit code`, (t) => {
        const report = new Report();
        const data = systematic(code, randomOf(1));
        const { valid } = compare(data, code, report);
        t.diagnostic(`${data.length / SLOT} instructions, ${valid} valid`);
        report.check(`${code}-bit`);
        const missed = opcodeRows.filter(
          (row) => row.modes !== (code === 64 ? 'not64' : 'only64') && !report.agreed.has(row),
        );
        assert.deepEqual(missed.map(formText), [], 'forms of which no encoding was compared');
      });
      it(`agree on ${count} random byte strings in ${code}-bit code`, (t) => {
        const random = randomOf(campaignSeed(0x7a9), code);
        const report = new Report();
        let valid = 0;
        for (let made = 0; made < count; made += CHUNK)
          valid += compare(randomStrings(Math.min(CHUNK, count - made), random), code, report).valid;
        t.diagnostic(`seed ${random.seed}, ${valid} valid`);
        report.check(`${code}-bit, seed ${random.seed}`);
      });
    }
  });
}
