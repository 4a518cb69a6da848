// What a person does in VS Code's workbench, by clicks and keys. The selectors are those of VS Code 1.100.
import type { Frame, Locator, Page } from 'playwright-core';

/** Opens a workbench and waits until the explorer shows the folder. */
export async function openWorkbench(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor();
}

/** Runs a command from the command palette by its title. */
export async function runCommand(page: Page, title: string): Promise<void> {
  await page.keyboard.press('F1');
  await page.locator('.quick-input-widget input').fill(`>${title}`);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().click();
}

/** Opens a file of the folder by its name (Ctrl+P). */
export async function openFile(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+P');
  await page.locator('.quick-input-widget input').fill(name);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().click();
  await page.locator('.tab.active', { hasText: name }).waitFor();
  await page.locator('.editor-instance .view-lines .view-line').first().waitFor();
}

/** Goes to a line of the open file (Ctrl+G), so that it is on screen. */
export async function goToLine(page: Page, line: number): Promise<void> {
  await page.keyboard.press('Control+G');
  await page.locator('.quick-input-widget input').fill(`:${line}`);
  await page.keyboard.press('Enter');
  await lineNumber(page, line).waitFor();
}

function lineNumber(page: Page, line: number): Locator {
  return page.locator('.editor-instance .margin-view-overlays .line-numbers', { hasText: new RegExp(`^${line}$`) });
}

/** Clicks into the gutter left of a line's number and waits for the red dot. */
export async function clickGutter(page: Page, line: number): Promise<void> {
  await goToLine(page, line);
  const number = await lineNumber(page, line).boundingBox();
  const margin = await page.locator('.editor-instance .margin').first().boundingBox();
  if (number === null || margin === null) throw new Error(`line ${line} is not on screen`);
  const dots = page.locator(
    '.editor-instance .codicon-debug-breakpoint, .editor-instance .codicon-debug-breakpoint-unverified',
  );
  const before = await dots.count();
  await page.mouse.click(margin.x + 9, number.y + number.height / 2);
  await dots.nth(before).waitFor();
}

/** Chooses an item of the open menu. Menus swallow a click in their first tenth of a second. */
export async function chooseMenuItem(page: Page, text: string): Promise<void> {
  const item = page.locator('.monaco-menu .action-item', { hasText: text }).first();
  await item.waitFor();
  await page.waitForTimeout(250);
  await item.click();
  await item.waitFor({ state: 'hidden' });
}

export const callStackRows = (page: Page): Locator => page.locator('.debug-call-stack .monaco-list-row');

/** Names of the stack frames on screen. */
export const stackFrameLabels = (page: Page): Locator => page.locator('.debug-call-stack .stack-frame .label');

/** Waits for a stack frame whose function name matches. */
export async function waitForStackFrame(page: Page, name: RegExp, timeout = 60_000): Promise<void> {
  await stackFrameLabels(page).filter({ hasText: name }).first().waitFor({ timeout });
}

export function variableRow(page: Page, name: string, value = ''): Locator {
  return page.locator(`.debug-variables .monaco-list-row[aria-label^="${name}, value ${value}"]`).first();
}

/** Shows a view of the side bar by the name in its header, and returns its pane. */
export async function expandPane(page: Page, name: string): Promise<Locator> {
  const header = page.locator('.pane-header', { hasText: name }).first();
  await header.waitFor();
  if ((await header.getAttribute('aria-expanded')) !== 'true') await header.click();
  return page.locator('.pane', { has: header });
}

/** The inner frame of the webview that has an element of this selector. Fetch it anew after its view was hidden. */
export async function webviewFrame(page: Page, selector: string, timeout = 20_000): Promise<Frame> {
  const deadline = Date.now() + timeout;
  for (;;) {
    for (const frame of page.frames()) {
      // A frame that is just going away has no elements.
      if (
        (await frame
          .locator(selector)
          .count()
          .catch(() => 0)) > 0
      )
        return frame;
    }
    if (Date.now() > deadline) throw new Error(`no webview with ${selector}`);
    await page.waitForTimeout(100);
  }
}

/** Texts of the error notifications on screen. */
export async function errorToasts(page: Page): Promise<string[]> {
  const toasts = page.locator('.notifications-toasts .notification-list-item', { has: page.locator('.codicon-error') });
  return toasts.allInnerTexts();
}

/**
 * Opens a C file and waits until it is known as such. Languages and debug types become known together, a few seconds after the
 * workbench: an F5 before that starts nothing.
 */
export async function openSource(page: Page, name: string): Promise<void> {
  await openFile(page, name);
  await page.locator('.statusbar-item[id="status.editor.mode"]', { hasText: /^C$/ }).waitFor();
}
