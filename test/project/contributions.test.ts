import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { staleFiles } from '../../scripts/generate-contributions.ts';
import { repositoryRoot } from '../../scripts/process.ts';

test('package.json and docs/launch.md are what generate-contributions.ts writes', async () => {
  assert.deepEqual(await staleFiles(), [], 'run node --import tsx scripts/generate-contributions.ts');
});

test('every file that package.json names is there', () => {
  const manifest = readFileSync(path.join(repositoryRoot, 'package.json'), 'utf8');
  const named = [...manifest.matchAll(/"(?:\.\/)?((?:media|syntaxes)\/[^"]+)"/g)].map((match) => match[1] ?? '');
  assert.ok(named.length > 3);
  assert.deepEqual(
    named.filter((file) => !existsSync(path.join(repositoryRoot, file))),
    [],
  );
});
