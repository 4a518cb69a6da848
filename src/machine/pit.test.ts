import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandClock } from '../../test/machine/fakes.ts';
import { Pit } from './pit.ts';

function setUp() {
  const clock = new HandClock();
  let rises = 0;
  let level = false;
  const pit = new Pit(clock, (asserted) => {
    if (asserted && !level) rises++;
    level = asserted;
  });
  const out = (port: number, value: number): void => pit.writePort(port, 1, value);
  /** bcd: the count is four decimal digits. */
  const load = (channel: number, mode: number, count: number, bcd = false): void => {
    out(0x43, (channel << 6) | 0x30 | (mode << 1) | (bcd ? 1 : 0));
    out(0x40 + channel, count & 0xff);
    out(0x40 + channel, count >> 8);
  };
  return { clock, pit, out, load, rises: () => rises };
}

test('channel 0 at 100 Hz', () => {
  const { clock, load, rises } = setUp();
  load(0, 2, 11_932);
  clock.advance(1_000_000_000n);
  assert.equal(rises(), 99);
  clock.advance(10_000_000n);
  assert.equal(rises(), 100);
});

test('one-shot mode fires once; the shortest period is bounded', () => {
  const { clock, load, rises, out } = setUp();
  load(0, 0, 1193);
  clock.advance(10_000_000n);
  assert.equal(rises(), 1);
  out(0x43, 0x14); // low byte only, mode 2
  out(0x40, 1);
  clock.advance(1_000_000n);
  assert.ok(rises() < 700, 'a count of 1 is taken as 2');
});

test('latching reads a count that stands still; read-back tells the status', () => {
  const { clock, pit, load, out } = setUp();
  load(0, 2, 50_000);
  clock.advance(10_000_000n); // 11,931 clocks
  out(0x43, 0);
  clock.advance(5_000_000n);
  out(0x43, 0); // a count that was latched and not read stays (8254 data sheet, counter latch command)
  const value = pit.readPort(0x40) | (pit.readPort(0x40) << 8);
  assert.equal(value, 50_000 - 11_931);
  out(0x43, 0xe2);
  assert.equal(pit.readPort(0x40) & 0x3f, 0x34);
});

test('channel 2 through port 61h, as delay loops use it', () => {
  const { clock, pit, load, out } = setUp();
  out(0x61, 0);
  load(2, 0, 1193);
  out(0x61, 1);
  load(2, 0, 1193);
  assert.equal(pit.readPort(0x61) & 0x20, 0);
  clock.advance(1_000_000n);
  assert.equal(pit.readPort(0x61) & 0x20, 0x20);
});

test('BCD counts: digits in, digits out, 0 for 10,000', () => {
  const { clock, pit, load, out, rises } = setUp();
  const read = (): number => {
    out(0x43, 0);
    return pit.readPort(0x40) | (pit.readPort(0x40) << 8);
  };
  load(0, 2, 0x1193, true); // 1193 clocks are a little less than a millisecond
  clock.advance(10_000_000n);
  assert.equal(rises(), 10);
  load(0, 2, 0, true);
  assert.equal(read(), 0, 'of 10,000 the four digits');
  clock.advance(1_000_000n); // 1193 clocks
  assert.equal(read(), 0x8807);
  out(0x43, 0xe2);
  assert.equal(pit.readPort(0x40) & 0x3f, 0x35, 'the status tells it');
  load(0, 0, 0x0010, true);
  clock.advance(1_000_000n);
  assert.equal(read(), 0x8817, 'a one-shot goes on from 0 to 9999');
  load(0, 0, 0x1193);
  assert.equal(read(), 0x1193, 'a control word without the bit counts in binary again');
});
