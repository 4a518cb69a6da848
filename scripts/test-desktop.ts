// `npm run test:desktop`: the suite of test/vscode/host inside a desktop VS Code. VSCODE_EXECUTABLE names one; else it is
// downloaded. Fails, and says so in one line, when there is none to be had.
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import path from 'node:path';
import { bundleHostSuite, faultOf, ReportFile, reportVariable } from '../test/harness/host-suite.ts';
import { cacheFolder, vscodeVersion } from './install-vscode.ts';
import { messageOf, repositoryRoot } from './process.ts';

async function findDesktop(): Promise<string | undefined> {
  const named = process.env['VSCODE_EXECUTABLE'];
  if (named !== undefined && named !== '') return named;
  try {
    return await downloadAndUnzipVSCode({
      version: vscodeVersion,
      cachePath: path.join(cacheFolder(), 'desktop'),
      timeout: 30_000,
      reporter: { report: () => undefined, error: () => undefined },
    });
  } catch (error) {
    const reason = messageOf(error).split('\n')[0] ?? '';
    console.error(
      `No test was run: VSCODE_EXECUTABLE names no desktop VS Code, and none can be downloaded (${reason}). Set it to one.`,
    );
    return undefined;
  }
}

async function runInside(vscodeExecutablePath: string): Promise<number> {
  const report = new ReportFile();
  try {
    const exitCode = await runTests({
      vscodeExecutablePath,
      extensionDevelopmentPath: repositoryRoot,
      extensionTestsPath: await bundleHostSuite(),
      extensionTestsEnv: { [reportVariable]: report.path },
      launchArgs: [path.join(repositoryRoot, 'guests', 'smp'), '--disable-extensions', '--disable-workspace-trust'],
    }).catch((error: unknown) => {
      console.error(messageOf(error));
      return 1;
    });
    const run = { exitCode, tests: report.read() };
    for (const { path: titles, state, error } of run.tests ?? []) {
      console.log(
        `${state === 'failed' ? 'FAILED' : state} ${titles.join(' > ')}${error === undefined ? '' : `\n${error}`}`,
      );
    }
    const fault = faultOf(run);
    if (fault !== undefined) console.error(fault);
    const count = (state: string): number => (run.tests ?? []).filter((test) => test.state === state).length;
    console.log(`${count('passed')} passed, ${Math.max(count('failed'), fault === undefined ? 0 : 1)} failed`);
    return fault === undefined ? 0 : 1;
  } finally {
    report.remove();
  }
}

const desktop = await findDesktop();
process.exitCode = desktop === undefined ? 1 : await runInside(desktop);
