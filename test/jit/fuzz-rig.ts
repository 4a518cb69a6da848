// A small machine for random programs, which is used again and again: 64-bit mode, rings 0 and 3, 2 MiB in 4 KiB pages, and
// handlers that go on behind what faulted (R15 says where) or map the page that was missing.
import { Engine, type EngineModules } from '../../src/core/engine.ts';
import * as L from '../../src/core/layout.ts';
import { Jit } from '../../src/jit/jit.ts';
import { saveVcpu } from '../../src/machine/machine-state.ts';
import { BufferWriter } from '../../src/machine/state-stream.ts';
import { emptyHost } from '../oracle/engine-host.ts';
import {
  CHANGE_RING,
  CODE,
  CODE_END,
  DATA,
  imm32,
  KERNEL_PAGE,
  LATE_PAGE,
  type Layout,
  NO_PAGE,
  OTHER_CODE,
  PAGE_TABLE,
  READ_ONLY_PAGE,
  STACK,
} from './fuzz-program.ts';

const MEMORY = 2 << 20;
const [GDT, IDT, TSS, COUNTER, HANDLERS] = [0x1000, 0x2000, 0x3000, 0x4000, 0x5000];
const [PML4, POINTERS, DIRECTORY] = [0x10000, 0x11000, 0x12000];
const HANDLER_STACK = 0x1e0000 - 0x50000; // 0x190000 is the late page: the stack ends below it
const KERNEL_CODE = 0x08;
const KERNEL_DATA = 0x10;
const USER_DATA = 0x1b;
const USER_CODE = 0x23;
const INTERRUPT = 0x20;
const EVENT_INTERRUPT = 1;
const HAS_ERROR = new Set([8, 10, 11, 12, 13, 14, 17]);

/** inc qword [COUNTER]; mov [rsp], r15; iretq */
const GO_ON = [0x48, 0xff, 0x04, 0x25, ...imm32(COUNTER), 0x4c, 0x89, 0x3c, 0x24, 0x48, 0xcf];
const DROP_ERROR = [0x48, 0x83, 0xc4, 8];
const COUNT = [0x48, 0xff, 0x04, 0x25, ...imm32(COUNTER + 8), 0x48, 0xcf];
/** Between the rings: xor qword [rsp + 8], cs; xor qword [rsp + 32], ss; iretq */
const RING = [
  ...[0x48, 0x83, 0x74, 0x24, 8, KERNEL_CODE ^ USER_CODE, 0x48, 0x83, 0x74, 0x24, 32, KERNEL_DATA ^ USER_DATA],
  ...[0x48, 0xcf],
];
/** #PF: a page of the code or the late page that is not there is mapped, anything else goes on at R15. */
const PAGE_FAULT = ((): number[] => {
  const map = [0x80, 0x0c, 0xc5, ...imm32(PAGE_TABLE), 1, 0x58, ...DROP_ERROR, 0x48, 0xcf];
  const present = [0xf6, 0x04, 0xc5, ...imm32(PAGE_TABLE), 1, 0x75, map.length];
  const late = [0x48, 0x3d, ...imm32(LATE_PAGE >> 12), 0x75, present.length + map.length];
  const above = [0x48, 0x3d, ...imm32(CODE_END >> 12), 0x72, late.length];
  const below = [0x48, 0x3d, ...imm32(CODE >> 12), 0x72, above.length];
  const page = [0x50, 0x0f, 0x20, 0xd0, 0x48, 0xc1, 0xe8, 12];
  return [...page, ...below, ...above, ...late, ...present, ...map, 0x58, ...DROP_ERROR, ...GO_ON];
})();

export interface RigOptions {
  readonly maximumModules: number;
  readonly batch: number;
}
/** What a program starts with. */
export interface Start {
  readonly layout: Layout;
  readonly registers: readonly bigint[];
  readonly data: Uint8Array;
  /** Executions after which a block is compiled. */
  readonly threshold: number;
}

export class Rig {
  readonly engine: Engine;
  readonly jit: Jit | undefined;
  private readonly powerOn: Uint8Array;
  private ticks = 0n;

  /** Without options it interprets everything. */
  constructor(modules: EngineModules, options: RigOptions | undefined) {
    const acknowledgeInterrupt = (): number => {
      this.engine.vcpu().events &= ~EVENT_INTERRUPT;
      return INTERRUPT;
    };
    const host = { ...emptyHost, acknowledgeInterrupt };
    this.engine = new Engine({ modules, host, vcpus: 1, memorySize: MEMORY, arenaSize: 1 << 20 });
    this.powerOn = this.engine.raw.slice(L.STATE, L.STATE_END);
    const { coreBytes } = modules;
    if (options === undefined || coreBytes === undefined) return;
    const jit = new Jit(coreBytes, this.engine, options);
    this.engine.onHot = (block) => jit.hot(block);
    this.jit = jit;
  }
  start({ layout, registers, data, threshold }: Start): void {
    const { engine } = this;
    const ram = engine.ramView(0, MEMORY).fill(0);
    this.writeTables(ram);
    ram.set(layout.code, CODE);
    ram.set(layout.other, OTHER_CODE);
    ram.set(data, DATA - 0x2000);
    engine.raw.set(this.powerOn, L.STATE);
    engine.system.initTlb();
    engine.vcpu().cr0 = 0x80010033n; // PG WP NE ET MP PE
    engine.vcpu().cr3 = BigInt(PML4);
    engine.vcpu().cr4 = 0x620n; // PAE OSFXSR OSXMMEXCPT
    engine.vcpu().efer = 0xd01n; // SCE LME LMA NXE
    engine.vcpu().gdtr.base = BigInt(GDT);
    engine.vcpu().gdtr.limit = 0xff;
    engine.vcpu().idtr.base = BigInt(IDT);
    engine.vcpu().idtr.limit = 0xfff;
    this.setSegment(L.TR, 0x28, TSS, 0x67, 0x8b);
    this.setSegment(L.CS, KERNEL_CODE, 0, 0xffffffff, 0xa09b);
    for (const slot of [L.SS, L.DS, L.ES]) this.setSegment(slot, KERNEL_DATA, 0, 0xffffffff, 0xc093);
    registers.forEach((value, i) => engine.vcpu().setRegs(i, value));
    engine.vcpu().rip = BigInt(CODE);
    engine.flushBlocks();
    engine.system.resetTags();
    engine.system.updateMode();
    engine.hotThreshold = this.jit === undefined ? 0 : threshold;
    this.ticks = 0n;
  }
  private setSegment(slot: number, selector: number, base: number, limit: number, attributes: number): void {
    const segment = this.engine.vcpu().segments((slot - L.SEGMENTS) / L.SEGMENT_SIZE);
    Object.assign(segment, { selector, base: BigInt(base), limit, attributes });
  }
  private writeTables(ram: Uint8Array): void {
    const view = new DataView(ram.buffer, ram.byteOffset, ram.length);
    const write = (address: number, value: bigint): void => view.setBigUint64(address, value, true);
    for (const [table, next] of [
      [PML4, POINTERS],
      [POINTERS, DIRECTORY],
      [DIRECTORY, PAGE_TABLE],
    ] as const)
      write(table, BigInt(next) | 7n);
    for (let page = 0; page < MEMORY >> 12; page++) write(PAGE_TABLE + page * 8, BigInt(page << 12) | 7n);
    const entry = (page: number, flags: bigint): void => write(PAGE_TABLE + (page >> 12) * 8, BigInt(page) | flags);
    entry(LATE_PAGE, 6n);
    entry(NO_PAGE, 0n);
    entry(KERNEL_PAGE, 3n);
    entry(READ_ONLY_PAGE, 5n);
    // descriptors of flat segments (SDM 3A 3.4.5): code and data of ring 0, data and code of ring 3, the TSS
    write(GDT + KERNEL_CODE, 0x00af9b000000ffffn);
    write(GDT + KERNEL_DATA, 0x00cf93000000ffffn);
    write(GDT + (USER_DATA & ~7), 0x00cff3000000ffffn);
    write(GDT + (USER_CODE & ~7), 0x00affb000000ffffn);
    view.setUint32(TSS + 4, HANDLER_STACK, true); // RSP0
    let at = HANDLERS;
    const gate = (vector: number, level: number, code: readonly number[]): void => {
      ram.set(code, at);
      const low = BigInt((at & 0xffff) | (KERNEL_CODE << 16)) | (BigInt(0x8e00 | (level << 13)) << 32n);
      write(IDT + vector * 16, low | (BigInt(at >> 16) << 48n));
      at += 64;
    };
    for (let vector = 0; vector < 20; vector++) {
      if (vector !== 14) gate(vector, 0, HAS_ERROR.has(vector) ? [...DROP_ERROR, ...GO_ON] : GO_ON);
    }
    gate(INTERRUPT, 0, COUNT);
    gate(CHANGE_RING, 3, RING);
    gate(14, 0, PAGE_FAULT);
    write(COUNTER, 0n);
  }

  /** Runs up to so many ticks; the virtual clock is the number of ticks. */
  run(budget: number): { code: number; used: number } {
    const result = this.engine.run(budget, this.ticks + BigInt(budget));
    this.ticks += BigInt(result.used);
    return result;
  }
  interrupt(): void {
    this.engine.vcpu().events |= EVENT_INTERRUPT;
    this.engine.attend(0, L.ATTENTION_EVENT);
  }
  /** The guest's part of the state area and the architectural TLB. */
  get state(): Uint8Array {
    const writer = new BufferWriter();
    saveVcpu(this.engine, 0, writer);
    return writer.finish();
  }
  /** What the handlers have counted: faults whose instruction was passed over, and interrupts. */
  get handled(): { readonly faults: number; readonly interrupts: number } {
    const { ram } = this;
    const view = new DataView(ram.buffer, ram.byteOffset, ram.length);
    return { faults: view.getUint32(COUNTER, true), interrupts: view.getUint32(COUNTER + 8, true) };
  }
  get ring(): number {
    return this.engine.vcpu().cpl;
  }
  get ram(): Uint8Array {
    return this.engine.ramView(0, MEMORY);
  }
}
export const initialRegisters = (random: (below: number) => number): bigint[] =>
  Array.from({ length: 16 }, (_, i) => {
    if (i === 4) return BigInt(STACK);
    if (i === 5) return BigInt(DATA);
    if (i === 15) return BigInt(CODE);
    return BigInt(random(2 ** 32)) | (BigInt(random(2 ** 32)) << BigInt(32 * random(2)));
  });
