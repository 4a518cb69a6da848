// Regions: blocks that static jumps and calls reach from hot entries, over a few pages, as one WebAssembly function.
// Exact by construction: a block takes its ticks when it starts, whatever has to leave gives back what has not run, and every
// way to another page checks that its code is still mapped there and still the code that was compiled.
import * as L from '../core/layout.ts';
import { type ByteBuffer, Code, type Place } from '../wasm/code.ts';
import { get, i64, set, tee, when } from '../wasm/expression.ts';
import type { WasmFunction, WasmModule } from '../wasm/reader.ts';
import { OP } from '../wasm/tree.ts';
import type { Blocks } from './blocks.ts';
import { Evaluator, type EvaluationContext } from './evaluator.ts';
import {
  type BackwardJump,
  entryWord,
  type Labels,
  type Parts,
  type RegionBlock,
  RegionFunction,
  type RegionPage,
  signed,
} from './region-function.ts';
import { BUDGET, LEFT, LOCAL_GROUPS, RECORD, SlotUse, TARGET } from './region-locals.ts';

/** V8's code gets worse, and its compile time jumps, from some 300 blocks a function on. */
const MAXIMUM_BLOCKS = 150;
const MAXIMUM_INSTRUCTIONS = 1500;
const MAXIMUM_PAGES = 4;
/** A block as SHORT as this that always leaves in front of an instruction as EARLY as that is cheaper to interpret than to enter. */
const [EARLY, SHORT] = [3, 8];
const PAGE_MASK = 0xfffn;
/** Slow paths of memory accesses: the next access of the same instruction may well be fast. */
const MEMORY_PATHS = new Set(['load', 'store', 'modify', 'loadVector', 'storeVector'].map((name) => `system.${name}`));

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
  /** Told of a block that is no entry of any region, since it would leave at once. */
  idle(header: number): void;
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
  private readonly function: RegionFunction;
  private found = new Map<bigint, RegionBlock>();
  private pages: RegionPage[] = [];
  private jumps: Jump[] = [];
  private reached: { readonly rip: bigint; readonly from: number; readonly entered: boolean }[] = [];
  private backward: BackwardJump[] = [];
  private labels: Labels = { top: 0, exit: 0, left: 0, indirect: 0 };
  private hasIndirect = false;
  // the instruction that is being evaluated
  private block: RegionBlock | undefined;
  private record = 0;
  private index = 0;
  private count = 0;

  constructor(module: WasmModule, blocks: Blocks, host: RegionHost) {
    this.blocks = blocks;
    this.host = host;
    this.function = new RegionFunction(this.code, this.slots, blocks.view, (bytes) => host.allocate(bytes));
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
        this.code.branch(this.labels.indirect);
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
    this.labels = { top: code.label(), exit: code.label(), left: code.label(), indirect: code.label() };
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
    const { pages, backward, jumps, labels, hasIndirect } = this;
    const parts: Parts = { blocks, entries, pages, backward, jumps, labels, hasIndirect };
    code.write(this.function.assemble(parts), 1, LOCAL_GROUPS, out);
    return {
      entries: entries
        .filter(({ idle }) => !idle)
        .map((entry) => ({ header: entry.header, word: entryWord(parts, entry) })),
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
    when(code, i64.ltS(tee(BUDGET, i64.sub(get(BUDGET), BigInt(this.count))), 0n), () => {
      set(code, LEFT, this.count);
      set(code, TARGET, signed(rip));
      code.branch(this.labels.left);
    });
    for (let i = 0; i < records; i++) {
      this.record = blocks.record(header, i);
      this.index = i;
      evaluator.instruction(blocks.view.getUint16(this.record + L.R_HANDLER, true), this.record);
      if (evaluator.ending === 'falls') continue;
      block.idle = i < EARLY && this.count <= SHORT && evaluator.ending === 'leaves';
      if (block.idle) this.host.idle(header);
      break;
    }
    const last = blocks.record(header, records - 1);
    if (!block.idle && (blocks.attributes(last) & L.A_CALL) !== 0) {
      this.reached.push({ rip: blocks.next(last), from: header, entered: true });
    }
    block.tail = code.place(); // behind whatever a jump's place gets
    return block;
  }
  private leave(cause: string): void {
    const { code } = this;
    const alone = MEMORY_PATHS.has(cause) ? 0 : L.LEFT_ALONE;
    const left = (this.host.causeNumber(cause) << L.LEFT_CAUSE) | alone | this.index;
    set(code, LEFT, (left << 8) | (this.count - Math.min(this.index, this.count)));
    set(code, RECORD, this.record);
    code.branch(this.labels.left);
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
      set(code, TARGET, signed(target));
      code.branch(this.labels.exit);
      return;
    }
    if (to === from) {
      from.self ||= code.label();
      code.branch(from.self);
      return;
    }
    const page = this.pages[to.page];
    if (page !== undefined && to.page !== from.page) this.function.checkPage(to.page, page, target, this.labels);
    if (target > from.rip) {
      code.branch(to.label);
      return;
    }
    const jump = code.place(); // the number is known when all entries are
    this.backward.push({ place: jump, from, to });
  }
}
