import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../../test/machine/memory-disk.ts';
import { VirtioBench, VirtioDriver } from '../../../test/machine/virtio-driver.ts';
import { BufferWriter, StateReader } from '../state-stream.ts';
import { BlockDevice } from './block.ts';
import { Overlay } from './overlay.ts';
import { DiskError } from './disk-image.ts';

const SECTORS = 256;
const patterned = (size: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8) * 3 + seed) & 0xff);

function attach(writable = false) {
  const disk = new MemoryDisk('disk.img', patterned(SECTORS * 512, 1), writable);
  const bench = new VirtioBench((say) => new BlockDevice(0, disk, say));
  const driver = new VirtioDriver(bench);
  driver.start();
  return { disk, bench, driver };
}
function header(type: number, sector: number | bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setBigUint64(8, BigInt(sector), true);
  return bytes;
}
/** One request; answers its status and what the device wrote. */
function request(
  driver: VirtioDriver,
  type: number,
  sector: number | bigint,
  data: Uint8Array | number,
  indirect = false,
) {
  const addresses = driver.offer(0, [header(type, sector), data, 1], { indirect });
  const finished = driver.run(0);
  assert.equal(finished.length, 1, 'the request came back');
  const [, dataAt = 0, statusAt = 0] = addresses;
  return {
    status: driver.bytes(statusAt, 1)[0],
    data: driver.bytes(dataAt, typeof data === 'number' ? data : 0),
    used: finished[0]?.length,
  };
}

test('a guest finds the disk: identity, capacity, limits', () => {
  const { bench, driver } = attach();
  assert.equal(bench.configRead(0, 4), 0x1042_1af4);
  assert.equal(bench.configRead(0x0b, 1), 1, 'mass storage');
  assert.equal(driver.readDevice(0, 8), SECTORS);
  assert.equal(driver.readDevice(0x0c, 4), 126);
  assert.equal(driver.readDevice(0x14, 4), 512);
});

test('reads and writes, direct and indirect, of one and of many sectors', () => {
  const { disk, driver } = attach();
  for (const indirect of [false, true]) {
    for (const [sector, size] of [
      [0, 512],
      [3, 4096],
      [SECTORS - 1, 512],
    ] as const) {
      const read = request(driver, 0, sector, size, indirect);
      assert.deepEqual(read, { status: 0, data: disk.bytes.slice(sector * 512, sector * 512 + size), used: size + 1 });
    }
  }
  const content = patterned(3 * 512, 99);
  assert.deepEqual(request(driver, 1, 7, content), { status: 0, data: new Uint8Array(), used: 1 });
  assert.deepEqual(request(driver, 0, 7, content.length).data, content);
  const around = request(driver, 0, 6, 5 * 512).data;
  assert.deepEqual(around.subarray(0, 512), disk.bytes.subarray(6 * 512, 7 * 512), 'neighbours are as before');
  assert.deepEqual(around.subarray(4 * 512), disk.bytes.subarray(10 * 512, 11 * 512));
});

test('the image is left alone unless it is writable', () => {
  for (const writable of [false, true]) {
    const { disk, driver } = attach(writable);
    const before = disk.bytes.slice();
    const content = patterned(1024, 50);
    assert.equal(request(driver, 1, 10, content).status, 0);
    assert.equal(request(driver, 4, 0, 0).status, 0);
    assert.equal(disk.flushes, writable ? 1 : 0);
    if (writable) assert.deepEqual(disk.bytes.slice(5120, 6144), content);
    else assert.deepEqual(disk.bytes, before);
  }
});

test('requests that no disk does get an error, and the device lives on', () => {
  const { driver, bench } = attach();
  assert.equal(request(driver, 0, SECTORS, 512).status, 1, 'behind the end');
  assert.equal(request(driver, 0, SECTORS - 1, 1024).status, 1, 'across the end');
  assert.equal(request(driver, 0, 2n ** 63n, 512).status, 1);
  assert.equal(request(driver, 0, 2n ** 64n - 1n, 512).status, 1);
  assert.equal(request(driver, 0, 0, 100).status, 1, 'no whole sector');
  assert.equal(request(driver, 1, SECTORS, new Uint8Array(512)).status, 1);
  assert.equal(request(driver, 77, 0, 512).status, 2, 'an unknown type');
  assert.equal(new TextDecoder().decode(request(driver, 8, 0, 20).data), 'trapline-disk-0\0\0\0\0\0');
  assert.equal(request(driver, 0, 0, 512).status, 0);
  assert.deepEqual(bench.messages, []);
});

test('an image that fails gives the guest an I/O error and the user a sentence', () => {
  const { disk, driver, bench } = attach(true);
  disk.fault = 'it shrank while it was in use.';
  assert.equal(request(driver, 0, 0, 512).status, 1);
  assert.equal(request(driver, 1, 0, new Uint8Array(512)).status, 1);
  assert.equal(request(driver, 4, 0, 0).status, 1);
  assert.equal(bench.messages[0], 'virtio-blk0: disk.img: it shrank while it was in use.');
  disk.fault = undefined;
  assert.equal(request(driver, 0, 0, 512).status, 0);
});

test('requests complete at a tick of their own, in order, with one interrupt for a batch', () => {
  const { driver, bench } = attach();
  for (let i = 0; i < 4; i++) driver.offer(0, [header(0, i), 512, 1]);
  driver.notify(0);
  assert.deepEqual(driver.finished(0), [], 'nothing happens inside the notification');
  bench.clock.advance(1999n);
  assert.deepEqual(driver.finished(0), []);
  assert.equal(bench.interrupt, false);
  bench.clock.advance(1n);
  assert.deepEqual(
    driver.finished(0).map(({ head }) => head),
    [0, 3, 6, 9],
  );
  assert.equal(bench.interrupt, true);
  assert.equal(bench.configRead(0x06, 2) & 8, 8, 'the status register shows it');
  assert.equal(driver.interruptStatus(), 1);
  assert.equal(bench.interrupt, false, 'reading the interrupt status acknowledges it');
});

test('long batches are cut into turns', () => {
  const { driver, bench } = attach();
  for (let i = 0; i < 5; i++) driver.offer(0, [header(0, 0), 32 * 1024, 1]);
  driver.notify(0);
  bench.clock.advance(2000n);
  assert.equal(driver.finished(0).length, 2);
  bench.clock.advance(20_000n + 65_535n);
  assert.equal(driver.finished(0).length, 0, 'bytes take time');
  bench.clock.advance(1n);
  assert.equal(driver.finished(0).length, 2);
  bench.clock.advance(1_000_000n);
  assert.equal(driver.finished(0).length, 1);
});

test('the overlay and requests under way are part of a snapshot', () => {
  const first = attach();
  request(first.driver, 1, 20, patterned(512, 33));
  assert.equal(first.driver.interruptStatus(), 1);
  first.driver.offer(0, [header(0, 20), 512, 1]);
  first.driver.notify(0);
  const writer = new BufferWriter();
  first.bench.clock.save(writer);
  first.bench.bus.save(writer);
  first.bench.device.save(writer);
  const second = attach();
  const reader = new StateReader(writer.finish());
  second.bench.clock.restore(reader);
  second.bench.bus.restore(reader);
  second.bench.device.restore(reader);
  assert.ok(reader.atEnd);
  second.bench.memory.bytes.set(first.bench.memory.bytes);
  first.bench.clock.advance(1_000_000n);
  second.bench.clock.advance(1_000_000n);
  assert.deepEqual(second.bench.memory.bytes, first.bench.memory.bytes);
  assert.equal(second.bench.interrupt, true);
});

test('an overlay holds a bounded part of a disk', () => {
  const image = new MemoryDisk('big.img', new Uint8Array(64 * 1024));
  const overlay = new Overlay(image, 2 * 4096);
  overlay.write(100, Uint8Array.of(1));
  overlay.write(5000, new Uint8Array(10));
  overlay.write(200, Uint8Array.of(2));
  assert.throws(() => overlay.write(8192, Uint8Array.of(1)), DiskError);
  assert.deepEqual([...overlay.read(99, 3)], [0, 1, 0]);
  image.fault = 'gone.';
  assert.deepEqual([...overlay.read(200, 1)], [2], 'what is here needs no image');
  assert.throws(() => overlay.read(9000, 1), DiskError);
});
