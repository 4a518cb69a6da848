import * as vscode from 'vscode';
import { HEAD_LENGTH, kernelKind, type KernelKind } from './kernel-header.ts';
import type { Platform } from './platform.ts';

export interface FoundKernel {
  readonly uri: vscode.Uri;
  readonly kind: KernelKind;
}

/** Names that kernels have; what they are is decided by their first bytes. */
const LIKELY = '**/{*.elf,*.ELF,*.bin,*.krn,*.kernel,*.sys,kernel,kernel[-._]*,vmlinu[xz]*}';
const NEVER = '**/{node_modules,.git}/**';
/** Candidates that are looked at: a folder full of firmware images must not hold F5 up. */
const MOST = 200;

/** Finds the kernels of a folder (of the whole workspace when left out), 64-bit ones first, then by path. */
export async function findKernels(
  platform: Platform,
  folder: vscode.WorkspaceFolder | undefined,
): Promise<FoundKernel[]> {
  const include = folder === undefined ? LIKELY : new vscode.RelativePattern(folder, LIKELY);
  const files = await vscode.workspace.findFiles(include, NEVER, MOST);
  const found: FoundKernel[] = [];
  for (const uri of files) {
    const kind = await kernelAt(platform, uri);
    if (kind !== undefined) found.push({ uri, kind });
  }
  return found.sort((a, b) => b.kind.localeCompare(a.kind) || a.uri.path.localeCompare(b.uri.path));
}

/** The kind of kernel that a file is; undefined when it is none or cannot be read. */
export async function kernelAt(platform: Platform, uri: vscode.Uri): Promise<KernelKind | undefined> {
  if (uri.scheme !== 'file') return undefined;
  try {
    return kernelKind(await platform.readHead(uri.fsPath, HEAD_LENGTH));
  } catch {
    return undefined; // gone or not readable: no kernel to offer
  }
}
