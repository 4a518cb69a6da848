// The whole test run, suite by suite.
// usage: test.ts [--full] [--only SUITE[,SUITE...]] [PART_OF_A_FILE_NAME...]
//   Ends with "N passed, N failed" (and ", N skipped"); status 0 when nothing failed.
import { buildEverything } from './build.ts';
import { checkContract, checkFormat, checkImports, checkLint, checkTypes, type Verdict } from './checks.ts';
import { hashFiles, listFiles } from './files.ts';
import { nothing, runNodeTests, type Outcome } from './node-tests.ts';
import { messageOf } from './process.ts';
import { installSystemPackages } from './system-packages.ts';
import { findChromium, installVSCode } from './install-vscode.ts';

interface Suite {
  readonly name: string;
  readonly title: string;
  readonly run: (log: Log) => Promise<Outcome>;
}

type Log = (line: string) => void;
const say: Log = (line) => console.log(line);
const indent = (text: string): string => text.replace(/^/gm, '    ');

/** A check of the project as a whole counts as one test. */
function check(name: string, title: string, work: (log: Log) => Promise<Verdict>): Suite {
  const run = async (log: Log): Promise<Outcome> => {
    const verdict = await work(log).catch((error: unknown) => messageOf(error));
    if (verdict === undefined) return { ...nothing, skipped: 1, leftOut: [`${title}: not part of this checkout yet`] };
    if (verdict === '') return { ...nothing, passed: 1 };
    log(`  FAILED ${title}\n${indent(verdict)}`);
    return { ...nothing, failed: 1 };
  };
  return { name, title, run };
}

const isTest = (file: string): boolean => file.endsWith('.test.ts');
const minutes = (count: number): number => count * 60_000;

function nodeTests(name: string, title: string, files: () => string[], concurrency: number, timeout: number): Suite {
  return { name, title, run: (log) => runNodeTests(files().filter(isAskedFor), { concurrency, timeout, log }) };
}

async function systemPackages(log: Log): Promise<Outcome> {
  const { leftOut, fault } = await installSystemPackages(log);
  if (fault === undefined) return { ...nothing, passed: 1, leftOut };
  log(`  FAILED set-up\n${indent(fault)}`);
  return { ...nothing, failed: 1, leftOut };
}

/** The tests that drive a real VS Code: one at a time, since each takes about 1 GB and a processor. */
async function vscodeTests(log: Log): Promise<Outcome> {
  const files = listFiles('test/vscode', isTest).filter(isAskedFor);
  if (files.length === 0) return nothing;
  if (findChromium() === undefined) {
    return { ...nothing, skipped: files.length, leftOut: files.map((file) => `${file}: no Chromium on this machine`) };
  }
  try {
    await installVSCode((line) => log(`  ${line}`));
  } catch (error) {
    log(`  FAILED set-up of VS Code\n${indent(messageOf(error))}`);
    return { ...nothing, failed: 1 };
  }
  return runNodeTests(files, { concurrency: 1, timeout: minutes(10), log });
}

/** Builds; in a clean checkout also finds the committed files that their generator would write otherwise. */
async function build(log: Log): Promise<Verdict> {
  const watched =
    process.env['CI'] === undefined ? [] : ['src', 'syntaxes', 'guests', 'test'].flatMap((folder) => listFiles(folder));
  watched.push('package.json');
  const before = new Map(watched.map((file) => [file, hashFiles([file])]));
  await buildEverything((line) => log(`  ${line}`));
  const changed = watched.filter((file) => hashFiles([file]) !== before.get(file));
  return changed.map((file) => `${file} was out of date: its generator has just written it anew; commit it`).join('\n');
}

const integrationFiles = (): string[] =>
  listFiles('test', (file) => isTest(file) && !/^test\/(vscode|full)\//.test(file));

const suites: readonly Suite[] = [
  check('format', 'format', checkFormat),
  check('lint', 'lint', checkLint),
  check('types', 'types', checkTypes),
  check('imports', 'import rules', checkImports),
  check('build', 'build', build),
  check('contract', 'handler contract', checkContract),
  { name: 'setup', title: 'system packages', run: systemPackages },
  nodeTests('unit', 'unit tests', () => listFiles('src', isTest), 2, minutes(5)),
  nodeTests('integration', 'integration tests', integrationFiles, 2, minutes(10)),
  { name: 'vscode', title: 'VS Code tests', run: vscodeTests },
  nodeTests('full', 'long tests', () => listFiles('test/full', isTest), 2, minutes(60)),
];

interface Arguments {
  readonly only: readonly string[];
  readonly parts: readonly string[];
}

function parseArguments(words: readonly string[]): Arguments {
  const parts: string[] = [];
  let only = suites.map((suite) => suite.name).filter((name) => name !== 'full' || words.includes('--full'));
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '--only') {
      index += 1;
      only = (words[index] ?? '').split(',');
    } else if (word.startsWith('-') && word !== '--full') {
      console.error(`There is no option "${word}"; the options are --full and --only SUITE[,SUITE...].`);
      process.exit(2);
    } else if (word !== '--full') parts.push(word);
  }
  const known = suites.map((suite) => suite.name);
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    console.error(`There is no suite "${unknown}"; the suites are: ${known.join(', ')}.`);
    process.exit(2);
  }
  return { only, parts };
}

const { only, parts } = parseArguments(process.argv.slice(2));

function isAskedFor(file: string): boolean {
  return parts.length === 0 || parts.some((part) => file.includes(part));
}

let total = nothing;
const start = performance.now();
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
for (const suite of suites.filter(({ name }) => only.includes(name))) {
  const suiteStart = performance.now();
  const outcome = await suite.run(say);
  const skipped = outcome.skipped > 0 ? `, skipped ${outcome.skipped}` : '';
  say(`${suite.title}: ok ${outcome.passed}, not ok ${outcome.failed}${skipped} (${seconds(suiteStart)})`);
  total = {
    passed: total.passed + outcome.passed,
    failed: total.failed + outcome.failed,
    skipped: total.skipped + outcome.skipped,
    leftOut: [...total.leftOut, ...outcome.leftOut],
  };
}
if (total.leftOut.length > 0) say(`\nLeft out:\n${total.leftOut.map((line) => `  ${line}`).join('\n')}`);
say(`\nAll suites: ${seconds(start)}`);
say(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
