// Builds everything into dist/: generated files, the AssemblyScript core, the bundles. Unchanged sources cost nothing.
// usage: build.ts [--quiet]
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as esbuild, formatMessages, type BuildOptions } from 'esbuild';
import { type Flavour, outdatedModules, outputOf } from './core-modules.ts';
import { hashFiles, listFiles } from './files.ts';
import { generators, inputsOf, unnamedGenerators } from './generators.ts';
import { importClosure } from './import-closure.ts';
import { messageOf, repositoryRoot, runTypeScript } from './process.ts';

const stampFile = path.join(repositoryRoot, 'dist', '.stamps.json');
type Log = (line: string) => void;

/** A part of the build: done again when one of its inputs changed, or one of its outputs is not as it was made. */
interface Step {
  readonly name: string;
  /** Files of the checkout that decide the outcome. */
  readonly inputs: () => string[];
  /** Does the work; returns the files it made, relative to the checkout. */
  readonly work: () => Promise<readonly string[]>;
}

/** What a step was made from, and what it made: hashes of contents. */
interface Stamp {
  readonly inputs: string;
  readonly outputs: readonly string[];
  readonly made: string;
}

/** Reads the stamps of the last build; damaged or missing ones mean that everything is built. */
function readStamps(): Map<string, Stamp> {
  const stamps = new Map<string, Stamp>();
  try {
    const parsed: unknown = JSON.parse(readFileSync(stampFile, 'utf8'));
    if (!Array.isArray(parsed)) return stamps;
    for (const entry of parsed as unknown[]) {
      if (typeof entry !== 'object' || entry === null) continue;
      const { name, inputs, outputs, made } = entry as Record<string, unknown>;
      if (
        typeof name === 'string' &&
        typeof inputs === 'string' &&
        Array.isArray(outputs) &&
        typeof made === 'string'
      ) {
        stamps.set(name, { inputs, outputs: outputs.filter((file) => typeof file === 'string'), made });
      }
    }
  } catch {
    return new Map();
  }
  return stamps;
}

const common: BuildOptions = {
  absWorkingDir: repositoryRoot,
  bundle: true,
  write: false,
  sourcemap: 'linked',
  legalComments: 'eof',
  logLevel: 'silent',
};
const node: BuildOptions = { ...common, platform: 'node', target: 'node20' };

/** Bundled CommonJS packages call `require`, which an ES module does not have. */
const requireForBundles =
  "import { createRequire as createRequireForBundles } from 'node:module'; const require = createRequireForBundles(import.meta.url);";
const module_: BuildOptions = {
  ...node,
  format: 'esm',
  mainFields: ['module', 'main'],
  banner: { js: requireForBundles },
};

/** The bundles: what each is made of and how. VS Code loads its extensions as CommonJS. */
const bundles: readonly { entry: string; output: string; options: BuildOptions }[] = [
  {
    entry: 'src/entry/extension.node.ts',
    output: 'dist/extension.cjs',
    options: {
      ...node,
      format: 'cjs',
      external: ['vscode'],
      define: { 'import.meta.url': 'importMetaUrl' },
      banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    },
  },
  { entry: 'src/entry/cli.ts', output: 'dist/cli.js', options: module_ },
  { entry: 'src/entry/worker.ts', output: 'dist/worker.js', options: module_ },
  { entry: 'src/entry/symbols-worker.ts', output: 'dist/symbols-worker.js', options: module_ },
];

/** Writes under a temporary name first: a build next to a running program never shows it half a file. */
function writeOutput(file: string, content: string | Uint8Array, mode = 0o644): string {
  const absolute = path.join(repositoryRoot, file);
  mkdirSync(path.dirname(absolute), { recursive: true });
  const temporary = `${absolute}.${process.pid}.tmp`;
  writeFileSync(temporary, content, { mode });
  renameSync(temporary, absolute);
  return file;
}

/** Builds one bundle; adds the packages that went into it. */
async function bundle(entry: string, output: string, options: BuildOptions, packages: Set<string>): Promise<string[]> {
  const executable = output === 'dist/cli.js';
  const result = await esbuild({ ...options, metafile: true, entryPoints: [entry], outfile: output });
  for (const input of Object.keys(result.metafile.inputs)) {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (name !== undefined) packages.add(name);
  }
  return (result.outputFiles ?? []).map((file) => {
    const name = path.relative(repositoryRoot, file.path).replaceAll('\\', '/');
    const shebang = executable && name === output && !file.text.startsWith('#!') ? '#!/usr/bin/env node\n' : '';
    return writeOutput(name, shebang === '' ? file.contents : shebang + file.text, executable ? 0o755 : 0o644);
  });
}

/** The licences of packages whose code is part of the bundles, as their authors ask. */
function noticesOf(packages: readonly string[]): string {
  return packages
    .map((name) => {
      const folder = path.join(repositoryRoot, 'node_modules', name);
      const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
      if (licence === undefined) throw new Error(`${name} is bundled but has no licence file`);
      return `${name}\n\n${readFileSync(path.join(folder, licence), 'utf8').trim()}\n`;
    })
    .join('\n----\n\n');
}

async function buildBundles(): Promise<string[]> {
  const wanted = [...bundles];
  for (const client of listFiles('src/webview', (file) => file.endsWith('.client.ts'))) {
    const output = `dist/webview/${path.basename(client).replace(/\.client\.ts$/, '.js')}`;
    const options: BuildOptions = { ...common, platform: 'browser', format: 'iife', target: 'chrome120' };
    wanted.push({ entry: client, output, options: { ...options, tsconfig: 'tsconfig.webview.json' } });
  }
  const outputs: string[] = [];
  const packages = new Set<string>();
  for (const { entry, output, options } of wanted) outputs.push(...(await bundle(entry, output, options, packages)));
  outputs.push(writeOutput('dist/third-party-notices.txt', noticesOf([...packages].sort())));
  for (const sheet of listFiles('src/webview', (file) => file.endsWith('.css'))) {
    const content = readFileSync(path.join(repositoryRoot, sheet));
    outputs.push(writeOutput(`dist/webview/${path.basename(sheet)}`, content));
  }
  return outputs;
}

/** Runs a script of the project; rejects with what it said when it fails. */
async function runScript(script: string, args: readonly string[] = []): Promise<void> {
  const done = await runTypeScript(script, args);
  if (done.status !== 0) throw new Error(done.output.trimEnd() || `${script} ended with status ${done.status}`);
}

const isProduct = (file: string): boolean => !file.endsWith('.test.ts');

const generatorSteps: readonly Step[] = generators.map((generator) => ({
  name: generator.script.replace(/^scripts\/generate-(.*)\.ts$/, 'generated: $1'),
  inputs: () => inputsOf(generator),
  async work() {
    await runScript(generator.script);
    return generator.writes;
  },
}));

const contract: Step = {
  name: 'handler contract',
  inputs: () => [outputOf('core'), ...importClosure(['scripts/check-contract.ts'])],
  async work() {
    await runScript('scripts/check-contract.ts');
    return [];
  },
};

const bundleStep: Step = {
  name: 'bundles',
  inputs: () => [
    ...listFiles('src', (file) => isProduct(file) && !file.startsWith('src/core/assembly/')),
    ...['scripts/build.ts', 'package-lock.json', 'tsconfig.json', 'tsconfig.webview.json'],
  ],
  work: buildBundles,
};

/** A build under way: what is up to date, what went wrong. A step that fails does not keep the others from their work. */
class Build {
  readonly faults: string[] = [];
  private readonly stamps = readStamps();
  private readonly log: Log;

  constructor(log: Log) {
    this.log = log;
  }

  /** Does the work of a step unless its outcome is there already. Step and outcome are remembered when the work is done. */
  async step({ name, inputs, work }: Step): Promise<void> {
    await this.attempt(name, async () => {
      const last = this.stamps.get(name);
      if (last?.inputs === hashFiles(inputs()) && last.made === hashFiles(last.outputs)) return undefined;
      this.stamps.delete(name);
      const outputs = await work();
      // hashed again: some generators write into a file that they read
      this.stamps.set(name, { inputs: hashFiles(inputs()), outputs, made: hashFiles(outputs) });
      return '';
    });
    const content = JSON.stringify([...this.stamps].map(([step, stamp]) => ({ name: step, ...stamp })));
    writeOutput('dist/.stamps.json', content);
  }

  /** The core keeps stamps of its own: one beside each module, so that module and stamp can be copied together. */
  async core(flavour: Flavour): Promise<void> {
    await this.attempt('core', async () => {
      const outdated = outdatedModules(flavour);
      if (outdated.length === 0) return undefined;
      await runScript('scripts/build-core.ts', flavour === 'fast' ? ['--fast'] : []);
      return ` (${outdated.join(', ')}${flavour === 'fast' ? ': fast, not optimised' : ''})`;
    });
  }

  /** work: answers undefined when there was nothing to do, else what to add to "built". */
  private async attempt(name: string, work: () => Promise<string | undefined>): Promise<void> {
    const started = performance.now();
    try {
      const done = await work();
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      this.log(done === undefined ? `${name}: up to date` : `${name}: built in ${seconds} s${done}`);
    } catch (error) {
      this.faults.push(`${name}: ${await explain(error)}`);
    }
  }
}

/**
 * Builds what is out of date; rejects in the end with everything that failed.
 * @param flavour how the core's modules are compiled that are out of date; with `fast`, optimised ones that are there are kept
 */
export async function buildEverything(log: Log = console.log, flavour: Flavour = 'optimised'): Promise<void> {
  const build = new Build(log);
  for (const script of unnamedGenerators()) {
    build.faults.push(`${script}: no row of scripts/generators.ts says what it reads and writes`);
  }
  for (const step of generatorSteps) await build.step(step);
  await build.core(flavour);
  await build.step(contract);
  await build.step(bundleStep);
  if (build.faults.length > 0) throw new Error(build.faults.join('\n'));
}

/** What a failed build says: esbuild's own picture of the place, or the message. */
async function explain(error: unknown): Promise<string> {
  const errors: unknown = typeof error === 'object' && error !== null && 'errors' in error ? error.errors : undefined;
  if (!Array.isArray(errors)) return messageOf(error);
  return (await formatMessages(errors, { kind: 'error', color: process.stderr.isTTY })).join('');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const quiet = process.argv.includes('--quiet');
  try {
    await buildEverything(
      (line) => {
        if (!quiet || line.includes('built in')) console.error(line);
      },
      process.argv.includes('--fast') ? 'fast' : 'optimised',
    );
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
