// A copy of the checkout into which mutants are planted, one at a time: the working tree is never written to, and whoever edits it
// meanwhile does not disturb the run.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { coreModules, outputOf, stampFileOf } from '../../scripts/core-modules.ts';
import { listFiles } from '../../scripts/files.ts';
import { type Finished, repositoryRoot, runProgram } from '../../scripts/process.ts';
import type { Mutant } from './mutant.ts';

/** Milliseconds for a test file: on a busy machine the slowest takes minutes. */
const LIMIT = 900_000;
const CORE = coreModules.flatMap((module) => [outputOf(module), stampFileOf(module)]);
const BUNDLES = ['cli.js', 'worker.js', 'symbols-worker.js', 'extension.cjs'].map((name) => `dist/${name}`);
/** Folders that no test of a mutant reads. */
const LEFT_OUT = /^(bench|docs|media|syntaxes)\//;

export interface Verdict {
  /** The test file that caught it; undefined: none did. */
  readonly file: string | undefined;
  /** The test that failed in it. */
  readonly test: string;
  readonly output: string;
}

export class MutantBed {
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'trapline-mutants-'));
  /** The core as it was built when the bed was made: the checkout may be built anew meanwhile. */
  private readonly core = CORE.map((file) => ({ file, bytes: readFileSync(path.join(repositoryRoot, file)) }));

  constructor() {
    this.copy([...listFiles('.', (name) => !LEFT_OUT.test(name)), ...CORE, ...BUNDLES]);
    symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(this.folder, 'node_modules'));
  }
  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
  private copy(files: readonly string[]): void {
    for (const file of files) {
      const copy = path.join(this.folder, file);
      mkdirSync(path.dirname(copy), { recursive: true });
      copyFileSync(path.join(repositoryRoot, file), copy);
    }
  }

  /** Plants a mutant, builds what it needs, and runs the tests that have to catch it. Rejects when it cannot be planted or built. */
  async judge({ file, find, replace, tests }: Mutant): Promise<Verdict> {
    const planted = path.join(this.folder, file);
    const original = readFileSync(planted, 'utf8');
    const places = original.split(find).length - 1;
    assert.equal(places, 1, `${file} has the text of the mutant ${places} times, not once: ${find}`);
    const isCore = file.startsWith('src/core/assembly/');
    writeFileSync(
      planted,
      original.replace(find, () => replace),
    );
    try {
      if (isCore) await this.buildCore();
      return await this.runTests(tests);
    } finally {
      writeFileSync(planted, original);
      if (isCore) for (const { file: built, bytes } of this.core) writeFileSync(path.join(this.folder, built), bytes);
    }
  }

  /** Runs test files one after the other, until one fails. */
  async runTests(files: readonly string[]): Promise<Verdict> {
    let output = '';
    for (const file of files) {
      const done = await this.run(['--test', '--test-reporter=tap', file]);
      const [, test] = /^\s*not ok \d+ - (.*)$/m.exec(done.output) ?? [];
      assert.doesNotMatch(done.output, /Transform failed|SyntaxError|ERR_MODULE_NOT_FOUND/, 'the mutant is no program');
      if (done.status !== 0 && test === undefined) throw new Error(`${file} ended with ${done.status}: ${done.output}`);
      if (test !== undefined) return { file, test, output: done.output };
      output += done.output;
    }
    return { file: undefined, test: '', output };
  }

  private async buildCore(): Promise<void> {
    const { status, output } = await this.run(['scripts/build-core.ts', '--fast']);
    assert.equal(status, 0, `the mutant does not compile:\n${output}`);
  }
  private run(args: readonly string[]): Promise<Finished> {
    const env: NodeJS.ProcessEnv = { ...process.env };
    delete env['NODE_TEST_CONTEXT']; // it would make the program report to this test's runner
    return runProgram(process.execPath, ['--import', 'tsx', ...args], { cwd: this.folder, env, timeout: LIMIT });
  }
}
