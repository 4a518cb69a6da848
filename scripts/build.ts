// Builds everything into dist/: generated files, the AssemblyScript core, the bundles. Unchanged sources cost nothing.
// usage: build.ts [--quiet]
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as esbuild, formatMessages, type BuildOptions } from 'esbuild';
import { hashFiles, listFiles } from './files.ts';
import { messageOf, repositoryRoot, runTypeScript } from './process.ts';

const stampFile = path.join(repositoryRoot, 'dist', '.stamps.json');
type Log = (line: string) => void;

/** A part of the build: done again when one of its inputs changed or one of its outputs is gone. */
interface Step {
  readonly name: string;
  /** Files and folders of the checkout that decide the outcome. */
  readonly inputs: () => string[];
  /** Whether the work writes into its own inputs. */
  readonly writesInputs?: true;
  /** Does the work; returns the files it made, relative to the checkout. */
  readonly work: (log: Log) => Promise<string[]>;
}

interface Stamp {
  readonly inputs: string;
  readonly outputs: readonly string[];
}

/** Reads the stamps of the last build; damaged or missing ones mean that everything is built. */
function readStamps(): Map<string, Stamp> {
  const stamps = new Map<string, Stamp>();
  try {
    const parsed: unknown = JSON.parse(readFileSync(stampFile, 'utf8'));
    if (!Array.isArray(parsed)) return stamps;
    for (const entry of parsed as unknown[]) {
      if (typeof entry !== 'object' || entry === null) continue;
      const { name, inputs, outputs } = entry as Record<string, unknown>;
      if (typeof name === 'string' && typeof inputs === 'string' && Array.isArray(outputs)) {
        stamps.set(name, { inputs, outputs: outputs.filter((file) => typeof file === 'string') });
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

async function buildBundles(log: Log): Promise<string[]> {
  const wanted = [...bundles];
  for (const client of listFiles('src/webview', (file) => file.endsWith('.client.ts'))) {
    const output = `dist/webview/${path.basename(client).replace(/\.client\.ts$/, '.js')}`;
    const options: BuildOptions = { ...common, platform: 'browser', format: 'iife', target: 'chrome120' };
    wanted.push({ entry: client, output, options: { ...options, tsconfig: 'tsconfig.webview.json' } });
  }
  const outputs: string[] = [];
  const packages = new Set<string>();
  for (const { entry, output, options } of wanted) {
    if (existsSync(path.join(repositoryRoot, entry))) outputs.push(...(await bundle(entry, output, options, packages)));
    else log(`  left out: ${output}, since ${entry} is not there yet`);
  }
  outputs.push(writeOutput('dist/third-party-notices.txt', noticesOf([...packages].sort())));
  for (const sheet of listFiles('src/webview', (file) => file.endsWith('.css'))) {
    const content = readFileSync(path.join(repositoryRoot, sheet));
    outputs.push(writeOutput(`dist/webview/${path.basename(sheet)}`, content));
  }
  return outputs;
}

async function runScript(script: string): Promise<void> {
  const done = await runTypeScript(script, []);
  if (done.status !== 0) throw new Error(`${script} ended with status ${done.status}:\n${done.output.trimEnd()}`);
}

const isGenerator = (file: string): boolean => /^scripts\/generate-[\w-]+\.ts$/.test(file);
const isProduct = (file: string): boolean => !file.endsWith('.test.ts');
const coreSources = (): string[] => [
  ...listFiles('src/core', (file) => file.endsWith('.ts') && isProduct(file)),
  ...listFiles('scripts', (file) => file.startsWith('scripts/build-core')),
  'package-lock.json',
];

const steps: readonly Step[] = [
  {
    name: 'generated files',
    writesInputs: true,
    inputs: () => [...listFiles('src', isProduct), ...listFiles('scripts', isGenerator), 'package.json'],
    async work() {
      for (const generator of listFiles('scripts', isGenerator)) await runScript(generator);
      return [];
    },
  },
  {
    name: 'core',
    inputs: coreSources,
    async work(log) {
      if (!existsSync(path.join(repositoryRoot, 'scripts/build-core.ts'))) {
        log('  left out: dist/*.wasm, since scripts/build-core.ts is not there yet');
        return [];
      }
      await runScript('scripts/build-core.ts');
      return ['dist/core.wasm', 'dist/system.wasm'];
    },
  },
  {
    name: 'bundles',
    inputs: () => [
      ...listFiles('src', (file) => isProduct(file) && !file.startsWith('src/core/assembly/')),
      ...['scripts/build.ts', 'package-lock.json', 'tsconfig.json', 'tsconfig.webview.json'],
    ],
    work: buildBundles,
  },
];

/** Builds what is out of date. A step that fails does not keep the others from their work; rejects in the end with what failed. */
export async function buildEverything(log: Log = console.log): Promise<void> {
  const stamps = readStamps();
  const faults: string[] = [];
  for (const step of steps) {
    const started = performance.now();
    const last = stamps.get(step.name);
    const inputs = hashFiles(step.inputs());
    const complete = last?.outputs.every((file) => existsSync(path.join(repositoryRoot, file))) === true;
    if (last?.inputs === inputs && complete) {
      log(`${step.name}: up to date`);
      continue;
    }
    stamps.delete(step.name);
    try {
      const outputs = await step.work(log);
      stamps.set(step.name, { inputs: step.writesInputs === true ? hashFiles(step.inputs()) : inputs, outputs });
      log(`${step.name}: built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    } catch (error) {
      faults.push(`${step.name}: ${await explain(error)}`);
    }
    const content = JSON.stringify([...stamps].map(([name, stamp]) => ({ name, ...stamp })));
    writeOutput('dist/.stamps.json', content);
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
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
    await buildEverything((line) => {
      if (!quiet || line.includes('built in')) console.error(line);
    });
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
