// Hostile drivers: random configuration accesses, random registers, random bytes where queues are. No device may throw,
// touch anything but guest RAM, or do more work at once than its bound. SEED=n repeats a run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GuestMemory } from '../../src/machine/device.ts';
import { MemoryMap } from '../../src/machine/memory-map.ts';
import { PciDevices } from '../../src/machine/pci-devices.ts';
import { PortBus } from '../../src/machine/port-bus.ts';
import { BufferWriter, StateReader } from '../../src/machine/state-stream.ts';
import { campaignSeed, randomOf } from '../harness/random.ts';
import { ArrayMemory, HandClock } from './fakes.ts';
import { MemoryDisk } from './memory-disk.ts';
import { VirtioBench, VirtioDriver } from './virtio-driver.ts';
import { BlockDevice } from '../../src/machine/virtio/block.ts';
import { ConsoleDevice } from '../../src/machine/virtio/console.ts';
import { EntropyDevice } from '../../src/machine/virtio/rng.ts';

type Random = (below: number) => number;
const seed = campaignSeed(1);
const ROUNDS = 30_000;
const MEMORY = 1 << 18;
const DISK = 256 * 512;
/** What one firing may touch: the largest batch, with the longest chains, and some room. */
const MOST_CALLS = 16 * (2 * 128 + 8) * 4;
const MOST_BYTES = 32 << 20;

/** Memory that keeps account, and refuses to be called in ways that no bus master can. */
class CountingMemory implements GuestMemory {
  readonly inner: ArrayMemory;
  calls = 0;
  moved = 0;

  constructor(size: number) {
    this.inner = new ArrayMemory(size);
  }
  get size(): number {
    return this.inner.size;
  }
  private note(size: number): void {
    assert.ok(Number.isInteger(size) && size >= 0);
    this.calls++;
    this.moved += size;
  }
  read(physical: number, size: number): Uint8Array | undefined {
    this.note(size);
    return this.inner.read(physical, size);
  }
  write(physical: number, data: Uint8Array): boolean {
    this.note(data.length);
    return this.inner.write(physical, data);
  }
  /** Runs an action, which may only do a bounded amount of work. */
  bounded<Result>(action: () => Result): Result {
    [this.calls, this.moved] = [0, 0];
    const result = action();
    assert.ok(this.calls <= MOST_CALLS, `${this.calls} accesses at once`);
    assert.ok(this.moved <= MOST_BYTES, `${this.moved} bytes at once`);
    return result;
  }
}

function build(clock: HandClock, memory: CountingMemory) {
  const disk = new MemoryDisk('disk', new Uint8Array(DISK), true);
  const copied = new MemoryDisk('copied', new Uint8Array(DISK));
  const pci = new PciDevices(
    { disks: [disk, copied], entropySeed: 1, port: true },
    {
      memory,
      timers: clock,
      interruptLine: () => undefined,
      say: () => undefined,
      portOutput: (bytes) => assert.ok(bytes.length <= 64 * 1024),
    },
  );
  const ports = new PortBus(() => undefined);
  ports.attach(pci.bus);
  const map = new MemoryMap(() => undefined);
  pci.attachTo(map);
  return { pci, ports, map, copied, devices: [pci.bus, ...pci.devices] };
}
function interesting(random: Random): number {
  const kind = random(6);
  if (kind === 0) return random(4);
  if (kind === 1) return random(256);
  if (kind === 2) return 2 ** random(32);
  if (kind === 3) return 2 ** 32 - 1 - random(3);
  return kind === 4 ? random(MEMORY) & ~0xf : random(2 ** 32);
}
/** One descriptor, more often possible than not. */
function writeDescriptor(random: Random, view: DataView, at: number): void {
  view.setBigUint64(
    at,
    random(10) === 0 ? BigInt(interesting(random)) << BigInt(random(33)) : BigInt(random(MEMORY)),
    true,
  );
  view.setUint32(at + 8, random(3) === 0 ? interesting(random) : random(4) * 512 + (random(2) === 0 ? 16 : 0), true);
  view.setUint16(at + 12, random(8), true);
  view.setUint16(at + 14, random(20) === 0 ? random(65536) : random(16), true);
}
/** A request's header at the start of a buffer, now and then. */
function writeHeader(random: Random, view: DataView): void {
  writeHeaderAt(random, view, random(MEMORY - 16));
}
function writeHeaderAt(random: Random, view: DataView, at: number): void {
  view.setUint32(at, random(10), true);
  view.setBigUint64(at + 8, random(4) === 0 ? BigInt(interesting(random)) : BigInt(random(DISK / 512)), true);
}

/** Descriptors without sense, and heads that lead to them. */
function offerRubbish(random: Random, driver: VirtioDriver, index: number, view: DataView): void {
  const { descriptors } = driver.queue(index);
  for (let i = 0; i < 16; i++) writeDescriptor(random, view, descriptors + 16 * i);
  for (let i = 0; i < 50; i++) writeHeader(random, view);
  for (let i = 0; i <= random(4); i++) driver.makeAvailable(index, random(20) === 0 ? random(65536) : random(16));
}
/** A chain of the right form: what a request says and how long it is may still be anything. */
function proposal(random: Random): (Uint8Array | number)[] {
  const header = new Uint8Array(16);
  writeHeaderAt(random, new DataView(header.buffer), 0);
  const data = Array.from({ length: random(3) }, () => (random(5) === 0 ? random(5000) : random(9) * 512));
  const outgoing = random(2) === 0 ? data.map((length) => new Uint8Array(length)) : data;
  return [header, ...outgoing, ...(random(10) === 0 ? [] : [1])];
}

const stateOf = (devices: ReturnType<typeof build>['devices'], clock: HandClock): Uint8Array => {
  const writer = new BufferWriter();
  clock.save(writer);
  for (const device of devices) device.save(writer);
  return writer.finish();
};

test(`random accesses to configuration space, windows and memory (seed ${seed})`, () => {
  const random = randomOf(seed, 'accesses');
  const clock = new HandClock();
  const memory = new CountingMemory(MEMORY);
  const { pci, ports, map, copied, devices } = build(clock, memory);
  const view = new DataView(memory.inner.bytes.buffer);
  const before = copied.bytes.slice();
  for (let round = 0; round < ROUNDS; round++) {
    const size = [1, 2, 4][random(3)] ?? 1;
    const write = random(2) === 0;
    switch (random(5)) {
      case 0: {
        const register = random(3) === 0 ? ([4, 0x10, 0x3c][random(3)] ?? 4) : random(256);
        memory.bounded(() => ports.write(0xcf8, 4, (2 ** 31 + random(8) * 2048 + (register & 0xfc)) >>> 0));
        const port = 0xcfc + (register & 3);
        const fits = (register & 3) + size <= 4 ? size : 1;
        if (write) memory.bounded(() => ports.write(port, fits, interesting(random)));
        else assert.ok(memory.bounded(() => ports.read(port, fits)) < 2 ** (8 * fits));
        break;
      }
      case 1: {
        const device = pci.devices[random(pci.devices.length)];
        const base = device?.window ?? 0xe000_8000;
        const offset = random(3) === 0 ? random(0x4000) : (random(4) << 12) + random(0x40);
        const width = random(6) === 0 ? 8 : size;
        if (write) memory.bounded(() => map.write(base + offset, width, BigInt(interesting(random))));
        else assert.ok(memory.bounded(() => map.read(base + offset, width)) >= 0n);
        break;
      }
      case 2:
        writeDescriptor(random, view, random(MEMORY / 16) * 16);
        break;
      case 3:
        writeHeader(random, view);
        break;
      default:
        if (random(50) === 0) pci.sendPort(new Uint8Array(random(3000)));
        memory.bounded(() => clock.advance(BigInt(random(5000))));
    }
  }
  assert.deepEqual(copied.bytes, before, 'the image that is not writable is as it was');
  const saved = stateOf(devices, clock);
  const copyClock = new HandClock();
  const copy = build(copyClock, memory);
  const reader = new StateReader(saved);
  copyClock.restore(reader);
  for (const device of copy.devices) device.restore(reader);
  assert.ok(reader.atEnd);
  assert.deepEqual(stateOf(copy.devices, copyClock), saved, 'a snapshot of any state restores to the same state');
});

const backends = {
  'a writable disk': (say: (text: string) => void) =>
    new BlockDevice(0, new MemoryDisk('disk', new Uint8Array(DISK), true), say),
  'a copied disk': (say: (text: string) => void) =>
    new BlockDevice(0, new MemoryDisk('disk', new Uint8Array(DISK)), say),
  entropy: () => new EntropyDevice(1),
  console: () => new ConsoleDevice(() => undefined),
};
for (const [name, make] of Object.entries(backends)) {
  test(`a driver that sets up properly and then offers rubbish: ${name} (seed ${seed})`, () => {
    const random = randomOf(seed, name);
    let broken = 0;
    let completed = 0;
    for (let life = 0; life < 300; life++) {
      const bench = new VirtioBench(make, MEMORY);
      const driver = new VirtioDriver(bench);
      const queues = driver.readCommon(0x12, 2);
      driver.start(queues);
      const view = new DataView(bench.memory.bytes.buffer);
      for (let turn = 0; turn < 20; turn++) {
        const index = random(queues);
        if (random(8) === 0) offerRubbish(random, driver, index, view);
        else driver.offer(index, proposal(random), { indirect: random(2) === 0 });
        driver.notify(index);
        bench.clock.advance(BigInt(random(100_000)));
        completed += driver.finished(index).length;
      }
      if ((driver.status & 64) !== 0) broken++;
      bench.memory.bytes.fill(0);
      driver.start(queues); // whatever happened, a reset makes a working device of it
      assert.equal(driver.status & 64, 0);
    }
    // a fuzz that only ever reached one of the two would prove little
    assert.ok(broken > 30 && completed > 300, `${broken} broke down, ${completed} turns with completions`);
  });
}
