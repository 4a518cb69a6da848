import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { test } from 'node:test';
import { GUARD_PREFIX } from './guard.ts';

test('what a promise, a timer or a listener throws costs one line each, and the process goes on', () => {
  const program = `
    import { guardThread } from ${JSON.stringify(new URL('./guard.ts', import.meta.url).href)};
    guardThread();
    void Promise.reject(new Error('a promise\\nof two lines'));
    setTimeout(() => { throw new TypeError('a timer'); }, 1);
    setTimeout(() => process.emit('message', undefined), 2);
    process.on('message', () => { throw 'a listener'; });
    setTimeout(() => console.log('alive'), 50);`;
  const done = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert.equal(done.status, 0, done.stderr);
  assert.equal(done.stdout, 'alive\n');
  const lines = done.stderr.trimEnd().split('\n');
  assert.equal(lines.length, 3, done.stderr);
  for (const [index, part] of ['Error: a promise of two lines', 'TypeError: a timer', 'a listener'].entries())
    assert.ok(lines[index]?.startsWith(`${GUARD_PREFIX}${part}`), lines[index]);
});
