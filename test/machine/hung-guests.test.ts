// A guest that hangs with its interrupts off is told from one that is idle: by the machine, for the Machine view.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { loadMultiboot } from '../../src/machine/boot/multiboot.ts';
import { Machine } from '../../src/machine/machine.ts';

const modules = await loadEngineModules();

/** A machine with one vCPU in 32-bit protected mode that executes `code` at 1 MiB. */
function machineWith(code: readonly number[]): Machine {
  const bytes = new Uint8Array(64 + 256);
  const view = new DataView(bytes.buffer);
  const header = [0x1badb002, 0x10000, -(0x1badb002 + 0x10000), 0x100000, 0x100000, 0, 0, 0x100040];
  header.forEach((value, i) => view.setUint32(i * 4, value >>> 0, true));
  bytes.set(code, 64);
  const machine = new Machine(modules, { cpus: 1, memorySize: 4 << 20 });
  loadMultiboot(machine.engine, { kernel: { name: 'code', bytes } });
  return machine;
}
/** Runs for so many ticks in slices, as those who own the thread do. */
function run(machine: Machine, slices: number): string {
  let kind = '';
  for (let i = 0; i < slices; i++) ({ kind } = machine.run(1_000_000, { idleJumps: false }));
  return kind;
}

test('spinning with interrupts off: for as long as it spins', () => {
  const machine = machineWith([0xfa, 0xeb, 0xfe]); // cli; jmp $
  assert.equal(run(machine, 3), 'spent');
  assert.equal(machine.interruptsOffFor(0), 3_000_000n);
});

test('halted with interrupts off: nothing gets it on; with interrupts on: idle', () => {
  const dead = machineWith([0xfa, 0xf4]); // cli; hlt
  assert.equal(run(dead, 2), 'idle');
  assert.notEqual(dead.interruptsOffFor(0), undefined);
  const idle = machineWith([0xfb, 0xf4]); // sti; hlt
  assert.equal(run(idle, 2), 'idle');
  assert.equal(idle.interruptsOffFor(0), undefined);
});

test('interrupts that are on at a look end the time; a snapshot begins it anew', () => {
  // sti; nop for 2 million instructions: mov ecx, 2000000; loop $; then cli; jmp $
  const machine = machineWith([0xfb, 0xb9, 0x80, 0x84, 0x1e, 0x00, 0xe2, 0xfe, 0xfa, 0xeb, 0xfe]);
  run(machine, 2);
  assert.equal(machine.interruptsOffFor(0), undefined);
  run(machine, 3);
  const shut = machine.interruptsOffFor(0) ?? 0n;
  assert.ok(shut >= 2_000_000n && shut <= 3_000_000n, String(shut));
  const digest = machine.digest();
  const again = machineWith([0xf4]);
  again.restore(machine.save());
  assert.equal(again.interruptsOffFor(0), 0n);
  assert.equal(again.digest(), digest, 'no digest covers it');
});
