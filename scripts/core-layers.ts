// The order of src/core/assembly/system: each folder may import what stands below it, and none above. Circles of imports are
// harmless to the compiler; to a reader each is one large file, so they stay within a layer and small.
import path from 'node:path';

/** Folders of the system module from the bottom up; '' is what stands beside the folders. */
export const SYSTEM_LAYERS: readonly { readonly folder: string; readonly holds: string }[] = [
  { folder: 'state', holds: 'what stands in the state area and the TLBs, by name' },
  { folder: 'raise', holds: 'how a fault leaves the instruction that met it' },
  { folder: 'memory', holds: 'accesses: physical memory, walks, segments, watched pages' },
  { folder: 'deliver', holds: 'events through the IDT, task switches' },
  { folder: 'operations', holds: 'rare instructions and modes: what a record names by RARE_*' },
  { folder: '', holds: 'the boundary table, and the dispatch of rare operations' },
];
/** Files of the largest circle that is tolerated. */
export const LARGEST_CIRCLE = 6;

/** A module graph: files, by path from the module's folder, and what each imports of the others. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** What a file imports by a relative path, as paths from the folder; what lies outside of it is left out. */
export function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(/from '(\.[^']+)'/g)]
    .map(([, target = '']) => `${path.posix.join(path.posix.dirname(file), target)}.ts`)
    .filter((target) => !target.startsWith('..'));
}
/** The imports that go up, in words. */
export function upwardImports(imports: Imports): string[] {
  const level = (file: string): number =>
    SYSTEM_LAYERS.findIndex(({ folder }) => folder === (file.includes('/') ? path.posix.dirname(file) : ''));
  const faults: string[] = [];
  for (const [file, targets] of imports) {
    if (level(file) < 0) faults.push(`${file} is in no layer`);
    for (const target of targets) {
      if (level(target) > level(file)) faults.push(`${file} imports ${target}, which stands above it`);
    }
  }
  return faults;
}
/** Circles of imports: sets of files each of which reaches all others, by Tarjan's algorithm. */
export function circles(imports: Imports): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const at = (map: ReadonlyMap<string, number>, file: string): number => map.get(file) ?? Number.POSITIVE_INFINITY;
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, at(order, file));
    open.push(file);
    for (const target of imports.get(file) ?? []) {
      if (!order.has(target)) visit(target);
      else if (!open.includes(target)) continue;
      lowest.set(file, Math.min(at(lowest, file), at(lowest, target)));
    }
    if (at(lowest, file) !== at(order, file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) found.push(circle);
  };
  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return found;
}
