// A machine for tests of 32-bit protected mode: the tables of machine.ts, an IDT of its own, no paging; tasks and what enters
// virtual-8086 mode.
import * as L from '../../src/core/layout.ts';
import { Code } from './code.ts';
import { CODE, GDT, KERNEL_CODE32, KERNEL_DATA, Machine, STACK, TSS } from './machine.ts';

const IDT32 = 0x7000;

/** 32-bit protected mode without paging, at CPL 0. */
export function protectedMode(profile: 'intel' | 'amd' = 'intel'): Machine {
  const machine = new Machine({ profile });
  const { engine } = machine;
  engine.vcpu().efer = 0n;
  engine.vcpu().cr0 = 0x11n;
  engine.vcpu().cr4 = 0n;
  machine.setSegment(L.CS, KERNEL_CODE32, 0n, 0xffffffff, 0xc09b);
  engine.vcpu().idtr.base = BigInt(IDT32);
  machine.write64(TSS + 4, BigInt(STACK - 0x1000)); // ESP0
  machine.write64(TSS + 8, BigInt(KERNEL_DATA)); // SS0
  engine.system.resetTags();
  engine.system.updateMode();
  return machine;
}
/** An interrupt gate (type 14) to 32-bit kernel code. */
export function gate32(machine: Machine, vector: number, address: number, level: number, type = 14): void {
  const low = (address & 0xffff) | (KERNEL_CODE32 << 16);
  machine.write64(
    IDT32 + vector * 8,
    BigInt(low >>> 0) | (BigInt((address & 0xffff0000) | ((0x80 | (level << 5) | type) << 8)) << 32n),
  );
}

/** A second task: its TSS, its selector, and where it starts. */
export const SECOND_TSS = 0x8000;
export const SECOND_TASK = 0x78;
export const SECOND_CODE = CODE + 0xc00;
/** A task gate to it. */
export const TASK_GATE = 0x80;

/** Writes a 32-bit TSS for SECOND_CODE at CPL 0; flags are its EFLAGS, trap its T bit. */
export function addTask(machine: Machine, flags: number, trap: boolean): void {
  const tss = new Uint8Array(0x68);
  const view = new DataView(tss.buffer);
  view.setUint32(0x20, SECOND_CODE, true);
  view.setUint32(0x24, flags, true);
  view.setUint32(0x38, STACK - 0x2000, true);
  for (const at of [0x48, 0x50, 0x54, 0x58, 0x5c]) view.setUint16(at, KERNEL_DATA, true);
  view.setUint16(0x4c, KERNEL_CODE32, true);
  view.setUint16(0x64, trap ? 1 : 0, true);
  view.setUint16(0x66, 0x68, true);
  machine.write(SECOND_TSS, tss);
  machine.write64(GDT + SECOND_TASK, 0x0000890000000067n | (BigInt(SECOND_TSS) << 16n));
  machine.write64(GDT + TASK_GATE, (0xe500n << 32n) | (BigInt(SECOND_TASK) << 16n));
  // the running task needs a 32-bit TSS that is busy
  machine.write64(GDT + 0x30, 0x00008b0000000167n | (BigInt(TSS) << 16n));
}
/** ljmp selector:0. */
export const jumpToTask = (selector: number): string => `EA 00 00 00 00 ${selector.toString(16).padStart(2, '0')} 00`;
/** A program at CODE that ends in HLT. */
export function program32(machine: Machine, build: (code: Code) => void): Code {
  const code = new Code(CODE);
  build(code);
  machine.write(CODE, code.raw('F4').finish());
  return code;
}
