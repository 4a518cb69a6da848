// Runs the suite in test/vscode/host inside the extension host of a real VS Code, and reports each of its tests.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryRoot } from '../../scripts/process.ts';
import { bundleHostSuite, faultOf, ReportFile, reportVariable } from '../harness/host-suite.ts';
import { sampleWorkspace, withSession } from '../harness/session.ts';

const longest = 240_000;

test('inside the extension host', async (t) => {
  const report = new ReportFile();
  t.after(() => report.remove());
  const tests = await bundleHostSuite();
  const said: string[] = [];
  await withSession(
    'host',
    async ({ server, page }) => {
      const exitCode = await new Promise<number>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`nothing reported in ${longest / 1000} s`)), longest);
        const finish = (code: number): void => {
          clearTimeout(timer);
          resolve(code);
        };
        const open = async (): Promise<void> => {
          await page.exposeFunction('codeAutomationLog', (_type: string, words: unknown[]) =>
            said.push(words.join(' ')),
          );
          await page.exposeFunction('codeAutomationExit', finish);
          page.on('crash', () => finish(-1));
          await page.goto(server.url({ folder: sampleWorkspace, extension: repositoryRoot, tests }));
        };
        open().catch(reject);
      });
      const run = { exitCode, tests: report.read() };
      for (const { path, state, error } of run.tests ?? []) {
        await t.test(path.join(' > '), { skip: state === 'pending' ? 'pending in mocha' : false }, () => {
          if (state === 'failed') assert.fail(error ?? 'failed');
        });
      }
      assert.equal(faultOf(run), undefined, said.slice(-30).join('\n'));
    },
    { env: { [reportVariable]: report.path } },
  );
});
