// The workbench opens on the sample guest with the extension of this checkout loaded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryRoot } from '../../scripts/process.ts';
import { sampleWorkspace, withSession } from '../harness/session.ts';
import { errorToasts, openWorkbench, runCommand } from '../harness/workbench.ts';

test('VS Code opens the sample guest with the extension under development and shows no error', async () => {
  await withSession('smoke', async ({ server, browser, page, screenshot }) => {
    await openWorkbench(page, server.url({ folder: sampleWorkspace, extension: repositoryRoot }));
    await page.locator('.explorer-folders-view', { hasText: 'boot.S' }).waitFor();
    await runCommand(page, 'Developer: Show Running Extensions');
    await page.locator('.runtime-extensions-editor .monaco-list-row').first().waitFor();
    await screenshot('smoke');
    assert.deepEqual(await errorToasts(page), []);
    assert.deepEqual(browser.blocked, [], 'no page asked for anything off this machine');
  });
});

test('the server refuses a client without its token', async () => {
  await withSession('token', async ({ server }) => {
    const url = new URL(server.url({ folder: sampleWorkspace }));
    url.searchParams.delete('tkn');
    assert.equal((await fetch(url, { redirect: 'manual' })).status, 403);
  });
});
