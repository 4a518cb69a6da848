// Debian packages as a source of files: resolved by the package lists of this machine, downloaded, unpacked into a folder,
// and never installed. All of it works for ordinary users.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { findOnPath, runProgram } from '../process.ts';

/** A package at the version that this machine's package lists call current. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
}

const ADVICE = 'Update the package lists (as root: apt-get update) and see that the Debian mirror can be reached.';

function needTool(program: string, debianPackage: string): void {
  if (findOnPath(program) !== undefined) return;
  throw new Error(`${program} is not installed. The Linux guest is made on Debian systems; it needs ${debianPackage}.`);
}

/** Fields of a package's entry in the lists. */
async function show(name: string): Promise<ReadonlyMap<string, string>> {
  needTool('apt-cache', 'apt');
  const done = await runProgram('apt-cache', ['show', '--no-all-versions', name]);
  if (done.status !== 0) throw new Error(`The package lists do not name ${name}. ${ADVICE}`);
  const fields = new Map<string, string>();
  for (const line of done.stdout.split('\n')) {
    const match = /^([\w-]+): (.*)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined && !fields.has(match[1])) fields.set(match[1], match[2]);
  }
  return fields;
}

/** The current version of a package. */
export async function currentPackage(name: string): Promise<DebianPackage> {
  const version = (await show(name)).get('Version');
  if (version === undefined) throw new Error(`The package lists give no version of ${name}. ${ADVICE}`);
  return { name, version };
}

/** The package behind a meta-package: its first dependency whose name begins with `prefix`. */
export async function dependencyOf(metaPackage: string, prefix: string): Promise<DebianPackage> {
  const depends = (await show(metaPackage)).get('Depends') ?? '';
  const name = depends
    .split(/[,|]/)
    .map((alternative) => alternative.trim().split(' ')[0] ?? '')
    .find((candidate) => candidate.startsWith(prefix));
  if (name === undefined) throw new Error(`${metaPackage} depends on no package ${prefix}…, but on: ${depends}`);
  return currentPackage(name);
}

/** Downloads a package and unpacks it into `folder`, which is made. */
export async function unpackPackage(debianPackage: DebianPackage, folder: string): Promise<void> {
  await withPackage(debianPackage, folder, async (file) => runProgram('dpkg-deb', ['-x', file, folder]));
}

/** Downloads a package and unpacks of it only what matches a pattern of tar's (`./usr/lib/debug/boot/vmlinux-*`). */
export async function unpackFiles(debianPackage: DebianPackage, pattern: string, folder: string): Promise<void> {
  needTool('tar', 'tar');
  const script = 'set -e; dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards "$3"';
  await withPackage(debianPackage, folder, async (file) =>
    runProgram('sh', ['-c', script, 'sh', file, folder, pattern]),
  );
}

async function withPackage(
  { name, version }: DebianPackage,
  folder: string,
  unpack: (file: string) => ReturnType<typeof runProgram>,
): Promise<void> {
  needTool('apt-get', 'apt');
  needTool('dpkg-deb', 'dpkg');
  mkdirSync(folder, { recursive: true });
  const download = mkdtempSync(path.join(folder, '.download-'));
  try {
    // As root, apt would hand the download to a user of its own, who may not write here.
    const options = ['-q', '-o', 'APT::Sandbox::User=root'];
    const done = await runProgram('apt-get', ['download', ...options, `${name}=${version}`], { cwd: download });
    const file = existsSync(download) ? readdirSync(download).find((entry) => entry.endsWith('.deb')) : undefined;
    if (done.status !== 0 || file === undefined) {
      const reason =
        done.output
          .split('\n')
          .find((line) => line.startsWith('E: '))
          ?.slice(3) ?? done.output.trim();
      throw new Error(`The package ${name} ${version} could not be downloaded: ${reason.trim()}. ${ADVICE}`);
    }
    const unpacked = await unpack(path.join(download, file));
    if (unpacked.status !== 0) throw new Error(`${file} could not be unpacked: ${unpacked.output.trim()}`);
  } finally {
    rmSync(download, { recursive: true, force: true });
  }
}
