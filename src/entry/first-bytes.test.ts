import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodeMessage } from '../dap/framing.ts';
import { judgeFirstBytes } from './first-bytes.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
const verdict = (text: string): string => judgeFirstBytes(bytesOf(text)).kind;

test('a DAP message is known by its first header line, however much of it has come', () => {
  const message = encodeMessage({ seq: 1, type: 'request', command: 'initialize' });
  for (let length = 0; length <= message.length; length++) {
    const { kind } = judgeFirstBytes(message.subarray(0, length));
    assert.equal(kind, length <= 'Content-Length'.length ? 'undecided' : 'dap', `${length} bytes`);
  }
  assert.equal(verdict('content-length : 5'), 'dap');
});

test('what else browsers and other programs send is refused by its first wrong byte', () => {
  const cases = [
    'P',
    'POST / HTTP/1.1\r\nContent-Length: 5',
    'GET /',
    'OPTIONS * HTTP/1.1',
    'PRI * HTTP/2.0',
    'SSH-2.0-x',
  ];
  for (const text of [
    ...cases,
    '\x16\x03\x01',
    '{"seq":1}',
    '\r\nContent-Length: 5',
    ' Content-Length: 5',
    'Content-Type: x',
  ]) {
    assert.equal(verdict(text), 'foreign', JSON.stringify(text));
  }
  assert.equal(verdict('Content-Lengthy: 5'), 'foreign');
});

test('any bytes: nothing that does not begin with the field is let in, and the reason can be printed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const judged = judgeFirstBytes(bytes);
      const text = Buffer.from(bytes).toString('latin1');
      if (judged.kind === 'dap') assert.match(text, /^content-length[:\s]/i);
      if (judged.kind === 'foreign') assert.match(judged.why, /^[\x20-\x7e]+$/);
    }),
  );
});
