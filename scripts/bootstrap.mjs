// The first thing every npm script runs: plain JavaScript without dependencies, since node_modules may not be there yet.
// usage: node scripts/bootstrap.mjs [--build] SCRIPT [ARGUMENT...]
//   installs the packages of package-lock.json when they are missing or out of date, then runs SCRIPT (TypeScript) with its arguments.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const stampFile = path.join(root, 'node_modules', '.trapline-installed');

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 20) fail(`Trapline needs Node 20 or newer, this is ${process.versions.node}.`);

/** What the installed packages depend on: the lock file, and this Node (its major version) on this platform. */
function wantedStamp() {
  const hash = createHash('sha256');
  hash.update(readFileSync(path.join(root, 'package-lock.json')));
  hash.update(`${process.platform} ${process.arch} ${major}`);
  return hash.digest('hex');
}

/** npm as this process was started by it; else the one on the PATH. */
function npm(args) {
  const script = process.env['npm_execpath'];
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] };
  return script !== undefined && /npm-cli\.c?js$/.test(script)
    ? spawnSync(process.execPath, [script, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
}

function installPackages() {
  const wanted = wantedStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;
  process.stderr.write('Installing the npm packages of package-lock.json (once) ...\n');
  // No install script of any package is needed, so none is run.
  const done = npm(['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']);
  if (done.error) fail(`npm could not be started: ${done.error.message}. Install npm and try again.`);
  if (done.status !== 0) fail('npm ci failed; its own message is above.');
  writeFileSync(stampFile, wanted);
}

/** Runs one TypeScript file in a process of its own, and resolves to its exit status. */
function run(script, args) {
  const child = spawn(process.execPath, ['--import', 'tsx', path.join(root, script), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  // Ctrl+C reaches the child by itself (same process group): it decides when it ends, and this process waits for it.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm ends only its shell when it is told to end: without a parent, this process has nothing to run for.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM');
  }, 1000).unref();
  return new Promise((resolve) => {
    child.on('error', (error) => fail(`${script} could not be started: ${error.message}`));
    child.on('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

const words = process.argv.slice(2);
const buildFirst = words[0] === '--build';
if (buildFirst) words.shift();
const [script, ...args] = words;
if (script === undefined) fail('usage: node scripts/bootstrap.mjs [--build] SCRIPT [ARGUMENT...]');
if (!existsSync(path.join(root, script))) fail(`${script} is not part of this checkout.`);
installPackages();
if (buildFirst) {
  const status = await run('scripts/build.ts', ['--quiet']);
  if (status !== 0) process.exit(status);
}
process.exitCode = await run(script, args);
