import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtioBench, VirtioDriver } from '../../../test/machine/virtio-driver.ts';
import { ConsoleDevice } from './console.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function attach() {
  let output = '';
  const device = new ConsoleDevice((bytes) => {
    output += decode(bytes);
  });
  const bench = new VirtioBench(() => device);
  const driver = new VirtioDriver(bench);
  driver.start(2);
  const send = (text: string): void => {
    device.send(encode(text));
    bench.device.attend(device.inputQueue);
  };
  return { bench, driver, send, output: () => output };
}

test('what the guest sends comes out, in order', () => {
  const { driver, output } = attach();
  driver.offer(1, [encode('one, '), encode('two, ')]);
  driver.offer(1, [encode('three')]);
  assert.equal(driver.run(1).length, 2);
  assert.equal(output(), 'one, two, three');
});

test('input waits for buffers, and buffers for input', () => {
  const { driver, send, bench } = attach();
  send('early');
  bench.clock.advance(1_000_000n);
  const [early = 0] = driver.offer(0, [16]);
  assert.deepEqual(
    driver.run(0).map(({ length }) => length),
    [5],
  );
  assert.equal(decode(driver.bytes(early, 5)), 'early');
  const [a = 0] = driver.offer(0, [4]);
  const [b = 0] = driver.offer(0, [4]);
  assert.deepEqual(driver.run(0), [], 'nothing to receive');
  send('abcdefghij');
  bench.clock.advance(1_000_000n);
  assert.deepEqual(
    driver.finished(0).map(({ length }) => length),
    [4, 4],
  );
  assert.equal(decode(driver.bytes(a, 4)) + decode(driver.bytes(b, 4)), 'abcdefgh');
  const [c = 0] = driver.offer(0, [4]);
  driver.run(0);
  assert.equal(decode(driver.bytes(c, 2)), 'ij');
});
