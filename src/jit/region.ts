// Regions: blocks that static jumps and calls reach from hot entries, over a few pages, as one WebAssembly function. A
// dispatcher loop enters blocks by number; jumps forward are direct branches, a block that jumps to itself is a native loop.
// Exact by construction: a block takes its ticks when it starts, whatever has to leave gives back what has not run, and every
// way to another page checks that its code is still mapped there and still the code that was compiled.
import * as L from '../core/layout.ts';
import type { Blocks } from './blocks.ts';
import { type ByteBuffer, Code, type Label, type Place } from './code.ts';
import { Evaluator, type EvaluationContext } from './evaluator.ts';
import { BUDGET, CHECKED, ENTRY, LEFT, LOCAL_GROUPS, RECORD, SCRATCH, SlotUse, TARGET } from './region-locals.ts';
import { OP } from './tree.ts';
import { I32 } from './wasm-opcodes.ts';
import type { WasmFunction, WasmModule } from './wasm-reader.ts';

/** V8's code gets worse, and its compile time jumps, from some 300 blocks a function on. */
const MAXIMUM_BLOCKS = 150;
const MAXIMUM_INSTRUCTIONS = 1500;
const MAXIMUM_PAGES = 4;
const PAGE_MASK = 0xfffn;
/** Bytes of a slot in a region's table of jump targets: u64 RIP, u32 entry word, u32 frame, u32 block header. */
const TARGET_SLOT = 32;
const NO_TARGET = 1n << 63n; // not canonical: no jump goes there
/** Multipliers that are tried until no two entries of a region meet in its table. */
const MULTIPLIERS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1, 0x21f0aaad, 0x735a2d97, 0xd168aaad];
/** Slow paths of memory accesses: the next access of the same instruction may well be fast. */
const MEMORY_PATHS = new Set(['load', 'store', 'modify', 'loadVector', 'storeVector'].map((name) => `system.${name}`));

interface RegionBlock {
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
interface RegionPage {
  readonly linear: bigint;
  readonly frame: number;
  /** Header of one of its blocks: all blocks of a page are dropped together. */
  readonly header: number;
}
/** A static jump; its code is made when it is known which blocks the region has. */
interface Jump {
  readonly place: Place;
  readonly from: RegionBlock;
  readonly target: bigint;
}
export interface Region {
  /** Blocks that can be entered, with the entry word that the region's function takes. */
  readonly entries: readonly { readonly header: number; readonly word: number }[];
  /** Headers of all blocks. */
  readonly headers: readonly number[];
  readonly instructions: number;
}
export interface RegionHost {
  /** Whether a block that can be reached belongs into the region. */
  include(header: number): boolean;
  /** Whether a root has to be an entry even where the region's own jumps reach it. */
  forced(header: number): boolean;
  /** Reserves bytes of linear memory for the region's table of jump targets. */
  allocate(bytes: number): number;
  /** Number of a cause for leaving, 1 to L.EXIT_CAUSES - 1. */
  causeNumber(cause: string): number;
  callable(name: string, callee: WasmFunction): number | undefined;
}

export class RegionBuilder {
  private readonly code = new Code();
  private readonly slots = new SlotUse();
  private readonly blocks: Blocks;
  private readonly host: RegionHost;
  private readonly evaluator: Evaluator;
  private found = new Map<bigint, RegionBlock>();
  private pages: RegionPage[] = [];
  private jumps: Jump[] = [];
  private reached: { readonly rip: bigint; readonly from: number; readonly entered: boolean }[] = [];
  private top: Label = 0;
  private exit: Label = 0;
  private left: Label = 0;
  private indirect: Label = 0;
  private hasIndirect = false;
  // the instruction that is being evaluated
  private block: RegionBlock | undefined;
  private record = 0;
  private index = 0;
  private count = 0;

  constructor(module: WasmModule, blocks: Blocks, host: RegionHost) {
    this.blocks = blocks;
    this.host = host;
    const arena = blocks.u32(L.CONFIG_ARENA);
    const arenaEnd = blocks.u32(L.CONFIG_ARENA_END);
    const context: EvaluationContext = {
      code: this.code,
      isConstant: (address) =>
        (address >= arena && address < arenaEnd) || (address >= L.STACK16 && address < L.STACK64 + 16),
      slot: (address, write) => this.slots.access(address, write),
      isZero: (address) => address >= L.ZERO && address < L.ZERO + 8,
      isRip: (address) => address === L.RIP,
      jump: (target) => this.jump(target),
      jumpIndirect: () => {
        this.hasIndirect = true;
        this.code.emit(OP.localSet, TARGET);
        this.code.branch(this.indirect);
      },
      leave: (cause) => this.leave(cause),
      callable: (name, callee) => host.callable(name, callee),
    };
    this.evaluator = new Evaluator(module, blocks.view, context);
  }

  /** Writes the function of the region that the roots (block headers) begin. undefined: there is nothing worth compiling. */
  build(roots: readonly number[], out: ByteBuffer): Region | undefined {
    const { code } = this;
    code.clear();
    this.slots.clear();
    [this.top, this.exit, this.left, this.indirect] = [code.label(), code.label(), code.label(), code.label()];
    this.hasIndirect = false;
    [this.found, this.pages, this.jumps, this.reached, this.backward] = [new Map(), [], [], [], []];
    const instructions = this.discover(roots);
    const targets = new Set(this.reached.map(({ rip }) => rip));
    for (const header of roots) {
      const block = this.found.get(this.blocks.linear(header));
      if (block !== undefined && !targets.has(block.rip)) block.entered = true;
    }
    const blocks = [...this.found.values()].sort((a, b) => (a.rip < b.rip ? -1 : 1));
    if (blocks.every(({ idle }) => idle)) return undefined;
    for (const jump of this.jumps) this.writeJump(jump);
    const entries = blocks.filter(({ entered }) => entered);
    const words = new Map(entries.map((b, i) => [b, this.pages.length > 1 ? i | (1 << (16 + b.page)) : i]));
    const head = this.assemble(blocks, entries, words);
    code.write(head, 1, LOCAL_GROUPS, out);
    return {
      entries: entries.filter(({ idle }) => !idle).map((b) => ({ header: b.header, word: words.get(b) ?? 0 })),
      headers: blocks.map(({ header }) => header),
      instructions,
    };
  }

  // ---- blocks ----------------------------------------------------------------------------------------------------------
  /** Evaluates the blocks that are reached, each once; answers how many instructions they have. */
  private discover(roots: readonly number[]): number {
    let instructions = 0;
    let kept = 0;
    const add = (rip: bigint, header: number, entered: boolean): void => {
      const known = this.found.get(rip);
      if (known !== undefined) {
        known.entered ||= entered;
        return;
      }
      const page = this.pageOf(rip, header);
      if (page < 0) return;
      const block = this.evaluateBlock(rip, header, page, entered);
      instructions += this.blocks.count(header);
      kept++;
      this.found.set(rip, block);
    };
    for (const header of roots) {
      if (kept >= MAXIMUM_BLOCKS || instructions >= MAXIMUM_INSTRUCTIONS) break;
      if (this.blocks.compilable(header)) add(this.blocks.linear(header), header, this.host.forced(header));
    }
    for (let i = 0; i < this.reached.length; i++) {
      const reached = this.reached[i];
      if (reached === undefined) continue;
      const { rip, from, entered } = reached;
      const known = this.found.get(rip);
      // a full region takes no more blocks, but what is in it still has to become an entry where it is jumped back to
      if (known !== undefined) known.entered ||= entered;
      else if (kept < MAXIMUM_BLOCKS && instructions < MAXIMUM_INSTRUCTIONS) {
        const header = this.blocks.find(rip, from);
        if (header !== 0 && this.blocks.compilable(header) && this.host.include(header)) add(rip, header, entered);
      }
    }
    return instructions;
  }
  /** Number of a block's page in this region, -1: it would be one too many, or another frame than the region has there. */
  private pageOf(rip: bigint, header: number): number {
    const linear = rip & ~PAGE_MASK;
    const frame = this.blocks.u32(header + L.B_FRAME);
    const known = this.pages.findIndex((page) => page.linear === linear);
    if (known >= 0) return this.pages[known]?.frame === frame ? known : -1;
    if (this.pages.length === MAXIMUM_PAGES) return -1;
    return this.pages.push({ linear, frame, header }) - 1;
  }
  private evaluateBlock(rip: bigint, header: number, page: number, entered: boolean): RegionBlock {
    const { code, blocks, evaluator } = this;
    const head = code.begin();
    const block = { rip, header, page, label: code.label(), head, tail: head, idle: false, entered, self: 0 };
    const records = blocks.records(header);
    this.block = block;
    this.count = blocks.count(header);
    code.emit(OP.localGet, BUDGET);
    code.constant(BigInt(this.count));
    code.emit(0x7d);
    code.emit(OP.localTee, BUDGET);
    code.constant(0n);
    code.emit(0x53);
    code.open(OP.if);
    code.constant(this.count);
    code.emit(OP.localSet, LEFT);
    this.target(rip);
    code.branch(this.left);
    code.close();
    for (let i = 0; i < records; i++) {
      this.record = blocks.record(header, i);
      this.index = i;
      evaluator.instruction(blocks.view.getUint16(this.record + L.R_HANDLER, true), this.record);
      if (evaluator.ending === 'falls') continue;
      block.idle = i === 0 && evaluator.ending === 'leaves';
      break;
    }
    const last = blocks.record(header, records - 1);
    if (!block.idle && (blocks.attributes(last) & L.A_CALL) !== 0) {
      this.reached.push({ rip: blocks.next(last), from: header, entered: true });
    }
    block.tail = code.place(); // behind whatever a jump's place gets
    return block;
  }
  private target(rip: bigint): void {
    this.code.constant(BigInt.asIntN(64, rip));
    this.code.emit(OP.localSet, TARGET);
  }
  private leave(cause: string): void {
    const { code } = this;
    const alone = MEMORY_PATHS.has(cause) ? 0 : L.LEFT_ALONE;
    const left = (this.host.causeNumber(cause) << L.LEFT_CAUSE) | alone | this.index;
    code.constant((left << 8) | (this.count - Math.min(this.index, this.count)));
    code.emit(OP.localSet, LEFT);
    code.constant(this.record);
    code.emit(OP.localSet, RECORD);
    code.branch(this.left);
  }

  // ---- jumps -----------------------------------------------------------------------------------------------------------
  private jump(target: bigint): void {
    const from = this.block;
    if (from === undefined) throw new Error('internal error: no block');
    this.jumps.push({ place: this.code.place(), from, target });
    // a place that is jumped back to has to be an entry: a run that ends in the loop goes on there
    this.reached.push({ rip: target, from: from.header, entered: target <= from.rip });
  }
  private writeJump({ place, from, target }: Jump): void {
    const { code } = this;
    code.goTo(place);
    const to = this.found.get(target);
    if (to === undefined) {
      this.target(target);
      code.branch(this.exit);
      return;
    }
    if (to === from) {
      from.self ||= code.label();
      code.branch(from.self);
      return;
    }
    if (to.page !== from.page) this.checkPage(to.page, target);
    if (target > from.rip) {
      code.branch(to.label);
      return;
    }
    const jump = code.place(); // the number is known when all entries are
    this.backward.push({ place: jump, from, to });
  }
  private backward: { readonly place: Place; readonly from: RegionBlock; readonly to: RegionBlock }[] = [];
  /** In front of a jump to another page: unless this run has done so, checks what the run loop's lookup would check. */
  private checkPage(page: number, target: bigint): void {
    const { code } = this;
    const { linear, frame, header } = this.pages[page] ?? { linear: 0n, frame: 0, header: 0 };
    const tag = Number(BigInt.asUintN(32, linear >> 12n) & BigInt(L.TLB_ENTRIES - 1)) * L.TLB_ENTRY;
    const tlb = this.slots.access(L.TLB_BASE, false)?.local;
    code.emit(OP.localGet, CHECKED);
    code.constant(1 << page);
    code.emit(0x71);
    code.emit(0x45);
    code.open(OP.if);
    code.emit(OP.localGet, tlb);
    code.memory(0x29, tag + L.T_FETCH);
    code.constant(BigInt.asIntN(64, linear));
    code.emit(0x52);
    code.emit(OP.localGet, tlb);
    code.memory(0x28, tag + L.T_FRAME);
    code.constant(frame);
    code.emit(0x47);
    code.emit(0x72);
    code.constant(0);
    code.memory(0x28, header + L.B_FLAGS);
    code.constant(L.BLOCK_DROPPED);
    code.emit(0x71);
    code.emit(0x72);
    code.open(OP.if);
    this.target(target);
    code.branch(this.exit);
    code.close();
    code.emit(OP.localGet, CHECKED);
    code.constant(1 << page);
    code.emit(0x72);
    code.emit(OP.localSet, CHECKED);
    code.close();
  }

  // ---- the function ----------------------------------------------------------------------------------------------------
  private assemble(
    blocks: readonly RegionBlock[],
    entries: readonly RegionBlock[],
    words: ReadonlyMap<RegionBlock, number>,
  ): Place {
    const { code } = this;
    const numbers = new Map(entries.map((b, i) => [b, i]));
    const loops = this.nativeLoops(blocks);
    for (const { place, from, to } of this.backward) {
      code.goTo(place);
      const loop = loops.get(to);
      if (loop !== undefined && blocks.indexOf(from) <= loop.last) {
        code.branch(loop.label);
        continue;
      }
      const number = numbers.get(to);
      if (number === undefined) throw new Error('internal error: a place that is jumped back to is no entry');
      code.constant(number);
      code.emit(OP.localSet, ENTRY);
      code.branch(this.top);
    }
    const manyPages = this.pages.length > 1;
    if (this.hasIndirect && manyPages) this.slots.access(L.TLB_BASE, false);
    const head = code.begin();
    this.slots.load(code);
    code.constant(0);
    code.memory(0x29, L.BUDGET);
    code.emit(OP.localSet, BUDGET);
    if (manyPages) this.splitWord();
    code.open(OP.block, 0x40, this.exit);
    code.open(OP.loop, 0x40, this.top);
    code.open(OP.block, 0x40, this.left);
    code.open(OP.block, 0x40, this.indirect);
    // each block's code stands behind the end of its label's scope; the scopes nest around the dispatcher's table
    const inLoop = new Set(
      [...loops].flatMap(([first, { last }]) => blocks.slice(blocks.indexOf(first) + 1, last + 1)),
    );
    for (const block of blocks.toReversed()) if (!inLoop.has(block)) code.open(OP.block, 0x40, block.label);
    code.emit(OP.localGet, ENTRY);
    const labels = entries.map(({ label }) => label);
    code.branchTable([...labels, labels[0] ?? this.exit]);
    const ends = new Map([...loops.values()].map(({ last }) => [blocks[last], true]));
    blocks.forEach((block, i) => {
      code.close();
      const loop = loops.get(block);
      if (loop !== undefined) {
        code.open(OP.loop, 0x40, loop.label);
        for (const inner of blocks.slice(i + 1, loop.last + 1).toReversed()) code.open(OP.block, 0x40, inner.label);
      }
      if (block.self !== 0) code.open(OP.loop, 0x40, block.self);
      code.append(block.head, block.tail);
      if (block.self !== 0) code.close();
      if (ends.has(block)) code.close();
    });
    code.emit(OP.unreachable);
    code.close();
    if (this.hasIndirect) this.dispatchIndirect(entries, words);
    code.branch(this.exit);
    code.close();
    this.storeLeft();
    code.branch(this.exit);
    code.close();
    code.close();
    this.slots.store(code);
    code.constant(0);
    code.emit(OP.localGet, TARGET);
    code.memory(0x37, L.RIP);
    code.constant(0);
    code.emit(OP.localGet, BUDGET);
    code.memory(0x37, L.BUDGET);
    return head;
  }
  /**
   * Loops that can be native: contiguous blocks that are entered at the first alone. By first block, the last one's number;
   * they do not nest, the innermost is taken.
   */
  private nativeLoops(
    blocks: readonly RegionBlock[],
  ): Map<RegionBlock, { readonly last: number; readonly label: Label }> {
    const numbers = new Map(blocks.map((b, i) => [b, i]));
    const number = (b: RegionBlock | undefined): number => (b === undefined ? -1 : (numbers.get(b) ?? -1));
    const candidates = new Map<number, number>();
    for (const { from, to } of this.backward) {
      candidates.set(number(to), Math.max(candidates.get(number(to)) ?? 0, number(from)));
    }
    const loops = new Map<RegionBlock, { readonly last: number; readonly label: Label }>();
    const inwards = [...candidates].sort(([a], [b]) => b - a);
    let begin = blocks.length;
    for (const [first, last] of inwards) {
      const head = blocks[first];
      if (head === undefined || last >= begin) continue;
      const inside = (i: number): boolean => i > first && i <= last;
      if (blocks.some((b, i) => inside(i) && b.entered)) continue;
      const jumpedInto = this.jumps.some(({ from, target }) => {
        const to = this.found.get(target);
        return inside(number(to)) && !(number(from) >= first && number(from) <= last);
      });
      if (jumpedInto) continue;
      loops.set(head, { last, label: this.code.label() });
      begin = first;
    }
    return loops;
  }
  /** Entry word: the entry's number, and the bit of its page, which the caller has checked. */
  private splitWord(): void {
    const { code } = this;
    code.emit(OP.localGet, CHECKED);
    code.emit(OP.localGet, ENTRY);
    code.constant(16);
    code.emit(0x76);
    code.emit(0x72);
    code.emit(OP.localSet, CHECKED);
    code.emit(OP.localGet, ENTRY);
    code.constant(0xffff);
    code.emit(0x71);
    code.emit(OP.localSet, ENTRY);
  }
  private storeLeft(): void {
    const { code } = this;
    code.emit(OP.localGet, BUDGET);
    code.emit(OP.localGet, LEFT);
    code.constant(0xff);
    code.emit(0x71);
    code.emit(0xad);
    code.emit(0x7c);
    code.emit(OP.localSet, BUDGET);
    code.constant(0);
    code.emit(OP.localGet, LEFT);
    code.constant(8);
    code.emit(0x76);
    code.memory(0x36, L.REGION_LEFT);
    code.constant(0);
    code.emit(OP.localGet, RECORD);
    code.memory(0x36, L.REGION_RECORD);
  }
  /** TARGET is a computed RIP: looks it up in the region's table of entries, and goes there when its page is what it was. */
  private dispatchIndirect(entries: readonly RegionBlock[], words: ReadonlyMap<RegionBlock, number>): void {
    const { code } = this;
    const bits = Math.max(3, 33 - Math.clz32(entries.length));
    const slotOf = (rip: bigint, multiplier: number): number =>
      Math.imul(Number(BigInt.asUintN(32, rip)), multiplier) >>> (32 - bits);
    const collisions = (multiplier: number): number =>
      entries.length - new Set(entries.map(({ rip }) => slotOf(rip, multiplier))).size;
    const multiplier = MULTIPLIERS.reduce((best, other) => (collisions(other) < collisions(best) ? other : best));
    const table = this.host.allocate(TARGET_SLOT << bits);
    const { view } = this.blocks;
    for (let i = 0; i < 1 << bits; i++) view.setBigUint64(table + i * TARGET_SLOT, NO_TARGET, true);
    for (const entry of entries) {
      const slot = table + slotOf(entry.rip, multiplier) * TARGET_SLOT;
      view.setBigUint64(slot, entry.rip, true);
      view.setUint32(slot + 8, words.get(entry) ?? 0, true);
      view.setUint32(slot + 12, this.pages[entry.page]?.frame ?? 0, true);
      view.setUint32(slot + 16, this.pages[entry.page]?.header ?? 0, true);
    }
    code.emit(OP.localGet, TARGET);
    code.emit(0xa7);
    code.constant(multiplier | 0);
    code.emit(0x6c);
    code.constant(32 - bits);
    code.emit(0x76);
    code.constant(5);
    code.emit(0x74);
    code.emit(OP.localTee, SCRATCH);
    code.memory(0x29, table);
    code.emit(OP.localGet, TARGET);
    code.emit(0x52);
    code.open(OP.if);
    code.branch(this.exit);
    code.close();
    code.emit(OP.localGet, SCRATCH);
    code.memory(0x28, table + 8);
    code.emit(OP.localSet, ENTRY);
    if (this.pages.length > 1) {
      code.emit(OP.localGet, CHECKED);
      code.emit(OP.localGet, ENTRY);
      code.constant(16);
      code.emit(0x76);
      code.emit(0x71);
      code.emit(0x45);
      code.open(OP.if);
      this.checkTarget(table);
      code.close();
      this.splitWord();
    }
    code.branch(this.top);
  }
  /** The checks of checkPage for the page of TARGET, with what the table's slot says of it. */
  private checkTarget(table: number): void {
    const { code } = this;
    code.emit(OP.localGet, this.slots.access(L.TLB_BASE, false)?.local);
    code.emit(OP.localGet, TARGET);
    code.constant(12n);
    code.emit(0x88);
    code.emit(0xa7);
    code.constant(L.TLB_ENTRIES - 1);
    code.emit(0x71);
    code.constant(5);
    code.emit(0x74);
    code.emit(0x6a);
    const entry = code.temporary(I32);
    code.emit(OP.localTee, entry);
    code.memory(0x29, L.T_FETCH);
    code.emit(OP.localGet, TARGET);
    code.constant(~PAGE_MASK);
    code.emit(0x83);
    code.emit(0x52);
    code.emit(OP.localGet, entry);
    code.memory(0x28, L.T_FRAME);
    code.emit(OP.localGet, SCRATCH);
    code.memory(0x28, table + 12);
    code.emit(0x47);
    code.emit(0x72);
    code.emit(OP.localGet, SCRATCH);
    code.memory(0x28, table + 16);
    code.memory(0x28, L.B_FLAGS);
    code.constant(L.BLOCK_DROPPED);
    code.emit(0x71);
    code.emit(0x72);
    code.open(OP.if);
    code.branch(this.exit);
    code.close();
  }
}
