// The I/O APIC and the pair of 8259s.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandClock, NotedSignals } from '../../test/machine/fakes.ts';
import { ApicBus } from './apic-bus.ts';
import { IoApic } from './ioapic.ts';
import { LocalApic } from './lapic.ts';
import { Pic } from './pic.ts';
import { BufferWriter, StateReader } from './state-stream.ts';

function setUp() {
  const bus = new ApicBus();
  const signals = new NotedSignals();
  const apic = new LocalApic(0, bus, signals, new HandClock());
  apic.writeMemory(0xf0, 4, 0x1ffn);
  const ioapic = new IoApic(bus);
  const write = (index: number, value: number): void => {
    ioapic.writeMemory(0, 4, BigInt(index));
    ioapic.writeMemory(0x10, 4, BigInt(value >>> 0));
  };
  const read = (index: number): number => {
    ioapic.writeMemory(0, 4, BigInt(index));
    return Number(ioapic.readMemory(0x10, 4));
  };
  const acknowledge = (): number => apic.acknowledge(() => assert.fail('not from the 8259'));
  return { bus, apic, ioapic, write, read, acknowledge, line: () => signals.lines.get(0) };
}

test('I/O APIC: version, and all pins masked at power-on', () => {
  const { read } = setUp();
  assert.equal(read(1), 0x170020);
  for (let pin = 0; pin < 24; pin++) assert.equal(read(0x10 + pin * 2), 0x10000);
  assert.equal(read(0x40), 0);
});

test('I/O APIC: an edge pin fires once a rise', () => {
  const { write, ioapic, acknowledge, apic, line } = setUp();
  write(0x10 + 4 * 2, 0x34);
  ioapic.setLine(4, true);
  ioapic.setLine(4, true);
  assert.equal(acknowledge(), 0x34);
  apic.writeMemory(0xb0, 4, 0n);
  assert.equal(line(), false);
  ioapic.setLine(4, false);
  ioapic.setLine(4, true);
  assert.equal(line(), true);
});

test('I/O APIC: a level pin waits for the EOI, then fires again while the line is up', () => {
  const { write, read, ioapic, acknowledge, apic, line } = setUp();
  write(0x10 + 5 * 2, 0x8035);
  ioapic.setLine(5, true);
  assert.equal(read(0x10 + 10) & 0x4000, 0x4000, 'remote IRR');
  assert.equal(acknowledge(), 0x35);
  apic.writeMemory(0xb0, 4, 0n);
  assert.equal(line(), true);
  assert.equal(acknowledge(), 0x35);
  ioapic.setLine(5, false);
  apic.writeMemory(0xb0, 4, 0n);
  assert.equal(line(), false);
  assert.equal(read(0x10 + 10) & 0x4000, 0);
});

/** Whether a vector waits in the local APIC's request register. */
const isRequested = (apic: LocalApic, vector: number): boolean =>
  ((apic.readMemory(0x200 + ((vector >> 5) << 4), 4) >> BigInt(vector & 31)) & 1n) !== 0n;

test('I/O APIC: while Remote IRR is set a level pin sends nothing, however often it rises', () => {
  const { write, read, ioapic, acknowledge, apic } = setUp();
  write(0x10 + 5 * 2, 0x8035);
  ioapic.setLine(5, true);
  assert.equal(acknowledge(), 0x35);
  ioapic.setLine(5, false);
  ioapic.setLine(5, true);
  write(0x10 + 5 * 2, 0x8035);
  assert.equal(read(0x10 + 10) & 0x4000, 0x4000, 'remote IRR stays');
  assert.ok(!isRequested(apic, 0x35), 'sent again before its EOI');
  apic.writeMemory(0xb0, 4, 0n);
  assert.ok(isRequested(apic, 0x35), 'the EOI finds the line up');
});

test('I/O APIC: the levels of its lines are part of a snapshot', () => {
  const before = setUp();
  before.write(0x10 + 4 * 2, 0x34);
  before.write(0x10 + 5 * 2, 0x8035);
  before.ioapic.setLine(4, true);
  before.ioapic.setLine(5, true);
  const writer = new BufferWriter();
  before.ioapic.save(writer);
  const after = setUp();
  after.ioapic.restore(new StateReader(writer.finish()));
  after.ioapic.setLine(4, true);
  assert.ok(!isRequested(after.apic, 0x34), 'a line that was up cannot rise');
  after.ioapic.writeMemory(0x40, 4, 0x35n);
  assert.ok(isRequested(after.apic, 0x35), 'the EOI finds the level line up');
});

test('I/O APIC: unmasking a level pin that is up fires it; the EOI register works', () => {
  const { write, read, ioapic, line } = setUp();
  ioapic.setLine(9, true);
  write(0x10 + 9 * 2, 0x8039);
  assert.equal(line(), true);
  ioapic.setLine(9, false);
  ioapic.writeMemory(0x40, 4, 0x39n);
  assert.equal(read(0x10 + 18) & 0x4000, 0);
});

function setUpPic() {
  let output = false;
  const pic = new Pic((asserted) => {
    output = asserted;
  });
  const out = (port: number, value: number): void => pic.writePort(port, 1, value);
  for (const [base, vector, cascade] of [
    [0x20, 0x20, 4],
    [0xa0, 0x28, 2],
  ] as const) {
    out(base, 0x11);
    out(base + 1, vector);
    out(base + 1, cascade);
    out(base + 1, 1);
    out(base + 1, 0);
  }
  return { pic, out, output: () => output };
}

test('8259: nothing comes before the guest initialises it', () => {
  let output = false;
  const pic = new Pic((asserted) => {
    output = asserted;
  });
  pic.setLine(0, true);
  assert.equal(output, false);
});

test('8259: priorities, EOI, mask', () => {
  const { pic, out, output } = setUpPic();
  pic.setLine(4, true);
  assert.equal(pic.acknowledge(), 0x24);
  pic.setLine(6, true);
  assert.equal(output(), false, 'a lower priority waits');
  pic.setLine(0, true);
  assert.equal(pic.acknowledge(), 0x20);
  out(0x20, 0x20);
  out(0x20, 0x20);
  assert.equal(pic.acknowledge(), 0x26);
  out(0x21, 0xff);
  out(0x20, 0x20);
  pic.setLine(1, true);
  assert.equal(output(), false);
  out(0x21, 0);
  assert.equal(output(), true);
});

test('8259: the slave comes through the cascade; a request that is gone is spurious', () => {
  const { pic, out, output } = setUpPic();
  pic.setLine(8, true);
  assert.equal(pic.acknowledge(), 0x28);
  out(0xa0, 0x20);
  out(0x20, 0x20);
  pic.setLine(12, true);
  assert.equal(output(), true);
  assert.equal(pic.acknowledge(), 0x2c);
  out(0xa0, 0x20);
  out(0x20, 0x20);
  pic.setLine(3, true);
  pic.setLine(3, false);
  assert.equal(pic.acknowledge(), 0x27);
});

test('8259 and I/O APIC: saved and restored', () => {
  const { pic } = setUpPic();
  pic.setLine(4, true);
  const { ioapic, write } = setUp();
  write(0x18, 0x8034);
  for (const [device, copy] of [
    [pic, setUpPic().pic],
    [ioapic, setUp().ioapic],
  ] as const) {
    const writer = new BufferWriter();
    device.save(writer);
    copy.restore(new StateReader(writer.finish()));
    const again = new BufferWriter();
    copy.save(again);
    assert.deepEqual(again.finish(), writer.finish());
  }
});
