import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Type } from './api.ts';
import { TypeTable } from './type-table.ts';

const program: readonly Type[] = [
  { kind: 'base', id: 1, name: 'int', byteSize: 4, encoding: 'signed' },
  { kind: 'typedef', id: 2, name: 'number', byteSize: 4, target: 3 },
  { kind: 'qualified', id: 3, name: 'const int', byteSize: 4, qualifier: 'const', target: 1 },
  { kind: 'typedef', id: 4, name: 'loop', byteSize: null, target: 4 },
];

function table(): { types: TypeTable; asked: number[] } {
  const asked: number[] = [];
  const types = new TypeTable({
    elf: {
      name: 'f',
      class: 64,
      machine: 'x86-64',
      type: 'executable',
      entry: 0n,
      pointerSize: 8,
      segments: [],
      sections: [],
      buildId: null,
      debugLink: null,
      hasDebugInformation: true,
    },
    types: async (ids) => {
      asked.push(...ids);
      return ids.some((id) => program.some((type) => type.id === id)) ? program : [];
    },
  });
  return { types, asked };
}

describe('type tables', () => {
  it('fetch once', async () => {
    const { types, asked } = table();
    assert.equal(types.get(2), undefined);
    assert.equal((await types.load(2))?.name, 'number');
    assert.equal((await types.load(1))?.name, 'int');
    assert.equal(await types.load(77), undefined);
    assert.deepEqual(asked, [2, 77]);
  });

  it('see through typedefs and qualifiers, and do not loop', async () => {
    const { types } = table();
    await types.load(2);
    assert.equal(types.resolve(2)?.id, 1);
    assert.equal(types.resolve(4), undefined);
    assert.equal(types.resolve(0)?.kind, 'void');
  });

  it('make types that the program does not have', async () => {
    const { types } = table();
    await types.load(1);
    const pointer = types.pointerTo(1);
    assert.deepEqual([pointer.name, pointer.byteSize, pointer.id < 0], ['int *', 8, true]);
    assert.equal(types.pointerTo(1), pointer);
    assert.equal(types.pointerTo(pointer.id).name, 'int **');
    assert.equal(types.pointerTo(0).name, 'void *');
    const array = types.arrayOf(1, 5);
    assert.deepEqual([array.name, array.byteSize], ['int [5]', 20]);
    assert.equal(types.pointerTo(array.id).name, 'int (*)[5]');
    assert.equal(types.baseType('long', 8, 'signed').byteSize, 8);
  });
});
