// The tutorial of guests/smp/README.md, done by clicks and keys in a real VS Code: once with the extension under development, and
// once with the packed extension installed.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { installVSCode } from '../../scripts/install-vscode.ts';
import { packExtension } from '../../scripts/package.ts';
import { repositoryRoot, runProgram } from '../../scripts/process.ts';
import {
  arrangePanes,
  breakOnValueChange,
  breakpointRows,
  expandVariable,
  filterLedger,
  findBreakpoint,
  ledgerFrame,
  ledgerSentences,
  terminalText,
  treeRows,
  vcpuBadges,
  vcpuRow,
} from '../harness/debug-views.ts';
import { sampleWorkspace, withSession, type Session } from '../harness/session.ts';
import {
  chooseMenuItem,
  clickGutter,
  errorToasts,
  openSource,
  openWorkbench,
  runCommand,
  waitForStackFrame,
} from '../harness/workbench.ts';

const LIST_INSERT_LINE = 79;

async function untilTrue(what: string, holds: () => Promise<boolean>, timeout = 30_000): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeout / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function stopsAtEntry(page: Page): Promise<void> {
  await openSource(page, 'worker.c');
  await clickGutter(page, LIST_INSERT_LINE);
  await page.keyboard.press('F5');
  await page.locator('.debug-toolbar').waitFor({ timeout: 60_000 });
  await waitForStackFrame(page, /^_start$/);
  await untilTrue('a reason for each vCPU', async () => (await vcpuBadges(page)).size === 4);
  const badges = await vcpuBadges(page);
  assert.equal(badges.get(0)?.toLowerCase(), 'entry');
  for (const vcpu of [1, 2, 3]) assert.match(badges.get(vcpu) ?? '', /offline|SIPI|not started/i);
}

async function stopsAtBreakpoint(page: Page): Promise<void> {
  await page.keyboard.press('F5');
  await waitForStackFrame(page, /^insert_one/);
  await page.locator('.tab.active', { hasText: 'worker.c' }).waitFor();
  const badges = await vcpuBadges(page);
  assert.equal(badges.size, 4);
  for (const [vcpu, badge] of badges) assert.notEqual(badge, '', `vCPU ${vcpu} says why it stands still`);
  assert.ok(
    [...badges.values()].some((badge) => /breakpoint/i.test(badge)),
    JSON.stringify([...badges]),
  );
}

async function watchesTheField(page: Page): Promise<void> {
  await arrangePanes(page, ['Variables', 'Breakpoints']);
  await expandVariable(page, 'list', 'magic', '1414744396');
  await breakOnValueChange(page, 'magic');
  await breakpointRows(page).filter({ hasText: 'magic' }).waitFor();
}

/** What the tutorial's steps 5 and 6 promise. */
async function findsTheCulprit(page: Page): Promise<void> {
  await removeLineBreakpoint(page);
  await arrangePanes(page, ['Call Stack', 'Machine', 'Debug Registers']);
  await page.keyboard.press('F5');
  await waitForStackFrame(page, /^remember_sample/);
  await page.locator('.tab.active', { hasText: 'sampler.c' }).waitFor();
  const badge = (await vcpuBadges(page)).get(2) ?? '';
  assert.match(badge, /magic|write|wrote|data|change/i);
  const machine = page.locator('.pane', { has: page.locator('.pane-header', { hasText: 'Machine' }) });
  await machine
    .getByText(/0x5453494c.*0x2023f/i)
    .first()
    .waitFor();
}

/** Removes the breakpoint of the first step in the Breakpoints view. */
async function removeLineBreakpoint(page: Page): Promise<void> {
  const row = breakpointRows(page).filter({ hasText: 'worker.c' });
  await row.click();
  await page.keyboard.press('Delete');
  await row.waitFor({ state: 'detached' });
}

/** Four data breakpoints fill the four debug registers; the fifth says why it cannot be. */
async function runsOutOfSlots(page: Page, screenshot: Session['screenshot'], name: string): Promise<void> {
  await arrangePanes(page, ['Variables', 'Breakpoints', 'Debug Registers']);
  await expandVariable(page, 'list', 'count');
  for (const field of ['count', 'checksum', 'next_sample']) {
    await breakOnValueChange(page, field);
    await breakpointRows(page).filter({ hasText: field }).waitFor();
  }
  await treeRows(page, 'Debug Registers').filter({ hasText: 'host 4 of 4' }).first().waitFor();
  await screenshot(`${name}-5-four-slots`);
  await breakOnValueChange(page, 'tail');
  const fifth = await findBreakpoint(page, 'tail');
  await fifth.locator('.codicon-debug-breakpoint-data-unverified').waitFor();
  const toast = page.locator('.notifications-toasts .notification-list-item', { hasText: 'was refused' }).first();
  await toast.waitFor();
  await fifth.hover();
  await page
    .locator('.workbench-hover, .monaco-hover')
    .filter({ hasText: 'No debug-register slot free' })
    .first()
    .waitFor();
  await screenshot(`${name}-6-fifth-refused`);
  await page.keyboard.press('Escape');
  await toast.hover();
  await toast.locator('.codicon-notifications-clear').click();
}

// A text, since the page's own globals are not those of this program.
const clipboardText = (page: Page): Promise<string> => page.evaluate<string>('navigator.clipboard.readText()');

async function readsTheLedger(page: Page, screenshot: Session['screenshot'], name: string): Promise<void> {
  await arrangePanes(page, ['Trap Ledger']);
  const frame = await ledgerFrame(page);
  await frame.locator('.row').first().waitFor();
  await screenshot(`${name}-7-ledger`);
  const rows = async (filter: string): Promise<string[]> => {
    await filterLedger(frame, filter);
    return ledgerSentences(frame);
  };
  const breakpoints = await rows('#BP guest re-injected');
  assert.ok(breakpoints.length > 0, "the guest's own #BP are there, re-injected");
  assert.match(breakpoints[0] ?? '', /^#BP on vCPU \d at .*guest-owned, re-injected/);
  const debugTraps = await rows('#DB guest re-injected');
  assert.ok(debugTraps.length > 0, "the guest's own #DB are there, re-injected");
  await screenshot(`${name}-8-ledger-filtered`);
  const own = await rows('host-owned stopped');
  assert.ok(own.length > 0, 'our own stops are there, host-owned');
  assert.match(own.at(-1) ?? '', /remember_sample/);
  await frame.locator('.row').last().click();
  await page.locator('.tab.active', { hasText: 'sampler.c' }).waitFor();
  // By keys alone: one row up, Enter.
  await frame.locator('#list').focus();
  await frame.locator('#list').press('ArrowUp');
  await frame.locator('#list').press('Enter');
  await page.locator('.tab.active', { hasText: 'worker.c' }).waitFor();
  await runCommand(page, 'Trapline: Copy Ledger as JSON Lines');
  await untilTrue('the rows that pass the filter are copied', async () => {
    const lines = (await clipboardText(page)).trimEnd().split('\n');
    return lines.length === own.length && lines.every((line) => line.includes('"owner":"host"'));
  });
  await runCommand(page, 'Trapline: Clear Ledger Filter');
  await frame.locator('#count', { hasText: /^[0-9]+ traps/ }).waitFor();
}

/** VS Code's own steps let all vCPUs run; ours does not. */
async function stepsOneVcpuAlone(page: Page, screenshot: Session['screenshot'], name: string): Promise<void> {
  await arrangePanes(page, ['Call Stack', 'Machine']);
  await vcpuRow(page, 2).click({ button: 'right' });
  await page.locator('.monaco-menu .action-item', { hasText: 'Step Only This vCPU' }).waitFor();
  await screenshot(`${name}-9-menu`);
  await chooseMenuItem(page, 'Step Only This vCPU');
  await untilTrue('vCPU 2 stopped by its step', async () => /step/i.test((await vcpuBadges(page)).get(2) ?? ''));
}

async function endsCleanly(page: Page): Promise<void> {
  await page.keyboard.press('Shift+F5');
  await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  await untilTrue('the serial console says that the machine stopped', async () =>
    (await terminalText(page)).replaceAll('\u00a0', ' ').includes('machine stopped'),
  );
  assert.match((await terminalText(page)).replaceAll('\u00a0', ' '), /trapline sample guest/);
}

async function tutorial(name: string, session: Session, extension: string | undefined): Promise<void> {
  const { server, browser, page, screenshot } = session;
  const place = extension === undefined ? {} : { extension };
  await openWorkbench(page, server.url({ folder: sampleWorkspace, ...place }));
  await stopsAtEntry(page);
  await screenshot(`${name}-1-entry`);
  await stopsAtBreakpoint(page);
  await screenshot(`${name}-2-breakpoint`);
  await watchesTheField(page);
  await screenshot(`${name}-3-data-breakpoint`);
  await findsTheCulprit(page);
  await vcpuRow(page, 2).scrollIntoViewIfNeeded();
  await screenshot(`${name}-4-culprit`);
  await runsOutOfSlots(page, screenshot, name);
  await readsTheLedger(page, screenshot, name);
  await stepsOneVcpuAlone(page, screenshot, name);
  await endsCleanly(page);
  await screenshot(`${name}-10-stopped`);
  assert.deepEqual(await errorToasts(page), []);
  assert.deepEqual(browser.blocked, [], 'no page asked for anything off this machine');
}

test('the tutorial, with the extension under development', async () => {
  await withSession('tutorial', (session) => tutorial('tutorial', session, repositoryRoot));
});

test('the tutorial, with the packed extension installed', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-installed-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const vsix = path.join(folder, 'trapline.vsix');
  await packExtension(vsix);
  const extensionsDir = path.join(folder, 'extensions');
  const vscode = await installVSCode(() => undefined);
  const server = path.join(vscode, 'out', 'server-main.js');
  const installed = await runProgram(process.execPath, [
    server,
    ...['--install-extension', vsix, '--extensions-dir', extensionsDir],
    ...['--server-data-dir', path.join(folder, 'data'), '--accept-server-license-terms'],
  ]);
  assert.equal(installed.status, 0, installed.output);
  await withSession('installed', (session) => tutorial('installed', session, undefined), { extensionsDir });
});
