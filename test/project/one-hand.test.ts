// One hand: what CONTRIBUTING.md says of style and no linter knows. Older rooms are named here; a file that is rewritten leaves the list.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { listFiles } from '../../scripts/files.ts';
import { repositoryRoot } from '../../scripts/process.ts';

const sources = listFiles('src', (file) => file.endsWith('.ts') && !file.startsWith('src/core/assembly/'))
  .filter((file) => !/\.(test|generated)\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(path.join(repositoryRoot, file), 'utf8') }));
const below = (file: string, folders: readonly string[]): boolean => folders.some((folder) => file.startsWith(folder));

/** Files outside of the older rooms in which the pattern occurs. */
function breaches(pattern: RegExp, older: readonly string[]): string[] {
  return sources.filter(({ file, text }) => !below(file, older) && pattern.test(text)).map(({ file }) => file);
}

describe('one hand', () => {
  it('a private member is `private`', () => {
    assert.deepEqual(breaches(/\bthis\.#\w+/, ['src/symbols/', 'src/vscode/', 'src/webview/']), []);
  });

  it('what is not there is `undefined`: no type has `null` in it', () => {
    assert.deepEqual(
      breaches(/\| null\b/, ['src/symbols/', 'src/debugger/', 'src/dap/', 'src/vscode/', 'src/webview/']),
      [],
    );
  });

  it('a file begins with what it is for', () => {
    assert.deepEqual(breaches(/^(?!\/\/|\/\*\*|#!)/, ['src/vscode/']), []);
  });

  it('a hand-written file has some 500 lines at most', () => {
    const long = sources.filter(({ text }) => text.split('\n').length > 560);
    assert.deepEqual(
      long.map(({ file }) => file),
      [],
    );
  });
});
