import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseHitCondition } from './hit-count.ts';
import { splitLogMessage } from './hit-filter.ts';

describe('hit counts', () => {
  const stopsAt = (text: string): number[] => [1, 2, 3, 4, 5, 6].filter(parseHitCondition(text));
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['3', [3]],
    ['= 3', [3]],
    ['==3', [3]],
    ['< 3', [1, 2]],
    ['<= 3', [1, 2, 3]],
    ['> 4', [5, 6]],
    ['>=4', [4, 5, 6]],
    ['% 2', [2, 4, 6]],
  ];
  for (const [text, expected] of cases)
    it(`${text} stops at ${expected.join()}`, () => assert.deepEqual(stopsAt(text), expected));
  for (const text of ['', 'often', '3 times', '> -1', '% 0', '!= 3']) {
    it(`refuses '${text}'`, () => assert.throws(() => parseHitCondition(text), { code: 'syntax' }));
  }
});

describe('log messages', () => {
  it('are split into text and expressions', () => {
    assert.deepEqual(splitLogMessage('x is {x}, {{y}}'), [
      { kind: 'text', text: 'x is ' },
      { kind: 'expression', text: 'x' },
      { kind: 'text', text: ', {y}' },
    ]);
    assert.throws(() => splitLogMessage('x is {x'), { code: 'syntax' });
  });
});
