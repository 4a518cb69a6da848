// Kernel modules and what they need. A kernel package holds no modules.dep (depmod makes it when the package is
// installed), but each module says itself what it depends on, in its section .modinfo.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../process.ts';

/** A module, ready to be loaded once those before it in the list are. */
export interface KernelModule {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Module names are the same with '-' and '_'. */
const canonical = (name: string): string => name.replaceAll('-', '_');

/** Contents of a section of a 64-bit little-endian ELF file, or undefined. */
function elfSection(bytes: Uint8Array, wanted: string): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table = Number(view.getBigUint64(0x28, true));
  const [entrySize, count, names] = [
    view.getUint16(0x3a, true),
    view.getUint16(0x3c, true),
    view.getUint16(0x3e, true),
  ];
  const section = (index: number): { name: number; bytes: Uint8Array } => {
    const at = table + index * entrySize;
    const offset = Number(view.getBigUint64(at + 0x18, true));
    const size = Number(view.getBigUint64(at + 0x20, true));
    return { name: view.getUint32(at, true), bytes: bytes.subarray(offset, offset + size) };
  };
  const strings = new TextDecoder('latin1').decode(section(names).bytes);
  for (let index = 1; index < count; index++) {
    const { name, bytes: contents } = section(index);
    if (strings.slice(name, strings.indexOf('\0', name)) === wanted) return contents;
  }
  return undefined;
}

/** Names of the modules that a module wants to be loaded before it. */
export function dependenciesOf(module: KernelModule): string[] {
  const information = elfSection(module.bytes, '.modinfo');
  if (information === undefined) throw new Error(`${module.name} is no kernel module: it has no section .modinfo`);
  const lines = new TextDecoder('latin1').decode(information).split('\0');
  const depends = lines.find((line) => line.startsWith('depends='))?.slice('depends='.length) ?? '';
  return depends
    .split(',')
    .filter((name) => name !== '')
    .map(canonical);
}

/** Paths of all modules of an unpacked kernel package, by canonical name. */
function findModules(packageFolder: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) visit(file);
      const match = /^(.*)\.ko(?:\.xz)?$/.exec(entry.name);
      if (entry.isFile() && match?.[1] !== undefined) found.set(canonical(match[1]), file);
    }
  };
  for (const folder of ['lib/modules', 'usr/lib/modules']) {
    if (existsSync(path.join(packageFolder, folder))) visit(path.join(packageFolder, folder));
  }
  return found;
}

async function readModule(name: string, file: string): Promise<KernelModule> {
  if (!file.endsWith('.xz')) return { name, bytes: readFileSync(file) };
  const done = await runProgram('xz', ['--decompress', '--keep', file]);
  if (done.status !== 0) throw new Error(`unpacking the module ${name} failed: ${done.output.trim()}`);
  return { name, bytes: readFileSync(file.slice(0, -'.xz'.length)) };
}

/** The named modules and all that they depend on, in an order in which they can be loaded. */
export async function modulesInOrder(packageFolder: string, wanted: readonly string[]): Promise<KernelModule[]> {
  const files = findModules(packageFolder);
  const order: KernelModule[] = [];
  const visited = new Set<string>();
  const visit = async (name: string): Promise<void> => {
    if (visited.has(name)) return;
    visited.add(name);
    const file = files.get(name);
    if (file === undefined) throw new Error(`the kernel package has no module ${name}`);
    const module = await readModule(name, file);
    for (const dependency of dependenciesOf(module)) await visit(dependency);
    order.push(module);
  };
  for (const name of wanted) await visit(canonical(name));
  return order;
}
