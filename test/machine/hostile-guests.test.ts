// Guests are hostile: whatever bytes they execute, the machine comes back from every slice, in time, and is still the same
// machine for the same bytes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { loadMultiboot } from '../../src/machine/boot/multiboot.ts';
import { Machine } from '../../src/machine/machine.ts';
import { SnapshotError } from '../../src/machine/state-stream.ts';
import { campaignSeed, randomOf } from '../harness/random.ts';

const CODE_SIZE = 8192;
const TICKS = 20_000;
type Random = (below: number) => number;

/** A kernel of random bytes, or of random pieces of a real one. */
function kernel(random: Random, real: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(64 + CODE_SIZE);
  const view = new DataView(bytes.buffer);
  const header = [0x1badb002, 0x10000, -(0x1badb002 + 0x10000), 0x100000, 0x100000, 0, 0, 0x100040];
  header.forEach((value, i) => view.setUint32(i * 4, value >>> 0, true));
  const pure = random(3) === 0;
  for (let at = 64; at < bytes.length;) {
    const length = Math.min(1 + random(24), bytes.length - at);
    if (pure || random(3) === 0) for (let i = 0; i < length; i++) bytes[at + i] = random(256);
    else {
      const from = 4096 + random(12_000);
      bytes.set(real.subarray(from, from + length), at);
    }
    at += length;
  }
  return bytes;
}
/** Descriptor tables whose handlers step over what faulted, so that random code gets further than its first exception. */
function comfort(machine: Machine): void {
  const { engine } = machine;
  const idt = new DataView(new ArrayBuffer(256 * 8));
  for (let vector = 0; vector < 256; vector++) {
    const hasError = vector === 8 || (vector >= 10 && vector <= 14) || vector === 17;
    idt.setUint32(vector * 8, (8 << 16) | (hasError ? 0x2010 : 0x2000), true);
    idt.setUint32(vector * 8 + 4, 0x0011_8e00, true);
  }
  engine.writePhysical(0x110000, new Uint8Array(idt.buffer));
  const gdt = new DataView(new ArrayBuffer(32));
  gdt.setBigUint64(8, 0x00cf9b000000ffffn, true);
  gdt.setBigUint64(16, 0x00cf93000000ffffn, true);
  gdt.setBigUint64(24, 0x00af9b000000ffffn, true);
  engine.writePhysical(0x111000, new Uint8Array(gdt.buffer));
  // inc dword [esp]; iret -- and with an error code: add esp, 4; inc dword [esp]; iret
  engine.writePhysical(0x112000, Uint8Array.of(0xff, 0x04, 0x24, 0xcf));
  engine.writePhysical(0x112010, Uint8Array.of(0x83, 0xc4, 0x04, 0xff, 0x04, 0x24, 0xcf));
  engine.select(0);
  engine.vcpu().idtr.base = 0x110000n;
  engine.vcpu().idtr.limit = 0x7ff;
  engine.vcpu().gdtr.base = 0x111000n;
  engine.vcpu().gdtr.limit = 31;
  engine.vcpu().rsp = 0x180000n;
}
/** Puts the vCPU somewhere odd: privilege, mode, tables, pending events. */
function shake(machine: Machine, random: Random): void {
  const { engine } = machine;
  engine.select(0);
  for (let register = 0; register < 16; register++) {
    if (random(2) === 0) engine.vcpu().setRegs(register, BigInt(random(0x200000)));
  }
  if (random(2) === 0) engine.vcpu().idtr.base = BigInt(0x100000 + random(CODE_SIZE));
  if (random(2) === 0) engine.vcpu().idtr.limit = random(0x10000);
  if (random(2) === 0) engine.vcpu().gdtr.base = BigInt(0x100000 + random(CODE_SIZE));
  if (random(2) === 0) engine.vcpu().gdtr.limit = random(0x10000);
  if (random(2) === 0) engine.system.setRflags(BigInt(random(2 ** 22) & 0x3f7fd7) | 2n);
  engine.system.updateMode();
  engine.attend(0, L.ATTENTION_EVENT);
}

test('random machine code', { timeout: 300_000 }, async () => {
  const modules = await loadEngineModules();
  const real = new Uint8Array(readFileSync(new URL('../../guests/smp/smp32.elf', import.meta.url)));
  const seed = campaignSeed(4711);
  const guests = Number(process.env['GUESTS'] ?? 40);
  console.log(`seed ${seed}`);
  const stops = new Map<string, number>();
  for (let i = 0; i < guests; i++) {
    const run = (slice: number): { digest: string; kind: string; instructions: bigint } => {
      const random = randomOf(seed, i);
      const machine = new Machine(modules, { cpus: 2, memorySize: 4 << 20, quantum: 500 });
      loadMultiboot(machine.engine, { kernel: { name: 'random', bytes: kernel(random, real) } });
      comfort(machine);
      if (random(3) === 0) shake(machine, random);
      for (;;) {
        const left = TICKS - Number(machine.instructions);
        const stop = left <= 0 ? { kind: 'spent' } : machine.run(Math.min(slice, left));
        if (stop.kind === 'spent' && left > 0) continue;
        return { digest: machine.digest(), kind: stop.kind, instructions: machine.instructions };
      }
    };
    try {
      const whole = run(TICKS);
      assert.deepEqual(run(777), whole, 'in slices');
      stops.set(whole.kind, (stops.get(whole.kind) ?? 0) + 1);
    } catch (error) {
      throw new Error(`seed ${seed}, guest ${i}: ${error instanceof Error ? error.stack : String(error)}`, {
        cause: error,
      });
    }
  }
  console.log([...stops].map(([kind, count]) => `${kind} ${count}`).join(', '));
});

test('damaged snapshots give a typed error', async () => {
  const modules = await loadEngineModules();
  const make = (cpus: number): Machine => new Machine(modules, { cpus, memorySize: 4 << 20 });
  const machine = make(2);
  machine.writePhysical(0x1000n, Uint8Array.of(1, 2, 3));
  const snapshot = machine.save();
  const copy = make(2);
  copy.restore(snapshot);
  assert.equal(copy.digest(), machine.digest());
  assert.deepEqual(copy.save(), snapshot);
  assert.throws(
    () => make(3).restore(snapshot),
    (error) => error instanceof SnapshotError && error.code === 'mismatch',
  );
  const random = randomOf(5);
  for (let i = 0; i < 200; i++) {
    const cut = snapshot.slice(0, random(snapshot.length));
    assert.throws(() => copy.restore(cut), SnapshotError);
  }
  const longer = new Uint8Array(snapshot.length + 1);
  longer.set(snapshot);
  assert.throws(() => copy.restore(longer), SnapshotError);
});
