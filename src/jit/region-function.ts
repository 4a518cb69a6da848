// The WebAssembly function of a region: a dispatcher loop that enters blocks by number, around the blocks' code in the order
// of their addresses. Jumps forward are direct branches, contiguous blocks with one entry are native loops.
import * as L from '../core/layout.ts';
import type { Code, Label, Place } from '../wasm/code.ts';
import { type Expression, get, i32, i64, set, tee, when } from '../wasm/expression.ts';
import { I32, VOID } from '../wasm/opcodes.ts';
import { OP } from '../wasm/tree.ts';
import { BUDGET, CHECKED, ENTRY, LEFT, RECORD, SCRATCH, type SlotUse, TARGET } from './region-locals.ts';

const PAGE_MASK = 0xfffn;
/** Bytes of a slot in a region's table of jump targets: u64 RIP, u32 entry word, u32 frame, u32 block header. */
const TARGET_SLOT = 32;
const NO_TARGET = 1n << 63n; // not canonical: no jump goes there
/** Multipliers that are tried until no two entries of a region meet in its table. */
const MULTIPLIERS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1, 0x21f0aaad, 0x735a2d97, 0xd168aaad];

export interface RegionBlock {
  readonly rip: bigint;
  readonly header: number;
  readonly page: number;
  readonly label: Label;
  readonly head: Place;
  tail: Place;
  /** Its first instruction always leaves: entering it would gain nothing. */
  idle: boolean;
  /** The dispatcher may go there. */
  entered: boolean;
  /** Label of the native loop around it. */
  self: Label;
}
export interface RegionPage {
  readonly linear: bigint;
  readonly frame: number;
  /** Header of one of its blocks: all blocks of a page are dropped together. */
  readonly header: number;
}
/** A jump to a block at the same or a lower address; its code is made when it is known which blocks are entries. */
export interface BackwardJump {
  readonly place: Place;
  readonly from: RegionBlock;
  readonly to: RegionBlock;
}
/** Where blocks branch to when they leave: */
export interface Labels {
  /** the dispatcher, with the entry's number in ENTRY, */
  readonly top: Label;
  /** the end of the region, with RIP in TARGET, */
  readonly exit: Label;
  /** the same with REGION_LEFT and the ticks to give back in LEFT, the record in RECORD, */
  readonly left: Label;
  /** and the search for the entry at a computed RIP in TARGET. */
  readonly indirect: Label;
}
export interface Parts {
  /** By address. */
  readonly blocks: readonly RegionBlock[];
  readonly entries: readonly RegionBlock[];
  readonly pages: readonly RegionPage[];
  readonly backward: readonly BackwardJump[];
  /** From where each block is jumped to. */
  readonly jumps: readonly { readonly from: RegionBlock; readonly target: bigint }[];
  readonly labels: Labels;
  readonly hasIndirect: boolean;
}
interface NativeLoop {
  readonly last: number;
  readonly label: Label;
}

export const signed = (rip: bigint): bigint => BigInt.asIntN(64, rip);
/** What the region's function takes to enter there: the entry's number and, if pages are checked, the bit of its page. */
export const entryWord = ({ entries, pages }: Pick<Parts, 'entries' | 'pages'>, entry: RegionBlock): number =>
  entries.indexOf(entry) | (pages.length > 1 ? 1 << (16 + entry.page) : 0);

/** Whether a page is not mapped as it was any more, or its blocks were dropped. tag: of the TLB entry, from base on. */
function isStale(base: Expression, tag: number, linear: Expression, frame: Expression, flags: Expression): Expression {
  const elsewhere = i64.ne(i64.load(tag + L.T_FETCH, base), linear);
  const otherFrame = i32.ne(i32.load(tag + L.T_FRAME, base), frame);
  return i32.or(i32.or(elsewhere, otherFrame), i32.and(flags, L.BLOCK_DROPPED));
}

export class RegionFunction {
  private readonly code: Code;
  private readonly slots: SlotUse;
  private readonly view: DataView;
  private readonly allocate: (bytes: number) => number;

  /** allocate: reserves bytes of linear memory for the region's table of jump targets. */
  constructor(code: Code, slots: SlotUse, view: DataView, allocate: (bytes: number) => number) {
    this.code = code;
    this.slots = slots;
    this.view = view;
    this.allocate = allocate;
  }

  /** In front of a jump to another page: unless this run has done so, checks what the run loop's lookup would check. */
  checkPage(number: number, { linear, frame, header }: RegionPage, target: bigint, { exit }: Labels): void {
    const { code } = this;
    const tag = Number(BigInt.asUintN(32, linear >> 12n) & BigInt(L.TLB_ENTRIES - 1)) * L.TLB_ENTRY;
    when(code, i32.eqz(i32.and(get(CHECKED), 1 << number)), () => {
      const flags = i32.load(header + L.B_FLAGS);
      when(code, isStale(this.tlb(), tag, signed(linear), frame, flags), () => {
        set(code, TARGET, signed(target));
        code.branch(exit);
      });
      set(code, CHECKED, i32.or(get(CHECKED), 1 << number));
    });
  }
  private tlb(): Expression {
    const slot = this.slots.access(L.TLB_BASE, false);
    if (slot === undefined) throw new Error('internal error: the TLB has no slot');
    return get(slot.local);
  }

  /** Puts the function together from the blocks' code; answers its head. */
  assemble(parts: Parts): Place {
    const { code } = this;
    const { blocks, entries, labels } = parts;
    const loops = this.nativeLoops(parts);
    this.jumpBack(parts, loops);
    const manyPages = parts.pages.length > 1;
    if (parts.hasIndirect && manyPages) this.tlb(); // loaded at the entry
    const head = code.begin();
    this.slots.load(code);
    set(code, BUDGET, i64.load(L.BUDGET));
    if (manyPages) this.splitWord();
    code.open(OP.block, VOID, labels.exit);
    code.open(OP.loop, VOID, labels.top);
    code.open(OP.block, VOID, labels.left);
    code.open(OP.block, VOID, labels.indirect);
    this.dispatch(blocks, entries, loops, labels);
    code.close();
    if (parts.hasIndirect) this.dispatchIndirect(parts);
    code.branch(labels.exit);
    code.close();
    set(code, BUDGET, i64.add(get(BUDGET), i64.extendU(i32.and(get(LEFT), 0xff))));
    i32.store(code, L.REGION_LEFT, i32.shrU(get(LEFT), 8));
    i32.store(code, L.REGION_RECORD, get(RECORD));
    code.branch(labels.exit);
    code.close();
    code.close();
    this.slots.store(code);
    i64.store(code, L.RIP, get(TARGET));
    i64.store(code, L.BUDGET, get(BUDGET));
    return head;
  }
  private jumpBack({ blocks, entries, backward, labels }: Parts, loops: ReadonlyMap<RegionBlock, NativeLoop>): void {
    const { code } = this;
    for (const { place, from, to } of backward) {
      code.goTo(place);
      const loop = loops.get(to);
      if (loop !== undefined && blocks.indexOf(from) <= loop.last) {
        code.branch(loop.label);
        continue;
      }
      const number = entries.indexOf(to);
      if (number < 0) throw new Error('internal error: a place that is jumped back to is no entry');
      set(code, ENTRY, number);
      code.branch(labels.top);
    }
  }
  /** Each block's code stands behind the end of its label's scope; the scopes nest around the dispatcher's table. */
  private dispatch(
    blocks: readonly RegionBlock[],
    entries: readonly RegionBlock[],
    loops: ReadonlyMap<RegionBlock, NativeLoop>,
    { exit }: Labels,
  ): void {
    const { code } = this;
    const open = (some: readonly RegionBlock[]): void => {
      for (const { label } of some.toReversed()) code.open(OP.block, VOID, label);
    };
    const inside = [...loops].flatMap(([first, { last }]) => blocks.slice(blocks.indexOf(first) + 1, last + 1));
    const inLoop = new Set(inside);
    open(blocks.filter((block) => !inLoop.has(block)));
    code.emit(OP.localGet, ENTRY);
    const numbered = entries.map(({ label }) => label);
    code.branchTable([...numbered, numbered[0] ?? exit]);
    const ends = new Set([...loops.values()].map(({ last }) => blocks[last]));
    blocks.forEach((block, i) => {
      code.close();
      const loop = loops.get(block);
      if (loop !== undefined) {
        code.open(OP.loop, VOID, loop.label);
        open(blocks.slice(i + 1, loop.last + 1));
      }
      if (block.self !== 0) code.open(OP.loop, VOID, block.self);
      code.append(block.head, block.tail);
      if (block.self !== 0) code.close();
      if (ends.has(block)) code.close();
    });
    code.emit(OP.unreachable);
  }
  /**
   * Loops that can be native: contiguous blocks that are entered at the first alone. By first block, the last one's number;
   * they do not nest, the innermost is taken.
   */
  private nativeLoops({ blocks, backward, jumps }: Parts): Map<RegionBlock, NativeLoop> {
    const numbers = new Map(blocks.map((block, i) => [block.rip, i]));
    const number = (rip: bigint): number => numbers.get(rip) ?? -1;
    const candidates = new Map<number, number>();
    for (const { from, to } of backward) {
      candidates.set(number(to.rip), Math.max(candidates.get(number(to.rip)) ?? 0, number(from.rip)));
    }
    const loops = new Map<RegionBlock, NativeLoop>();
    let begin = blocks.length;
    for (const [first, last] of [...candidates].sort(([a], [b]) => b - a)) {
      const head = blocks[first];
      if (head === undefined || last >= begin) continue;
      const inside = (i: number): boolean => i > first && i <= last;
      if (blocks.some((block, i) => inside(i) && block.entered)) continue;
      const jumpedInto = jumps.some(({ from, target }) => {
        const source = number(from.rip);
        return inside(number(target)) && !(source >= first && source <= last);
      });
      if (jumpedInto) continue;
      loops.set(head, { last, label: this.code.label() });
      begin = first;
    }
    return loops;
  }
  /** ENTRY holds an entry word, whose page the caller has checked. */
  private splitWord(): void {
    const { code } = this;
    set(code, CHECKED, i32.or(get(CHECKED), i32.shrU(get(ENTRY), 16)));
    set(code, ENTRY, i32.and(get(ENTRY), 0xffff));
  }

  // ---- computed jumps --------------------------------------------------------------------------------------------------
  /** Looks TARGET up in the region's table of entries, and goes there when its page is what it was. */
  private dispatchIndirect(parts: Parts): void {
    const { code } = this;
    const { labels } = parts;
    const { table, bits, multiplier } = this.writeTable(parts);
    const hash = i32.shrU(i32.mul(i32.wrap(get(TARGET)), multiplier | 0), 32 - bits);
    const slot = i32.shl(hash, Math.log2(TARGET_SLOT));
    when(code, i64.ne(i64.load(table, tee(SCRATCH, slot)), get(TARGET)), () => code.branch(labels.exit));
    set(code, ENTRY, i32.load(table + 8, get(SCRATCH)));
    if (parts.pages.length > 1) {
      const checked = i32.and(get(CHECKED), i32.shrU(get(ENTRY), 16));
      when(code, i32.eqz(checked), () => this.checkTarget(table, labels));
      this.splitWord();
    }
    code.branch(labels.top);
  }
  private writeTable({ entries, pages }: Parts): { table: number; bits: number; multiplier: number } {
    const { view } = this;
    const bits = Math.max(3, 33 - Math.clz32(entries.length));
    const slotOf = (rip: bigint, multiplier: number): number =>
      Math.imul(Number(BigInt.asUintN(32, rip)), multiplier) >>> (32 - bits);
    const collisions = (multiplier: number): number =>
      entries.length - new Set(entries.map(({ rip }) => slotOf(rip, multiplier))).size;
    const multiplier = MULTIPLIERS.reduce((best, other) => (collisions(other) < collisions(best) ? other : best));
    const table = this.allocate(TARGET_SLOT << bits);
    for (let i = 0; i < 1 << bits; i++) view.setBigUint64(table + i * TARGET_SLOT, NO_TARGET, true);
    for (const entry of entries) {
      const slot = table + slotOf(entry.rip, multiplier) * TARGET_SLOT;
      view.setBigUint64(slot, entry.rip, true);
      view.setUint32(slot + 8, entryWord({ entries, pages }, entry), true);
      view.setUint32(slot + 12, pages[entry.page]?.frame ?? 0, true);
      view.setUint32(slot + 16, pages[entry.page]?.header ?? 0, true);
    }
    return { table, bits, multiplier };
  }
  /** The checks of checkPage for the page of TARGET, with what the table's slot says of it. */
  private checkTarget(table: number, { exit }: Labels): void {
    const { code } = this;
    const entry = code.temporary(I32);
    const index = i32.and(i32.wrap(i64.shrU(get(TARGET), 12n)), L.TLB_ENTRIES - 1);
    set(code, entry, i32.add(this.tlb(), i32.shl(index, Math.log2(L.TLB_ENTRY))));
    const frame = i32.load(table + 12, get(SCRATCH));
    const flags = i32.load(L.B_FLAGS, i32.load(table + 16, get(SCRATCH)));
    const stale = isStale(get(entry), 0, i64.and(get(TARGET), ~PAGE_MASK), frame, flags);
    when(code, stale, () => code.branch(exit));
  }
}
