// Regions: the blocks of one page that are reachable from its hot entries, as one WebAssembly function. A dispatcher loop
// enters blocks by number; jumps forward are direct branches. Exact by construction: a block takes its ticks when it starts,
// whatever has to leave gives back what has not run, and the entry's fetch mapping was checked by who calls the region.
import * as L from '../core/layout.ts';
import { Evaluator, type EvaluationContext } from './evaluator.ts';
import { BUDGET, ENTRY, LOCAL_GROUPS, SlotUse, TARGET, temporary } from './region-locals.ts';
import {
  block,
  branch,
  constant,
  getLocal,
  type Label,
  loop,
  regionModule,
  type Rope,
  setLocal,
  unsignedLeb,
  when,
} from './rope.ts';
import type { WasmModule } from './wasm-reader.ts';

const MAXIMUM_BLOCKS = 150;
const PAGE_MASK = 0xfffn;
export const ENTRY_TABLE_SIZE = 4096;

/** Looks a decoded block up (decoding it when needed); undefined when it may not be part of a region. */
export type BlockSource = (rip: bigint) => number | undefined;

interface RegionBlock {
  readonly rip: bigint;
  readonly header: number;
  readonly count: number;
  /** Records with the fall record that a block without a terminator has. */
  readonly records: number;
}
export interface Region {
  readonly bytes: Uint8Array;
  /** Block headers by entry index. */
  readonly headers: readonly number[];
  /** Offset in the page of each entry. */
  readonly offsets: readonly number[];
  readonly instructions: number;
}
/** Why instructions left regions at compile time: cause by count of places. */
export type LeaveCauses = Map<string, number>;

export class RegionBuilder {
  readonly causes: LeaveCauses = new Map();
  private readonly view: DataView;
  private readonly evaluator: Evaluator;
  private readonly blockAt: BlockSource;
  private slots = new SlotUse();
  // what the evaluator's context answers at the moment
  private onJump: (target: bigint) => Rope = () => [0x00];
  private onIndirect: (target: Rope) => Rope = () => [0x00];
  private onLeave: (cause: string) => Rope = () => [0x00];

  constructor(module: WasmModule, memory: DataView, blockAt: BlockSource) {
    this.view = memory;
    this.blockAt = blockAt;
    const arena = [memory.getUint32(L.CONFIG_ARENA, true), memory.getUint32(L.CONFIG_ARENA_END, true)] as const;
    const context: EvaluationContext = {
      isConstant: (address) =>
        (address >= arena[0] && address < arena[1]) || (address >= L.STACK16 && address < L.STACK64 + 16),
      slot: (address) => this.slots.access(address),
      isRip: (address) => address === L.RIP,
      jump: (target) => this.onJump(target),
      jumpIndirect: (target) => this.onIndirect(target),
      leave: (cause) => this.onLeave(cause),
      temporary,
    };
    this.evaluator = new Evaluator(module, memory, context);
  }

  /** Builds the region of a page; entryTable: address of its ENTRY_TABLE_SIZE bytes. undefined: nothing worth compiling. */
  build(entries: readonly bigint[], entryTable: number): Region | undefined {
    const blocks = this.discover(entries);
    if (blocks.length === 0) return undefined;
    const indices = new Map(blocks.map(({ rip }, i) => [rip, i]));
    this.slots = new SlotUse();
    const top: Label = { name: 'dispatcher' };
    const exit: Label = { name: 'exit' };
    const labels = blocks.map(({ rip }): Label => ({ name: rip.toString(16) }));
    const first = labels[0] ?? exit;
    // each block's code stands behind the end of its label's scope; the scopes nest around the dispatcher's table
    let body: Rope = [getLocal(ENTRY), { kind: 'table', labels: [...labels, first] }];
    let instructions = 0;
    blocks.forEach((current, i) => {
      const label = labels[i] ?? exit;
      const self: Label = { name: 'loop' };
      let loops = false;
      const goto = (target: bigint): Rope => {
        const to = indices.get(target);
        if (to === undefined) return [constant(BigInt.asIntN(64, target)), setLocal(TARGET), branch(exit)];
        if (to === i) {
          loops = true;
          return [branch(self)];
        }
        const forward = labels[to];
        if (to > i && forward !== undefined) return [branch(forward)];
        return [constant(to), setLocal(ENTRY), branch(top)];
      };
      const code = this.blockCode(current, goto, { top, exit, entryTable });
      // a block that jumps to itself is a native loop: V8 keeps its registers where they are
      body = [block(label, body), loops ? loop(self, code) : code];
      instructions += current.count;
    });
    const whole: Rope = [
      this.slots.load(),
      ...[0x41, 0, 0x29, 0, ...unsignedLeb(L.BUDGET)],
      setLocal(BUDGET),
      block(exit, [loop(top, [body, 0x00])]),
      this.slots.store(),
      ...[0x41, 0, getLocal(TARGET), 0x37, 0, ...unsignedLeb(L.RIP)],
      ...[0x41, 0, getLocal(BUDGET), 0x37, 0, ...unsignedLeb(L.BUDGET)],
    ];
    return {
      bytes: regionModule(LOCAL_GROUPS, whole),
      headers: blocks.map(({ header }) => header),
      offsets: blocks.map(({ rip }) => Number(rip & PAGE_MASK)),
      instructions,
    };
  }

  private record(header: number, index: number): number {
    return header + L.HEADER_SIZE + index * L.RECORD_SIZE;
  }
  private evaluate(record: number): Rope {
    return this.evaluator.instruction(this.view.getUint16(record + L.R_HANDLER, true), record);
  }

  /** Blocks of the entries' page that static jumps reach. */
  private discover(entries: readonly bigint[]): RegionBlock[] {
    const found = new Map<bigint, RegionBlock | undefined>();
    const todo = [...entries];
    const page = (entries[0] ?? 0n) & ~PAGE_MASK;
    let kept = 0;
    while (todo.length > 0 && kept < MAXIMUM_BLOCKS) {
      const rip = todo.pop();
      if (rip === undefined || (rip & ~PAGE_MASK) !== page || found.has(rip)) continue;
      const header = this.blockAt(rip);
      if (header === undefined) {
        found.set(rip, undefined);
        continue;
      }
      const count = this.view.getUint32(header + L.B_COUNT, true);
      const terminated = (this.view.getUint32(header + L.B_FLAGS, true) & L.BLOCK_TERMINATED) !== 0;
      const records = terminated ? count : count + 1;
      this.slots = new SlotUse();
      this.onJump = (target) => {
        todo.push(target);
        return [0x00];
      };
      this.onIndirect = () => [0x00];
      this.onLeave = () => [0x00];
      this.evaluate(this.record(header, 0));
      const leavesAtOnce = this.evaluator.ending === 'leaves';
      found.set(rip, leavesAtOnce ? undefined : { rip, header, count, records });
      if (leavesAtOnce) continue;
      kept++;
      const last = this.record(header, records - 1);
      if (records > 1) this.evaluate(last);
      if ((this.view.getUint16(last + L.R_ATTRIBUTES, true) & L.A_CALL) !== 0) {
        todo.push(this.view.getBigUint64(last + L.R_NEXT, true));
      }
    }
    return [...found.values()].filter((b) => b !== undefined).sort((a, b) => (a.rip < b.rip ? -1 : 1));
  }

  private blockCode(
    current: RegionBlock,
    goto: (target: bigint) => Rope,
    { top, exit, entryTable }: { readonly top: Label; readonly exit: Label; readonly entryTable: number },
  ): Rope {
    const { header, count, records } = current;
    const giveBack = (ticks: number): Rope =>
      ticks === 0 ? [] : [getLocal(BUDGET), constant(BigInt(ticks)), 0x7c, setLocal(BUDGET)];
    const exitAt = (rip: bigint): Rope => [constant(BigInt.asIntN(64, rip)), setLocal(TARGET), branch(exit)];
    const page = BigInt.asIntN(64, current.rip & ~PAGE_MASK);
    const out: Rope = [
      ...[getLocal(BUDGET), constant(BigInt(count)), 0x7d, 0x22, ...unsignedLeb(BUDGET), constant(0n), 0x53],
      when([giveBack(count), exitAt(current.rip)]),
    ];
    let rip = current.rip;
    let done = 0;
    this.onJump = goto;
    // the byte table says which entry a place in this page is, 0: none
    this.onIndirect = (target) => [
      ...[target, 0x22, ...unsignedLeb(TARGET), constant(page), 0x85, constant(12n), 0x88, 0x50],
      when([
        ...[getLocal(TARGET), 0xa7, constant(4095), 0x71, 0x2d, 0, ...unsignedLeb(entryTable), 0x22, ENTRY],
        when([getLocal(ENTRY), constant(1), 0x6b, setLocal(ENTRY), branch(top)]),
      ]),
      branch(exit),
    ];
    this.onLeave = (cause) => {
      this.causes.set(cause, (this.causes.get(cause) ?? 0) + 1);
      return [giveBack(count - done), ...[0x41, 0, 0x41, 1, 0x36, 0, ...unsignedLeb(L.REGION_LEFT)], exitAt(rip)];
    };
    for (let i = 0; i < records; i++) {
      const record = this.record(header, i);
      done = Math.min(i, count);
      out.push(this.evaluate(record));
      if (this.evaluator.ending !== 'falls') break;
      rip = this.view.getBigUint64(record + L.R_NEXT, true);
    }
    return out;
  }
}
