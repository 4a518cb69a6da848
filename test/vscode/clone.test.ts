// What a newcomer does: clone, `npm start`, open the address that it prints, F5.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { repositoryRoot, runProgram } from '../../scripts/process.ts';
import { startBrowser } from '../harness/browser.ts';
import { takeScreenshot } from '../harness/session.ts';
import { errorToasts, openSource, openWorkbench, waitForStackFrame } from '../harness/workbench.ts';

const minutes = (count: number): number => count * 60_000;

/** The environment of a shell: nothing of the npm and the test runner around this process. */
function shellEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (
      !/^(npm_(package|lifecycle|config_local|command|execpath)|NODE_TEST_CONTEXT|NODE_OPTIONS|DISPLAY|WAYLAND)/.test(
        name,
      )
    ) {
      env[name] = value;
    }
  }
  return env;
}

/** Waits until a program printed an address; rejects when it ends before, or after ten minutes, with all that it printed. */
function addressFrom(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(
      () => reject(new Error(`npm start printed no address in 10 minutes:\n${said}`)),
      minutes(10),
    );
    const read = (text: string): void => {
      said += text;
      const address = /http:\/\/127\.0\.0\.1:\d+\/\S+(?=\s)/.exec(said)?.[0];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    };
    child.stdout?.setEncoding('utf8').on('data', read);
    child.stderr?.setEncoding('utf8').on('data', read);
    child.on('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`npm start ended with status ${code}:\n${said}`));
    });
  });
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

const answers = (address: string): Promise<boolean> =>
  fetch(address, { redirect: 'manual' }).then(
    () => true,
    () => false,
  );

const ended = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()));

test('git clone, npm start, F5: stopped at the entry of the sample guest', async (t) => {
  const head = await runProgram('git', ['rev-parse', '--verify', 'HEAD']);
  if (head.status !== 0) return t.skip('this checkout has no commit to clone');
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-clone-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
  const clone = path.join(folder, 'trapline');
  const cloned = await runProgram('git', ['clone', '--quiet', '--no-hardlinks', repositoryRoot, clone]);
  assert.equal(cloned.status, 0, cloned.output);
  assert.ok(!existsSync(path.join(clone, 'node_modules')), 'the clone has no packages yet');

  const npm = spawn('npm', ['start', '--', '--no-open'], {
    cwd: clone,
    env: shellEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const endAll = (): void => {
    if (npm.pid === undefined || npm.exitCode !== null) return;
    process.kill(-npm.pid, 'SIGINT'); // what Ctrl+C sends: to the whole group
  };
  process.once('exit', endAll);
  let address = '';
  try {
    address = await addressFrom(npm);
    const { page, stop } = await startBrowser();
    try {
      await openWorkbench(page, address);
      await openSource(page, 'main.c');
      await page.keyboard.press('F5');
      await page.locator('.debug-toolbar').waitFor({ timeout: minutes(1) });
      await waitForStackFrame(page, /./);
      assert.deepEqual(await errorToasts(page), []);
      await takeScreenshot(page, 'clone-entry');
    } catch (error) {
      await takeScreenshot(page, 'clone-failed').catch(() => undefined);
      throw error;
    } finally {
      await stop();
    }
  } finally {
    process.removeListener('exit', endAll);
    endAll();
    await ended(npm);
  }
  for (let tries = 0; tries < 50 && (await answers(address)); tries += 1) await sleep(200);
  assert.equal(await answers(address), false, 'Ctrl+C leaves no server behind');

  const again = await runProgram('npm', ['run', 'build'], { cwd: clone, env: shellEnvironment() });
  assert.equal(again.status, 0, again.output);
  assert.doesNotMatch(again.output, /Installing|built in/, 'a second run does not redo the set-up');
});
