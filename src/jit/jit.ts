// The region cache: which pages are hot, which regions are compiled, and when they go.
import * as L from '../core/layout.ts';
import { ENTRY_TABLE_SIZE, type Region, RegionBuilder } from './region.ts';
import { readModule } from './wasm-reader.ts';

export interface JitStatistics {
  readonly regions: number;
  readonly modules: number;
  /** Instructions that were translated. */
  readonly instructions: number;
  /** Time spent on translation and module creation, as `now` tells; V8's own compilation comes later and is not in it. */
  readonly compileMs: number;
  /** Places in the translated code where a region is left, by cause. */
  readonly exits: Readonly<Record<string, number>>;
  /** Handlers that cannot be specialised, with the reason. */
  readonly failures: Readonly<Record<string, number>>;
}
export interface JitHost {
  readonly memory: WebAssembly.Memory;
  /** core.wasm's function table: regions are entered by call_indirect. */
  readonly table: WebAssembly.Table;
  /** Header of the block at a RIP of the selected vCPU's code, decoded when needed; 0: it cannot be fetched. */
  blockAt(rip: bigint): number;
}
export interface JitOptions {
  /** Milliseconds, for statistics only (the guest never sees them); absent: no times. */
  readonly now?: (() => number) | undefined;
  /** Live modules before all regions are evicted, at most MAXIMUM_MODULES; tests make it small. */
  readonly maximumModules?: number;
}
interface Page {
  readonly entries: Set<bigint>;
  translations: number;
  /** Hot blocks reported since the last translation. */
  reports: number;
}
/** Executions after which a block is worth its translation: see bench/. */
export const HOT_THRESHOLD = 500;
/** More live modules than this and all regions go: V8 aborts the process at some 30,000. */
const MAXIMUM_MODULES = 1000;
const MAXIMUM_PATIENCE = 64;
const NO_FRAME = 0xffffffff;

export class Jit {
  private readonly host: JitHost;
  private readonly view: DataView;
  private readonly builder: RegionBuilder;
  private readonly pages = new Map<bigint, Page>();
  private readonly failures = new Map<string, number>();
  private readonly tables: number;
  private generation = 0;
  private modules = 0;
  private regions = 0;
  private instructions = 0;
  private compileMs = 0;
  private readonly now: () => number;
  private readonly maximumModules: number;
  /** Table slots of ours, used again after an eviction: what the table holds stays alive. */
  private readonly slots: number[] = [];

  constructor(coreBytes: Uint8Array, host: JitHost, { now, maximumModules }: JitOptions = {}) {
    this.host = host;
    this.now = now ?? (() => 0);
    this.maximumModules = Math.min(maximumModules ?? MAXIMUM_MODULES, MAXIMUM_MODULES);
    this.view = new DataView(host.memory.buffer);
    this.tables = this.view.getUint32(L.CONFIG_ENTRY_TABLES, true);
    this.builder = new RegionBuilder(readModule(coreBytes), this.view, (rip) => this.compilable(rip));
  }

  /** A block became hot. Called by the run loop; the block may be gone when it returns. */
  hot(header: number): void {
    const flags = this.view.getUint32(header + L.B_FLAGS, true);
    const mode = this.view.getUint32(header + L.B_MODE, true);
    if ((mode & L.MODE_FLAT) === 0 || (flags & (L.BLOCK_GUARD | L.BLOCK_DROPPED)) !== 0) return;
    this.forgetAfterFlush();
    const rip = this.view.getBigUint64(header + L.B_LINEAR, true);
    const key = (rip >> 12n) * 64n + BigInt(mode & 63) + (BigInt(this.view.getUint32(header + L.B_FRAME, true)) << 64n);
    const page = this.pages.get(key) ?? { entries: new Set(), translations: 0, reports: 0 };
    this.pages.set(key, page);
    page.entries.add(rip);
    page.reports++;
    // The n-th translation of a page takes n reports (up to a bound): else a page with many entries, or one that the guest
    // writes to again and again, would cost more to translate than it ever gives back.
    if (page.reports < Math.min(page.translations, MAXIMUM_PATIENCE)) {
      this.view.setUint32(header + L.B_HOT, 0, true);
      return;
    }
    page.reports = 0;
    page.translations++;
    const started = this.now();
    this.translate([...page.entries]);
    this.compileMs += this.now() - started;
  }

  private forgetAfterFlush(): void {
    const generation = this.view.getUint32(L.CODE_GENERATION, true);
    if (generation === this.generation) return;
    this.generation = generation;
    this.pages.clear();
  }
  /** Blocks that may be inside a region: in RAM, on one page, without a breakpoint's guard. */
  private compilable(rip: bigint): number | undefined {
    const header = this.host.blockAt(rip);
    if (header === 0) return undefined;
    const flags = this.view.getUint32(header + L.B_FLAGS, true);
    const crosses = this.view.getUint32(header + L.B_FRAME2, true) !== NO_FRAME;
    const cached = header >= this.view.getUint32(L.CONFIG_ARENA, true);
    return crosses || !cached || (flags & L.BLOCK_GUARD) !== 0 ? undefined : header;
  }
  private translate(entries: readonly bigint[]): void {
    if (this.modules >= this.maximumModules) {
      this.evictAll(); // hot blocks report themselves again
      return;
    }
    const entryTable = this.tables + this.modules * ENTRY_TABLE_SIZE;
    let region: Region | undefined;
    try {
      region = this.builder.build(entries, entryTable);
    } catch (error) {
      this.fail(error);
      return;
    }
    // decoding a block may have flushed the arena: then the headers are not the ones that were compiled
    if (region === undefined || this.view.getUint32(L.CODE_GENERATION, true) !== this.generation) return;
    let instance: WebAssembly.Instance;
    try {
      // the copy gives the module a buffer of its own type
      const module = new WebAssembly.Module(new Uint8Array(region.bytes));
      instance = new WebAssembly.Instance(module, { e: { m: this.host.memory } });
    } catch (error) {
      this.fail(error);
      return;
    }
    const index = (this.slots[this.modules] ??= this.host.table.grow(1));
    this.host.table.set(index, instance.exports['region']);
    this.modules++;
    this.regions++;
    this.instructions += region.instructions;
    new Uint8Array(this.host.memory.buffer, entryTable, ENTRY_TABLE_SIZE).fill(0);
    region.headers.forEach((header, i) => {
      this.view.setUint32(header + L.B_JIT, index, true);
      this.view.setUint32(header + L.B_JIT_ENTRY, i, true);
      const offset = region.offsets[i];
      if (offset !== undefined && i < 255) this.view.setUint8(entryTable + offset, i + 1);
    });
  }
  private fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
  }
  /**
   * Drops every region, and lets V8 collect the modules. The blocks forget theirs in the flush that the run loop makes before
   * it looks up the next one; no region is running when a block is reported as hot.
   */
  private evictAll(): void {
    this.view.setUint32(L.FLUSH_REQUEST, 1, true);
    for (const slot of this.slots) this.host.table.set(slot, null);
    this.modules = 0;
    this.pages.clear();
  }

  statistics(): JitStatistics {
    return {
      regions: this.regions,
      modules: this.modules,
      instructions: this.instructions,
      compileMs: Math.round(this.compileMs),
      exits: Object.fromEntries(this.builder.causes),
      failures: Object.fromEntries(this.failures),
    };
  }
}
