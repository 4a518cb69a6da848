import * as vscode from 'vscode';
import { kernelKindOf, type KernelKind } from './kernel-header.ts';
import type { Platform } from './platform.ts';

export interface FoundKernel {
  readonly uri: vscode.Uri;
  readonly kind: KernelKind;
  /** The file with the symbols of a Linux kernel image, when the image lies in a built tree. */
  readonly symbols?: vscode.Uri;
}

/** What a built Linux tree has; looked for by itself, since a source tree has hundreds of files with likely names. */
const LINUX = '**/{bzImage,vmlinux}';
/** Names that kernels have; what they are is decided by their contents. */
const LIKELY = '**/{*.elf,*.ELF,*.bin,*.krn,*.kernel,*.sys,kernel,kernel[-._]*,bzImage*,vmlinu[xz]*}';
const NEVER = '**/{node_modules,.git}/**';
/** Candidates that are looked at: a folder full of firmware images must not hold F5 up. */
const MOST = 200;
/** From arch/x86/boot/bzImage up to the vmlinux beside arch. */
const ABOVE_IMAGE = 4;

/** The order in which kernels are offered: an image boots faster than the vmlinux of the same tree. */
const order: readonly KernelKind[] = ['bzImage', 'pvh', 'elf64', 'elf32', 'multiboot'];

/** Finds the kernels of a folder (of the whole workspace when left out): Linux first, then 64-bit ones, then by path. */
export async function findKernels(
  platform: Platform,
  folder: vscode.WorkspaceFolder | undefined,
): Promise<FoundKernel[]> {
  const files = new Map<string, vscode.Uri>();
  for (const pattern of [LINUX, LIKELY]) {
    const include = folder === undefined ? pattern : new vscode.RelativePattern(folder, pattern);
    for (const uri of await vscode.workspace.findFiles(include, NEVER, MOST)) files.set(uri.toString(), uri);
  }
  const found: FoundKernel[] = [];
  for (const uri of files.values()) {
    const kernel = await kernelAt(platform, uri);
    // arch/x86_64/boot/bzImage is a link to that of arch/x86.
    if (kernel !== undefined && !uri.path.endsWith('/arch/x86_64/boot/bzImage')) found.push(kernel);
  }
  const rank = ({ kind }: FoundKernel): number => order.indexOf(kind);
  return found.sort((a, b) => rank(a) - rank(b) || a.uri.path.localeCompare(b.uri.path));
}

/** The kernel that a file is; undefined when it is none or cannot be read. */
export async function kernelAt(platform: Platform, uri: vscode.Uri): Promise<FoundKernel | undefined> {
  if (uri.scheme !== 'file') return undefined;
  try {
    const kind = await kernelKindOf((offset, length) => platform.readPart(uri.fsPath, offset, length));
    if (kind === undefined) return undefined;
    const symbols = kind === 'bzImage' ? await symbolsOf(uri) : undefined;
    return { uri, kind, ...(symbols === undefined ? {} : { symbols }) };
  } catch {
    return undefined; // gone or not readable: no kernel to offer
  }
}

/** The vmlinux that an image was made of; the adapter itself checks that the build is the same. */
async function symbolsOf(image: vscode.Uri): Promise<vscode.Uri | undefined> {
  if (!image.path.endsWith('/bzImage')) return undefined;
  for (let above = 1; above <= ABOVE_IMAGE; above++) {
    const candidate = vscode.Uri.joinPath(image, ...Array<string>(above).fill('..'), 'vmlinux');
    try {
      await vscode.workspace.fs.stat(candidate);
      return candidate;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
