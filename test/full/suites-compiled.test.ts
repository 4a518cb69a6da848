// The suites that run guest code, once more with every engine compiling at threshold 1: what they assert holds for both engines.
// (The oracle against the host processor has its own form of this: test/jit/decode-table.test.ts, row by row.)
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';

const root = path.join(import.meta.dirname, '../..');
/** Hostile code is new code all the time: its suites compare the two engines by themselves. */
const inFolder = (folder: string): string[] =>
  readdirSync(path.join(root, folder))
    .filter((file) => file.endsWith('.test.ts') && !file.startsWith('hostile'))
    .map((file) => path.join(folder, file));
/**
 * Suites whose guest loops, and the least share of their instructions: they also step and flush the code cache at random. Undisturbed
 * loops are test/jit/equivalence's, which wants 90 %; the other suites stop and fault most of the time, and their share is only printed.
 */
const LEAST: Readonly<Record<string, number>> = {
  'test/machine/determinism.test.ts': 0.6,
  'test/guestdebug/sample-guest.test.ts': 0.6,
};

function runCompiled(file: string): { status: number | null; output: string; share: number } {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-shares-'));
  try {
    const shares = path.join(folder, 'shares');
    const env: NodeJS.ProcessEnv = { ...process.env, TRAPLINE_SHARES: shares };
    delete env['NODE_TEST_CONTEXT']; // it would make the program report to this test's runner
    const preloaded = ['--import', 'tsx', '--import', './test/jit/compile-everything.ts'];
    const done = spawnSync(process.execPath, [...preloaded, file], { cwd: root, encoding: 'utf8', env });
    const line: unknown = JSON.parse(readFileSync(shares, 'utf8'));
    assert.ok(typeof line === 'object' && line !== null && 'ticks' in line && 'compiled' in line);
    const share = Number(line.ticks) === 0 ? 0 : Number(line.compiled) / Number(line.ticks);
    return { status: done.status, output: done.stdout + done.stderr, share };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const machine = ['machine', 'determinism', 'hung-guests'].map((name) => `test/machine/${name}.test.ts`);
const files = [...inFolder('test/core'), ...inFolder('test/guestdebug'), ...machine, 'test/oracle/regressions.test.ts'];
for (const file of files) {
  it(`${file} in compiled code`, () => {
    const { status, output, share } = runCompiled(file);
    console.log(`${file}: ${(share * 100).toFixed(1)} % of its instructions ran compiled`);
    assert.equal(status, 0, output);
    assert.ok(share >= (LEAST[file] ?? 0), `only ${share} ran compiled`);
  });
}
