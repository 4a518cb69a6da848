import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortBus } from '../port-bus.ts';
import { ResetControl } from '../reset-control.ts';
import { BufferWriter, StateReader } from '../state-stream.ts';
import { PciBus } from './bus.ts';
import { pciInterrupt } from './layout.ts';

function build() {
  const lines: [interrupt: number, asserted: boolean][] = [];
  const bus = new PciBus((interrupt, asserted) => lines.push([interrupt, asserted]));
  const ports = new PortBus(() => undefined);
  ports.attach(bus);
  ports.attach(new ResetControl(() => undefined));
  const config = (address: number, size = 4): number => {
    ports.write(0xcf8, 4, address >>> 0);
    return ports.read(0xcfc + (address & 3), size);
  };
  return { bus, ports, config, lines };
}

test('a guest finds mechanism #1 and the host bridge, and nothing else', () => {
  const { ports, config } = build();
  ports.write(0xcfb, 1, 1); // what Linux does in front (pci_check_type1)
  ports.write(0xcf8, 4, 0x8000_0000);
  assert.equal(ports.read(0xcf8, 4), 0x8000_0000);
  assert.equal(config(0x8000_0000), 0x1237_8086);
  assert.equal(config(0x8000_000a, 2), 0x0600, 'a host bridge');
  assert.equal(config(0x8000_000e, 1), 0, 'of one function');
  assert.equal(config(0x8000_0800), 0xffff_ffff, 'device 1');
  assert.equal(config(0x8000_0100), 0xffff_ffff, 'function 1');
  assert.equal(config(0x8001_0000), 0xffff_ffff, 'bus 1');
  assert.equal(config(0x0000_0000), 0xffff_ffff, 'not enabled');
  assert.equal(config(0x8000_0000, 1), 0x86);
  assert.equal(config(0x8000_0002, 2), 0x1237);
});

test('the reset control register lies between the address ports', () => {
  const { ports } = build();
  ports.write(0xcf8, 4, 0x8000_1234);
  ports.write(0xcf9, 1, 2);
  assert.equal(ports.read(0xcf8, 4), 0x8000_1234);
  assert.equal(ports.read(0xcf9, 1), 2);
});

test('a shared line is asserted while any device asserts it', () => {
  const { bus, lines } = build();
  const [first, second] = [bus.interruptPin(2), bus.interruptPin(4)];
  assert.equal(pciInterrupt(2, 0), pciInterrupt(4, 0));
  first(true);
  second(true);
  second(true);
  first(false);
  assert.deepEqual(lines.at(-1), [10, true]);
  second(false);
  assert.deepEqual(lines.at(-1), [10, false]);
  bus.interruptPin(3)(true);
  assert.deepEqual(lines.at(-1), [11, true]);
});

test('the state goes through a snapshot', () => {
  const first = build();
  first.ports.write(0xcf8, 4, 0x8000_2a44);
  first.bus.interruptPin(2)(true);
  const writer = new BufferWriter();
  first.bus.save(writer);
  const second = build();
  second.bus.restore(new StateReader(writer.finish()));
  assert.equal(second.ports.read(0xcf8, 4), 0x8000_2a44);
  second.bus.interruptPin(4)(true);
  second.bus.interruptPin(4)(false);
  assert.deepEqual(second.lines.at(-1), [10, true], 'device 2 still asserts it');
});
