import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { fromBase64, SerialOutput, toBase64 } from './serial.ts';

describe('base64', () => {
  it('is that of everybody else', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'));
        assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
      }),
    );
  });
  it('refuses what is none', () => {
    for (const text of ['!', 'abc$', 'a', '====', 'ab=c']) assert.equal(fromBase64(text), undefined, text);
  });
});

describe('serial output', () => {
  it('is gathered, paced, and complete', () => {
    let now = 0;
    const events: [string, unknown][] = [];
    const sender = { event: (name: string, body: unknown) => void events.push([name, body]) };
    const output = new SerialOutput(sender, { terminal: true, now: () => now });
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    output.push(text('a'));
    output.pace();
    output.push(text('b'));
    output.pace();
    assert.equal(events.length, 1, 'the second byte waits');
    now = 100;
    output.pace();
    output.push(text('c'));
    output.flush();
    const data = events
      .map(([, body]) => (body as { data: string }).data)
      .map((one) => Buffer.from(one, 'base64').toString());
    assert.deepEqual(data, ['a', 'b', 'c']);
  });
  it('is text for clients that do not know our terminal, cut between characters only', () => {
    const texts: string[] = [];
    const sender = { event: (_name: string, body: unknown) => void texts.push((body as { output: string }).output) };
    const output = new SerialOutput(sender, { terminal: false, now: () => 0 });
    const bytes = new TextEncoder().encode('ä\r\n');
    output.push(bytes.subarray(0, 1));
    output.flush();
    output.push(bytes.subarray(1));
    output.flush();
    assert.equal(texts.join(''), 'ä\n');
  });
});
