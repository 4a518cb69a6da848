import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface ServerOptions {
  /** Folder of VS Code (see install-vscode.ts). */
  readonly vscode: string;
  /** TCP port on 127.0.0.1; a free one when left out. */
  readonly port?: number;
  /** User settings, on top of the quiet ones below. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Folder of installed extensions; an empty one of the server's own when left out. */
  readonly extensionsDir?: string;
  /** More environment for the server and its extension host. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ask every client for a random token (default), as anybody on this machine could otherwise use the server. */
  readonly token?: boolean;
}

export interface WorkbenchPlace {
  /** Absolute path of the folder to open. */
  readonly folder: string;
  /** Absolute path of the extension under development. */
  readonly extension?: string;
  /** Absolute path of the module with the tests to run inside the extension host. */
  readonly tests?: string;
}

export interface RunningServer {
  readonly port: number;
  readonly process: ChildProcess;
  /** Address of a workbench on this server, token included. */
  readonly url: (place: WorkbenchPlace) => string;
  /** Everything that the server printed so far. */
  readonly log: () => string;
  /** Ends the server with all its processes and removes its data. */
  readonly stop: () => Promise<void>;
}

const quietSettings = {
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'security.workspace.trust.enabled': false,
  'debug.openDebug': 'openOnSessionStart',
  'typescript.disableAutomaticTypeAcquisition': true,
  // Shells want a native module that is not built here: no terminal is restored from last time.
  'terminal.integrated.enablePersistentSessions': false,
};

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no port of 127.0.0.1 to be had'));
      });
    });
  });
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/version', timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false)).on('timeout', () => request.destroy());
  });
}

/** The environment of the server: no VS Code around this process may talk into it, and no marketplace is asked. */
function serverEnvironment(runFolder: string, more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    // NODE_TEST_CONTEXT: else a program under test takes itself for a test file of node:test.
    if (!/^(VSCODE_|CODE_SERVER_|NODE_TEST_CONTEXT|NODE_OPTIONS|npm_)/.test(name)) env[name] = value;
  }
  return { ...env, EXTENSIONS_GALLERY: '{}', TMPDIR: runFolder, XDG_RUNTIME_DIR: runFolder, ...more };
}

/** The server forks the extension host, the file watcher and the terminal host: it is ended as a group. */
function endGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    return; // the whole group is gone already
  }
}

/** Starts VS Code's server on 127.0.0.1 and resolves when it answers. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const data = mkdtempSync(path.join(tmpdir(), 'trapline-vscode-'));
  const userFolder = path.join(data, 'data', 'User');
  const runFolder = path.join(data, 'run');
  // The log folder is made by a native module that is not built here, and looked for all the same.
  for (const folder of [userFolder, runFolder, path.join(data, 'data', 'logs')]) mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(userFolder, 'settings.json'), JSON.stringify({ ...quietSettings, ...options.settings }));
  const token = options.token === false ? undefined : randomBytes(24).toString('hex');
  const tokenFile = path.join(data, 'token'); // in a file, since a command line is there for every user of the machine to see
  if (token !== undefined) writeFileSync(tokenFile, token, { mode: 0o600 });
  const port = options.port ?? (await freePort());
  const logFile = path.join(data, 'server.log');
  const log = openSync(logFile, 'a');
  const args = [
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--server-data-dir',
    data,
    '--accept-server-license-terms',
  ];
  args.push('--telemetry-level', 'off', '--disable-workspace-trust', '--enable-smoke-test-driver');
  args.push(...(token === undefined ? ['--without-connection-token'] : ['--connection-token-file', tokenFile]));
  if (options.extensionsDir !== undefined) args.push('--extensions-dir', options.extensionsDir);
  const child = spawn(process.execPath, [path.join(options.vscode, 'out/server-main.js'), ...args], {
    env: serverEnvironment(runFolder, options.env ?? {}),
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  let ended = false;
  child.on('exit', () => (ended = true)).on('error', () => (ended = true));

  const cleanUp = (): void => {
    endGroup(child, 'SIGKILL');
    rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  process.once('exit', cleanUp); // whatever becomes of this process, nothing stays behind
  const readLog = (): string => readFileSync(logFile, 'utf8');
  const stop = async (): Promise<void> => {
    process.removeListener('exit', cleanUp);
    endGroup(child, 'SIGTERM');
    for (let i = 0; i < 60 && !ended; i += 1) await sleep(50);
    cleanUp();
  };

  const deadline = Date.now() + 60_000;
  while (!(await answers(port))) {
    if (ended || Date.now() > deadline) {
      const said = readLog();
      await stop();
      throw new Error(`the VS Code server ${ended ? 'ended' : 'did not answer in 60 s'}:\n${said}`);
    }
    await sleep(50);
  }
  const url = (place: WorkbenchPlace): string => workbenchUrl(port, token, place);
  return { port, process: child, url, log: readLog, stop };
}

function workbenchUrl(port: number, token: string | undefined, place: WorkbenchPlace): string {
  const authority = `127.0.0.1:${port}`;
  const remote = (file: string): string => `vscode-remote://${authority}${encodeURI(file)}`;
  const payload: [string, string][] = [
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
  ];
  if (place.extension !== undefined) payload.push(['extensionDevelopmentPath', remote(place.extension)]);
  if (place.tests !== undefined) payload.push(['extensionTestsPath', remote(place.tests)], ['enableProposedApi', '']);
  const query = new URLSearchParams({ folder: place.folder, payload: JSON.stringify(payload) });
  if (token !== undefined) query.set('tkn', token);
  return `http://${authority}/?${query.toString()}`;
}
