/**
 * Symbol files out of proportion: work and memory stay within the scale of the input, whatever its shape, and what is too
 * much is refused in one sentence. test/full has the same with millions.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { askAll, bareHeaders, cost, deepNesting, emptyUnits, manyMembers, openShape, type Shape } from './shapes.ts';

/** Work that is in proportion costs four times as much here; what grows with the square, sixteen times. */
async function growsInProportion(make: (count: number) => Shape, few: number): Promise<void> {
  const ask = async (count: number): Promise<number> => {
    const shape = make(count);
    return cost(async () => askAll(await openShape(shape)));
  };
  await ask(few); // warm
  const [a, b] = [await ask(few), await ask(4 * few)];
  assert.ok(b < 9 * a + 300, `${a.toFixed()} ms for ${few}, ${b.toFixed()} ms for ${4 * few}`);
}

describe('symbol files of any shape', () => {
  it('80,000 units that are only headers cost in proportion', () => growsInProportion(bareHeaders, 20_000));
  it('80,000 empty units cost in proportion', () => growsInProportion(emptyUnits, 20_000));
  it('200,000 members of one struct cost in proportion', () => growsInProportion(manyMembers, 50_000));

  it('a struct of 200,000 members has them', async () => {
    const file = await openShape(manyMembers(200_000));
    const id = await file.typeNamed('struct big');
    assert.ok(id !== null);
    const [big] = (await file.types([id])).filter(({ kind }) => kind === 'struct');
    assert.ok(big?.kind === 'struct' && big.members.length === 200_000);
    assert.equal(big.members[199_999]?.byteOffset, 4 * 199_999);
    assert.deepEqual(await file.warnings(), []);
  });

  it('units that are only headers are said once', async () => {
    const file = await openShape(bareHeaders(1000));
    await askAll(file);
    const said = (await file.warnings()).map(({ message }) => message);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /shape\.elf has units without any entry/);
  });

  it('entries nested without end are refused in a sentence, and shallow ones are read', async () => {
    const deep = await openShape(deepNesting(1_000_000));
    await askAll(deep);
    const said = (await deep.warnings()).map(({ message }) => message);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /nested too deeply/);
    const shallow = await openShape(deepNesting(100));
    assert.deepEqual(await shallow.globalNamesByPrefix('bot', 10), ['bottom']);
    assert.deepEqual(await shallow.warnings(), []);
  });
});
