import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandClock } from '../../test/machine/fakes.ts';
import { DEFAULT_RTC_SECONDS, Rtc } from './rtc.ts';

function setUp() {
  const clock = new HandClock();
  let level = false;
  const line = (asserted: boolean): void => {
    level = asserted;
  };
  const rtc = new Rtc(clock, line, DEFAULT_RTC_SECONDS, 512 << 20, 4);
  const read = (index: number): number => {
    rtc.writePort(0x70, 1, index);
    return rtc.readPort(0x71);
  };
  const write = (index: number, value: number): void => {
    rtc.writePort(0x70, 1, index);
    rtc.writePort(0x71, 1, value);
  };
  return { clock, read, write, line: () => level };
}
const date = (read: (index: number) => number): string =>
  [0x32, 9, 8, 7, 4, 2, 0].map((i) => read(i).toString(16).padStart(2, '0')).join(' ');

test('starts at its fixed date and runs with virtual time', () => {
  const { clock, read } = setUp();
  assert.equal(date(read), '20 25 01 01 00 00 00');
  clock.advance(90_061_000_000_000n);
  assert.equal(date(read), '20 25 01 02 01 01 01');
  assert.equal(read(6), 5, 'a Thursday');
});

test('the guest may set it; binary and 12-hour modes', () => {
  const { read, write } = setUp();
  write(9, 0x31);
  write(8, 0x12);
  write(7, 0x24);
  write(4, 0x13);
  assert.equal(date(read), '20 31 12 24 13 00 00');
  write(0x0b, 4 | 2);
  assert.equal(read(4), 13);
  write(0x0b, 0);
  assert.equal(read(4), 0x81);
});

test('memory size and processors for firmware', () => {
  const { read } = setUp();
  assert.equal(read(0x15) | (read(0x16) << 8), 640);
  assert.equal(read(0x34) | (read(0x35) << 8), ((512 << 20) - (16 << 20)) / 65_536);
  assert.equal(read(0x5f), 3);
});

test('update in progress shows in the last 244 us of a second', () => {
  const { clock, read } = setUp();
  assert.equal(read(0x0a), 0x26);
  clock.advance(999_800_000n);
  assert.equal(read(0x0a), 0xa6);
});

test('periodic, update-ended and alarm interrupts', () => {
  const { clock, read, write, line } = setUp();
  write(0x0b, 0x42); // 1024 Hz
  clock.advance(1_000_000n);
  assert.equal(line(), true);
  assert.equal(read(0x0c), 0xc0);
  assert.equal(line(), false);
  write(0x0b, 0x12);
  clock.advance(1_000_000_000n);
  assert.equal(read(0x0c) & 0x90, 0x90);
  write(1, 0x05);
  write(3, 0xff);
  write(5, 0xff);
  write(0x0b, 0x22);
  clock.advance(3_000_000_000n);
  assert.equal(line(), false);
  clock.advance(1_000_000_000n);
  assert.equal(read(0x0c) & 0xa0, 0xa0);
});
