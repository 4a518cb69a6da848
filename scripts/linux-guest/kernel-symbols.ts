// The vmlinux with debugging information of the test guest's kernel: 282 MB to download, 590 MB on disk. Of the package
// only this one file is unpacked; it is kept beside the kernel of the same version.
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { dependencyOf, unpackFiles } from './debian-packages.ts';

/** Where the kernel lies in the cache, and the version of its package. */
interface KernelOfGuest {
  readonly kernel: string;
  readonly version: string;
}

const META_PACKAGE = 'linux-image-cloud-amd64-dbg';

/** Path of the vmlinux; fetches it when it is not there. Rejects with a sentence that says what is missing. */
export async function kernelSymbols(
  { kernel, version }: KernelOfGuest,
  log: (line: string) => void = () => undefined,
): Promise<string> {
  const versionFolder = path.dirname(path.dirname(kernel));
  const target = path.join(versionFolder, 'vmlinux');
  if (existsSync(target)) return target;
  const debianPackage = await dependencyOf(META_PACKAGE, 'linux-image-');
  if (debianPackage.version !== version) {
    throw new Error(`${debianPackage.name} has the version ${debianPackage.version}, the guest's kernel ${version}.`);
  }
  log(`Fetching ${debianPackage.name} ${version}: 282 MB ...`);
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
