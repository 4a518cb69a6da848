import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SourceFile, SymbolFile } from '../symbols/index.ts';
import type { Files } from './host.ts';
import { SourcePaths } from './source-paths.ts';

const filesWith = (...existing: string[]): Files => ({
  read: () => Promise.reject(new Error('not read here')),
  exists: (path) => Promise.resolve(existing.includes(path)),
  resolve: (path) => (path.startsWith('/') ? path : `/home/user/${path}`),
});
const symbolsWith = (...paths: string[]): SymbolFile => {
  const files = paths.map((path, id): SourceFile => ({ id, path, name: path.replace(/^.*\//, ''), md5: null }));
  const findSourceFiles = (path: string): Promise<readonly SourceFile[]> =>
    Promise.resolve(files.filter((file) => file.name === path.replace(/^.*\//, '')));
  // Only this question is asked.
  return { findSourceFiles } as unknown as SymbolFile;
};

describe('source paths', () => {
  it('follow sourceMap, the longest prefix first', async () => {
    const paths = new SourcePaths(filesWith('/home/me/a.c', '/opt/lib/b.c'), {
      sourceMap: { '/build': '/home/me', '/build/lib': '/opt/lib' },
      kernel: '/k/k.elf',
    });
    assert.equal(await paths.local('/build/a.c'), '/home/me/a.c');
    assert.equal(await paths.local('/build/lib/b.c'), '/opt/lib/b.c');
    assert.equal(await paths.local('/builder/a.c'), undefined);
  });
  it('that sourceMap puts where no file is are unknown, and that is said once for each entry', async () => {
    const said: string[] = [];
    const paths = new SourcePaths(filesWith('/home/me/there.c', '/k/a.c'), {
      sourceMap: { '/build': '/home/me', '/lib': '/opt/lib' },
      kernel: '/k/k.elf',
      say: (sentence) => said.push(sentence),
    });
    assert.equal(await paths.local('/build/a.c'), undefined, 'nor is another file of the name taken');
    assert.equal(await paths.local('/build/b.c'), undefined);
    assert.equal(await paths.local('/build/there.c'), '/home/me/there.c');
    assert.equal(await paths.local('/lib/c.c'), undefined);
    assert.equal(said.length, 2);
    assert.match(said[0] ?? '', /\/build\/a\.c at \/home\/me\/a\.c.*no such file.*'\/build'/);
    assert.match(said[1] ?? '', /\/opt\/lib\/c\.c/);
  });
  it('are looked for beside and above the kernel', async () => {
    const files = filesWith('/home/me/guests/smp/list.c', '/home/me/guests/smp/sub/x.c');
    const paths = new SourcePaths(files, { sourceMap: {}, kernel: '/home/me/guests/smp/smp.elf' });
    assert.equal(await paths.local('/trapline/guests/smp/list.c'), '/home/me/guests/smp/list.c');
    assert.equal(await paths.local('sub/x.c'), '/home/me/guests/smp/sub/x.c');
    assert.equal(await paths.local('/trapline/missing.c'), undefined);
  });
  it('of the client find the file that is meant, not one that only shares its name', async () => {
    const files = filesWith('/home/me/a/main.c', '/home/me/b/main.c');
    const paths = new SourcePaths(files, { sourceMap: { '/build': '/home/me' }, kernel: '/home/me/k.elf' });
    const symbols = symbolsWith('/build/a/main.c', '/build/b/main.c');
    assert.deepEqual(
      (await paths.filesFor(symbols, '/home/me/b/main.c')).map(({ path }) => path),
      ['/build/b/main.c'],
    );
    assert.deepEqual(await paths.filesFor(symbols, '/elsewhere/main.c'), []);
  });
});
