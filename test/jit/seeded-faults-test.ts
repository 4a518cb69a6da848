// The proof of the JIT's tests: a fault in a copy of src/jit or src/wasm makes the test fail that is named for it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type JitFault, TESTS } from './seeded-faults.ts';

const root = join(import.meta.dirname, '../..');
const COPIED = [
  'src',
  'test/jit',
  'test/oracle',
  'test/harness/bytes.ts',
  'test/harness/random.ts',
  'guests/smp',
  'package.json',
  'tsconfig.json',
];
const COPIED_LAST = ['dist/core.wasm', 'dist/system.wasm'];
/** A fixed campaign: whether it meets a fault does not depend on luck. */
const SETTINGS = { TRAPLINE_SEED: '1', TRAPLINE_FUZZ_PROGRAMS: '400', TRAPLINE_FUZZ_QUICK: '1' };
const LIMIT = 240_000;

export function describeJitFaults(faults: readonly JitFault[]): void {
  describe('faults seeded into the JIT are found', () => {
    let folder = '';
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'trapline-jit-seeds-'));
      for (const path of [...COPIED, ...COPIED_LAST]) cpSync(join(root, path), join(folder, path), { recursive: true });
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    });
    after(() => {
      if (folder !== '') rmSync(folder, { recursive: true, force: true });
    });
    const run = ({ file, name }: (typeof TESTS)[keyof typeof TESTS]) => {
      const env: NodeJS.ProcessEnv = { ...process.env, ...SETTINGS };
      delete env['NODE_TEST_CONTEXT']; // it would make the program report to this test's runner
      const pattern = ['--test', '--test-reporter=tap', `--test-name-pattern=${name}`];
      const args = ['--import', 'tsx', ...pattern, join('test/jit', file)];
      const done = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env, timeout: LIMIT });
      const failed = new RegExp(`^\\s*not ok \\d+ - .*${name}`, 'm').test(done.stdout);
      const passed = new RegExp(`^\\s*ok \\d+ - .*${name}`, 'm').test(done.stdout);
      return { failed, passed, output: done.stdout + done.stderr };
    };
    for (const caughtBy of new Set(faults.map((fault) => fault.caughtBy))) {
      it(`without a fault "${TESTS[caughtBy].name}" passes`, () => {
        const { passed, output } = run(TESTS[caughtBy]);
        assert.ok(passed, output);
      });
    }
    for (const { name, file, find, replace, caughtBy } of faults) {
      it(`${name}: by "${TESTS[caughtBy].name}"`, () => {
        const path = join(folder, 'src', file);
        const text = readFileSync(path, 'utf8');
        assert.equal(text.split(find).length, 2, `${file} has "${find}" not exactly once`);
        writeFileSync(
          path,
          text.replace(find, () => replace),
        );
        try {
          const { failed, output } = run(TESTS[caughtBy]);
          assert.ok(failed, `not found:\n${output}`);
          assert.doesNotMatch(output, /Transform failed|SyntaxError/);
        } finally {
          writeFileSync(path, text);
        }
      });
    }
  });
}
