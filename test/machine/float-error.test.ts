// x87 exceptions while CR0.NE is clear: FERR#, IRQ 13 and port F0h (SDM 1 8.7.2).
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { EngineModules } from '../../src/core/engine.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { loadMultiboot } from '../../src/machine/boot/multiboot.ts';
import { Machine } from '../../src/machine/machine.ts';
import { bytesOf } from '../harness/bytes.ts';

let modules: EngineModules;
before(async () => {
  modules = await loadEngineModules();
});

const IDT = 0x5000;
const TABLES = 0x5800; // pseudo-descriptors, GDT, control words
const HANDLER = 0x6000;
const IRQ_13 = 0x2d;
const MF = 16;

const out = (port: number, value: number): string =>
  `B0 ${value.toString(16).padStart(2, '0')} E6 ${port.toString(16)}`;
const CLEAR = 'DB E2'; // fnclex
const FREE = out(0xf0, 0);
const END_OF_INTERRUPT = `${out(0xa0, 0x20)} ${out(0x20, 0x20)}`;
const SETUP = [
  'BC 00 00 08 00', // mov esp, 80000h
  '0F 01 1D 00 58 00 00', // lidt [5800h]
  '0F 01 15 08 58 00 00', // lgdt [5808h]
  ...[out(0x20, 0x11), out(0x21, 0x20), out(0x21, 4), out(0x21, 1), out(0x21, 0xfb)], // the cascade alone
  ...[out(0xa0, 0x11), out(0xa1, 0x28), out(0xa1, 2), out(0xa1, 1), out(0xa1, 0xdf)], // IRQ 13 alone
  '31 C9 FB', // xor ecx, ecx; sti
  'DB E3 D9 2D 30 58 00 00', // fninit; fldcw [5830h]
];
const DIVISION = 'D9 E8 D9 EE DE F9'; // fld1; fldz; fdivp
const EXIT = '88 C8 E6 F4'; // mov al, cl; out 0F4h, al

/** handler counts in CL; numericError: CR0.NE. */
function boot(code: readonly string[], handler: readonly string[], numericError = false): Machine {
  const machine = new Machine(modules, { cpus: 1, memorySize: 4 << 20 });
  const kernel = Buffer.alloc(0x1000);
  [0x1badb002, 0x10000, -(0x1badb002 + 0x10000), 0x100000, 0x100000, 0, 0, 0x100040].forEach((value, i) =>
    kernel.writeUInt32LE(value >>> 0, i * 4),
  );
  kernel.set(bytesOf([...SETUP, ...code, EXIT].join(' ')), 64);
  loadMultiboot(machine.engine, { kernel: { name: 'k', bytes: kernel } });
  const idt = Buffer.alloc(0x800);
  const gate = 0x8e00_0008_0000n; // 32-bit interrupt gate, selector 8
  for (const vector of [MF, IRQ_13]) idt.writeBigUInt64LE(gate | BigInt(HANDLER + vector * 0x40), vector * 8);
  machine.writePhysical(BigInt(IDT), idt);
  const tables = Buffer.alloc(0x40);
  tables.writeUInt16LE(0x7ff, 0);
  tables.writeUInt32LE(IDT, 2);
  tables.writeUInt16LE(0xf, 8);
  tables.writeUInt32LE(TABLES + 0x10, 10);
  tables.writeBigUInt64LE(0x00cf_9b00_0000_ffffn, 0x18); // flat code
  tables.writeUInt16LE(0x37b, 0x30); // ZM clear
  machine.writePhysical(BigInt(TABLES), tables);
  const handle = bytesOf(['FE C1', ...handler, 'CF'].join(' ')); // inc cl; ...; iret
  machine.writePhysical(BigInt(HANDLER + IRQ_13 * 0x40), handle);
  machine.writePhysical(BigInt(HANDLER + MF * 0x40), bytesOf(`80 C1 10 ${CLEAR} CF`)); // add cl, 10h
  const { engine } = machine;
  engine.vcpu().cr0 = (engine.vcpu().cr0 & ~0x2cn) | (numericError ? 0x20n : 0n);
  return machine;
}

test('the next waiting instruction waits for IRQ 13, whose handler lets it go on', () => {
  const machine = boot([DIVISION, 'D9 E8', DIVISION, '9B'], [CLEAR, FREE, END_OF_INTERRUPT]);
  assert.deepEqual(machine.run(10_000), { kind: 'exit', value: 2, status: 5 });
});
test('without a write to port F0h IRQ 13 does not fall, so that no second one comes', () => {
  const machine = boot([DIVISION, '9B', DIVISION, '9B'], [CLEAR, END_OF_INTERRUPT]);
  assert.deepEqual(machine.run(10_000), { kind: 'idle' });
  assert.equal(machine.engine.vcpu().rcx, 1n);
  const copy = boot([DIVISION, '9B', DIVISION, '9B'], [CLEAR, END_OF_INTERRUPT]);
  copy.restore(machine.save());
  assert.equal(copy.digest(), machine.digest());
});
test('behind the write to port F0h the handler may use instructions that wait, until it clears the exception', () => {
  const [use, wait] = ['D9 E8 DD D8', '9B']; // fld1; fstp st(0)
  const machine = boot([DIVISION, wait, DIVISION, wait], [FREE, use, wait, CLEAR, END_OF_INTERRUPT]);
  assert.deepEqual(machine.run(10_000), { kind: 'exit', value: 2, status: 5 });
  const early = boot([DIVISION, wait, DIVISION, wait], [use, FREE, CLEAR, END_OF_INTERRUPT]);
  assert.deepEqual(early.run(10_000), { kind: 'idle' }, 'not before');
  const late = boot([DIVISION, wait, DIVISION, wait], [CLEAR, FREE, END_OF_INTERRUPT]);
  assert.deepEqual(late.run(10_000), { kind: 'exit', value: 2, status: 5 }, 'nor when nothing is pending');
});
test('while interrupts are off the instruction waits', () => {
  const machine = boot([DIVISION, 'FA 9B'], [CLEAR, FREE, END_OF_INTERRUPT]);
  assert.deepEqual(machine.run(10_000), { kind: 'idle' });
  assert.equal(machine.engine.vcpu().rcx, 0n);
});
test('with CR0.NE it is #MF, and no IRQ 13', () => {
  const machine = boot([DIVISION, '9B'], [CLEAR, FREE, END_OF_INTERRUPT], true);
  assert.deepEqual(machine.run(10_000), { kind: 'exit', value: 0x10, status: 0x21 });
});
