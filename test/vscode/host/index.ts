// Runs inside VS Code's extension host: every bundled *.suite.ts beside this file, by mocha. The same under the VS Code server
// and under a desktop VS Code (npm run test:desktop).
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type Mocha from 'mocha';
import type { HostReport, HostTest } from './report.ts';

/** The folder of this bundle, where the other bundles lie too. */
declare const __dirname: string;

function describeTest(test: Mocha.Test): HostTest {
  const state = test.state ?? 'pending';
  const thrown = test.err;
  const place = { path: test.titlePath(), state };
  return thrown === undefined ? place : { ...place, error: thrown.stack ?? thrown.message };
}

/** Called by VS Code; rejects when a test failed. The report says more, and says it also when the host's own exit code lies. */
export async function run(): Promise<void> {
  const { default: Runner } = await import('mocha');
  const mocha = new Runner({ ui: 'bdd', timeout: 120_000, color: false, reporter: 'spec' });
  for (const name of readdirSync(__dirname)) {
    if (name.endsWith('.suite.cjs')) mocha.addFile(path.join(__dirname, name));
  }
  const tests: HostTest[] = [];
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run(resolve);
    runner.on('test end', (test) => tests.push(describeTest(test)));
    runner.on('fail', (runnable: Mocha.Runnable | Mocha.Hook, error: Error) => {
      // A failing hook ends its group without ending a test.
      if ('type' in runnable && runnable.type === 'hook')
        tests.push({ path: runnable.titlePath(), state: 'failed', error: error.stack ?? error.message });
    });
  });
  const reportFile = process.env['TRAPLINE_HOST_REPORT'];
  const report: HostReport = { tests };
  if (reportFile !== undefined) writeFileSync(reportFile, JSON.stringify(report));
  if (failures > 0) throw new Error(`${failures} of ${tests.length} tests failed in the extension host`);
}
