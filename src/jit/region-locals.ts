// The locals of a region's function: which state slots live in them, and where the temporaries begin.
import * as L from '../core/layout.ts';
import type { SlotAccess } from './evaluator.ts';
import { getLocal, I32, I64, type Rope, setLocal, unsignedLeb, V128 } from './rope.ts';

interface PromotedSlot {
  readonly address: number;
  readonly type: number;
  readonly local: number;
  /** Only the slow paths change it, so it is never stored back. */
  readonly readOnly: boolean;
}
const GENERAL_REGISTERS = 16;
const wide = [...Array.from({ length: GENERAL_REGISTERS }, (_, i) => L.REGS + 8 * i), L.F_ZERO, L.F_SIGN];
const narrow = [L.F_CF, L.F_LT, L.F_AF, L.TLB_BASE];

/** Local 0 is the parameter: the entry's index, later the dispatcher's. */
export const ENTRY = 0;
export const SLOTS: readonly PromotedSlot[] = [...wide, ...narrow].map((address, i) => ({
  address,
  type: i < wide.length ? I64 : I32,
  local: i + 1,
  readOnly: address === L.TLB_BASE,
}));
export const BUDGET = SLOTS.length + 1;
export const TARGET = BUDGET + 1;
const TEMPORARIES = 96;
const FIRST = TARGET + 1;

/** Local of a temporary. Throws when an instruction needs more than there are. */
export function temporary(type: number, index: number): number {
  if (index >= TEMPORARIES) throw new RangeError('an instruction needs too many temporaries');
  return FIRST + (type === V128 ? 2 : type === I64 ? 1 : 0) * TEMPORARIES + index;
}
/** Groups of locals behind the parameter, as the binary format wants them. */
export const LOCAL_GROUPS: readonly (readonly [number, number])[] = [
  [wide.length, I64],
  [narrow.length, I32],
  [2, I64],
  [TEMPORARIES, I32],
  [TEMPORARIES, I64],
  [TEMPORARIES, V128],
];

/** Which slots a region reads or writes: only those are loaded at its entry, only the written ones stored at its exits. */
export class SlotUse {
  readonly used = new Set<PromotedSlot>();
  readonly written = new Set<PromotedSlot>();

  /** The local for a byte of the state area. */
  access(address: number): SlotAccess | 'zero' | undefined {
    if (address >= L.ZERO && address < L.ZERO + 8) return 'zero';
    const slot = slotOfByte(address);
    if (slot === undefined) return undefined;
    const { used, written } = this;
    return {
      type: slot.type,
      shift: (address - slot.address) * 8,
      get(): Rope {
        used.add(slot);
        return getLocal(slot.local);
      },
      set(): Rope {
        used.add(slot);
        written.add(slot);
        return setLocal(slot.local);
      },
    };
  }
  load(): Rope {
    return [...this.used].map(({ type, address, local }) => [
      ...[0x41, 0, type === I64 ? 0x29 : 0x28, 0],
      ...unsignedLeb(address),
      ...setLocal(local),
    ]);
  }
  store(): Rope {
    return [...this.written]
      .filter(({ readOnly }) => !readOnly)
      .map(({ type, address, local }) => [
        0x41,
        0,
        getLocal(local),
        type === I64 ? 0x37 : 0x36,
        0,
        ...unsignedLeb(address),
      ]);
  }
}
/** Slots by the bytes that they cover, from L.STATE on. */
const slotsByByte: readonly (PromotedSlot | undefined)[] = (() => {
  const bytes: (PromotedSlot | undefined)[] = Array.from({ length: L.STATE_END - L.STATE });
  for (const slot of SLOTS) {
    const first = slot.address - L.STATE;
    bytes.fill(slot, first, first + (slot.type === I64 ? 8 : 4));
  }
  return bytes;
})();
const slotOfByte = (address: number): PromotedSlot | undefined => slotsByByte[address - L.STATE];
