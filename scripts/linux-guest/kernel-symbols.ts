// The vmlinux with debugging information of the test guest's kernel: 282 MB to download, 590 MB on disk. Of the package
// only this one file is unpacked; it is kept beside the kernel of the same version.
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { unpackFiles, type DebianPackage } from './debian-packages.ts';

/** Where the kernel lies in the cache, and the package that it came from. */
export interface KernelOfGuest {
  readonly kernel: string;
  readonly packageName: string;
  readonly version: string;
}

/**
 * The package with the symbols of a kernel: its own. linux-image-cloud-amd64-dbg comes from another source package than
 * linux-image-cloud-amd64, and for days after an update the two depend on different kernels.
 */
function symbolsOf({ packageName, version }: KernelOfGuest): DebianPackage {
  return { name: `${packageName}-dbg`, version };
}

/** Path of the vmlinux; fetches it when it is not there. Rejects with a sentence that says what is missing. */
export async function kernelSymbols(
  guest: KernelOfGuest,
  log: (line: string) => void = () => undefined,
): Promise<string> {
  const versionFolder = path.dirname(path.dirname(guest.kernel));
  const target = path.join(versionFolder, 'vmlinux');
  if (existsSync(target)) return target;
  const debianPackage = symbolsOf(guest);
  log(`Fetching ${debianPackage.name} ${debianPackage.version}: 282 MB ...`);
  const work = mkdtempSync(path.join(versionFolder, '.symbols-'));
  try {
    await unpackFiles(debianPackage, './usr/lib/debug/boot/vmlinux-*', work);
    const folder = path.join(work, 'usr/lib/debug/boot');
    const [file] = readdirSync(folder);
    if (file === undefined) throw new Error(`${debianPackage.name} has no usr/lib/debug/boot/vmlinux-…`);
    renameSync(path.join(folder, file), target);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
