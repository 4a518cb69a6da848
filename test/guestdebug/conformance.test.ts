// Holds the table of conformance cases and the tests to each other: a case that is built has a test that names it, one that
// is not built has none, and no test names a case that does not exist.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { conformanceDocument, CONFORMANCE_DOCUMENT } from '../../scripts/generate-conformance.ts';
import { sections } from './conformance.ts';

const root = join(import.meta.dirname, '../..');
const cases = sections.flatMap((section) => section.cases);

/** The names of cases that tests hold in their names or in the rows that names are made of; comments do not count. */
function namedIn(file: string): readonly string[] {
  const code = readFileSync(file, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');
  const strings = code.match(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g) ?? [];
  return strings.flatMap((text) => {
    const ranges = [...text.matchAll(/T-([0-9A-F]{2})\.\.T-([0-9A-F]{2})/g)].flatMap(([, from = '', to = '']) =>
      cases.map(({ id }) => id).filter((id) => id >= `T-${from}` && id <= `T-${to}` && id.length === 4),
    );
    return [...(text.match(/\bT-[0-9A-F]{2}[a-f]?\b/g) ?? []), ...ranges];
  });
}
const testFiles = ['test', 'src'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(root, folder, file)),
);
const named = new Map<string, Set<string>>();
for (const file of testFiles) {
  if (file === import.meta.filename) continue;
  for (const id of namedIn(file)) named.set(id, (named.get(id) ?? new Set()).add(relative(root, file)));
}

test('the table has the 187 cases of the specification, each once', () => {
  assert.deepEqual(
    sections.map((section) => section.cases.length),
    [25, 26, 16, 32, 22, 16, 13, 25, 12],
  );
  assert.equal(new Set(cases.map(({ id }) => id)).size, 187);
});
test('every case that is built has a test that names it, and no other has one', () => {
  const without = cases.filter(({ id, notBuilt }) => notBuilt === undefined && !named.has(id)).map(({ id }) => id);
  assert.deepEqual(without, [], 'built, but no test names them');
  const hidden = cases.filter(({ id, notBuilt }) => notBuilt !== undefined && named.has(id)).map(({ id }) => id);
  assert.deepEqual(hidden, [], 'said not to be built, but a test names them');
});
test('every case that a test names is in the table', () => {
  const known = new Set(cases.map(({ id }) => id));
  assert.deepEqual(
    [...named].filter(([id]) => !known.has(id)).map(([id, files]) => `${id} in ${[...files].join(', ')}`),
    [],
  );
});
test('docs/guest-debug.md says what the table says', async () => {
  assert.equal(readFileSync(join(root, CONFORMANCE_DOCUMENT), 'utf8'), await conformanceDocument());
  const absent = cases.filter(({ notBuilt }) => notBuilt !== undefined);
  console.log(`not built: ${absent.map(({ id }) => id).join(', ')}`);
});
