import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtioBench, VirtioDriver } from '../../../test/machine/virtio-driver.ts';
import { BufferWriter, StateReader } from '../state-stream.ts';
import { EntropyDevice } from './rng.ts';

function numbers(device: EntropyDevice, lengths: readonly number[]): Uint8Array[] {
  const driver = new VirtioDriver(new VirtioBench(() => device));
  driver.start();
  return lengths.map((length) => {
    const [address = 0] = driver.offer(0, [length]);
    const [finished] = driver.run(0);
    return driver.bytes(address, finished?.length ?? 0);
  });
}

test('a seed gives the same numbers each time, and another seed others', () => {
  const lengths = [1, 7, 64, 4096];
  const first = numbers(new EntropyDevice(1), lengths);
  assert.deepEqual(
    first.map((bytes) => bytes.length),
    lengths,
  );
  assert.deepEqual(numbers(new EntropyDevice(1), lengths), first);
  assert.notDeepEqual(numbers(new EntropyDevice(2), lengths), first);
  assert.notDeepEqual(numbers(new EntropyDevice(0), lengths)[3], new Uint8Array(4096));
});

test('every byte value occurs, none of them far too often', () => {
  const [bytes = new Uint8Array()] = numbers(new EntropyDevice(12345), [4096]);
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  assert.ok(
    counts.every((count) => count > 0 && count < 48),
    [...counts].join(' '),
  ); // 16 to be expected
});

test('a long buffer is filled in part, and the state is saved', () => {
  const device = new EntropyDevice(5);
  assert.equal(numbers(device, [10_000])[0]?.length, 4096);
  const writer = new BufferWriter();
  device.save(writer);
  const copy = new EntropyDevice(6);
  copy.restore(new StateReader(writer.finish()));
  assert.deepEqual(numbers(copy, [32]), numbers(device, [32]));
});
