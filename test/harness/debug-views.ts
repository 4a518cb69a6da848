// What a person sees and does in the views of a debug session. The selectors are those of VS Code 1.100.
import type { Frame, Locator, Page } from 'playwright-core';
import { chooseMenuItem, expandPane, variableRow, webviewFrame } from './workbench.ts';

/** Folds a pane of the side bar, so that others get room. */
export async function foldPane(page: Page, name: string): Promise<void> {
  const header = page.locator('.pane-header', { hasText: name }).first();
  if ((await header.getAttribute('aria-expanded')) === 'true') await header.click();
}

/** Unfolds some panes of the debug side bar and folds all others. */
export async function arrangePanes(page: Page, wanted: readonly string[]): Promise<void> {
  const all = [
    'Variables',
    'Watch',
    'Call Stack',
    'Loaded Scripts',
    'Breakpoints',
    'Machine',
    'Debug Registers',
    'Trap Ledger',
  ];
  for (const name of all) {
    if (!wanted.includes(name)) await foldPane(page, name);
  }
  for (const name of wanted) await expandPane(page, name);
}

/** The call stack's row of a vCPU. */
export const vcpuRow = (page: Page, vcpu: number): Locator =>
  page.locator('.debug-call-stack .monaco-list-row', { hasText: new RegExp(`vCPU ${vcpu}\\b`) }).first();

/** What the call stack says of each vCPU, by its number: the text of its badge. */
export async function vcpuBadges(page: Page): Promise<Map<number, string>> {
  const badges = new Map<number, string>();
  for (const row of await page.locator('.debug-call-stack .monaco-list-row .thread').all()) {
    const vcpu = /vCPU (\d+)/.exec(await row.locator('.name').innerText())?.[1];
    if (vcpu !== undefined) badges.set(Number(vcpu), (await row.locator('.state').textContent())?.trim() ?? '');
  }
  return badges;
}

/** The row of a variable, scrolled to: only rows on screen exist. */
export async function findVariable(page: Page, name: string, value = ''): Promise<Locator> {
  const row = variableRow(page, name, value);
  const pane = await page.locator('.debug-variables').boundingBox();
  if (pane === null) throw new Error('the Variables view is not on screen');
  await page.mouse.move(pane.x + pane.width / 2, pane.y + pane.height / 2);
  for (const wheel of [0, -5000, ...Array.from({ length: 20 }, () => 80)]) {
    await page.mouse.wheel(0, wheel);
    await page.waitForTimeout(100);
    if (await row.isVisible()) return row;
  }
  throw new Error(`no variable ${name}${value === '' ? '' : ` with the value ${value}`}`);
}

/** Unfolds a variable and returns the row of one of its parts. */
export async function expandVariable(page: Page, name: string, child: string, value = ''): Promise<Locator> {
  await variableRow(page, name).waitFor();
  const row = await findVariable(page, name);
  if ((await row.getAttribute('aria-expanded')) !== 'true') await row.locator('.name').first().click();
  await page.waitForTimeout(500);
  return findVariable(page, child, value);
}

/** Right-clicks a variable and chooses "Break on Value Change". */
export async function breakOnValueChange(page: Page, variable: string): Promise<void> {
  const row = await findVariable(page, variable);
  await row.click({ button: 'right' });
  await chooseMenuItem(page, 'Break on Value Change');
}

/** Rows of the Breakpoints view. */
export const breakpointRows = (page: Page): Locator => page.locator('.debug-breakpoints .monaco-list-row');

/** The row of a breakpoint, scrolled to: the view shows nine rows at most, exception filters first. */
export async function findBreakpoint(page: Page, text: string): Promise<Locator> {
  const row = breakpointRows(page).filter({ hasText: text });
  for (let attempt = 0; attempt < 100 && !(await row.isVisible()); attempt++) {
    await breakpointRows(page).first().hover();
    await page.mouse.wheel(0, 5000);
    await page.waitForTimeout(100);
  }
  await row.waitFor();
  return row;
}

/** The page inside the Trap Ledger view. */
export const ledgerFrame = (page: Page): Promise<Frame> => webviewFrame(page, '#list');

/** Labels of the ledger's rows on screen, as a screen reader reads them. */
export async function ledgerSentences(frame: Frame): Promise<string[]> {
  const rows = await frame.locator('.row').all();
  const labels = await Promise.all(rows.map((row) => row.getAttribute('aria-label')));
  return labels.map((label) => label ?? '');
}

/** Shows only what is in the ledger's filter box. */
export async function filterLedger(frame: Frame, text: string): Promise<void> {
  await frame.locator('#text').fill(text);
  await frame.page().waitForTimeout(300);
}

/** Rows of a tree view of ours, by the view's name. */
export const treeRows = (page: Page, view: string): Locator =>
  page.locator('.pane', { has: page.locator('.pane-header', { hasText: view }) }).locator('.monaco-list-row');

/** Text of the terminal on top. */
export const terminalText = (page: Page): Promise<string> =>
  page.locator('.terminal-wrapper.active .xterm-rows').innerText();

/** The arrow of the line that is executed next, in the open editor. */
export const focusedLine = (page: Page): Locator => page.locator('.editor-instance .debug-top-stack-frame-line');
