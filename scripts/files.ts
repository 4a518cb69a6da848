import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from './process.ts';

const neverVisited = new Set(['node_modules', 'dist', 'out', 'build', '.git', '.vscode-test']);

/** Files below `folder` (relative to the checkout, forward slashes, sorted) that `wanted` accepts. */
export function listFiles(folder: string, wanted: (file: string) => boolean = () => true): string[] {
  const found: string[] = [];
  const visit = (relative: string): void => {
    const absolute = path.join(repositoryRoot, relative);
    if (!existsSync(absolute)) return;
    for (const entry of readdirSync(absolute, { withFileTypes: true })) {
      const child = relative === '.' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!neverVisited.has(entry.name)) visit(child);
      } else if (entry.isFile() && wanted(child)) found.push(child);
    }
  };
  visit(folder);
  return found.toSorted();
}

/** SHA-256 over the names and the contents of files of the checkout. A file that is missing counts as such. */
export function hashFiles(files: readonly string[], salt = ''): string {
  const hash = createHash('sha256').update(salt);
  for (const file of files) {
    const absolute = path.join(repositoryRoot, file);
    const content = existsSync(absolute) ? readFileSync(absolute) : undefined;
    hash.update(`\0${file}\0${content === undefined ? 'missing' : content.length}\0`);
    if (content !== undefined) hash.update(content);
  }
  return hash.digest('hex');
}
