// The region cache: which blocks are hot, which regions are compiled, and when they go.
import * as L from '../core/layout.ts';
import { Blocks } from './blocks.ts';
import { ByteBuffer } from '../wasm/code.ts';
import { I32 } from '../wasm/opcodes.ts';
import { type Region, RegionBuilder } from './region.ts';
import { readModule, type WasmFunction } from '../wasm/reader.ts';
import { type ImportedFunction, writeModule } from '../wasm/writer.ts';

export interface JitStatistics {
  /** Regions that were compiled, and the modules that hold those which are still alive. */
  readonly regions: number;
  readonly modules: number;
  /** Instructions that were translated, and bytes of WebAssembly that became of them. */
  readonly instructions: number;
  readonly bytes: number;
  /** Time spent on translation and module creation, as `now` tells; V8's own compilation comes later and is not in it. */
  readonly compileMs: number;
  /** How often running regions ended, by cause. */
  readonly exits: Readonly<Record<string, number>>;
  /** Regions that V8 refused or that could not be built, by reason: their blocks stay interpreted. */
  readonly failures: Readonly<Record<string, number>>;
}
export interface JitHost {
  readonly memory: WebAssembly.Memory;
  /** core.wasm's function table: regions are entered by call_indirect. */
  readonly table: WebAssembly.Table;
  /** Pure functions that handlers import from "softfloat": regions call them. */
  readonly softfloat: WebAssembly.ModuleImports;
}
export interface JitOptions {
  /** Milliseconds, for statistics only (the guest never sees them); absent: no times. */
  readonly now?: (() => number) | undefined;
  /** Live modules before the oldest are evicted, at most MAXIMUM_MODULES; tests make it small. */
  readonly maximumModules?: number;
  /** Hot blocks that wait for a module together; 1: each is compiled at once, before it runs again. */
  readonly batch?: number;
  /** Makes a module, as V8 does; tests refuse some. */
  readonly compile?: (bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Module;
  /** Told of a region that could not be built or was refused, once for each reason. */
  readonly refused?: ((reason: string) => void) | undefined;
}
/** Hot blocks of a page; regions of it begin at all of them. */
interface Page {
  readonly entries: Set<number>;
  translations: number;
  /** Reports since the last translation. */
  reports: number;
}
interface CompiledModule {
  /** Slots of the function table, one for each region. */
  readonly slots: readonly number[];
  readonly headers: readonly number[];
  /** Where its tables of jump targets begin in the ring. */
  readonly ringStart: number;
}
/** A region takes its entry word. */
const REGION = { parameters: [I32], results: [] };
/** Executions after which a block is worth its translation: see bench/. */
export const HOT_THRESHOLD = 10_000;
/** V8 aborts the process at some 30,000 live modules. */
const MAXIMUM_MODULES = 2000;
/** Hot blocks that wait for a module together. One that is reported again while it waits ends the wait. */
const DEFAULT_BATCH = 32;
const MAXIMUM_PATIENCE = 64;
/** Regions that a block of another page is copied into, at most. */
const MAXIMUM_COPIES = 4;
/** A block that was executed this fraction of the threshold is warm enough to be translated with its neighbours. */
const WARM = 8;

export class Jit {
  private readonly host: JitHost;
  private readonly blocks: Blocks;
  private readonly builder: RegionBuilder;
  private readonly pages = new Map<bigint, Page>();
  private readonly waiting = new Map<number, Page>();
  /** How many regions hold a block that was hot or was compiled. */
  private readonly copies = new Map<number, number>();
  /** Blocks that are inside of a region, and yet were interpreted often: they have to be entries. */
  private readonly forced = new Set<number>();
  private readonly live: CompiledModule[] = [];
  private readonly freeSlots: number[] = [];
  private readonly causes: string[] = ['elsewhere'];
  private readonly failures = new Map<string, number>();
  /** Blocks that stay interpreted: no region that begins at them can be had, or it would be left at once. */
  private readonly refused = new Set<number>();
  private readonly maximumModules: number;
  private readonly batch: number;
  private readonly now: () => number;
  private readonly compile: (bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Module;
  private readonly onRefused: (reason: string) => void;
  // of the module that is being made
  private imports: ImportedFunction[] = [];
  /** Bytes of jump target tables that were ever allocated; the ring position is the remainder. */
  private ring = 0;
  private generation = 0;
  private regions = 0;
  private instructions = 0;
  private bytes = 0;
  private compileMs = 0;

  constructor(coreBytes: Uint8Array, host: JitHost, options: JitOptions = {}) {
    const { maximumModules, batch = DEFAULT_BATCH } = options;
    this.host = host;
    this.now = options.now ?? (() => 0);
    this.compile = options.compile ?? ((bytes) => new WebAssembly.Module(bytes));
    this.onRefused = options.refused ?? (() => undefined);
    this.batch = batch;
    this.maximumModules = Math.min(maximumModules ?? MAXIMUM_MODULES, MAXIMUM_MODULES);
    this.blocks = new Blocks(new DataView(host.memory.buffer));
    this.builder = new RegionBuilder(readModule(coreBytes), this.blocks, {
      include: (header) => this.include(header),
      idle: (header) => this.refused.add(header),
      forced: (header) => this.forced.has(header),
      allocate: (bytes) => this.allocate(bytes),
      causeNumber: (cause) => this.causeNumber(cause),
      callable: (name, callee) => this.callable(name, callee),
    });
  }

  /** A block became hot. Called by the run loop, while no region runs. */
  hot(header: number): void {
    if (!this.blocks.compilable(header)) return;
    this.forgetAfterFlush();
    if (this.refused.has(header)) return; // its count goes on, so it does not report itself again
    const page = this.pageOf(header);
    page.entries.add(header);
    page.reports++;
    const again = this.waiting.has(header);
    this.waiting.set(header, page);
    const copies = this.copies.get(header);
    if (copies === undefined) this.copies.set(header, 0);
    else if (copies > 0 && !again) this.forced.add(header);
    // the block reports itself again after as many executions
    this.blocks.view.setUint32(header + L.B_HOT, 0, true);
    if (!again && this.waiting.size < this.batch) return;
    this.compileMs -= this.now();
    this.compileWaiting();
    this.compileMs += this.now();
  }
  private pageOf(header: number): Page {
    const mode = BigInt(this.blocks.u32(header + L.B_MODE) & 63);
    const frame = BigInt(this.blocks.u32(header + L.B_FRAME));
    const key = ((frame << 52n) | (this.blocks.linear(header) >> 12n)) * 64n + mode;
    let page = this.pages.get(key);
    if (page === undefined) this.pages.set(key, (page = { entries: new Set(), translations: 0, reports: 0 }));
    return page;
  }
  /** After a flush of the arena no header is what it was, and no block leads to a region. */
  private forgetAfterFlush(): void {
    const generation = this.blocks.u32(L.CODE_GENERATION);
    if (generation === this.generation) return;
    while (this.live.length > 0) this.release(); // before the generation is taken over: the headers are no headers any more
    this.generation = generation;
    this.pages.clear();
    this.waiting.clear();
    this.copies.clear();
    this.forced.clear();
    this.refused.clear();
  }

  // ---- compilation -----------------------------------------------------------------------------------------------------
  private compileWaiting(): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    const bodies: Uint8Array[] = [];
    const built: Region[] = [];
    const done = new Set<number>();
    this.imports = [];
    const ringStart = this.ring;
    for (const [header, page] of waiting) {
      // The n-th translation of a page takes n reports (up to a bound): else a page with many entries, or one that the guest
      // writes to again and again, would cost more to translate than it ever gives back.
      if (done.has(header) || page.reports < Math.min(page.translations, MAXIMUM_PATIENCE)) continue;
      page.reports = 0;
      page.translations++;
      const out = new ByteBuffer();
      for (const entry of page.entries) {
        if (!this.blocks.compilable(entry) || this.refused.has(entry)) page.entries.delete(entry);
      }
      if (this.refused.has(header)) continue;
      const region = this.build([header, ...[...page.entries].reverse()], out);
      if (region === undefined) continue;
      bodies.push(out.view());
      built.push(region);
      for (const inside of region.headers) {
        done.add(inside);
        this.copies.set(inside, (this.copies.get(inside) ?? 0) + 1);
      }
    }
    if (built.length > 0) this.link(built, bodies, ringStart);
  }
  private build(roots: readonly number[], out: ByteBuffer): Region | undefined {
    try {
      return this.builder.build(roots, out);
    } catch (error) {
      this.refuse(error, roots.slice(0, 1));
      return undefined;
    }
  }
  private link(built: readonly Region[], bodies: readonly Uint8Array[], ringStart: number): void {
    const bytes = writeModule({ memory: ['e', 'm'], imports: this.imports, type: REGION, bodies });
    let instance: WebAssembly.Instance;
    try {
      const imports = { e: { m: this.host.memory }, softfloat: this.host.softfloat };
      instance = new WebAssembly.Instance(this.compile(bytes), imports);
    } catch (error) {
      this.notLinked(error, built, bodies, ringStart);
      return;
    }
    if (this.live.length >= this.maximumModules) this.release();
    const slots = built.map((region, i) => {
      const slot = this.freeSlots.pop() ?? this.host.table.grow(1);
      this.host.table.set(slot, instance.exports[i]);
      for (const { header, word } of region.entries) {
        this.blocks.view.setUint32(header + L.B_JIT, slot, true);
        this.blocks.view.setUint32(header + L.B_JIT_ENTRY, word, true);
      }
      this.instructions += region.instructions;
      return slot;
    });
    this.regions += built.length;
    this.bytes += bytes.length;
    const headers = built.flatMap((region) => region.entries.map(({ header }) => header));
    this.live.push({ slots, headers, ringStart });
  }
  /** Regions are tried one by one, so that only those stay interpreted that cannot be had. */
  private notLinked(error: unknown, built: readonly Region[], bodies: readonly Uint8Array[], ringStart: number): void {
    if (!(error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError)) {
      // no memory: half of what there is goes, and these blocks are tried again when they are hot again
      this.fail(error);
      for (let i = this.live.length >> 1; i >= 0; i--) this.release();
      return;
    }
    const [first] = built;
    if (built.length === 1 && first !== undefined) this.refuse(error, first.headers);
    else built.forEach((region, i) => this.link([region], bodies.slice(i, i + 1), ringStart));
  }
  /** Lets the oldest module go: its blocks are interpreted until they are hot again. */
  private release(): void {
    const oldest = this.live.shift();
    if (oldest === undefined) return;
    const slots = new Set(oldest.slots);
    if (this.blocks.u32(L.CODE_GENERATION) === this.generation) {
      for (const header of oldest.headers) {
        if (!slots.has(this.blocks.u32(header + L.B_JIT))) continue; // a younger region has it
        this.blocks.view.setUint32(header + L.B_JIT, 0, true);
        this.blocks.view.setUint32(header + L.B_HOT, 0, true);
        this.copies.delete(header);
      }
    }
    for (const slot of slots) {
      this.host.table.set(slot, null);
      this.freeSlots.push(slot);
    }
  }

  // ---- what the region builder asks ------------------------------------------------------------------------------------
  private include(header: number): boolean {
    if (this.refused.has(header)) return false;
    const copies = this.copies.get(header);
    if (copies !== undefined) return copies < MAXIMUM_COPIES;
    return this.blocks.u32(header + L.B_HOT) >= Math.floor(this.blocks.u32(L.HOT_THRESHOLD) / WARM);
  }
  /** Tables of jump targets come from a ring, in the order of their modules' age; the oldest module goes when it is full. */
  private allocate(bytes: number): number {
    const at = this.ring % L.ENTRY_TABLES_SIZE;
    if (at + bytes > L.ENTRY_TABLES_SIZE) this.ring += L.ENTRY_TABLES_SIZE - at;
    const address = this.blocks.u32(L.CONFIG_ENTRY_TABLES) + (this.ring % L.ENTRY_TABLES_SIZE);
    this.ring += bytes;
    for (let oldest = this.live[0]; oldest !== undefined; oldest = this.live[0]) {
      if (this.ring - oldest.ringStart <= L.ENTRY_TABLES_SIZE) break;
      this.release();
    }
    return address;
  }
  private causeNumber(cause: string): number {
    const known = this.causes.indexOf(cause);
    if (known >= 0) return known;
    if (this.causes.length === L.EXIT_CAUSES) return L.EXIT_CAUSES - 1;
    return this.causes.push(cause) - 1;
  }
  private callable(name: string, callee: WasmFunction): number | undefined {
    const [module, own = ''] = name.split('.');
    if (module !== 'softfloat' || typeof this.host.softfloat[own] !== 'function') return undefined;
    const known = this.imports.findIndex((imported) => imported.name === own);
    return known >= 0 ? known : this.imports.push({ module, name: own, type: callee.type }) - 1;
  }

  private refuse(error: unknown, headers: readonly number[]): void {
    for (const header of headers) this.refused.add(header);
    this.fail(error);
  }
  private fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const reason = message.replaceAll(/#\d+|\s*@\+\d+/g, ''); // V8 tells function and offset: the reason is the same elsewhere
    const known = this.failures.get(reason) ?? 0;
    this.failures.set(reason, known + 1);
    if (known === 0) this.onRefused(reason);
  }
  statistics(): JitStatistics {
    return {
      regions: this.regions,
      modules: this.live.length,
      instructions: this.instructions,
      bytes: this.bytes,
      compileMs: Math.round(this.compileMs),
      exits: Object.fromEntries(
        this.causes.map((cause, i) => [cause, Number(this.blocks.view.getBigUint64(L.EXIT_COUNTS + 8 * i, true))]),
      ),
      failures: Object.fromEntries(this.failures),
    };
  }
}
