import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trapInstruction } from './instruction-reader.ts';

const of = (text: string, long = true): unknown =>
  trapInstruction(Uint8Array.from(text.split(' ').map((pair) => Number.parseInt(pair, 16))), long);

test('instructions that raise an event by themselves are told apart behind any prefixes', () => {
  assert.deepEqual(of('CC'), { kind: 'int3' });
  assert.deepEqual(of('66 F3 CC'), { kind: 'int3' });
  assert.deepEqual(of('2E 2E F1'), { kind: 'icebp' });
  assert.deepEqual(of('CD 80'), { kind: 'interrupt', vector: 0x80 });
  assert.deepEqual(of('48 CD 03'), { kind: 'interrupt', vector: 3 });
  assert.deepEqual(of('48 CC', false), { kind: 'other' });
  assert.deepEqual(of('90 CC'), { kind: 'other' });
  assert.deepEqual(trapInstruction(new Uint8Array(), true), { kind: 'other' });
});
