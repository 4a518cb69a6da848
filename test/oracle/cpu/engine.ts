// The engine in the same state as a process on this machine: 64-bit or compatibility mode, ring 3, the same pages.
import { Engine, type EngineHost } from '../../../src/core/engine.ts';
import * as L from '../../../src/core/layout.ts';
import { Jit } from '../../../src/jit/jit.ts';
import { emptyHost } from '../engine-host.ts';
import { engineModules } from '../engine-decoder.ts';
import {
  type Case,
  CODE_ADDRESS,
  codeBytes,
  DATA_ADDRESS,
  DATA_SIZE,
  FS_BASE,
  GS_BASE,
  LDT,
  type Result,
  type SegmentedSize,
  startOf,
  testSegments,
} from './protocol.ts';
import { readX87, writeX87 } from './x87-state.ts';

const PML4 = 0x1000;
const PDPT = 0x2000;
const PAGE_DIRECTORY = 0x3000;
const KERNEL_TABLE = 0x4000;
const KERNEL_PDPT = 0xe000;
const KERNEL_DIRECTORY = 0xf000;
const DATA_TABLE = 0x5000;
const CODE_TABLE = 0x6000;
const GDT = 0x7000;
const LOCAL = 0x7800;
const IDT = 0x8000;
const TSS = 0x9000;
const KERNEL_STACK = 0xc000;
const HANDLERS = 0xd000;
const TOP_PDPT = 0x10000;
const TOP_DIRECTORY = 0x11000;
const TOP_TABLE = 0x12000;
const DATA = 0x100000;
const DEVICE = 0x1000_0000;
const CODE = 0x110000;

/** Linear address of a page of a device. */
export const DEVICE_ADDRESS = 0x3000_1000;
/** Last of the places where a case's code is: on the last page of the lower half of the canonical addresses. */
export const TOP_CODE_ADDRESS = 0x7fff_ffff_f800n;
const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
/** The tables of ring 0 are where those of Linux are: in the upper half. */
const KERNEL = 0xffff_8000_0000_0000n;
/** Linux's selectors, so that reading them gives the same. */
const USER_CODE = 0x33;
const USER_CODE32 = 0x23;
const USER_DATA = 0x2b;
const UNUSABLE = 0x10000;
const HAS_ERROR = new Set([8, 10, 11, 12, 13, 14, 17]);
const kindOf = (codeSize: number, segmented: boolean): string => `${codeSize}${segmented ? ' segmented' : ''}`;

export class EngineProcessor {
  private readonly engine: Engine;
  /** The state area before a case, registers aside. */
  private readonly templates: ReadonlyMap<string, Uint8Array>;
  private readonly original: Uint8Array;
  private readonly data: Uint8Array;
  /** 2: the instruction runs compiled, with the jump behind it. */
  private ticks: 1 | 2 = 1;
  /**
   * data: contents of the data pages before each case. With a host there are a device and code at TOP_CODE_ADDRESS, which
   * no process has.
   */
  constructor(data: Uint8Array, host?: Partial<EngineHost>) {
    const engine = new Engine({
      modules: engineModules,
      host: { ...emptyHost, ...host },
      vcpus: 1,
      memorySize: 2 << 20,
      arenaSize: 4 << 20,
    });
    this.engine = engine;
    this.original = data.slice();
    this.data = engine.ramView(DATA, DATA_SIZE);
    this.data.set(data);
    this.writeTables(host !== undefined);
    this.setState();
    const snapshot = (): Uint8Array => {
      engine.system.updateMode();
      return engine.raw.slice(L.STATE, L.STATE_END);
    };
    const templates = new Map([[kindOf(64, false), snapshot()]]);
    engine.vcpu().cs.attributes = 0xc0fb;
    engine.vcpu().cs.selector = USER_CODE32;
    // in compatibility mode a null selector has no base
    for (const name of ['fs', 'gs'] as const) engine.vcpu()[name].base = 0n;
    templates.set(kindOf(32, false), snapshot());
    for (const size of [16, 32] as const) {
      this.setSegments(size);
      templates.set(kindOf(size, true), snapshot());
    }
    this.templates = templates;
  }
  private setSegments(size: SegmentedSize): void {
    const { engine } = this;
    const segments = testSegments(size);
    for (const name of ['cs', 'ds', 'es', 'ss'] as const) {
      const { selector, base, limit, attributes } = segments[name];
      Object.assign(engine.vcpu()[name], { selector, base: BigInt(base), limit, attributes });
    }
  }
  /**
   * From now on a case's block is compiled before it runs, and runs whole. Only for instructions that retire and do not
   * jump. coreBytes: core.wasm, whose handlers the code is derived from.
   */
  compile(coreBytes: Uint8Array): Jit {
    const jit = new Jit(coreBytes, this.engine, { batch: 1 });
    this.engine.onHot = (block) => jit.hot(block);
    this.engine.hotThreshold = 1;
    this.ticks = 2;
    return jit;
  }
  /** Ticks that were used by compiled code. */
  get compiledTicks(): bigint {
    return this.engine.compiledTicks;
  }
  private write64(address: number, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.engine.writePhysical(address, bytes);
  }
  private writeTables(extraPages: boolean): void {
    const table = (at: number, index: number, target: number, flags: bigint): void =>
      this.write64(at + index * 8, BigInt(target) | flags);
    const user = PRESENT | WRITABLE | USER;
    table(PML4, 0, PDPT, user);
    table(PML4, 256, KERNEL_PDPT, PRESENT | WRITABLE);
    table(KERNEL_PDPT, 0, KERNEL_DIRECTORY, PRESENT | WRITABLE);
    table(KERNEL_DIRECTORY, 0, KERNEL_TABLE, PRESENT | WRITABLE);
    table(PDPT, 0, PAGE_DIRECTORY, user);
    table(PAGE_DIRECTORY, DATA_ADDRESS >> 21, DATA_TABLE, user);
    table(PAGE_DIRECTORY, CODE_ADDRESS >> 21, CODE_TABLE, user);
    for (let i = 0; i < 16; i++) table(KERNEL_TABLE, i, i << 12, PRESENT | WRITABLE);
    for (let i = 0; i < DATA_SIZE >> 12; i++) table(DATA_TABLE, i, DATA + (i << 12), user);
    table(CODE_TABLE, 0, CODE, user);
    if (extraPages) {
      table(CODE_TABLE, 1, DEVICE, user);
      table(PML4, 255, TOP_PDPT, user);
      table(TOP_PDPT, 511, TOP_DIRECTORY, user);
      table(TOP_DIRECTORY, 511, TOP_TABLE, user);
      table(TOP_TABLE, 511, CODE, user);
    }
    // Linux's kernel and user segments, where they are
    const gdt = [0x00cf9b, 0x00af9b, 0x00cf93, 0x00cffb, 0x00cff3, 0x00affb];
    gdt.forEach((word, i) => this.write64(GDT + 8 + i * 8, (BigInt(word) << 40n) | 0xffffn));
    LDT.forEach(({ base, limit, attributes }, i) => {
      const low = (BigInt(base & 0xffffff) << 16n) | BigInt(limit);
      const high = BigInt((base & 0xff000000) >>> 0) | BigInt((attributes & 0xf0ff) << 8);
      this.write64(LOCAL + i * 8, low | (high << 32n));
    });
    this.write64(TSS + 4, KERNEL + BigInt(KERNEL_STACK));
    this.write64(TSS + 0x60, 0xffffn << 48n); // no I/O permission map
    for (let vector = 0; vector < 32; vector++) {
      const handler = BigInt(HANDLERS + vector * 16);
      const attributes = vector === 3 || vector === 4 ? 0xeen : 0x8en;
      this.write64(IDT + vector * 16, (handler & 0xffffn) | (0x10n << 16n) | (attributes << 40n));
      this.write64(IDT + vector * 16 + 8, KERNEL >> 32n);
    }
  }
  private setState(): void {
    const { engine } = this;
    const segment = (slot: number, selector: number, base: bigint, attributes: number): void => {
      Object.assign(engine.vcpu().segments((slot - L.SEGMENTS) / L.SEGMENT_SIZE), {
        selector,
        base,
        limit: 0xffffffff,
        attributes,
      });
    };
    engine.vcpu().cr0 = 0x80050033n; // PG AM WP NE ET MP PE
    engine.vcpu().cr3 = BigInt(PML4);
    engine.vcpu().cr4 = 0x506a0n; // PAE PGE OSFXSR OSXMMEXCPT FSGSBASE OSXSAVE
    engine.vcpu().efer = 0xd01n;
    engine.vcpu().gdtr.base = KERNEL + BigInt(GDT);
    engine.vcpu().gdtr.limit = 0x7f;
    engine.vcpu().idtr.base = KERNEL + BigInt(IDT);
    engine.vcpu().idtr.limit = 0x1ff;
    segment(L.TR, 0x40, KERNEL + BigInt(TSS), 0x8b);
    engine.vcpu().tr.limit = 0x67;
    segment(L.LDTR, 0x50, KERNEL + BigInt(LOCAL), 0x82);
    engine.vcpu().ldtr.limit = LDT.length * 8 - 1;
    segment(L.CS, USER_CODE, 0n, 0xa0fb);
    for (const slot of [L.SS, L.DS, L.ES]) segment(slot, USER_DATA, 0n, 0xc0f3);
    segment(L.FS, 0, BigInt(FS_BASE), UNUSABLE);
    segment(L.GS, 0, BigInt(GS_BASE), UNUSABLE);
    engine.vcpu().cpl = 3;
    engine.vcpu().rip = BigInt(CODE_ADDRESS);
    engine.system.setRflags(0x202n);
    engine.system.updateMode();
  }

  /** Executes the case's instruction, at CODE_ADDRESS or at TOP_CODE_ADDRESS. */
  run(item: Case, rip = startOf(item)): Result {
    const { engine, data, original } = this;
    const { raw, rawView: view } = engine;
    const offset = CODE_ADDRESS & 0xfff;
    const code = codeBytes(item.code);
    engine.writePhysical(CODE + offset, code);
    data.set(item.patch, item.patchOffset);
    const template = this.templates.get(kindOf(item.codeSize, item.segmented));
    if (template === undefined) throw new Error(`no ${item.codeSize}-bit cases of that kind`);
    raw.set(template, L.STATE);
    item.registers.forEach((value, i) => view.setBigUint64(L.REGS + i * 8, value, true));
    raw.set(item.xmm, L.XMM);
    view.setUint32(L.MXCSR, item.mxcsr, true);
    writeX87(view, item.x87);
    view.setBigUint64(L.RIP, rip, true);
    engine.system.setRflags(BigInt.asIntN(64, item.flags | 0x202n));
    if (this.ticks === 2) engine.flushBlocks(); // the JIT has patience with a page that changes often
    const { code: reason, used: first } = engine.run(this.ticks, 1n);
    // an instruction may ask the scheduler to look; then the jump behind it is a run of its own
    const used = first < this.ticks && reason === L.RUN_STOP ? first + engine.run(this.ticks - first, 1n).used : first;
    if (used !== this.ticks) throw new Error(`the engine used ${used} ticks, code ${reason}`);
    return this.result(item, original);
  }
  private result(item: Case, original: Uint8Array): Result {
    const { engine, data } = this;
    const { raw, rawView: view } = engine;
    const registers = Array.from({ length: 16 }, (_, i) => view.getBigUint64(L.REGS + i * 8, true));
    let rip = view.getBigUint64(L.RIP, true);
    let flags = BigInt.asUintN(64, engine.system.rflags());
    let vector = 1;
    let error = 0;
    const selectorAt = (slot: number): number => view.getUint32(slot + 16, true) & 0xffff;
    let [cs, ss] = [selectorAt(L.CS), selectorAt(L.SS)];
    if (view.getUint32(L.CPL, true) === 0) {
      vector = (Number(rip - KERNEL) - HANDLERS) / 16;
      let frame = Number((registers[4] ?? 0n) - KERNEL);
      const pop = (): bigint => {
        const bytes = engine.ramView(frame, 8);
        frame += 8;
        return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
      };
      if (HAS_ERROR.has(vector)) error = Number(pop());
      rip = pop();
      cs = Number(pop()) & 0xffff;
      flags = pop();
      registers[4] = pop();
      ss = Number(pop()) & 0xffff;
    }
    const changes = new Map<number, bigint>();
    // the patch is part of the contents before the instruction
    const before = original.slice(item.patchOffset, item.patchOffset + item.patch.length);
    original.set(item.patch, item.patchOffset);
    if (Buffer.compare(data, original) !== 0) {
      const after = new DataView(data.buffer, data.byteOffset, data.length);
      const old = new DataView(original.buffer, original.byteOffset, original.length);
      for (let at = 0; at < DATA_SIZE; at += 8) {
        const value = after.getBigUint64(at, true);
        if (value !== old.getBigUint64(at, true)) changes.set(at, value);
      }
    }
    original.set(before, item.patchOffset);
    data.set(original);
    return {
      vector,
      error,
      address: view.getBigUint64(L.CR2, true),
      registers,
      rip,
      flags,
      xmm: raw.slice(L.XMM, L.XMM + 256),
      mxcsr: view.getUint32(L.MXCSR, true),
      x87: readX87(view),
      fsBase: view.getBigUint64(L.FS, true),
      gsBase: view.getBigUint64(L.GS, true),
      selectors: {
        es: selectorAt(L.ES),
        cs,
        ss,
        ds: selectorAt(L.DS),
        fs: selectorAt(L.FS),
        gs: selectorAt(L.GS),
      },
      changes,
    };
  }
}
