// The state of vCPU 0 at a kernel's first instruction, as the boot protocols ask for it.
import * as L from '../../core/layout.ts';
import type { Engine } from '../../core/engine.ts';
import type { MemoryWrite } from './boot-file.ts';

/** Copies what a loader planned into RAM. */
export function writeMemory(engine: Engine, writes: readonly MemoryWrite[]): void {
  for (const { physical, data, memorySize } of writes) {
    const target = engine.ramView(physical, memorySize);
    target.set(data);
    target.fill(0, data.length);
    engine.system.physicalWritten(physical, memorySize);
  }
}

// segment attributes (SDM 3A figure 3-8, bits 8-23 of the second double word): G, P, S, type
const CODE_32 = 0xc09b;
const CODE_64 = 0xa09b;
const DATA = 0xc093;
const TASK = 0x8b;
const CR0_PE = 0x11n; // and ET
const CR0_PG = 1n << 31n;
const CR4_PAE = 1n << 5n;
const EFER_LONG = 0x500n; // LME, LMA

function segment(engine: Engine, slot: number, attributes: number, selector: number, limit = 0xffff_ffff): void {
  engine.set64(slot, 0n);
  engine.set32(slot + 8, limit);
  engine.set32(slot + 12, attributes);
  engine.set32(slot + 16, selector);
}
function clear(engine: Engine): void {
  engine.select(0);
  for (let register = L.REGS; register < L.REGS + 128; register += 8) engine.set64(register, 0n);
  engine.set64(L.RFLAGS, 2n);
  engine.set32(L.CPL, 0);
  for (const table of [L.GDTR, L.IDTR]) {
    engine.set64(table, 0n);
    engine.set32(table + 8, 0);
  }
  engine.set32(L.ACTIVITY, 0);
}
function begin(engine: Engine, entry: number): void {
  engine.set64(L.RIP, BigInt(entry));
  engine.system.updateMode();
  engine.attend(0, L.ATTENTION_EVENT);
}

/**
 * 32-bit protected mode with flat segments, no paging and interrupts off (Multiboot 3.2; PVH, "x86/HVM direct boot ABI").
 * Neither descriptor table may be relied on.
 */
export function enterProtectedMode(
  engine: Engine,
  state: { readonly entry: number; readonly rax?: number; readonly rbx: number },
): void {
  clear(engine);
  segment(engine, L.CS, CODE_32, 0x08);
  for (const slot of [L.DS, L.ES, L.FS, L.GS, L.SS]) segment(engine, slot, DATA, 0x10);
  segment(engine, L.TR, TASK, 0, 0x67);
  engine.set64(L.RAX, BigInt(state.rax ?? 0));
  engine.set64(L.RBX, BigInt(state.rbx));
  engine.set64(L.CR0, CR0_PE);
  begin(engine, state.entry);
}

/**
 * 64-bit mode with identity-mapped memory and interrupts off, and the two selectors of Linux's 64-bit boot protocol
 * (Documentation/x86/boot.rst): __BOOT_CS 10h, __BOOT_DS 18h.
 */
export function enterLongMode(
  engine: Engine,
  state: {
    readonly entry: number;
    readonly rsi: number;
    readonly pageTables: number;
    readonly gdt: number;
    readonly gdtSize: number;
  },
): void {
  clear(engine);
  segment(engine, L.CS, CODE_64, 0x10);
  for (const slot of [L.DS, L.ES, L.SS]) segment(engine, slot, DATA, 0x18);
  for (const slot of [L.FS, L.GS]) segment(engine, slot, DATA, 0x18);
  engine.set64(L.GDTR, BigInt(state.gdt));
  engine.set32(L.GDTR + 8, state.gdtSize - 1);
  engine.set64(L.RSI, BigInt(state.rsi));
  engine.set64(L.CR3, BigInt(state.pageTables));
  engine.set64(L.CR4, CR4_PAE);
  engine.set64(L.EFER, EFER_LONG);
  engine.set64(L.CR0, CR0_PE | CR0_PG);
  begin(engine, state.entry);
}
