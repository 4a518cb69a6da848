import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { SESSION_DOCUMENT, sessionDocument } from '../../scripts/generate-session-states.ts';
import { repositoryRoot } from '../../scripts/process.ts';

test('docs/session.md shows the table of src/dap/life.ts', async () => {
  const written = readFileSync(path.join(repositoryRoot, SESSION_DOCUMENT), 'utf8');
  assert.equal(written, await sessionDocument(), 'run node --import tsx scripts/generate-session-states.ts');
});
