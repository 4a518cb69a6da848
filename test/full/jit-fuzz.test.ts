// 50,000 random programs in both engines, in two processes at once: see test/jit/fuzz.test.ts, which reads the settings.
// TRAPLINE_FUZZ_PROGRAMS says how many they are.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';
import { campaignSeed, SEED_VARIABLE } from '../harness/random.ts';

const programs = Number(process.env['TRAPLINE_FUZZ_PROGRAMS'] ?? 50_000);
const PROCESSES = 2;
const seed = campaignSeed();

function part(first: number, count: number): Promise<{ status: number | null; output: string }> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    [SEED_VARIABLE]: String(seed),
    TRAPLINE_FUZZ_FIRST: String(first),
    TRAPLINE_FUZZ_PROGRAMS: String(count),
  };
  delete env['NODE_TEST_CONTEXT']; // it would make the program report to this test's runner
  const file = join(import.meta.dirname, '../jit/fuzz.test.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', '--test', '--test-reporter=tap', file], { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output += bytes.toString('utf8');
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
  });
}

it(`${programs} random programs are the same in interpreter and JIT`, async () => {
  const each = Math.ceil(programs / PROCESSES);
  const parts = Array.from({ length: PROCESSES }, (_, i) => part(i * each, Math.min(each, programs - i * each)));
  for (const { status, output } of await Promise.all(parts)) {
    console.log(
      output
        .split('\n')
        .filter((line) => /^# (seed|\d+ programs)/.test(line))
        .join('\n'),
    );
    assert.equal(status, 0, output);
  }
});
