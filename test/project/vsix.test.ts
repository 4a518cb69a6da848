// The packed extension holds what it needs, and nothing else.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { packExtension } from '../../scripts/package.ts';
import { listZip } from '../harness/zip.ts';

const wanted = [
  /^\[Content_Types\]\.xml$/,
  /^extension\.vsixmanifest$/,
  /^extension\/(package\.json|readme\.md|changelog\.md|LICENSE\.txt)$/i,
  /^extension\/dist\/(extension\.cjs|(cli|worker|symbols-worker)\.js|\w+\.wasm)$/,
  /^extension\/dist\/third-party-notices\.txt$/,
  /^extension\/dist\/webview\/[\w.-]+\.(js|css)$/,
  /^extension\/media\/[\w.-]+\.(svg|png)$/,
  /^extension\/syntaxes\/[\w.-]+\.json$/,
];
/** Nobody should wait for a debugger to download. */
const largest = 4 * 1024 * 1024;

test('the .vsix holds nothing that the extension does not need', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-vsix-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'trapline.vsix');
  await packExtension(file);
  const archive = readFileSync(file);
  const names = listZip(archive).map((entry) => entry.name);
  assert.deepEqual(
    names.filter((name) => !wanted.some((pattern) => pattern.test(name))),
    [],
  );
  for (const name of ['package.json', 'readme.md', 'changelog.md', 'LICENSE.txt']) {
    assert.ok(
      names.some((entry) => entry.toLowerCase() === `extension/${name.toLowerCase()}`),
      `${name} is in it`,
    );
  }
  assert.ok(archive.length < largest, `${archive.length} bytes, at most ${largest}`);
});
