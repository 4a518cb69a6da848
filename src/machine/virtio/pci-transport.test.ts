import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtioBench, VirtioDriver } from '../../../test/machine/virtio-driver.ts';
import { FEATURE_INDIRECT_DESCRIPTORS, FEATURE_VERSION_1 } from './backend.ts';
import { EntropyDevice } from './rng.ts';

const bench = (): VirtioBench => new VirtioBench(() => new EntropyDevice(1));

test('all structures are found, inside the window', () => {
  const driver = new VirtioDriver(bench());
  assert.deepEqual([...driver.structures.keys()].sort(), [1, 2, 3, 5], 'this device has no configuration of its own');
  for (const [type, { offset, length }] of driver.structures) {
    if (type === 5) continue;
    assert.ok(length > 0 && offset + length <= 0x4000 && offset % 4 === 0);
  }
});

test('the window opens by the command register, and can be moved and sized', () => {
  const { device, configRead, configWrite } = {
    device: bench(),
    configRead: (b: VirtioBench, offset: number) => b.configRead(offset, 4),
    configWrite: (b: VirtioBench, offset: number, value: number) => b.configWrite(offset, 4, value),
  };
  assert.equal(device.device.window, undefined);
  configWrite(device, 4, 2);
  assert.equal(device.device.window, 0xe001_4000);
  configWrite(device, 0x10, 0xffff_ffff);
  assert.equal(configRead(device, 0x10), 0xffff_c000, '16 KiB of 32-bit memory');
  configWrite(device, 0x10, 0xf000_1234);
  assert.equal(device.device.window, 0xf000_0000);
  configWrite(device, 0x14, 0xffff_ffff);
  assert.equal(configRead(device, 0x14), 0, 'there is no second window');
  device.device.reset();
  assert.equal(configRead(device, 0x10), 0xe001_4000);
});

test('features: what is not offered, or is too old, is not agreed on', () => {
  const driver = new VirtioDriver(bench());
  assert.equal(driver.offeredFeatures(), FEATURE_VERSION_1 | FEATURE_INDIRECT_DESCRIPTORS);
  for (const [features, agreed] of [
    [FEATURE_VERSION_1, true],
    [0n, false],
    [FEATURE_VERSION_1 | (1n << 5n), false],
    [FEATURE_VERSION_1 | (1n << 40n), false],
  ] as const) {
    driver.status = 0;
    driver.status = 3;
    driver.acceptFeatures(features);
    driver.status = 11;
    assert.equal((driver.status & 8) !== 0, agreed, features.toString(16));
  }
  driver.status = 0;
  assert.equal(driver.status, 0);
});

test('nothing is done for a driver that agreed on nothing', () => {
  const driver = new VirtioDriver(bench());
  driver.bench.configWrite(4, 2, 6);
  driver.status = 3;
  driver.setUpQueue(0);
  driver.status = 7; // DRIVER_OK without FEATURES_OK
  driver.offer(0, [4]);
  assert.equal(driver.run(0).length, 0);
});

test('the areas and the size of a live queue stay', () => {
  const driver = new VirtioDriver(bench());
  driver.start();
  driver.writeCommon(0x16, 2, 0);
  driver.writeCommon(0x18, 2, 8);
  driver.writeCommon(0x20, 4, 0x5000);
  assert.equal(driver.readCommon(0x18, 2), 16);
  assert.equal(driver.readCommon(0x20, 4), driver.queue(0).descriptors);
  driver.writeCommon(0x16, 2, 9);
  assert.equal(driver.readCommon(0x18, 2), 0, 'a queue that does not exist has no size');
});

test('sizes that no queue can have are ignored', () => {
  const driver = new VirtioDriver(bench());
  driver.writeCommon(0x16, 2, 0);
  for (const size of [0, 3, 128, 65535]) driver.writeCommon(0x18, 2, size);
  assert.equal(driver.readCommon(0x18, 2), 64);
});

test('the interrupt can be disabled, and comes once it is enabled again', () => {
  const driver = new VirtioDriver(bench());
  driver.start();
  driver.bench.configWrite(4, 2, 0x406);
  driver.offer(0, [4]);
  driver.run(0);
  assert.equal(driver.bench.interrupt, false);
  assert.equal(driver.bench.configRead(6, 2) & 8, 8);
  driver.bench.configWrite(4, 2, 6);
  assert.equal(driver.bench.interrupt, true);
  driver.status = 0;
  assert.equal(driver.bench.interrupt, false, 'a reset takes it back');
});

test('the window is reachable through configuration space', () => {
  const driver = new VirtioDriver(bench());
  const { capability } = driver.structures.get(5) ?? { capability: 0 };
  const access = (offset: number, length: number): void => {
    driver.bench.configWrite(capability + 4, 1, 0);
    driver.bench.configWrite(capability + 8, 4, offset);
    driver.bench.configWrite(capability + 12, 4, length);
  };
  access(0x12, 2);
  assert.equal(driver.bench.configRead(capability + 16, 2), 1, 'num_queues');
  access(0x14, 1);
  driver.bench.configWrite(capability + 16, 1, 3);
  assert.equal(driver.status, 3);
  access(0x4000, 4);
  assert.equal(driver.bench.configRead(capability + 16, 4), 0, 'behind the window');
  access(0x14, 4);
  assert.equal(driver.bench.configRead(capability + 16, 1), 0, 'another size than agreed');
});
