import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fixedPrefix, isGlob, matchesGlob } from './glob.ts';

it('patterns match as shells have it', () => {
  for (const [pattern, name, matches] of [
    ['list_*', 'list_add', true],
    ['list_*', 'list_', true],
    ['list_*', 'my_list_add', false],
    ['*_add', 'list_add', true],
    ['*_add', 'list_add_tail', false],
    ['l?st*d*', 'list_add_tail', true],
    ['l?st', 'lst', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['a.c', 'abc', false],
    ['**', '', true],
    ['?', '', false],
  ] as const) {
    assert.equal(matchesGlob(pattern, name), matches, `${pattern} ${name}`);
  }
  assert.ok(isGlob('a*') && isGlob('?') && !isGlob('a.b'));
  assert.equal(fixedPrefix('list_*x'), 'list_');
});

// As a regular expression, each star would multiply the time by the name's length.
it('a pattern of hundreds of stars is answered at once', () => {
  assert.equal(matchesGlob(`${'*a'.repeat(300)}b`, 'a'.repeat(600)), false);
});
