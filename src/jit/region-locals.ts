// The locals of a region's function: its parameter, the state slots that live in locals, and what the region keeps for itself.
import * as L from '../core/layout.ts';
import type { Code } from '../wasm/code.ts';
import type { Slot } from './evaluator.ts';
import { get, i32, i64, set } from '../wasm/expression.ts';
import { I32, I64 } from '../wasm/opcodes.ts';

const GENERAL_REGISTERS = 16;
const wide = [...Array.from({ length: GENERAL_REGISTERS }, (_, i) => L.REGS + 8 * i), L.F_ZERO, L.F_SIGN];
const narrow = [L.F_CF, L.F_LT, L.F_AF, L.TLB_BASE];
const slots: readonly Slot[] = [...wide, ...narrow].map((address, i) => ({
  address,
  type: i < wide.length ? I64 : I32,
  local: i + 1,
}));
/** The parameter: the entry's word, see entryWord; later the index of the entry that the dispatcher goes to. */
export const ENTRY = 0;
const OWN = slots.length + 1;
/** i64: ticks left. */
export const BUDGET = OWN;
/** i64: RIP at the region's end. */
export const TARGET = OWN + 1;
/** i32: REGION_LEFT << 8 | ticks that are given back. */
export const LEFT = OWN + 2;
/** i32: record of the instruction in front of which the region is left. */
export const RECORD = OWN + 3;
/** i32: bit set of the pages whose fetch mapping this run of the region has checked. */
export const CHECKED = OWN + 4;
/** i32 */
export const SCRATCH = OWN + 5;
/** Groups of locals behind the parameter, as the binary format wants them. */
export const LOCAL_GROUPS: readonly (readonly [number, number])[] = [
  [wide.length, I64],
  [narrow.length, I32],
  [2, I64],
  [4, I32],
];

/** Which slots a region reads or writes: only those are loaded at its entry, only the written ones stored at its end. */
export class SlotUse {
  private readonly used = new Set<Slot>();
  private readonly written = new Set<Slot>();

  clear(): void {
    this.used.clear();
    this.written.clear();
  }
  access(address: number, write: boolean): Slot | undefined {
    const slot = slotsByByte[address - L.STATE];
    if (slot === undefined) return undefined;
    this.used.add(slot);
    if (write) this.written.add(slot);
    return slot;
  }
  load(code: Code): void {
    for (const { type, address, local } of this.used) set(code, local, (type === I64 ? i64 : i32).load(address));
  }
  store(code: Code): void {
    for (const { type, address, local } of this.written) (type === I64 ? i64 : i32).store(code, address, get(local));
  }
}
/** Slots by the bytes that they cover, from L.STATE on. */
const slotsByByte: readonly (Slot | undefined)[] = (() => {
  const bytes: (Slot | undefined)[] = Array.from({ length: L.STATE_END - L.STATE });
  for (const slot of slots) {
    const first = slot.address - L.STATE;
    bytes.fill(slot, first, first + (slot.type === I64 ? 8 : 4));
  }
  return bytes;
})();
