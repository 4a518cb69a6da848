// The two formats of a task-state segment (SDM 3A 8.2.1, 8.6): saving the running task, reading the incoming one.
import * as L from '../../../layout';
import { probeWrite, readLinear, writeLinear } from '../memory/mmu';
import { segmentSlot, selectorOf } from '../memory/segments';

/** Smallest limits of a usable TSS. */
export const LIMIT32: u32 = 0x67, LIMIT16: u32 = 0x2b;

// what readTask() leaves in TASK_STATE: u32 each
export const TASK_RIP: usize = L.TASK_STATE;
export const TASK_FLAGS: usize = L.TASK_STATE + 4;
export const TASK_REGISTERS: usize = L.TASK_STATE + 8; // eight, in the encoding's order
export const TASK_SEGMENTS: usize = L.TASK_STATE + 40; // six selectors, in the encoding's order
export const TASK_LDT: usize = L.TASK_STATE + 64;
export const TASK_CR3: usize = L.TASK_STATE + 68;
export const TASK_TRAP: usize = L.TASK_STATE + 72;

@inline function field(base: u64, offset: u32, size: u32): u32 {
  return <u32>readLinear((base + offset) & 0xffffffff, size, 0);
}
@inline function keep(at: usize, value: u32): void { store<u32>(at, value); }

/**
 * Reads every field that a switch to this TSS loads. 16-bit tasks have neither FS, GS nor CR3, nor upper register
 * halves.
 */
export function readTask(base: u64, wide: bool): void {
  let size: u32 = wide ? 4 : 2;
  keep(TASK_RIP, field(base, wide ? 0x20 : 0x0e, size));
  keep(TASK_FLAGS, field(base, wide ? 0x24 : 0x10, size));
  for (let i: u32 = 0; i < 8; i++)
    keep(TASK_REGISTERS + (<usize>i << 2), field(base, (wide ? 0x28 : 0x12) + i * size, size));
  for (let i: u32 = 0; i < 6; i++)
    keep(TASK_SEGMENTS + (<usize>i << 2), wide || i < 4 ? field(base, (wide ? 0x48 : 0x22) + i * size, 2) : 0);
  keep(TASK_LDT, field(base, wide ? 0x60 : 0x2a, 2));
  keep(TASK_CR3, wide ? field(base, 0x1c, 4) : 0);
  keep(TASK_TRAP, wide ? field(base, 0x64, 2) & 1 : 0);
}
/** Asks whether saveTask() can write: all of its faults come here. */
export function probeTask(base: u64, wide: bool): void {
  if (wide) probeWrite((base + 0x20) & 0xffffffff, 0x40, 0); else probeWrite((base + 0x0e) & 0xffffffff, 0x1c, 0);
}
/** Saves the running task; CR3 and LDTR are static fields and are not written. */
export function saveTask(base: u64, wide: bool, rip: u64, flags: u64): void {
  let size: u32 = wide ? 4 : 2;
  put(base, wide ? 0x20 : 0x0e, size, rip);
  put(base, wide ? 0x24 : 0x10, size, flags);
  for (let i: u32 = 0; i < 8; i++)
    put(base, (wide ? 0x28 : 0x12) + i * size, size, load<u64>(L.REGS + (<usize>i << 3)));
  for (let i: u32 = 0; i < <u32>(wide ? 6 : 4); i++)
    put(base, (wide ? 0x48 : 0x22) + i * size, 2, selectorOf(segmentSlot(i)));
}
function put(base: u64, offset: u32, size: u32, value: u64): void {
  writeLinear((base + offset) & 0xffffffff, size, size == 2 ? value & 0xffff : value & 0xffffffff, 0);
}
