// The comparison of the engine with this machine's processor, from the command line.
// usage: npm run oracle -- [--cases N] [--seed S] [--class CLASS_OR_MNEMONIC] [--show N] [--coverage]
//   --cases     cases of one instruction each; 100,000 when not given
//   --seed      0x... or decimal; a number of the clock when not given, and printed
//   --class     only forms of a file of src/core/opcodes (arithmetic), or of a mnemonic (PSHUFB)
//   --show      so many kinds of differences are minimised and shown; 20 when not given
//   --coverage  writes docs/coverage.md
// Ends with status 1 when something differs, or when less than 60 % of the cases of a class retired.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import type { OpcodeRow } from '../../src/core/opcodes/index.ts';
import { COVERAGE_FILE, coverageText } from './coverage.ts';
import { classLines, Comparison, LEAST_RETIRED, type Outcome, runCampaign, tooFewRetired } from './cpu/campaign.ts';
import { describeCase } from './cpu/compare.ts';
import { asRegression, minimise } from './cpu/minimise.ts';
import { Processor, unavailable } from './cpu/processor.ts';
import { compare, MODES, randomStrings, Report, systematic } from './iced-agreement.ts';
import { randomOf } from '../harness/random.ts';

const root = join(import.meta.dirname, '../..');
const say = (line: string): void => console.log(line);

function numberOf(text: string | undefined, byDefault: number, name: string): number {
  const value = text === undefined ? byDefault : Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`--${name} ${text}: give a whole number.`);
}

/** Byte strings on which iced-x86 agrees, by row. */
function decoderAgreement(): ReadonlyMap<OpcodeRow, number> {
  const report = new Report();
  for (const code of MODES) {
    compare(systematic(code, randomOf(1)), code, report);
    compare(randomStrings(100_000, randomOf(0x7a9, code)), code, report);
  }
  report.check('the decoders and iced-x86');
  return report.agreed;
}

async function writeCoverage(outcome: Outcome, cases: number, seed: number): Promise<void> {
  const processor = cpus()[0]?.model.trim() ?? 'unknown';
  const text = coverageText({ outcome, cases, seed, decoded: decoderAgreement(), processor });
  const filepath = join(root, COVERAGE_FILE);
  const pretty = await format(text, { ...(await resolveConfig(filepath)), filepath });
  writeFileSync(filepath, pretty);
  say(`${COVERAGE_FILE}: ${readFileSync(filepath, 'utf8').split('\n').length} lines`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string' },
      seed: { type: 'string' },
      class: { type: 'string' },
      show: { type: 'string' },
      coverage: { type: 'boolean', default: false },
    },
  });
  const reason = unavailable();
  if (reason !== undefined) throw new Error(`The oracle ${reason}.`);
  const count = numberOf(values.cases, 100_000, 'cases');
  const seed = numberOf(values.seed, Date.now() & 0x7fffffff, 'seed');
  const show = numberOf(values.show, 20, 'show');
  if (values.coverage && values.class !== undefined) throw new RangeError('--coverage is of all classes.');
  const processor = new Processor();
  try {
    say(`seed ${seed}, ${count} cases on ${cpus()[0]?.model ?? 'this processor'}`);
    if (processor.leftOut !== undefined) say(`left out: ${processor.leftOut}`);
    let shown = 0;
    const progress = (cases: number): void => {
      if (cases - shown < 100_000) return;
      shown = cases;
      say(`  ${cases} ...`);
    };
    const outcome = runCampaign(processor, { count, seed, only: values.class, progress });
    for (const line of classLines(outcome)) say(line);
    const comparison = new Comparison(processor);
    for (const difference of [...outcome.failures.values()].slice(0, show)) {
      const small = minimise(comparison, difference);
      say(`\n${describeCase(small.item, small.lines)}\n${asRegression(small)}`);
    }
    const few = tooFewRetired(outcome);
    for (const name of few) say(`\n${name}: less than ${100 * LEAST_RETIRED} % of the cases retired`);
    say(`\nseed ${seed}: ${outcome.failed} differences of ${outcome.failures.size} kinds in ${count} cases`);
    if (values.coverage) await writeCoverage(outcome, count, seed);
    return outcome.failed === 0 && few.length === 0 ? 0 : 1;
  } finally {
    processor.dispose();
  }
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 2;
});
