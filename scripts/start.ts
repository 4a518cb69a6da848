// `npm start`: builds everything and opens VS Code on the sample guest with the extension of this checkout loaded.
// usage: start.ts [--linux] [--no-open] [--port N] [--server]
//   --linux: on guests/linux instead, with Debian's kernel, which is fetched first.
//   A desktop VS Code (`code`) is used when there is one; else (or with --server) VS Code's server on 127.0.0.1, whose address
//   is printed (and opened in a browser, except with --no-open). Ctrl+C ends it.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { buildEverything } from './build.ts';
import { installVSCode, vscodeVersion } from './install-vscode.ts';
import { linkGuest, linuxGuest } from './linux-guest.ts';
import { findOnPath, messageOf, repositoryRoot, runProgram } from './process.ts';
import { startServer } from './vscode-server.ts';

interface Workspace {
  readonly folder: string;
  readonly what: string;
}
const SAMPLE: Workspace = { folder: path.join(repositoryRoot, 'guests', 'smp'), what: 'its sample guest' };
const LINUX: Workspace = { folder: path.join(repositoryRoot, 'guests', 'linux'), what: "Debian's kernel" };

function hasDisplay(): boolean {
  if (process.platform !== 'linux') return true;
  return Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']);
}

/** Whether a version ("1.100.3") is not older than another. */
function atLeast(version: string, wanted: string): boolean {
  const parts = (text: string): number[] => text.split('.').map(Number);
  const [have, want] = [parts(version), parts(wanted)];
  for (let i = 0; i < want.length; i += 1) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** The desktop VS Code, when there is one that is new enough and a display to show it on. */
async function desktopVSCode(): Promise<string | undefined> {
  const code = findOnPath('code');
  if (code === undefined || !hasDisplay()) return undefined;
  const asked = await runProgram(code, ['--version'], { timeout: 20_000 });
  const version = /^\d+\.\d+\.\d+/m.exec(asked.stdout)?.[0];
  if (asked.status === 0 && version !== undefined && atLeast(version, '1.100.0')) return code;
  console.error(`${code} is not a VS Code of 1.100 or newer, so ${vscodeVersion} out of npm is used instead.`);
  return undefined;
}

function openInBrowser(url: string): void {
  const opener = findOnPath(process.platform === 'darwin' ? 'open' : 'xdg-open');
  if (opener === undefined || !hasDisplay()) return;
  spawn(opener, [url], { stdio: 'ignore', detached: true })
    .on('error', () => console.error('The browser could not be opened; open the address by hand.'))
    .unref();
}

async function serve(args: readonly string[], { folder, what }: Workspace): Promise<void> {
  const asked = args.indexOf('--port') < 0 ? undefined : Number(args[args.indexOf('--port') + 1]);
  if (asked !== undefined && !(Number.isInteger(asked) && asked > 0 && asked < 65536)) {
    throw new Error('--port wants a number from 1 to 65535');
  }
  const vscode = await installVSCode((line) => console.error(line));
  const server = await startServer({ vscode, ...(asked === undefined ? {} : { port: asked }) });
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void server.stop().then(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  server.process.on('exit', (code) => {
    if (stopping) return;
    console.error(`The VS Code server ended by itself (status ${code}):\n${server.log().trimEnd()}`);
    process.exit(1);
  });
  const url = server.url({ folder, extension: repositoryRoot });
  console.log(`VS Code ${vscodeVersion} with Trapline and ${what}:\n\n  ${url}\n`);
  console.log('Open it in a browser on this machine and press F5. Ctrl+C here ends it.');
  if (!args.includes('--no-open')) openInBrowser(url);
}

async function start(args: readonly string[]): Promise<void> {
  await buildEverything((line) => console.error(line));
  const workspace = args.includes('--linux') ? LINUX : SAMPLE;
  if (workspace === LINUX) linkGuest(await linuxGuest((line) => console.error(line)));
  const code = args.includes('--server') ? undefined : await desktopVSCode();
  if (code === undefined) return serve(args, workspace);
  const { folder } = workspace;
  const opened = await runProgram(code, [`--extensionDevelopmentPath=${repositoryRoot}`, '--new-window', folder]);
  if (opened.status !== 0) throw new Error(`${code} ended with status ${opened.status}:\n${opened.output}`);
  console.log(`VS Code is open on ${folder} with Trapline loaded: press F5 there.`);
}

start(process.argv.slice(2)).catch((error: unknown) => {
  console.error(messageOf(error));
  process.exit(1);
});
