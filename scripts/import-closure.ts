// Which files of the checkout a source file is made of: itself and whatever it imports, directly or not.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from './process.ts';

/** The relative module names of `import ... from`, `export ... from`, `import '...'` and `import('...')`, in either language. */
const RELATIVE_IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.{1,2}\/[^'"]*)['"]/g;

/** TypeScript names the file with its ending; AssemblyScript leaves the ending, or "index.ts", out. */
const ENDINGS = ['', '.ts', '/index.ts'];

/**
 * Files (relative to the checkout, forward slashes, sorted) that `entries` reach by relative imports, entries included. Read from the
 * text alone: a name in a comment counts too, which makes a build step run once too often, never once too few.
 */
export function importClosure(entries: readonly string[]): string[] {
  const found = new Set<string>();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    const text = readFileSync(path.join(repositoryRoot, file), 'utf8');
    for (const [, name = ''] of text.matchAll(RELATIVE_IMPORT)) {
      const target = path.posix.join(path.posix.dirname(file), name);
      const ending = ENDINGS.find((end) => (end !== '' || /\.\w+$/.test(target) ? isFile(target + end) : false));
      if (ending !== undefined) waiting.push(target + ending);
    }
  }
  return [...found].sort();
}

const isFile = (file: string): boolean =>
  /\.(ts|mjs|cjs|json)$/.test(file) && existsSync(path.join(repositoryRoot, file));
