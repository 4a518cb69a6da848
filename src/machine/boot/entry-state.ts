// The state of vCPU 0 at a kernel's first instruction, as the boot protocols ask for it.
import type { Engine } from '../../core/engine.ts';
import type { SegmentRegister, StateArea } from '../../core/state-area.generated.ts';
import { ACTIVITY_ACTIVE, ATTENTION_EVENT } from '../../core/state-values.ts';
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

const GENERAL_REGISTERS = 16;

function load(segment: SegmentRegister, attributes: number, selector: number, limit = 0xffff_ffff): void {
  segment.base = 0n;
  segment.limit = limit;
  segment.attributes = attributes;
  segment.selector = selector;
}
/** Selects vCPU 0 and clears what every protocol wants clear. */
function clear(engine: Engine): StateArea {
  engine.select(0);
  const state = engine.vcpu(0);
  for (let register = 0; register < GENERAL_REGISTERS; register++) state.setRegs(register, 0n);
  state.rflags = 2n;
  state.cpl = 0;
  for (const table of [state.gdtr, state.idtr]) {
    table.base = 0n;
    table.limit = 0;
  }
  state.activity = ACTIVITY_ACTIVE;
  return state;
}
function begin(engine: Engine, entry: number): void {
  engine.vcpu(0).rip = BigInt(entry);
  engine.system.updateMode();
  engine.attend(0, ATTENTION_EVENT);
}

/**
 * 32-bit protected mode with flat segments, no paging and interrupts off (Multiboot 3.2; PVH, "x86/HVM direct boot ABI").
 * Neither descriptor table may be relied on.
 */
export function enterProtectedMode(
  engine: Engine,
  wanted: { readonly entry: number; readonly rax?: number; readonly rbx: number; readonly rsp?: number },
): void {
  const state = clear(engine);
  load(state.cs, CODE_32, 0x08);
  for (const segment of [state.ds, state.es, state.fs, state.gs, state.ss]) load(segment, DATA, 0x10);
  load(state.tr, TASK, 0, 0x67);
  state.rax = BigInt(wanted.rax ?? 0);
  state.rbx = BigInt(wanted.rbx);
  state.rsp = BigInt(wanted.rsp ?? 0);
  state.cr0 = CR0_PE;
  begin(engine, wanted.entry);
}

/**
 * 64-bit mode with identity-mapped memory and interrupts off, and the two selectors of Linux's 64-bit boot protocol
 * (Documentation/x86/boot.rst): __BOOT_CS 10h, __BOOT_DS 18h.
 */
export function enterLongMode(
  engine: Engine,
  wanted: {
    readonly entry: number;
    readonly rsi: number;
    readonly pageTables: number;
    readonly gdt: number;
    readonly gdtSize: number;
  },
): void {
  const state = clear(engine);
  load(state.cs, CODE_64, 0x10);
  for (const segment of [state.ds, state.es, state.ss, state.fs, state.gs]) load(segment, DATA, 0x18);
  state.gdtr.base = BigInt(wanted.gdt);
  state.gdtr.limit = wanted.gdtSize - 1;
  state.rsi = BigInt(wanted.rsi);
  state.cr3 = BigInt(wanted.pageTables);
  state.cr4 = CR4_PAE;
  state.efer = EFER_LONG;
  state.cr0 = CR0_PE | CR0_PG;
  begin(engine, wanted.entry);
}
