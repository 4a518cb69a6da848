import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SerialText, toBase64 } from './serial-text.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

test('lines end as a terminal wants it, also when CR and LF come apart', () => {
  const text = new SerialText();
  assert.equal(text.decode(bytes('a\nb\r').toString('base64')), 'a\r\nb\r');
  assert.equal(text.decode(bytes('\nc').toString('base64')), '\nc');
  assert.equal(text.kept, 'a\r\nb\r\nc');
  assert.equal(text.atLineStart, false);
});

test('a character in two pieces is one character', () => {
  const text = new SerialText();
  const [first, second] = [bytes('µ').subarray(0, 1), bytes('µ').subarray(1)];
  assert.equal(text.decode(first.toString('base64')) + text.decode(second.toString('base64')), 'µ');
});

test('what is kept is bounded', () => {
  const text = new SerialText();
  for (let i = 0; i < 40; i += 1) text.add('x'.repeat(10_000));
  assert.equal(text.kept.length, 256 * 1024);
});

test('input goes out as UTF-8', () => {
  assert.equal(Buffer.from(toBase64('é\r'), 'base64').toString('utf8'), 'é\r');
});
