// Debian's kernel in a real VS Code, as the README says: guests/linux and its launch.json, by clicks and keys.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { linkGuest } from '../../scripts/linux-guest.ts';
import { repositoryRoot } from '../../scripts/process.ts';
import {
  arrangePanes,
  breakpointRows,
  findBreakpoint,
  foldPane,
  terminalText,
  treeRows,
  vcpuBadges,
} from '../harness/debug-views.ts';
import { withSession, type Session } from '../harness/session.ts';
import {
  errorToasts,
  expandPane,
  openSource,
  openWorkbench,
  runCommand,
  stackFrameLabels,
  waitForStackFrame,
} from '../harness/workbench.ts';
import { guestOrReason } from '../machine/linux/run-guest.ts';

const guest = await guestOrReason();
const skip = typeof guest === 'string' ? guest : false;
const folder = path.join(repositoryRoot, 'guests', 'linux');

async function open({ server, page }: Session): Promise<void> {
  if (typeof guest !== 'string') linkGuest(guest);
  await openWorkbench(page, server.url({ folder, extension: repositoryRoot }));
  await openSource(page, 'main.c');
}

/** Starts one of the configurations of launch.json. */
async function start(page: Page, configuration: string): Promise<void> {
  await runCommand(page, 'Debug: Select and Start Debugging');
  await page.locator('.quick-input-list .monaco-list-row', { hasText: configuration }).first().click();
  await page.locator('.debug-toolbar').waitFor({ timeout: 60_000 });
}

async function addFunctionBreakpoint(page: Page, name: string): Promise<void> {
  await expandPane(page, 'Breakpoints');
  await runCommand(page, 'Add Function Breakpoint');
  const input = page.locator('.debug-breakpoints .monaco-inputbox input');
  await input.fill(name);
  await input.press('Enter');
  await breakpointRows(page).filter({ hasText: name }).waitFor();
}

/** The terminal's text as people see it. */
const consoleText = async (page: Page): Promise<string> => (await terminalText(page)).replaceAll('\u00a0', ' ');

async function untilConsole(page: Page, wanted: RegExp): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!wanted.test(await consoleText(page))) {
    if (Date.now() > deadline) throw new Error(`the console does not say ${wanted}:\n${await consoleText(page)}`);
    await page.waitForTimeout(200);
  }
}

test('function breakpoints from before the first instruction on, stacks, the Machine view', { skip }, async () => {
  await withSession('linux', async (session) => {
    const { page, screenshot } = session;
    await open(session);
    await runCommand(page, 'View: Show Run and Debug');
    await addFunctionBreakpoint(page, 'vfs_read');
    await start(page, "Debian's kernel");
    await waitForStackFrame(page, /^start_kernel$/);
    await screenshot('linux-1-start-kernel');
    const bound = await findBreakpoint(page, 'vfs_read');
    await bound.locator('.codicon-debug-breakpoint-function').waitFor();

    await page.keyboard.press('F5');
    await waitForStackFrame(page, /^vfs_read$/, 120_000);
    await arrangePanes(page, ['Variables', 'Call Stack']);
    assert.equal((await vcpuBadges(page)).size, 2);
    await stackFrameLabels(page)
      .filter({ hasText: /^ksys_read\+0x/ })
      .waitFor();
    await stackFrameLabels(page).filter({ hasText: /^\? / }).first().waitFor(); // callers that the stack only suggests
    await page.locator('.debug-variables .monaco-list-row', { hasText: 'General registers' }).click();
    await page.locator('.debug-variables .monaco-list-row', { hasText: /^rax\b.*0x[0-9a-f]{16}$/ }).waitFor();
    await screenshot('linux-2-vfs-read');
    await arrangePanes(page, ['Call Stack', 'Machine']);
    await foldPane(page, 'Call Stack');
    const jit = treeRows(page, 'Machine').filter({ hasText: 'JIT' });
    await jit.waitFor();
    assert.match(await jit.innerText(), /\d+\.\d % · [\d ]+ regions · /);
    await jit.locator('.monaco-tl-twistie').click();
    await treeRows(page, 'Machine').filter({ hasText: 'Compile time' }).waitFor();
    await treeRows(page, 'Machine').filter({ hasText: 'Exits' }).locator('.monaco-tl-twistie').click();
    await page.mouse.wheel(0, 5000);
    await treeRows(page, 'Machine').filter({ hasText: 'system instructions' }).waitFor();
    await screenshot('linux-3-machine');
    await page.keyboard.press('Shift+F5');
    await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
    assert.deepEqual(await errorToasts(page), []);
  });
});

test('F5 in a built Linux tree boots its image', { skip }, async (t) => {
  const tree = mkdtempSync(path.join(tmpdir(), 'trapline-tree-'));
  t.after(() => rmSync(tree, { recursive: true, force: true }));
  mkdirSync(path.join(tree, 'arch/x86/boot'), { recursive: true });
  if (typeof guest !== 'string') cpSync(guest.kernel, path.join(tree, 'arch/x86/boot/bzImage'));
  // What a tree has besides: files with likely names that are no kernels.
  for (const name of ['vmlinux.o', 'kernel-parameters.txt', 'main.c'])
    writeFileSync(path.join(tree, name), 'no kernel\n');
  await withSession('linux-tree', async ({ server, page, screenshot }) => {
    await openWorkbench(page, server.url({ folder: tree, extension: repositoryRoot }));
    await openSource(page, 'main.c');
    await page.keyboard.press('F5');
    await page.locator('.debug-toolbar').waitFor({ timeout: 60_000 });
    await waitForStackFrame(page, /^start_kernel$/);
    await screenshot('linux-tree');
  });
});

test('a person types into the shell on the serial console', { skip }, async () => {
  await withSession('linux-shell', async (session) => {
    const { page, screenshot } = session;
    await open(session);
    await start(page, "Debian's kernel and a shell");
    await untilConsole(page, /\/ # *$/m);
    await page.locator('.terminal-wrapper.active .xterm-helper-textarea').focus();
    await page.keyboard.type('echo typed-$((6 * 7)); nproc\n');
    await untilConsole(page, /^typed-42\s*\n2\s*$/m);
    await screenshot('linux-4-shell');
    await page.keyboard.type('poweroff -f\n');
    await untilConsole(page, /machine stopped/);
    await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
    assert.deepEqual(await errorToasts(page), []);
  });
});
