// The machine as the rooms above see it: entry state, memory access, idling, stops.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as L from '../../src/core/layout.ts';
import type { EngineModules } from '../../src/core/engine.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { loadMultiboot } from '../../src/machine/boot/multiboot.ts';
import { Machine, MachineOptionError } from '../../src/machine/machine.ts';

let modules: EngineModules;
before(async () => {
  modules = await loadEngineModules();
});

/** A machine at the entry of a Multiboot kernel of a few bytes of 32-bit code at 0x100040. */
function boot(code: readonly number[], cpus = 1): Machine {
  const bytes = new Uint8Array(64 + code.length);
  const view = new DataView(bytes.buffer);
  const header = [0x1badb002, 0x10000, -(0x1badb002 + 0x10000), 0x100000, 0x100000, 0, 0, 0x100040];
  header.forEach((value, i) => view.setUint32(i * 4, value >>> 0, true));
  bytes.set(code, 64);
  const machine = new Machine(modules, { cpus, memorySize: 4 << 20 });
  loadMultiboot(machine.engine, { kernel: { name: 'k', bytes } });
  return machine;
}
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test('options are checked', () => {
  for (const [options, name] of [
    [{ cpus: 0, memorySize: 4 << 20 }, 'cpus'],
    [{ cpus: 17, memorySize: 4 << 20 }, 'cpus'],
    [{ cpus: 1, memorySize: 1 << 20 }, 'memory'],
    [{ cpus: 1, memorySize: (4 << 20) + 4096 }, 'memory'],
    [{ cpus: 1, memorySize: 4 * 2 ** 30 }, 'memory'],
    [{ cpus: 1, memorySize: 4 << 20, quantum: 0 }, 'quantum'],
  ] as const) {
    assert.throws(
      () => new Machine(modules, options),
      (error) => error instanceof MachineOptionError && error.option === name,
    );
  }
});

test('the state at a Multiboot entry', () => {
  const { engine } = boot([0x90]);
  assert.equal(engine.vcpu().rax, 0x2badb002n);
  assert.equal(engine.vcpu().rip, 0x100040n);
  assert.equal(engine.vcpu().cr0 & 0x80000001n, 1n, 'protected mode, no paging');
  assert.equal(engine.system.rflags() & 0x20200n, 0n, 'IF and VM are clear');
  for (const segment of ['cs', 'ds', 'es', 'fs', 'gs', 'ss'] as const) {
    const { base, limit } = engine.vcpu()[segment];
    assert.deepEqual([base, limit], [0n, 0xffffffff]);
  }
  assert.equal(engine.vcpu().mode & (L.MODE_CODE | L.MODE_FLAT), 1 | L.MODE_FLAT, '32-bit, flat');
  assert.equal(engine.vcpu(0).activity, 0);
});

test('application processors wait for a start-up IPI', () => {
  const { engine } = boot([0x90], 3);
  assert.deepEqual(
    [1, 2].map((vcpu) => engine.vcpu(vcpu).activity),
    [2, 2],
  );
});

test('memory by physical and linear address', () => {
  const machine = boot([0x90]);
  machine.writePhysical(0x3ffffen, Uint8Array.of(1, 2, 3, 4));
  assert.deepEqual([...machine.readPhysical(0x3ffffdn, 5)], [0, 1, 2, 0xff, 0xff]);
  assert.deepEqual([...machine.readPhysical(-1n, 1)], [0xff]);
  assert.equal(machine.writeLinear(0, 0x1ffen, Uint8Array.of(5, 6, 7, 8)), 4);
  assert.deepEqual([...machine.readLinear(0, 0x1ffen, 4)], [5, 6, 7, 8]);
  assert.equal(machine.readLinear(0, 0x3ffffen, 4).length, 2, 'the readable prefix');
  assert.equal(machine.writeLinear(0, 0x400000n, Uint8Array.of(1)), 0);
});

test('code that the debugger writes is what runs next', () => {
  const machine = boot([0xeb, 0xfe]); // jmp $
  assert.equal(machine.run(1000).kind, 'spent');
  machine.writeLinear(0, 0x100040n, Uint8Array.of(0xb0, 5, 0xe6, 0xf4)); // mov al, 5; out 0xf4, al
  assert.deepEqual(machine.run(1000), { kind: 'exit', value: 5, status: 11 });
});

test('run() stops after exactly the ticks that it was given', () => {
  const machine = boot([0x40, 0xeb, 0xfd]); // inc eax; jmp
  for (const ticks of [1, 2, 997, 12_345]) {
    const start = machine.instructions;
    assert.deepEqual(machine.run(ticks), { kind: 'spent' });
    assert.equal(machine.instructions - start, BigInt(ticks));
    assert.equal(machine.clock, machine.instructions);
  }
});

test('halted with a timer: run jumps, or says idle and lets the caller pace', () => {
  // APIC timer: one-shot, vector 0x40 (the line stays unserved: interrupts are off); then hlt
  const set = (register: number, value: number): number[] => [
    ...[0xc7, 0x05, register & 0xff, register >> 8, 0xe0, 0xfe],
    ...[0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff),
  ];
  const code = [...set(0xf0, 0x1ff), ...set(0x320, 0x40), ...set(0x3e0, 0xb), ...set(0x380, 1_000_000), 0xf4];
  const paced = boot(code);
  assert.deepEqual(paced.run(100, { idleJumps: false }), { kind: 'idle' });
  assert.equal(paced.nextDeadline, 1_000_003n);
  paced.skipIdle(500_000n);
  assert.equal(paced.clock, 500_000n);
  paced.skipIdle(10n ** 12n);
  assert.equal(paced.clock, 1_000_003n, 'not past the timer');
  const free = boot(code);
  assert.deepEqual(free.run(100), { kind: 'idle' });
  assert.equal(free.clock, 1_000_003n);
  paced.run(1);
  assert.equal(paced.digest(), free.digest(), 'however idle time passed');
});

test('serial input and output; interrupt() ends a run', () => {
  // mov dx, 0x3fd; in al, dx; test al, 1; jz -5; mov dx, 0x3f8; in al, dx; out dx, al; jmp
  const echo = [0x66, 0xba, 0xfd, 3, 0xec, 0xa8, 1, 0x74, 0xfb, 0x66, 0xba, 0xf8, 3, 0xec, 0xee, 0xeb, 0xef];
  const machine = boot(echo);
  let output = '';
  machine.onSerial = (bytes) => {
    output += text(bytes);
    if (output.endsWith('\n')) machine.interrupt();
  };
  machine.sendSerial(new TextEncoder().encode('hello\nworld'));
  assert.deepEqual(machine.run(10_000), { kind: 'spent' });
  assert.equal(output, 'hello\n');
  assert.ok(machine.instructions < 100n);
  machine.run(10_000);
  assert.equal(output, 'hello\nworld');
});

test('a device access that arms an earlier event ends the run in time', () => {
  // PIT channel 0, mode 2, 100 clocks; the 8259 unmasked; sti; spin. IVT-less: the IDT is empty, so IRQ 0 ends in shutdown
  const out = (port: number, value: number): number[] => [0xb0, value, 0xe6, port];
  const code = [...out(0x21, 0xfe), ...out(0x43, 0x14), ...out(0x40, 100), 0xfb, 0xeb, 0xfe];
  const machine = boot(code);
  const stop = machine.run(1_000_000);
  assert.equal(stop.kind, 'shutdown');
  // 100 clocks of 1.193182 MHz are 83,810 ns
  assert.ok(machine.clock > 83_800n && machine.clock < 83_830n, `${machine.clock}`);
});
