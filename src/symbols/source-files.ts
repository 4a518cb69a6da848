/** Numbers for source files, and finding a file by the path that a client uses. */

import type { SourceFile } from './api.ts';

export class SourceFiles {
  readonly #files: SourceFile[] = [];
  readonly #byPath = new Map<string, number>();
  readonly #inDirectory = new Map<string, Map<string, number>>();
  readonly #byName = new Map<string, SourceFile[]>();

  get all(): readonly SourceFile[] {
    return this.#files;
  }

  get(id: number): SourceFile | null {
    return this.#files[id] ?? null;
  }

  /** The number of a path; the first one to name it gives the MD5. */
  add(path: string, md5: string | null): number {
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const file: SourceFile = { id: this.#files.length, path, name, md5 };
    this.#files.push(file);
    this.#byPath.set(path, file.id);
    const same = this.#byName.get(name);
    if (same === undefined) this.#byName.set(name, [file]);
    else same.push(file);
    return file.id;
  }

  /** The number of a path that may be relative to a directory: what was resolved once is not resolved again. */
  addIn(directory: string, path: string, md5: string | null): number {
    let known = this.#inDirectory.get(directory);
    if (known === undefined) this.#inDirectory.set(directory, (known = new Map()));
    let id = known.get(path);
    if (id === undefined) known.set(path, (id = this.add(normalisePath(joinPath(directory, path)), md5)));
    return id;
  }

  /** See `SymbolFile.findSourceFiles`. */
  find(path: string): readonly SourceFile[] {
    const wanted = normalisePath(path.replaceAll('\\', '/'));
    const exact = this.#byPath.get(wanted);
    if (exact !== undefined) return this.#files.slice(exact, exact + 1);
    const components = wanted.split('/');
    let best: SourceFile[] = [];
    let bestLength = 0;
    for (const file of this.#byName.get(components[components.length - 1] ?? '') ?? []) {
      const own = file.path.split('/');
      let length = 0;
      while (
        length < own.length &&
        length < components.length &&
        own[own.length - 1 - length] === components[components.length - 1 - length]
      ) {
        length++;
      }
      if (length > bestLength) {
        best = [file];
        bestLength = length;
      } else if (length === bestLength) {
        best.push(file);
      }
    }
    return best;
  }
}

/** Joins a path to the directory that it is relative to. */
export function joinPath(directory: string, path: string): string {
  if (isAbsolute(path) || directory === '') return path;
  return directory.endsWith('/') ? directory + path : `${directory}/${path}`;
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path);
}

/** Resolves `.` and `..` and doubled slashes. */
export function normalisePath(path: string): string {
  const absolute = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts[parts.length - 1] !== '..') parts.pop();
    else if (part !== '..' || !absolute) parts.push(part);
  }
  return (absolute ? '/' : '') + parts.join('/');
}
