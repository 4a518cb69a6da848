// Makes the Linux test guest: Debian's own kernel, and an initramfs with busybox, the virtio drivers and guests/linux.
// usage: linux-guest.ts [--symbols]      prints one JSON line {"kernel", "initrd", "packageName", "version"}
//   --symbols: the kernel's vmlinux with debugging information, too (282 MB to download), as "symbols"
// Both files are kept in the cache folder, under the packages' versions and the hash of what the initramfs is made of.
// Links to them in guests/linux/build keep their names from version to version, for launch.json.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { hashFiles, listFiles } from './files.ts';
import { cacheFolder } from './install-vscode.ts';
import { writeCpio, type CpioEntry } from './linux-guest/cpio.ts';
import { currentPackage, dependencyOf, unpackPackage, type DebianPackage } from './linux-guest/debian-packages.ts';
import { kernelSymbols } from './linux-guest/kernel-symbols.ts';
import { modulesInOrder, type KernelModule } from './linux-guest/kernel-modules.ts';
import { findOnPath, messageOf, repositoryRoot, runProgram } from './process.ts';

/** The files of a guest, as `trapline run --kernel ... --initrd ...` and QEMU take them. */
export interface LinuxGuest {
  readonly kernel: string;
  readonly initrd: string;
  /** The kernel's own package, for example "linux-image-6.1.0-56-cloud-amd64". */
  readonly packageName: string;
  /** Version of the kernel package, for example "6.1.192-2". */
  readonly version: string;
}

const DRIVERS = ['virtio_pci', 'virtio_blk', 'virtio_rng', 'virtio_console'];
/** What init calls. A shell on the console gets all that busybox has. */
const APPLETS = ['sh', 'mount', 'cat', 'grep', 'insmod', 'sync', 'poweroff'];
const COMPILER_OPTIONS = '-std=gnu11 -static -O2 -pthread -Wall -Wextra -Wshadow -Werror'.split(' ');
const sources = 'guests/linux';

/** Compiles the exercise into a static program. The bytes depend on the sources and the compiler only. */
async function compileExercise(output: string): Promise<Uint8Array> {
  if (findOnPath('gcc') === undefined) throw new Error('gcc is not installed; the Linux guest is compiled with it.');
  const files = listFiles(sources, (file) => /\.[cS]$/.test(file));
  const done = await runProgram('gcc', [...COMPILER_OPTIONS, '-s', '-o', output, ...files]);
  if (done.status !== 0) throw new Error(`gcc could not compile ${sources}:\n${done.output.trimEnd()}`);
  return readFileSync(output);
}

function initramfs(busybox: Uint8Array, exercise: Uint8Array, modules: readonly KernelModule[]): Uint8Array {
  const order = modules.map((module) => `${module.name}.ko\n`).join('');
  const folders = ['bin', 'dev', 'lib', 'lib/modules', 'proc', 'sys', 'tmp'];
  const entries: CpioEntry[] = [
    ...folders.map((name) => ({ kind: 'folder', name }) as const),
    { kind: 'characterDevice', name: 'dev/console', major: 5, minor: 1 }, // init's standard input and output
    { kind: 'file', name: 'init', bytes: readFileSync(path.join(repositoryRoot, sources, 'init')), mode: 0o755 },
    { kind: 'file', name: 'bin/busybox', bytes: busybox, mode: 0o755 },
    ...APPLETS.map((name) => ({ kind: 'link', name: `bin/${name}`, target: 'busybox' }) as const),
    { kind: 'file', name: 'bin/exercise', bytes: exercise, mode: 0o755 },
    ...modules.map(({ name, bytes }) => ({ kind: 'file', name: `lib/modules/${name}.ko`, bytes }) as const),
    { kind: 'file', name: 'lib/modules/order', bytes: new TextEncoder().encode(order) },
  ];
  return writeCpio(entries);
}

/** A file of an unpacked package, wherever it is since the merge of /bin into /usr/bin. */
function packageFile(folder: string, candidates: readonly string[]): string {
  const found = candidates.map((name) => path.join(folder, name)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`the package has none of ${candidates.join(', ')}`);
  return found;
}

async function make(kernel: DebianPackage, busybox: DebianPackage, target: string): Promise<void> {
  mkdirSync(path.dirname(target), { recursive: true });
  const work = mkdtempSync(path.join(path.dirname(target), '.making-'));
  try {
    const kernelFolder = path.join(work, 'kernel');
    const busyboxFolder = path.join(work, 'busybox');
    await unpackPackage(kernel, kernelFolder);
    await unpackPackage(busybox, busyboxFolder);
    const image = readdirSync(path.join(kernelFolder, 'boot')).find((name) => name.startsWith('vmlinuz-'));
    if (image === undefined) throw new Error(`${kernel.name} has no /boot/vmlinuz-…`);
    const modules = await modulesInOrder(kernelFolder, DRIVERS);
    const exercise = await compileExercise(path.join(work, 'exercise'));
    const busyboxFile = packageFile(busyboxFolder, ['bin/busybox', 'usr/bin/busybox']);
    const finished = path.join(work, 'finished');
    mkdirSync(finished);
    cpSync(path.join(kernelFolder, 'boot', image), path.join(finished, 'vmlinuz'));
    writeFileSync(path.join(finished, 'initramfs.cpio'), initramfs(readFileSync(busyboxFile), exercise, modules));
    try {
      renameSync(finished, target); // all or nothing, and two at a time may do this
    } catch (error) {
      if (!existsSync(path.join(target, 'initramfs.cpio'))) throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The guest, made first when it is not in the cache. Rejects with a sentence for the user. */
export async function linuxGuest(log: (line: string) => void = () => undefined): Promise<LinuxGuest> {
  const kernel = await dependencyOf('linux-image-cloud-amd64', 'linux-image-');
  const busybox = await currentPackage('busybox-static');
  const inputs = [
    ...listFiles(sources, (file) => !file.includes('/.vscode/')),
    ...listFiles('scripts/linux-guest'),
    'scripts/linux-guest.ts',
  ];
  const hash = hashFiles(inputs, `${busybox.version} ${COMPILER_OPTIONS.join(' ')}`).slice(0, 12);
  const folder = path.join(cacheFolder(), 'linux', kernel.version, hash);
  const guest = {
    kernel: path.join(folder, 'vmlinuz'),
    initrd: path.join(folder, 'initramfs.cpio'),
    packageName: kernel.name,
    version: kernel.version,
  };
  if (!existsSync(guest.initrd)) {
    log(`Making the Linux guest from ${kernel.name} ${kernel.version} and busybox-static ${busybox.version} ...`);
    await make(kernel, busybox, folder);
  }
  return guest;
}

/** Makes a link, or lets it point elsewhere; there is never a moment without it. */
function link(file: string, target: string): void {
  const fresh = `${file}.${process.pid}`;
  symlinkSync(target, fresh);
  renameSync(fresh, file);
}

/** Links to a guest's files in guests/linux/build: vmlinuz, initramfs.cpio, and vmlinux if its symbols are there. */
export function linkGuest({ kernel, initrd }: LinuxGuest, symbols?: string): void {
  const folder = path.join(repositoryRoot, sources, 'build');
  mkdirSync(folder, { recursive: true });
  link(path.join(folder, 'vmlinuz'), kernel);
  link(path.join(folder, 'initramfs.cpio'), initrd);
  if (symbols !== undefined) link(path.join(folder, 'vmlinux'), symbols);
}

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.find((arg) => arg !== '--symbols');
  if (unknown !== undefined) throw new Error(`there is no option '${unknown}', only --symbols`);
  const guest = await linuxGuest((line) => console.error(line));
  if (!args.includes('--symbols')) {
    linkGuest(guest);
    console.log(JSON.stringify(guest));
    return;
  }
  const symbols = await kernelSymbols(guest, (line) => console.error(line));
  linkGuest(guest, symbols);
  console.log(JSON.stringify({ ...guest, symbols }));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(`guest:linux: ${messageOf(error)}`);
    process.exitCode = 1;
  });
}
