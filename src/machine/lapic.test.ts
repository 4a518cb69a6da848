import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandClock, NotedSignals } from '../../test/machine/fakes.ts';
import { ApicBus } from './apic-bus.ts';
import { LocalApic } from './lapic.ts';
import { BufferWriter, StateReader } from './state-stream.ts';

function setUp(count = 4) {
  const clock = new HandClock();
  const signals = new NotedSignals();
  const bus = new ApicBus();
  const apics = Array.from({ length: count }, (_, i) => new LocalApic(i, bus, signals, clock));
  const at = (i: number): LocalApic => {
    const apic = apics[i];
    assert.ok(apic);
    return apic;
  };
  const write = (i: number, offset: number, value: number): void => at(i).writeMemory(offset, 4, BigInt(value >>> 0));
  const read = (i: number, offset: number): number => Number(at(i).readMemory(offset, 4));
  for (let i = 0; i < count; i++) write(i, 0xf0, 0x1ff);
  const none = (): number => assert.fail('no external interrupt');
  return { clock, signals, bus, at, write, read, acknowledge: (i: number) => at(i).acknowledge(none) };
}

test('identification registers', () => {
  const { read } = setUp();
  assert.equal(read(2, 0x20), 2 << 24);
  assert.equal(read(0, 0x30), 0x50014);
});

test('priorities: a higher class interrupts, a lower one waits for EOI and TPR', () => {
  const { signals, write, read, acknowledge } = setUp(1);
  const line = () => signals.lines.get(0);
  write(0, 0x300, 0x40000 | 0x41); // self IPIs
  assert.equal(line(), true);
  assert.equal(acknowledge(0), 0x41);
  assert.equal(line(), false);
  assert.equal(read(0, 0xa0), 0x40);
  write(0, 0x300, 0x40000 | 0x4f); // the same class waits
  assert.equal(line(), false);
  write(0, 0x300, 0x40000 | 0x51);
  assert.equal(acknowledge(0), 0x51);
  write(0, 0xb0, 0);
  assert.equal(read(0, 0x100 + 2 * 16), 1 << 1, 'ISR has 0x41 left');
  write(0, 0x80, 0x40); // TPR 4 holds class 4
  write(0, 0xb0, 0);
  assert.equal(line(), false);
  write(0, 0x80, 0x30);
  assert.equal(acknowledge(0), 0x4f);
});

test('shorthands and destinations', () => {
  const { signals, write, read } = setUp();
  const requested = (i: number): boolean => read(i, 0x200 + 2 * 16) !== 0;
  const who = () => [0, 1, 2, 3].filter(requested).join('');
  write(0, 0x300, 0xc0000 | 0x45);
  assert.equal(who(), '123');
  write(1, 0x310, 2 << 24);
  write(1, 0x300, 0x4500 | 0x00);
  assert.deepEqual(signals.events, ['init 2']);
  write(1, 0x300, 0x4600 | 0x08);
  assert.deepEqual(signals.events, ['init 2', 'startup 2 8']);
  write(1, 0x300, 0x8500); // INIT level de-assert: nothing
  assert.equal(signals.events.length, 2);
  write(0, 0x310, 3 << 24);
  write(0, 0x300, 0x400); // NMI
  assert.deepEqual(signals.events.at(-1), 'nmi 3');
});

test('logical destinations, flat and cluster; lowest priority goes to one', () => {
  const { write, read, at } = setUp();
  const requested = (i: number, word: number): boolean => read(i, 0x200 + word * 16) !== 0;
  for (let i = 0; i < 4; i++) write(i, 0xd0, 1 << (24 + i));
  write(0, 0x310, 0x0a << 24);
  write(0, 0x300, 0x800 | 0x35);
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => requested(i, 1)),
    [false, true, false, true],
  );
  for (let i = 0; i < 4; i++) {
    write(i, 0xe0, 0x0fffffff);
    write(i, 0xd0, ((i >> 1) << 28) | (1 << (24 + (i & 1))));
  }
  write(0, 0x310, 0x13 << 24);
  write(0, 0x300, 0x800 | 0x55);
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => requested(i, 2)),
    [false, false, true, true],
  );
  at(0).cr8 = 9;
  write(3, 0x310, 0xff << 24);
  write(3, 0x300, 0x100 | 0x95);
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => requested(i, 4)),
    [false, true, false, false],
  );
});

test('one-shot timer with a divisor', () => {
  const { clock, signals, write, read, acknowledge } = setUp(1);
  write(0, 0x320, 0x33);
  write(0, 0x3e0, 3); // divide by 16
  write(0, 0x380, 1000);
  clock.advance(8000n);
  assert.equal(read(0, 0x390), 500);
  clock.advance(7999n);
  assert.equal(signals.lines.get(0), false);
  clock.advance(1n);
  assert.equal(acknowledge(0), 0x33);
  assert.equal(read(0, 0x390), 0);
  assert.equal(clock.next, undefined);
});

test('periodic timer keeps its period; a tiny one is stretched', () => {
  const { clock, write, at } = setUp(1);
  write(0, 0x320, 0x20040);
  write(0, 0x3e0, 0xb);
  write(0, 0x380, 1_000_000);
  let count = 0;
  for (let i = 0; i < 10; i++) {
    clock.advance(1_000_000n);
    if (at(0).acknowledge(() => -1) === 0x40) count++;
    write(0, 0xb0, 0);
  }
  assert.equal(count, 10);
  write(0, 0x380, 1);
  const before = clock.now;
  assert.ok((clock.next ?? 0n) - before >= 1000n);
  clock.advance(1_000_000n); // would take a million firings otherwise
});

test('TSC deadline', () => {
  const { clock, signals, at, write } = setUp(1);
  signals.offset = 1000n;
  write(0, 0x320, 0x40050);
  assert.ok(at(0).msrWrite(0x6e0, 6000n));
  assert.equal(at(0).msrRead(0x6e0), 6000n);
  assert.equal(clock.next, 5000n);
  clock.advance(5000n);
  assert.equal(at(0).msrRead(0x6e0), 0n);
  assert.equal(signals.lines.get(0), true);
  at(0).msrWrite(0x6e0, 1n); // in the past: at once
  assert.equal(clock.next, clock.now + 1n);
});

test('x2APIC: transitions, 32-bit IDs, self IPI, reserved bits', () => {
  const { at, signals } = setUp(2);
  assert.equal(at(1).msrKnown(0x802, false), false);
  assert.equal(at(1).msrWrite(0x1b, 0xfee00400n), false, 'x2APIC without enable');
  assert.equal(at(1).msrWrite(0x1b, 0xfee00c00n), true);
  assert.equal(at(1).msrWrite(0x1b, 0xfee00800n), false, 'straight back to xAPIC');
  assert.equal(at(1).window, undefined);
  assert.equal(at(1).msrRead(0x802), 1n);
  assert.equal(at(1).msrRead(0x80d), 2n);
  assert.equal(at(1).msrKnown(0x802, true), false);
  assert.equal(at(1).msrWrite(0x80b, 1n), false);
  assert.ok(at(1).msrWrite(0x83f, 0x61n));
  assert.equal(signals.lines.get(1), true);
  assert.ok(at(1).msrWrite(0x830, (0n << 32n) | 0x62n));
  assert.equal(signals.lines.get(0), true);
});

test('software disable masks the LVT and drops fixed interrupts', () => {
  const { write, read, signals } = setUp(1);
  write(0, 0x320, 0x31);
  write(0, 0xf0, 0xff);
  assert.equal(read(0, 0x320), 0x10031);
  write(0, 0x300, 0x40000 | 0x41);
  assert.equal(signals.lines.get(0), false);
});

test('illegal vectors raise the error interrupt once, also when its own vector is illegal', () => {
  const { write, read, acknowledge } = setUp(1);
  write(0, 0x370, 0xfe);
  write(0, 0x300, 0x40000 | 0x05);
  assert.equal(acknowledge(0), 0xfe);
  write(0, 0x280, 0);
  assert.equal(read(0, 0x280), 0x20);
  write(0, 0x370, 0x01);
  write(0, 0x300, 0x40000 | 0x05);
});

test('level interrupts broadcast their EOI', () => {
  const { bus, at, acknowledge, write } = setUp(1);
  const ended: number[] = [];
  bus.onEndOfInterrupt((vector) => ended.push(vector));
  at(0).receive({ delivery: 0, vector: 0x44, level: true });
  assert.equal(acknowledge(0), 0x44);
  write(0, 0xb0, 0);
  assert.deepEqual(ended, [0x44]);
});

test('the 8259 comes through LINT0 of the boot processor', () => {
  const { at, signals } = setUp(2);
  at(0).setExternalLine(true);
  assert.equal(signals.lines.get(0), true);
  assert.equal(
    at(0).acknowledge(() => 0x20),
    0x20,
  );
  at(0).writeMemory(0x350, 4, 0x10700n);
  assert.equal(signals.lines.get(0), false);
});

test('saved and restored, it goes on the same', () => {
  const first = setUp(1);
  first.write(0, 0x320, 0x20040);
  first.write(0, 0x380, 5000);
  first.write(0, 0x300, 0x40000 | 0x41);
  const writer = new BufferWriter();
  first.at(0).save(writer);
  const second = setUp(1);
  second.at(0).restore(new StateReader(writer.finish()));
  const again = new BufferWriter();
  second.at(0).save(again);
  assert.deepEqual(again.finish(), writer.finish());
  assert.equal(second.acknowledge(0), 0x41);
});
