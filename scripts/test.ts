// The whole test run, suite by suite.
// usage: test.ts [--full] [--only SUITE[,SUITE...]] [--name REGEX] [PART_OF_A_FILE_NAME...]
//   A suite that needs something built has it built first; a part of the core that changed is then compiled in a hurry, where the
//   suite allows it (suites.ts). --name: only tests whose name, or a group's around them, matches.
//   Ends with "N passed, N failed" (and ", N skipped"); status 0 when nothing failed.
import { buildEverything } from './build.ts';
import { checkContract, checkFormat, checkImports, checkLint, checkTypes, type Verdict } from './checks.ts';
import type { Flavour } from './core-modules.ts';
import { hashFiles, listFiles } from './files.ts';
import { nothing, runNodeTests, type Outcome } from './node-tests.ts';
import { campaignSeed, SEED_VARIABLE } from '../test/harness/random.ts';
import { messageOf } from './process.ts';
import { coreFor, filesOf, type FileSuite, fileSuites } from './suites.ts';
import { installSystemPackages } from './system-packages.ts';
import { findChromium, installVSCode } from './install-vscode.ts';

interface Suite {
  readonly name: string;
  readonly title: string;
  /** The core that has to be built before; undefined: nothing has. */
  readonly core?: () => Flavour;
  readonly run: (log: Log) => Promise<Outcome>;
}

type Log = (line: string) => void;
const say: Log = (line) => console.log(line);
const indent = (text: string): string => text.replace(/^/gm, '    ');

/** A check of the project as a whole counts as one test. */
function check(name: string, title: string, work: (log: Log) => Promise<Verdict>, core?: Flavour): Suite {
  const run = async (log: Log): Promise<Outcome> => {
    const verdict = await work(log).catch((error: unknown) => messageOf(error));
    if (verdict === '') return { ...nothing, passed: 1 };
    log(`  FAILED ${title}\n${indent(verdict)}`);
    return { ...nothing, failed: 1 };
  };
  return { name, title, run, ...(core === undefined ? {} : { core: () => core }) };
}

const minutes = (count: number): number => count * 60_000;

function testFiles(suite: FileSuite): Suite {
  const { name, title, concurrency } = suite;
  const files = filesOf(suite).filter(isAskedFor);
  const runFiles = (log: Log): Promise<Outcome> =>
    runNodeTests(files, { concurrency, timeout: minutes(suite.minutes), names, log });
  const run = name === 'vscode' ? (log: Log) => inVSCode(files, runFiles, log) : runFiles;
  return { name, title, run, ...(files.length === 0 ? {} : { core: () => coreFor(suite, files) }) };
}

async function systemPackages(log: Log): Promise<Outcome> {
  const { leftOut, fault } = await installSystemPackages(log);
  if (fault === undefined) return { ...nothing, passed: 1, leftOut };
  log(`  FAILED set-up\n${indent(fault)}`);
  return { ...nothing, failed: 1, leftOut };
}

/** Test files that drive a real VS Code in a browser. */
async function inVSCode(files: readonly string[], run: (log: Log) => Promise<Outcome>, log: Log): Promise<Outcome> {
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
  return run(log);
}

/** Builds; in a clean checkout also finds the committed files that their generator would write otherwise. */
async function build(log: Log): Promise<Verdict> {
  const watched =
    process.env['CI'] === undefined ? [] : ['src', 'syntaxes', 'guests', 'test'].flatMap((folder) => listFiles(folder));
  watched.push('package.json');
  const before = new Map(watched.map((file) => [file, hashFiles([file])]));
  const fault = await built('optimised', log);
  if (fault !== '') return fault;
  const changed = watched.filter((file) => hashFiles([file]) !== before.get(file));
  return changed.map((file) => `${file} was out of date: its generator has just written it anew; commit it`).join('\n');
}

const builds = new Map<Flavour, Promise<string>>();

/** Builds what is out of date, once in a run; what failed, in words, empty when nothing did. */
function built(flavour: Flavour, log: Log): Promise<string> {
  const done = builds.get('optimised') ?? builds.get(flavour);
  if (done !== undefined) return done;
  const building = buildEverything((line) => log(`  ${line}`), flavour).then(() => '', messageOf);
  builds.set(flavour, building);
  return building;
}

/** Nothing is tested over an old build: a suite whose build failed counts as failed. */
async function runSuite(suite: Suite): Promise<Outcome> {
  const core = suite.core?.();
  const quiet: Log = (line) => (line.endsWith('up to date') ? undefined : say(line));
  const fault = core === undefined ? '' : await built(core, quiet);
  if (fault === '') return suite.run(say);
  say(`  NOT RUN ${suite.title}: the build failed\n${indent(fault)}`);
  return { ...nothing, failed: 1 };
}

function allSuites(): readonly Suite[] {
  return [
    check('format', 'format', checkFormat),
    check('lint', 'lint', checkLint),
    check('types', 'types', checkTypes),
    check('imports', 'import rules', checkImports),
    check('build', 'build', build),
    check('contract', 'handler contract', checkContract, 'optimised'),
    { name: 'setup', title: 'system packages', run: systemPackages },
    ...fileSuites.map(testFiles),
  ];
}
const suiteNames = [
  ...['format', 'lint', 'types', 'imports', 'build', 'contract', 'setup'],
  ...fileSuites.map(({ name }) => name),
];

interface Arguments {
  readonly only: readonly string[];
  /** Parts of file names; none: all files. */
  readonly parts: readonly string[];
  /** Pattern of test names; undefined: all tests. */
  readonly names: RegExp | undefined;
}

/** Ends the program with what is wrong with its arguments. */
function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

function parsePattern(text: string | undefined): RegExp {
  if (text === undefined || text === '') refuse('--name wants a regular expression behind it.');
  try {
    return new RegExp(text);
  } catch (error) {
    refuse(`--name: ${messageOf(error)}.`);
  }
}

function parseArguments(words: readonly string[]): Arguments {
  const parts: string[] = [];
  let names: RegExp | undefined;
  let only: readonly string[] = suiteNames.filter((name) => name !== 'full' || words.includes('--full'));
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '--only') only = (words[++index] ?? '').split(',');
    else if (word === '--name') names = parsePattern(words[++index]);
    else if (word.startsWith('-') && word !== '--full') {
      refuse(`There is no option "${word}"; the options are --full, --only SUITE[,SUITE...] and --name REGEX.`);
    } else if (word !== '--full') parts.push(word);
  }
  const unknown = only.find((name) => !suiteNames.includes(name));
  if (unknown !== undefined) refuse(`There is no suite "${unknown}"; the suites are: ${suiteNames.join(', ')}.`);
  return { only, parts, names };
}

const { only, parts, names } = parseArguments(process.argv.slice(2));

// Long campaigns meet new cases each time; the suites read the seed from the environment.
if (only.includes('full')) {
  const seed = campaignSeed();
  process.env[SEED_VARIABLE] = String(seed);
  say(`Seed of every campaign: ${seed}. ${SEED_VARIABLE}=${seed} repeats this run.`);
}

function isAskedFor(file: string): boolean {
  return parts.length === 0 || parts.some((part) => file.includes(part));
}

let total = nothing;
const start = performance.now();
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
for (const suite of allSuites().filter(({ name }) => only.includes(name))) {
  const suiteStart = performance.now();
  const outcome = await runSuite(suite);
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
if (total.passed + total.failed === 0)
  say(`No test was run${parts.length > 0 || names ? ': no file or test has such a name' : ''}.`);
say(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
