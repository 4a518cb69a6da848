// fw_cfg, i8042, reset control, power-off, debug ports, and the two buses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArrayMemory, HandClock } from '../../test/machine/fakes.ts';
import { AcpiPower } from './acpi-power.ts';
import { DebugConsole } from './debug-console.ts';
import { FwCfg } from './fw-cfg.ts';
import { I8042 } from './i8042.ts';
import { IsaDebugExit } from './isa-debug-exit.ts';
import { MemoryMap } from './memory-map.ts';
import { PortBus } from './port-bus.ts';
import { ResetControl } from './reset-control.ts';

function fwCfg() {
  const memory = new ArrayMemory(1 << 16);
  const file = { name: 'etc/test', data: new TextEncoder().encode('contents') };
  const bus = new PortBus(() => assert.fail('unknown port'));
  bus.attach(new FwCfg(memory, 4, [file]));
  const read = (key: number, size: number): Uint8Array => {
    bus.write(0x510, 2, key);
    return Uint8Array.from({ length: size }, () => bus.read(0x511, 1));
  };
  return { memory, bus, read };
}
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test('fw_cfg: signature, processors, RAM, zeros behind the end', () => {
  const { read } = fwCfg();
  assert.equal(text(read(0, 4)), 'QEMU');
  assert.deepEqual([...read(5, 4)], [4, 0, 0, 0]);
  assert.deepEqual([...read(3, 4)], [0, 0, 1, 0]);
  assert.deepEqual([...read(0x7777, 2)], [0, 0]);
});

test('fw_cfg: file directory and files', () => {
  const { read } = fwCfg();
  const directory = read(0x19, 68);
  const view = new DataView(directory.buffer);
  assert.deepEqual([view.getUint32(0), view.getUint32(4), view.getUint16(8)], [1, 8, 0x20]);
  assert.equal(text(directory.subarray(12, 20)), 'etc/test');
  assert.equal(text(read(0x20, 8)), 'contents');
});

test('fw_cfg: DMA', () => {
  const { memory, bus } = fwCfg();
  assert.equal(bus.read(0x514, 4), 0x554d4551);
  const view = new DataView(memory.bytes.buffer);
  const transfer = (control: number, length: number, target: number): number => {
    view.setUint32(0x100, control);
    view.setUint32(0x104, length);
    view.setBigUint64(0x108, BigInt(target));
    bus.write(0x518, 4, 0x00010000); // 0x100, big-endian
    return view.getUint32(0x100);
  };
  memory.bytes.fill(0xff, 0x200, 0x220);
  assert.equal(transfer((0x20 << 16) | 8 | 2, 10, 0x200), 0);
  assert.equal(text(memory.bytes.subarray(0x200, 0x208)), 'contents');
  assert.deepEqual([...memory.bytes.subarray(0x208, 0x20b)], [0, 0, 0xff]);
  assert.equal(transfer((0x20 << 16) | 8 | 2, 0xffffffff, 0x200), 1, 'outside RAM');
  assert.equal(transfer(16, 1, 0x200), 1, 'items cannot be written');
  bus.write(0x514, 4, 0xffffffff);
  bus.write(0x518, 4, 0xffffffff); // an address outside RAM: nothing happens
});

test('i8042: self-test, configuration, reset', () => {
  const resets: string[] = [];
  const i8042 = new I8042((source) => resets.push(source));
  i8042.writePort(0x64, 1, 0xaa);
  assert.equal(i8042.readPort(0x64) & 1, 1);
  assert.equal(i8042.readPort(0x60), 0x55);
  assert.equal(i8042.readPort(0x64) & 1, 0);
  i8042.writePort(0x64, 1, 0x60);
  i8042.writePort(0x60, 1, 0x65);
  i8042.writePort(0x64, 1, 0x20);
  assert.equal(i8042.readPort(0x60), 0x65);
  i8042.writePort(0x64, 1, 0xfe);
  i8042.writePort(0x64, 1, 0xd1);
  i8042.writePort(0x60, 1, 0xfe);
  assert.equal(resets.length, 2);
});

test('reset control: port 0xCF9 and port 0x92', () => {
  const resets: string[] = [];
  const control = new ResetControl((source) => resets.push(source));
  control.writePort(0xcf9, 1, 2);
  assert.deepEqual(resets, []);
  control.writePort(0xcf9, 1, 6);
  control.writePort(0x92, 1, 3);
  assert.deepEqual(resets, ['port 0xCF9', 'port 0x92']);
});

test('ACPI: SLP_EN with type 0 powers off; the PM timer runs', () => {
  const clock = new HandClock();
  let offs = 0;
  const power = new AcpiPower(clock, () => offs++);
  assert.equal(power.readPort(0x604, 2), 1);
  power.writePort(0x604, 2, 0x2400); // type 1: not ours
  assert.equal(offs, 0);
  power.writePort(0x604, 2, 0x2000);
  assert.equal(offs, 1);
  clock.advance(1_000_000_000n);
  assert.equal(power.readPort(0x608, 4), 3_579_545);
});

test('debug console and debug exit', () => {
  const seen: number[] = [];
  const console_ = new DebugConsole((byte) => seen.push(byte));
  assert.equal(console_.readPort(), 0xe9);
  console_.writePort(0xe9, 1, 65);
  new IsaDebugExit((value) => seen.push(value)).writePort(0xf4, 1, 42);
  assert.deepEqual(seen, [65, 42]);
});

test('port bus: wide accesses split, unknown ports read all-ones', () => {
  const unknown: string[] = [];
  const bus = new PortBus((port, write) => unknown.push(`${write ? 'w' : 'r'}${port.toString(16)}`));
  bus.attach(new DebugConsole(() => undefined));
  assert.equal(bus.read(0xe8, 4), 0xffffe9ff);
  assert.deepEqual(unknown, ['re8', 'rea', 'reb']);
  assert.equal(bus.read(0xffff, 2), 0xffff, 'wraps around');
  bus.write(0x80, 1, 0);
  assert.equal(unknown.at(-1), 'w80');
});

test('memory map: outside every window all-ones; a closed window is outside', () => {
  const unknown: number[] = [];
  const map = new MemoryMap((physical) => unknown.push(physical));
  let base: number | undefined = 0xfee00000;
  const device = {
    name: 'x',
    reset: () => undefined,
    save: () => undefined,
    restore: () => undefined,
    readMemory: (offset: number) => BigInt(offset),
    writeMemory: () => undefined,
  };
  map.attach(device, 4096, () => base);
  assert.equal(map.read(0xfee00020, 4), 0x20n);
  assert.equal(map.read(0xfee00ffe, 4), 0xffffffffn, 'across the end');
  base = undefined;
  assert.equal(map.read(0xfee00020, 8), 0xffffffffffffffffn);
  assert.deepEqual(unknown, [0xfee00ffe, 0xfee00020]);
});
