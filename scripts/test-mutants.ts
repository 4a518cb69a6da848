// `npm run test:mutants`: plants each fault of test/mutants into a copy of the checkout, and wants it caught by the tests that it names.
// usage: test-mutants.ts [PART...]   only mutants of files with PART in their name
//   Two at a time. Ends with a summary; status 0 when every mutant was caught.
import { MutantBed } from '../test/mutants/mutant-bed.ts';
import type { Mutant } from '../test/mutants/mutant.ts';
import { mutants } from '../test/mutants/mutants.ts';
import { messageOf } from './process.ts';

const PARALLEL = 2;

const parts = process.argv.slice(2);
const asked = mutants.filter(({ file }) => parts.length === 0 || parts.some((part) => file.includes(part)));
const faults: string[] = [];
/** Files that caught something: they have to pass without a mutant. */
const catchers = new Set<string>();

/** What is wrong with a mutant: it survived. */
async function check(bed: MutantBed, mutant: Mutant): Promise<string | undefined> {
  const { file, test, output } = await bed.judge(mutant);
  const place = `${mutant.file}: ${mutant.why}`;
  console.log(file === undefined ? `SURVIVED  ${place}` : `caught    ${place}\n          by ${file}: ${test}`);
  if (file !== undefined) catchers.add(file);
  const told = output.split('\n').slice(-12).join('\n');
  return file === undefined ? `${place}\n  survived ${mutant.tests.join(', ')}\n${told}` : undefined;
}

async function checkUnchanged(bed: MutantBed, file: string): Promise<string | undefined> {
  const verdict = await bed.runTests([file]);
  return verdict.file === undefined ? undefined : `${file} fails without a mutant, too: ${verdict.test}`;
}

/** Works through the jobs, in as many beds as may work at a time. */
async function inBeds<Job>(
  jobs: readonly Job[],
  work: (bed: MutantBed, job: Job) => Promise<string | undefined>,
): Promise<void> {
  const waiting = [...jobs];
  const worker = async (): Promise<void> => {
    const bed = new MutantBed();
    try {
      for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
        const fault = await work(bed, job).catch(messageOf);
        if (fault !== undefined) faults.push(fault);
      }
    } finally {
      bed.dispose();
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

const started = performance.now();
await inBeds(asked, check);
const survived = faults.length;
await inBeds([...catchers], checkUnchanged);
for (const fault of faults) console.error(`\nFAULT: ${fault}`);
const minutes = ((performance.now() - started) / 60_000).toFixed(1);
console.log(`\n${asked.length} mutants, ${asked.length - survived} caught, ${survived} not; ${minutes} min`);
process.exitCode = faults.length === 0 && asked.length > 0 ? 0 : 1;
