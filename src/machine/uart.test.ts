import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferWriter, StateReader } from './state-stream.ts';
import { Uart } from './uart.ts';

const BASE = 0x3f8;
function setUp() {
  let sent = '';
  let line = false;
  const uart = new Uart(
    'uart1',
    BASE,
    (asserted) => {
      line = asserted;
    },
    (byte) => {
      sent += String.fromCharCode(byte);
    },
  );
  const out = (register: number, value: number): void => uart.writePort(BASE + register, 1, value);
  const input = (register: number): number => uart.readPort(BASE + register);
  return { uart, out, input, sent: () => sent, line: () => line };
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('sends at once and is always ready', () => {
  const { out, input, sent } = setUp();
  assert.equal(input(5), 0x60);
  for (const byte of bytes('hello')) out(0, byte);
  assert.equal(sent(), 'hello');
  assert.equal(input(5), 0x60);
});

test('the divisor latch hides data and interrupt enable', () => {
  const { out, input, sent } = setUp();
  out(3, 0x83);
  out(0, 1);
  out(1, 2);
  assert.deepEqual([input(0), input(1)], [1, 2]);
  out(3, 3);
  assert.deepEqual([input(1), sent()], [0, '']);
});

test('received bytes interrupt by trigger level, and as a timeout below it', () => {
  const { uart, out, input, line } = setUp();
  out(2, 0x47); // FIFO, trigger at 4
  out(1, 1);
  uart.send(bytes('ab'));
  assert.equal(line(), true, 'OUT2 does not gate the line, as under QEMU');
  out(4, 8);
  assert.equal(line(), true);
  assert.equal(input(2), 0xcc);
  uart.send(bytes('cd'));
  assert.equal(input(2), 0xc4);
  assert.equal(String.fromCharCode(input(0), input(0), input(0), input(0)), 'abcd');
  assert.equal(line(), false);
  assert.equal(input(2), 0xc1);
});

test('input beyond the FIFO waits its turn', () => {
  const { uart, input } = setUp();
  const text = 'the quick brown fox jumps over the lazy dog';
  uart.send(bytes(text));
  let read = '';
  while ((input(5) & 1) !== 0) read += String.fromCharCode(input(0));
  assert.equal(read, text);
});

test('transmitter interrupt: raised by enabling and by sending, cleared by reading IIR', () => {
  const { out, input, line } = setUp();
  out(4, 8);
  out(1, 2);
  assert.equal(line(), true);
  assert.equal(input(2), 2);
  assert.equal(line(), false);
  out(0, 65);
  assert.equal(line(), true);
  assert.equal(input(2), 2);
  assert.equal(input(2), 1);
});

test('loopback: bytes come back, modem outputs show as inputs, no interrupt leaves the chip', () => {
  const { out, input, sent, line } = setUp();
  out(4, 0x1a); // loop, OUT2, RTS
  assert.equal(input(6) & 0xf0, 0x90);
  out(0, 0xae);
  out(1, 1);
  assert.equal(line(), false);
  out(1, 0);
  assert.equal(sent(), '');
  assert.equal(input(0), 0xae);
  out(0, 1);
  out(0, 2); // no FIFO: overrun
  assert.equal(input(5) & 3, 3);
  assert.equal(input(5) & 2, 0, 'reading clears it');
});

test('scratch register and snapshot', () => {
  const { uart, out, input } = setUp();
  out(7, 0x5a);
  uart.send(bytes('xyz'));
  const writer = new BufferWriter();
  uart.save(writer);
  const other = setUp();
  other.uart.restore(new StateReader(writer.finish()));
  assert.equal(other.input(7), 0x5a);
  assert.equal(String.fromCharCode(other.input(0), other.input(0), other.input(0)), 'xyz');
  assert.equal(input(0), 'x'.charCodeAt(0));
});
