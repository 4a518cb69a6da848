// Debian's own virtio drivers on our disk, entropy device and console: the guest's exercise judges what it gets, and the
// host looks at what became of the image.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import type { MachineStop } from '../../src/machine/api.ts';
import { loadKernel } from '../../src/machine/boot/load-kernel.ts';
import { Machine } from '../../src/machine/machine.ts';
import { COMMON_APPEND, guestOrReason, runInTrapline } from './linux/run-guest.ts';
import { MemoryDisk } from './memory-disk.ts';

const guest = await guestOrReason();
const skip = typeof guest === 'string' ? guest : false;
const files = () => {
  if (typeof guest === 'string') throw new Error(guest);
  return guest;
};
const DISK = 8 << 20;
const patterned = (): Uint8Array => Uint8Array.from({ length: DISK }, (_, i) => (i * 5 + (i >> 9)) & 0xff);

const SLICE = 2_000_000;
const LIMIT = 4_000_000_000n;

/** A machine with all virtio devices; it answers on the console port, and notes what the guest says. */
async function build(cpus: number) {
  const disk = new MemoryDisk('disk', patterned());
  const machine = new Machine(await loadEngineModules(), {
    cpus,
    memorySize: 256 << 20,
    disks: [disk],
    entropySeed: 7,
    port: true,
  });
  const seen = { serial: '', port: '' };
  const decode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  machine.onSerial = (bytes) => {
    seen.serial += decode(bytes);
    if (seen.serial.endsWith('exercise: block\r\n')) machine.interrupt();
  };
  machine.onPort = (bytes) => {
    seen.port += decode(bytes);
    if (seen.port.endsWith('say pong\n')) machine.sendPort(new TextEncoder().encode('pong\n'));
  };
  return { machine, disk, seen };
}
/** Runs until `done`, or to the machine's end. */
function runOn(machine: Machine, done: () => boolean): MachineStop {
  for (;;) {
    const stop = machine.run(SLICE);
    if (stop.kind !== 'spent' || done()) return stop;
    assert.ok(machine.instructions < LIMIT, 'the guest does not come to an end');
  }
}

test('disk, entropy and console, and a snapshot in the middle of it', { skip }, async () => {
  const { kernel, initrd } = files();
  const append = `${COMMON_APPEND} quiet trapline.cpus=2 trapline.devices=disk,rng,console,port-echo`;
  const first = await build(2);
  const read = (name: string, file: string) => ({ name, bytes: new Uint8Array(readFileSync(file)) });
  loadKernel(first.machine, { kernel: read('vmlinuz', kernel), initrd: read('initramfs', initrd), append });
  runOn(first.machine, () => first.seen.serial.endsWith('exercise: block\r\n'));
  first.machine.run(500_000); // requests are on their way, and some blocks were written
  const snapshot = first.machine.save();
  const before = first.seen.port.length;
  assert.deepEqual(
    runOn(first.machine, () => false),
    { kind: 'powerOff' },
    first.seen.serial.slice(-2000),
  );
  assert.match(first.seen.serial, /^TRAPLINE-GUEST-OK cpus=2\r?$/m);
  const line = 'trapline-port: 0123456789 abcdefghijklmnopqrstuvwxyz\n';
  assert.equal(first.seen.port, `trapline-port: hello\n${line.repeat(100)}trapline-port: say pong\n`);
  assert.deepEqual(first.disk.bytes, patterned(), 'the image is as it was');

  const second = await build(2);
  second.machine.restore(snapshot);
  assert.deepEqual(
    runOn(second.machine, () => false),
    { kind: 'powerOff' },
  );
  assert.equal(second.seen.port, first.seen.port.slice(before));
  assert.ok(first.seen.serial.endsWith(second.seen.serial));
  assert.equal(second.machine.digest(), first.machine.digest());
});

test('the virtio console of the command line speaks and listens', { skip }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-port-'));
  try {
    const [input, output] = [path.join(folder, 'input'), path.join(folder, 'output')];
    writeFileSync(input, 'pong\n');
    const append = `${COMMON_APPEND} quiet trapline.cpus=1 trapline.devices=console,port-echo`;
    const run = await runInTrapline({ ...files(), cpus: 1, append }, ['--port', output, '--port-input', input]);
    assert.match(run.console, /^TRAPLINE-GUEST-OK cpus=1\r?$/m, run.output.slice(-2000));
    assert.match(readFileSync(output, 'latin1'), /trapline-port: say pong\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a writable image holds what the guest wrote, and nobody holds it afterwards', { skip }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-disk-'));
  try {
    const image = path.join(folder, 'disk.img');
    writeFileSync(image, patterned());
    const options = { ...files(), cpus: 1, append: `${COMMON_APPEND} quiet trapline.cpus=1 trapline.devices=disk` };
    const kept = await runInTrapline(options, ['--disk', image]);
    assert.match(kept.console, /^TRAPLINE-GUEST-OK cpus=1\r?$/m, kept.output.slice(-2000));
    assert.ok(Buffer.from(patterned()).equals(readFileSync(image)), 'the image is as it was');
    const written = await runInTrapline(options, ['--disk', `${image},writable`]);
    assert.match(written.console, /^TRAPLINE-GUEST-OK cpus=1\r?$/m, written.output.slice(-2000));
    const now = readFileSync(image);
    assert.equal(now.length, DISK);
    assert.ok(now.subarray(0, DISK / 2).equals(Buffer.from(patterned()).subarray(0, DISK / 2)), 'the first half stays');
    assert.equal(now.subarray(DISK / 2 + 100, DISK / 2 + 117).toString(), 'through the cache');
    assert.equal(existsSync(`${image}.trapline-lock`), false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
