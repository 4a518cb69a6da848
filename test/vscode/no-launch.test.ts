// F5 in a folder that has a kernel and no launch.json; and what is said when a launch.json is wrong.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { repositoryRoot } from '../../scripts/process.ts';
import { vcpuBadges } from '../harness/debug-views.ts';
import { sampleWorkspace, withSession } from '../harness/session.ts';
import { openSource, openWorkbench, waitForStackFrame } from '../harness/workbench.ts';

function kernelFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-folder-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of ['smp.elf', 'main.c', 'boot.S']) cpSync(path.join(sampleWorkspace, file), path.join(folder, file));
  return folder;
}

test('F5 without a launch.json boots the kernel of the folder', async (t) => {
  const folder = kernelFolder(t);
  await withSession('no-launch', async ({ server, page, screenshot }) => {
    await openWorkbench(page, server.url({ folder, extension: repositoryRoot }));
    await openSource(page, 'main.c');
    await page.keyboard.press('F5');
    await page.locator('.debug-toolbar').waitFor({ timeout: 60_000 });
    await waitForStackFrame(page, /^_start$/);
    await screenshot('no-launch');
    assert.equal((await vcpuBadges(page)).size, 4);
  });
});

test('a wrong property of launch.json is named in one message', async (t) => {
  const folder = kernelFolder(t);
  const configuration = {
    type: 'trapline',
    request: 'launch',
    name: 'Boot',
    kernel: '${workspaceFolder}/smp.elf',
    machine: { cpu: 4 },
  };
  mkdirSync(path.join(folder, '.vscode'));
  writeFileSync(
    path.join(folder, '.vscode', 'launch.json'),
    JSON.stringify({ version: '0.2.0', configurations: [configuration] }, undefined, 2),
  );
  await withSession('wrong-launch', async ({ server, page, screenshot }) => {
    await openWorkbench(page, server.url({ folder, extension: repositoryRoot }));
    await openSource(page, 'main.c');
    await page.keyboard.press('F5');
    const toast = page.locator('.notifications-toasts .notification-list-item', { hasText: 'machine.cpu' });
    await toast.waitFor();
    await screenshot('wrong-launch');
    assert.equal(await page.locator('.notifications-toasts .notification-list-item').count(), 1, 'one message');
    assert.match(await toast.innerText(), /Did you mean 'cpus'/);
    await toast.getByText('Open launch.json').click();
    await page.locator('.tab.active', { hasText: 'launch.json' }).waitFor();
    // The schema knows the mistake, too.
    await page.locator('.squiggly-warning, .squiggly-error').first().waitFor();
    await screenshot('wrong-launch-schema');
  });
});

test('a launch that the adapter refuses is said, and leaves no terminal behind', async (t) => {
  const folder = kernelFolder(t);
  // It exists, so that only the adapter finds out.
  const configuration = { type: 'trapline', request: 'launch', name: 'Boot', kernel: '${workspaceFolder}/main.c' };
  mkdirSync(path.join(folder, '.vscode'));
  writeFileSync(
    path.join(folder, '.vscode', 'launch.json'),
    JSON.stringify({ version: '0.2.0', configurations: [configuration] }, undefined, 2),
  );
  await withSession('refused-launch', async ({ server, page, screenshot }) => {
    await openWorkbench(page, server.url({ folder, extension: repositoryRoot }));
    await openSource(page, 'main.c');
    await page.keyboard.press('F5');
    // A person sees a dialog. Under automation VS Code shows none, and puts what it would say in a toast.
    const shown = page.locator('.monaco-dialog-box, .notifications-toasts .notification-list-item', {
      hasText: /main\.c.*not a kernel that Trapline can boot/s,
    });
    await shown.waitFor({ timeout: 60_000 });
    await screenshot('refused-launch');
    assert.equal(await page.getByText('Serial console').count(), 0, 'no terminal of a machine that never was');
  });
});
