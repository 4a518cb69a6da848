// The decoders against iced-x86 on a few byte strings, as a program: for cores with seeded faults. Status 1: they differ.
import { compare, MODES, randomStrings, Report } from './iced-agreement.ts';
import { randomOf } from '../harness/random.ts';

const COUNT = 40_000;
for (const code of MODES) {
  const report = new Report();
  compare(randomStrings(COUNT, randomOf(0x7a9, code)), code, report);
  try {
    report.check(`${code}-bit`);
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
