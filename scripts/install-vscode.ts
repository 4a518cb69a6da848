// VS Code's workbench, server and Node extension host out of npm's code-server package, for machines without a desktop VS Code.
// usage: install-vscode.ts      prints the folder
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { findOnPath, runNpm, runProgram } from './process.ts';

/** The newest VS Code that runs on Node 20; package.json asks for the same version (`engines.vscode`). */
export const vscodeVersion = '1.100.3';
const serverPackage = {
  name: 'code-server@4.100.3',
  integrity: 'sha512-q/Fh2DOxCRNhC/WiG/6sAhSKnj7ZACTVBaeeZ+rWjol//0FCbl/qg1ln5ecZ99jYcfqMxZZAyWcN+YBIo0DgpA==',
};
/** ripgrep for machines that have none: VS Code's file search (Ctrl+P) is made of it. */
const ripgrepPackage = {
  name: '@vscode/ripgrep-universal@1.18.0',
  integrity: 'sha512-kgrAVy1L/v/8erAjo+I720ifTf7o4rvYUwgsuEu97XAEBtPT9sk3HhcSgFpxMydvNmwdJtXo9/AVee7JjocTrg==',
};

type Log = (line: string) => void;

/** The folder that keeps what is too big and too constant for the checkout. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return path.join(base !== undefined && path.isAbsolute(base) ? base : path.join(homedir(), '.cache'), 'trapline');
}

const installFolder = (): string => path.join(cacheFolder(), `vscode-${vscodeVersion}`);
const completeMark = '.trapline-complete';

/** Runs a step of the installation; rejects with its output when it fails. */
async function must(what: string, step: Promise<{ status: number; output: string; stdout: string }>): Promise<string> {
  const { status, output, stdout } = await step;
  if (status === 0) return stdout;
  throw new Error(`${what} failed with status ${status}:\n${output.trimEnd().split('\n').slice(-12).join('\n')}`);
}

/** Downloads one npm package into `folder`, compares its hash with the pinned one, and unpacks `wanted` of it. */
async function unpack(wanted: string, pinned: typeof serverPackage, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const options = ['--json', '--prefer-offline', '--loglevel=error'];
  const answer: unknown = JSON.parse(
    await must(`npm pack ${pinned.name}`, runNpm(['pack', ...options, pinned.name], { cwd: folder })),
  );
  const packed: unknown = Array.isArray(answer) ? answer[0] : undefined;
  if (typeof packed !== 'object' || packed === null || !('filename' in packed) || !('integrity' in packed)) {
    throw new Error(`npm pack ${pinned.name} answered in an unknown form`);
  }
  if (packed.integrity !== pinned.integrity) throw new Error(`${pinned.name}: the package is not the pinned one`);
  await must(`unpacking ${pinned.name}`, runProgram('tar', ['xzf', String(packed.filename), wanted], { cwd: folder }));
}

async function linkRipgrep(work: string, vscode: string): Promise<void> {
  let ripgrep = findOnPath('rg');
  if (ripgrep === undefined) {
    const inPackage = `package/bin/${process.platform}-${process.arch}/rg`;
    await unpack(inPackage, ripgrepPackage, path.join(work, 'ripgrep'));
    mkdirSync(path.join(vscode, 'trapline'));
    renameSync(path.join(work, 'ripgrep', inPackage), path.join(vscode, 'trapline', 'rg'));
    ripgrep = '../../../../trapline/rg';
  }
  const bin = path.join(vscode, 'node_modules/@vscode/ripgrep/bin');
  mkdirSync(bin, { recursive: true });
  rmSync(path.join(bin, 'rg'), { force: true });
  symlinkSync(ripgrep, path.join(bin, 'rg'));
}

/** Source maps are a quarter of the size, and nobody debugs VS Code itself here. */
function removeSourceMaps(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) removeSourceMaps(file);
    else if (entry.name.endsWith('.map')) rmSync(file);
  }
}

/** Installations that were cut short leave a working folder behind. */
function removeOldWork(cache: string): void {
  for (const name of readdirSync(cache)) {
    const folder = path.join(cache, name);
    if (name.startsWith('.install-') && Date.now() - statSync(folder).mtimeMs > 3_600_000) {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** The folder of VS Code (with `out/server-main.js` in it), installed first when it is not there yet. */
export async function installVSCode(log: Log): Promise<string> {
  const target = installFolder();
  if (existsSync(path.join(target, completeMark))) return target;
  if (process.platform === 'win32') throw new Error('the VS Code server out of npm needs Linux or macOS');
  log(`Installing VS Code ${vscodeVersion} from npm into ${target} (once) ...`);
  const cache = cacheFolder();
  mkdirSync(cache, { recursive: true });
  removeOldWork(cache);
  const work = path.join(cache, `.install-${process.pid}`);
  rmSync(work, { recursive: true, force: true });
  try {
    await unpack('package/lib/vscode', serverPackage, work);
    const vscode = path.join(work, 'package/lib/vscode');
    // No install script is run: they compile modules that are not missed (shells in the terminal, log files) and download
    // ripgrep. The shrinkwrap leaves a peer dependency out, hence --legacy-peer-deps.
    const options = [
      '--ignore-scripts',
      '--legacy-peer-deps',
      '--omit=dev',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
    ];
    for (const folder of [vscode, path.join(vscode, 'extensions')]) {
      await must('npm ci of VS Code', runNpm(['ci', ...options, '--loglevel=error'], { cwd: folder }));
    }
    symlinkSync('node_modules', path.join(vscode, 'node_modules.asar'));
    await linkRipgrep(work, vscode);
    for (const folder of ['out', 'extensions']) removeSourceMaps(path.join(vscode, folder));
    writeFileSync(path.join(vscode, completeMark), '');
    moveIntoPlace(vscode, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

/** One rename, so that there is either the whole or nothing; another process may have been first. */
function moveIntoPlace(folder: string, target: string): void {
  try {
    if (!existsSync(path.join(target, completeMark))) rmSync(target, { recursive: true, force: true });
    renameSync(folder, target);
  } catch (error) {
    if (!existsSync(path.join(target, completeMark))) throw error;
  }
}

/** Chromium as tests start it: TRAPLINE_CHROMIUM, or what the PATH has. */
export function findChromium(): string | undefined {
  const named = process.env['TRAPLINE_CHROMIUM'];
  if (named !== undefined && existsSync(named)) return named;
  return ['chromium', 'chromium-browser', 'google-chrome'].map(findOnPath).find((found) => found !== undefined);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(await installVSCode((line) => console.error(line)));
}
