import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { installVSCode } from '../../scripts/install-vscode.ts';
import { repositoryRoot } from '../../scripts/process.ts';
import { startServer, type RunningServer, type ServerOptions } from '../../scripts/vscode-server.ts';
import { startBrowser, type RunningBrowser } from './browser.ts';

/** Settings that make a workbench steady enough to be driven by a program. */
export const testSettings = {
  'git.enabled': false,
  'window.dialogStyle': 'custom',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'terminal.integrated.gpuAcceleration': 'off', // the DOM renderer: the terminal's text can be read
};

/** The sample guest's folder. */
export const sampleWorkspace = path.join(repositoryRoot, 'guests', 'smp');

export interface Session {
  readonly server: RunningServer;
  readonly browser: RunningBrowser;
  readonly page: Page;
  /** Saves what is on screen as a build artefact, out/screenshots/NAME.png. */
  readonly screenshot: (name: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A VS Code server under test. */
export async function startTestServer(options: Omit<ServerOptions, 'vscode'> = {}): Promise<RunningServer> {
  const vscode = await installVSCode(() => undefined);
  return startServer({ ...options, vscode, settings: { ...testSettings, ...options.settings } });
}

/** Takes a picture of a page into out/screenshots. */
export async function takeScreenshot(page: Page, name: string): Promise<void> {
  const folder = path.join(repositoryRoot, 'out', 'screenshots');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
}

/** Starts a VS Code server and a browser; the caller opens `server.url(...)` and stops both. */
export async function startSession(options: Omit<ServerOptions, 'vscode'> = {}): Promise<Session> {
  const server = await startTestServer(options);
  try {
    const browser = await startBrowser();
    const { page } = browser;
    const stop = async (): Promise<void> => {
      await browser.stop();
      await server.stop();
    };
    return { server, browser, page, stop, screenshot: (name) => takeScreenshot(page, name) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * Runs `work` in a new VS Code and stops it again, whatever happens. When `work` fails, what was on screen is kept as
 * out/screenshots/NAME-failed.png and the error carries the last lines of the server's log.
 */
export async function withSession(
  name: string,
  work: (session: Session) => Promise<void>,
  options: Omit<ServerOptions, 'vscode'> = {},
): Promise<void> {
  const session = await startSession(options);
  try {
    await work(session);
  } catch (error) {
    await session.screenshot(`${name}-failed`).catch(() => undefined);
    const log = session.server.log().trimEnd().split('\n').slice(-15).join('\n');
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}: ${said}\n(see out/screenshots/${name}-failed.png); the server's last lines:\n${log}`, {
      cause: error,
    });
  } finally {
    await session.stop();
  }
}
