import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Frame } from './framing.ts';
import { encodeMessage, FrameReader, MESSAGE_LIMIT } from './framing.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const outcome = (frames: readonly Frame[]): unknown[] =>
  frames.map((frame) => (frame.ok ? frame.message : frame.error.code));

describe('framing of messages', () => {
  it('reads what it writes, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.json(), { maxLength: 5 }),
        fc.array(fc.nat(40), { minLength: 1, maxLength: 30 }),
        (texts, cuts) => {
          const messages = texts.map((text) => JSON.parse(text) as unknown);
          const all = Buffer.concat(messages.map((message) => encodeMessage(message)));
          const reader = new FrameReader();
          const got: unknown[] = [];
          for (let at = 0, i = 0; at < all.length; i++) {
            const next = Math.min(all.length, at + 1 + (cuts[i % cuts.length] ?? 0));
            got.push(...outcome(reader.push(all.subarray(at, next))));
            at = next;
          }
          assert.deepEqual(got, JSON.parse(JSON.stringify(messages)));
          assert.deepEqual(reader.end(), []);
        },
      ),
    );
  });

  it('survives any bytes, answers with errors, and never keeps more than it was given', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 200 }),
            fc
              .constantFrom(
                'Content-Length: 5\r\n\r\n',
                'Content-Length: x\r\n\r\n',
                'Content-Length: 99999999999\r\n\r\n',
                '\r\n\r\n',
                '{"a":1}',
              )
              .map(bytesOf),
          ),
          { maxLength: 20 },
        ),
        (pieces) => {
          const reader = new FrameReader();
          for (const piece of pieces)
            for (const frame of reader.push(piece)) if (!frame.ok) assert.match(frame.error.message, /\.$/);
          for (const frame of reader.end()) assert.equal(frame.ok, false);
        },
      ),
    );
  });

  const good = encodeMessage({ good: true });
  const cases: readonly (readonly [string, string, unknown])[] = [
    ['a length that is no number', 'Content-Length: twelve\r\n\r\n', 'badLength'],
    ['a negative length', 'Content-Length: -5\r\n\r\n', 'badLength'],
    ['an absurd length', `Content-Length: ${'9'.repeat(40)}\r\n\r\n`, 'badLength'],
    ['a header without length', 'Content-Type: text\r\n\r\n', 'badHeader'],
    ['a body that is not JSON', 'Content-Length: 5\r\n\r\nhello', 'badJson'],
    ['a body that is not UTF-8', 'Content-Length: 2\r\n\r\n', undefined],
  ];
  for (const [name, text, code] of cases) {
    if (code === undefined) continue;
    it(`reports ${name} and reads on`, () => {
      const reader = new FrameReader();
      assert.deepEqual(outcome([...reader.push(bytesOf(text)), ...reader.push(good)]), [code, { good: true }]);
    });
  }

  it('passes over a message that is too large without keeping it', () => {
    const reader = new FrameReader();
    const length = MESSAGE_LIMIT + 1000;
    assert.deepEqual(outcome(reader.push(bytesOf(`Content-Length: ${length}\r\n\r\n`))), ['tooLarge']);
    const piece = new Uint8Array(100_000);
    let left = length;
    for (; left > piece.length; left -= piece.length) assert.deepEqual(reader.push(piece), []);
    assert.deepEqual(outcome(reader.push(Buffer.concat([piece.subarray(0, left), good]))), [{ good: true }]);
  });

  it('a length that lies spoils one message at most, and then comes back into step', () => {
    const reader = new FrameReader();
    const lie = bytesOf('Content-Length: 9\r\n\r\n{"good":true}');
    const got = outcome([...reader.push(lie), ...reader.push(bytesOf('\r\n\r\n')), ...reader.push(good)]);
    assert.equal(got[0], 'badJson');
    assert.deepEqual(got[got.length - 1], { good: true });
  });

  it('a header that never ends is dropped', () => {
    const reader = new FrameReader();
    assert.deepEqual(outcome(reader.push(new Uint8Array(10_000).fill(65))), ['badHeader']);
    assert.deepEqual(outcome(reader.push(good)), [{ good: true }]);
  });

  it('a strict stream ends at the first broken header: nothing behind it is read', () => {
    const length = bytesOf(`Content-Length: ${MESSAGE_LIMIT + 1}\r\n\r\n`);
    const request = bytesOf('POST / HTTP/1.1\r\nContent-Length: 13\r\n\r\n{"good":true}');
    const breaks = [request, length, bytesOf('Content-Length: x\r\n\r\n'), new Uint8Array(10_000).fill(65)];
    for (const bad of breaks) {
      const reader = new FrameReader({ strict: true });
      assert.deepEqual(outcome(reader.push(good)), [{ good: true }]);
      const [frame, ...more] = reader.push(Buffer.concat([bad, good]));
      assert.ok(frame !== undefined && !frame.ok && more.length === 0);
      assert.equal(frame.error.fatal, true);
      assert.match(frame.error.message, /The connection is closed\.$/);
      assert.deepEqual([...reader.push(good), ...reader.end()], []);
    }
  });

  it('a client that vanishes in the middle of a message is named', () => {
    const reader = new FrameReader();
    reader.push(bytesOf('Content-Length: 100\r\n\r\n{"half"'));
    const [frame] = reader.end();
    assert.ok(frame !== undefined && !frame.ok);
    assert.equal(frame.error.code, 'truncated');
    assert.match(frame.error.message, /93 bytes are missing/);
  });
});
