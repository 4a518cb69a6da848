import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { joinPath, normalisePath, SourceFiles } from './source-files.ts';

describe('source files', () => {
  const files = new SourceFiles();
  for (const path of ['/build/kernel/main.c', '/build/init/main.c', '/build/lib/list.c', 'relative/list.c']) {
    files.add(path, null);
  }
  const find = (path: string): string[] => files.find(path).map((file) => file.path);

  it('are found by path, by trailing components, by name', () => {
    assert.deepEqual(find('/build/init/main.c'), ['/build/init/main.c']);
    assert.deepEqual(find('/home/me/src/kernel/main.c'), ['/build/kernel/main.c']);
    assert.deepEqual(find('C:\\src\\lib\\list.c'), ['/build/lib/list.c']);
    assert.deepEqual(find('main.c'), ['/build/kernel/main.c', '/build/init/main.c']);
    assert.deepEqual(find('/home/me/other.c'), []);
  });

  it('have one number for each path', () => {
    assert.equal(files.add('/build/lib/list.c', 'ignored'), 2);
    assert.equal(files.get(2)?.name, 'list.c');
    assert.equal(files.get(99), null);
  });

  it('have paths without detours', () => {
    assert.equal(normalisePath('/a/b/../c/./d//e'), '/a/c/d/e');
    assert.equal(normalisePath('../../a'), '../../a');
    assert.equal(normalisePath('/../a'), '/a');
    assert.equal(joinPath('/a', 'b'), '/a/b');
    assert.equal(joinPath('/a', '/b'), '/b');
    assert.equal(joinPath('', 'b'), 'b');
  });
});
