import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INDIRECT, NEXT, VirtioBench, VirtioDriver, WRITE } from '../../../test/machine/virtio-driver.ts';
import { EntropyDevice } from './rng.ts';

const NEEDS_RESET = 64;
const MEMORY = 1 << 20;

function start(): VirtioDriver {
  const driver = new VirtioDriver(new VirtioBench(() => new EntropyDevice(1), MEMORY));
  driver.start();
  return driver;
}

test('the ring goes round many times, also over the end of its 16-bit indexes', () => {
  const driver = start();
  for (let i = 0; i < 70_000; i++) {
    driver.offer(0, [4]);
    driver.notify(0);
    driver.bench.clock.advance(2000n);
    assert.equal(driver.finished(0).length, 1, `round ${i}`);
    if ((i & 0xfff) === 0) assert.equal(driver.interruptStatus(), 1);
  }
});

test('a driver that wants no interrupt gets none', () => {
  const driver = start();
  const view = new DataView(driver.bench.memory.bytes.buffer);
  view.setUint16(driver.queue(0).available, 1, true);
  driver.offer(0, [4]);
  assert.equal(driver.run(0).length, 1);
  assert.equal(driver.bench.interrupt, false);
  view.setUint16(driver.queue(0).available, 0, true);
  driver.offer(0, [4]);
  assert.equal(driver.run(0).length, 1);
  assert.equal(driver.bench.interrupt, true);
});

test('no turn comes before the driver is ready and the device may be a bus master', () => {
  const driver = start();
  driver.bench.configWrite(4, 2, 2);
  driver.offer(0, [4]);
  assert.equal(driver.run(0).length, 0);
  driver.bench.configWrite(4, 2, 6);
  driver.bench.clock.advance(1n);
  assert.equal(driver.finished(0).length, 1, 'the notification was not lost');
});

// Each breaks the rules in its own way; the device has to say so, stand still, and work again after a reset.
const offences: Record<string, (driver: VirtioDriver) => void> = {
  'a chain that runs in a circle': (driver) => {
    const { descriptors } = driver.queue(0);
    driver.writeDescriptor(descriptors, 0, 0x1_0000, 4, WRITE | NEXT, 1);
    driver.writeDescriptor(descriptors, 1, 0x1_0000, 4, WRITE | NEXT, 0);
    driver.makeAvailable(0, 0);
  },
  'a descriptor that does not exist': (driver) => driver.makeAvailable(0, 500),
  'a next descriptor that does not exist': (driver) => {
    driver.writeDescriptor(driver.queue(0).descriptors, 0, 0x1_0000, 4, WRITE | NEXT, 16);
    driver.makeAvailable(0, 0);
  },
  'a buffer behind RAM': (driver) => {
    driver.writeDescriptor(driver.queue(0).descriptors, 0, MEMORY - 2, 4, WRITE, 0);
    driver.makeAvailable(0, 0);
  },
  'a buffer at the end of the address space': (driver) => {
    const at = driver.queue(0).descriptors;
    driver.writeDescriptor(at, 0, 0, 0xffff_ffff, WRITE, 0);
    new DataView(driver.bench.memory.bytes.buffer).setBigUint64(at, 2n ** 64n - 1n, true);
    driver.makeAvailable(0, 0);
  },
  'an indirect table in an indirect table': (driver) => {
    driver.writeDescriptor(driver.queue(0).descriptors, 0, 0x1_0000, 32, INDIRECT, 0);
    driver.writeDescriptor(0x1_0000, 0, 0x1_0000, 32, INDIRECT, 0);
    driver.makeAvailable(0, 0);
  },
  'an indirect table of no descriptors': (driver) => {
    driver.writeDescriptor(driver.queue(0).descriptors, 0, 0x1_0000, 0, INDIRECT, 0);
    driver.makeAvailable(0, 0);
  },
  'an indirect table behind RAM': (driver) => {
    driver.writeDescriptor(driver.queue(0).descriptors, 0, MEMORY, 32, INDIRECT, 0);
    driver.makeAvailable(0, 0);
  },
  'an indirect table that is longer than the queue': (driver) => {
    driver.writeDescriptor(driver.queue(0).descriptors, 0, 0x1_0000, 16 * 1000, INDIRECT, 0);
    for (let i = 0; i < 1000; i++) driver.writeDescriptor(0x1_0000, i, 0x2_0000, 1, WRITE | NEXT, i + 1);
    driver.makeAvailable(0, 0);
  },
  'a buffer to read behind one to write': (driver) => {
    driver.writeDescriptor(driver.queue(0).descriptors, 0, 0x1_0000, 4, WRITE | NEXT, 1);
    driver.writeDescriptor(driver.queue(0).descriptors, 1, 0x1_0000, 4, 0, 0);
    driver.makeAvailable(0, 0);
  },
  'more available entries than the queue has': (driver) => {
    new DataView(driver.bench.memory.bytes.buffer).setUint16(driver.queue(0).available + 2, 1000, true);
  },
};
for (const [offence, commit] of Object.entries(offences)) {
  test(`${offence} stops the device until it is reset`, () => {
    const driver = start();
    commit(driver);
    assert.deepEqual(driver.run(0), []);
    assert.equal(driver.status & NEEDS_RESET, NEEDS_RESET);
    assert.equal(driver.interruptStatus(), 2, 'a configuration change interrupt');
    assert.equal(driver.bench.messages.length, 1);
    assert.match(
      driver.bench.messages[0] ?? '',
      /^virtio-rng: .*; the device stands still until the guest resets it\.$/,
    );
    driver.bench.memory.bytes.fill(0);
    driver.start();
    driver.offer(0, [4]);
    assert.equal(driver.run(0).length, 1, 'it works again');
  });
}

test('queue areas outside RAM stop the device', () => {
  for (const area of [0x20, 0x28, 0x30]) {
    const driver = new VirtioDriver(new VirtioBench(() => new EntropyDevice(1), MEMORY));
    driver.start(0);
    driver.setUpQueue(0);
    driver.status = 0; // and again, with one area moved
    driver.start(0);
    driver.writeCommon(0x16, 2, 0);
    const queue = driver.queue(0);
    driver.writeCommon(0x18, 2, 16);
    for (const [offset, address] of [
      [0x20, queue.descriptors],
      [0x28, queue.available],
      [0x30, queue.used],
    ] as const) {
      driver.writeCommon(offset, 8, offset === area ? 2n ** 63n : BigInt(address));
    }
    driver.writeCommon(0x1c, 2, 1);
    driver.offer(0, [4]);
    driver.run(0);
    assert.equal(driver.status & NEEDS_RESET, NEEDS_RESET, `area ${area.toString(16)}`);
  }
});
