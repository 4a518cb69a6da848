// A promise that nobody waits for must not fail unseen, in no test: the runner of node:test has to report it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { env, execPath } from 'node:process';
import { it } from 'node:test';
import { runProgram } from '../../scripts/process.ts';

const statements = {
  'a rejection that nobody handles': "void Promise.reject(new Error('nobody waits'));",
  'an error in a timer': "setTimeout(() => { throw new Error('in a timer'); }, 1);",
  'nothing at all': '',
};

for (const [name, statement] of Object.entries(statements)) {
  it(`${name} ${statement === '' ? 'passes' : 'fails the run, even when every test has passed'}`, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'trapline-rejection-'));
    try {
      const file = path.join(folder, 'one.test.mjs');
      const body = `it('passes', () => { ${statement} }); it('waits', () => new Promise((r) => setTimeout(r, 50)));`;
      writeFileSync(file, `import { it } from 'node:test';\n${body}\n`);
      const { NODE_TEST_CONTEXT: _inner, ...outside } = env;
      const done = await runProgram(execPath, ['--test', '--test-reporter=tap', file], { env: outside });
      assert.equal(done.status === 0, statement === '', done.output);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
