/** Symbol files out of proportion, with millions: bounded memory, time in proportion, a sentence for what is too much. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { askAll, bareHeaders, cost, emptyUnits, manyMembers, openShape, type Shape } from '../symbols/shapes.ts';

/** Asks everything of a file; the processor time that it may take tells work from walking in circles. */
async function asked(shape: Shape): Promise<readonly string[]> {
  let said: readonly string[] = [];
  const milliseconds = await cost(async () => {
    const file = await openShape(shape);
    await askAll(file);
    said = (await file.warnings()).map(({ message }) => message);
  });
  assert.ok(milliseconds < 120_000, `${milliseconds} ms`);
  assert.ok(process.memoryUsage().rss < 2e9, `${process.memoryUsage().rss} bytes`);
  return said;
}

describe('symbol files of millions', () => {
  it('1,000,000 units that are only headers', async () => {
    assert.match((await asked(bareHeaders(1_000_000))).join(), /units without any entry/);
  });
  it('1,000,000 empty units', async () => assert.deepEqual(await asked(emptyUnits(1_000_000)), []));
  it('6,000,000 units in 66 MB', async () => {
    assert.match((await asked(bareHeaders(6_000_000))).join(), /units without any entry/);
  });
  it('6,000,000 empty units are more than are read', async () => {
    assert.match((await asked(emptyUnits(6_000_000))).join(), /more than 1048576 units/);
  });
  it('1,000,000 members of one struct', async () => assert.deepEqual(await asked(manyMembers(1_000_000)), []));
});
