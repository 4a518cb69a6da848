// Guests are hostile: any sequence of accesses leaves every device standing, and each access does a bounded amount of work.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcpiPower } from '../../src/machine/acpi-power.ts';
import { ApicBus } from '../../src/machine/apic-bus.ts';
import type { Device, MemoryDevice, PortDevice } from '../../src/machine/device.ts';
import { FwCfg } from '../../src/machine/fw-cfg.ts';
import { I8042 } from '../../src/machine/i8042.ts';
import { IoApic } from '../../src/machine/ioapic.ts';
import { LocalApic } from '../../src/machine/lapic.ts';
import { Pic } from '../../src/machine/pic.ts';
import { Pit } from '../../src/machine/pit.ts';
import { PortBus } from '../../src/machine/port-bus.ts';
import { ResetControl } from '../../src/machine/reset-control.ts';
import { Rtc } from '../../src/machine/rtc.ts';
import { BufferWriter, StateReader } from '../../src/machine/state-stream.ts';
import { Uart } from '../../src/machine/uart.ts';
import { campaignSeed, randomOf } from '../harness/random.ts';
import { ArrayMemory, HandClock, NotedSignals } from './fakes.ts';

const ROUNDS = 20_000;

function build(clock: HandClock) {
  const signals = new NotedSignals();
  const bus = new ApicBus();
  const lapics = [0, 1, 2].map((i) => new LocalApic(i, bus, signals, clock));
  const ioapic = new IoApic(bus);
  const pic = new Pic((asserted) => lapics[0]?.setExternalLine(asserted));
  const line = (irq: number) => (asserted: boolean) => {
    pic.setLine(irq, asserted);
    ioapic.setLine(irq, asserted);
  };
  const ports: PortDevice[] = [
    pic,
    new Pit(clock, line(0)),
    new Rtc(clock, line(8), 0, 64 << 20, 3),
    new Uart('uart1', 0x3f8, line(4), () => undefined),
    new I8042(() => undefined),
    new ResetControl(() => undefined),
    new AcpiPower(clock, () => undefined),
    new FwCfg(new ArrayMemory(1 << 16), 3),
  ];
  const memory: (Device & MemoryDevice)[] = [...lapics, ioapic];
  return { lapics, ioapic, pic, ports, memory, devices: [...memory, ...ports] };
}

/** Values that devices find interesting. */
function value(random: (below: number) => number, size: number): number {
  const kind = random(4);
  const raw = kind === 0 ? random(2) : kind === 1 ? random(256) : kind === 2 ? 2 ** random(32) : random(2 ** 32);
  return size === 4 ? raw >>> 0 : raw % 2 ** (8 * size);
}
function stateOf(devices: readonly Device[]): Uint8Array {
  const writer = new BufferWriter();
  for (const device of devices) device.save(writer);
  return writer.finish();
}

test('random port, MMIO and MSR accesses with time in between', () => {
  const seed = campaignSeed(1);
  console.log(`seed ${seed}`);
  const random = randomOf(seed, 'devices');
  const clock = new HandClock();
  const { ports, memory, lapics, pic, devices } = build(clock);
  const bus = new PortBus(() => undefined);
  for (const device of ports) bus.attach(device);
  const ranges = ports.flatMap((device) => device.ports);
  for (let i = 0; i < ROUNDS; i++) {
    const size = [1, 2, 4][random(3)] ?? 1;
    const write = random(2) === 0;
    if (random(2) === 0) {
      const range = ranges[random(ranges.length)];
      assert.ok(range);
      const port = range.first + random(range.count);
      if (write) bus.write(port, size, value(random, size));
      else {
        const read = bus.read(port, size);
        assert.ok(read >= 0 && read < 2 ** (8 * size), `port ${port.toString(16)} reads ${read}`);
      }
    } else if (random(8) === 0) {
      const apic = lapics[random(3)];
      const index = random(4) === 0 ? 0x1b : random(4) === 0 ? 0x6e0 : 0x800 + random(64);
      const msr = BigInt(value(random, 4)) | (random(3) === 0 ? BigInt(value(random, 4)) << 32n : 0n);
      if (apic?.msrKnown(index, write) === true) {
        if (write) apic.msrWrite(index, msr);
        else assert.ok(apic.msrRead(index) >= 0n);
      }
    } else {
      const device = memory[random(memory.length)];
      const offset = random(3) === 0 ? random(4096 - 8) : random(256) << 4;
      if (write) device?.writeMemory(offset, size, BigInt(value(random, size)));
      else assert.ok((device?.readMemory(offset, size) ?? 0n) >= 0n);
    }
    if (random(10) === 0) lapics[random(3)]?.acknowledge(() => pic.acknowledge());
    clock.advance(BigInt(random(3) === 0 ? random(2_000_000) : random(100)));
  }
  const saved = stateOf(devices);
  const copy = build(clock).devices;
  const reader = new StateReader(saved);
  for (const device of copy) device.restore(reader);
  assert.ok(reader.atEnd);
  assert.deepEqual(stateOf(copy), saved, 'a snapshot of any state restores to the same state');
});

test('timers with the shortest periods fire a bounded number of times', () => {
  const clock = new HandClock();
  const { lapics, ports } = build(clock);
  for (const apic of lapics) {
    apic.writeMemory(0xf0, 4, 0x1ffn);
    apic.writeMemory(0x320, 4, 0x20040n);
    apic.writeMemory(0x3e0, 4, 0xbn);
    apic.writeMemory(0x380, 4, 1n);
  }
  const bus = new PortBus(() => undefined);
  for (const device of ports) bus.attach(device);
  bus.write(0x43, 1, 0x14);
  bus.write(0x40, 1, 1);
  bus.write(0x70, 1, 0x0a);
  bus.write(0x71, 1, 0x23);
  bus.write(0x70, 1, 0x0b);
  bus.write(0x71, 1, 0x72);
  let firings = 0;
  const end = clock.now + 10_000_000n;
  while (clock.next !== undefined && clock.next <= end) {
    clock.skipTo(clock.next);
    clock.fireDue();
    firings++;
  }
  assert.ok(firings < 40_000, `${firings} in 10 ms`);
});
