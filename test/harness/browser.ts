import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/install-vscode.ts';

export interface RunningBrowser {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Addresses off this machine that a page asked for; each was refused. */
  readonly blocked: readonly string[];
  readonly stop: () => Promise<void>;
}

/**
 * Starts headless Chromium with a new profile, cut off from everything but 127.0.0.1.
 * @param names host names that stand for 127.0.0.1 in this browser
 */
export async function startBrowser(
  size = { width: 1500, height: 950 },
  names: readonly string[] = [],
): Promise<RunningBrowser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('no Chromium on this machine');
  const profile = mkdtempSync(path.join(tmpdir(), 'trapline-chromium-'));
  const removeProfile = (): void => rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  process.once('exit', removeProfile);
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    viewport: size,
    locale: 'en-US',
    permissions: ['clipboard-read', 'clipboard-write'],
    handleSIGTERM: false,
    handleSIGINT: false,
    handleSIGHUP: false,
    args: [
      '--no-sandbox', // Chromium refuses to run as root with it; only pages of this machine are opened
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...(names.length === 0
        ? []
        : [`--host-resolver-rules=${names.map((name) => `MAP ${name} 127.0.0.1`).join(', ')}`]),
    ],
  });
  const blocked: string[] = [];
  await context.route(
    (url) => url.hostname !== '127.0.0.1' && !names.includes(url.hostname) && /^https?:$/.test(url.protocol),
    (route) => {
      blocked.push(route.request().url());
      return route.abort();
    },
  );
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(30_000);
  const stop = async (): Promise<void> => {
    process.removeListener('exit', removeProfile);
    await context.close();
    removeProfile();
  };
  return { context, page, blocked, stop };
}
