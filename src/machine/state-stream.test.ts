import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomOf } from '../../test/harness/random.ts';
import { BufferWriter, DigestWriter, SnapshotError, StateReader, type StateWriter } from './state-stream.ts';

const digestOf = (write: (writer: StateWriter) => void): string => {
  const writer = new DigestWriter();
  write(writer);
  return writer.finish();
};

test('the digest is MurmurHash3_x86_128 with seed 0, whatever the pieces', () => {
  const data = new TextEncoder().encode('The quick brown fox jumps over the lazy dog');
  const whole = digestOf((writer) => writer.raw(data));
  assert.equal(whole, '2f1583c3ecee2c675d7bf66ce5e91d2c');
  assert.equal(
    digestOf(() => undefined),
    '0'.repeat(32),
  );
  const random = randomOf(7);
  for (let i = 0; i < 50; i++) {
    const pieces = digestOf((writer) => {
      for (let at = 0; at < data.length;) {
        const end = Math.min(at + random(20), data.length);
        writer.raw(data.subarray(at, end));
        at = end;
      }
    });
    assert.equal(pieces, whole);
  }
});

test('what was written is read back', () => {
  const writer = new BufferWriter();
  writer.u8(200);
  writer.bool(true);
  writer.u16(50_000);
  writer.u32(4_000_000_000);
  writer.u64(2n ** 64n - 1n);
  writer.optional64(undefined);
  writer.optional64(5n);
  writer.bytes(Uint8Array.of(1, 2, 3));
  writer.text('Größe');
  const reader = new StateReader(writer.finish());
  assert.deepEqual(
    [reader.u8(), reader.bool(), reader.u16(), reader.u32(), reader.u64(), reader.optional64(), reader.optional64()],
    [200, true, 50_000, 4_000_000_000, 2n ** 64n - 1n, undefined, 5n],
  );
  assert.deepEqual([...reader.bytes()], [1, 2, 3]);
  assert.equal(reader.text(), 'Größe');
  assert.ok(reader.atEnd);
});

test('a cut or foreign snapshot gives a typed error with the place', () => {
  const writer = new BufferWriter();
  writer.bytes(new Uint8Array(100));
  const cut = new StateReader(writer.finish().subarray(0, 50));
  assert.throws(
    () => cut.bytes(),
    (error) => error instanceof SnapshotError && error.code === 'truncated' && error.offset === 4,
  );
  const other = new BufferWriter();
  other.text('pit');
  const reader = new StateReader(other.finish());
  assert.throws(() => reader.expect('pic', 'a device'), /a device is 'pit' here and 'pic' in this machine/);
});
