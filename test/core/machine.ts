// A machine for tests of the core: one vCPU in 64-bit mode with identity-mapped RAM, descriptor tables, a TSS, and a guest
// handler for every vector that writes what it was given to a log and goes back. No devices.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Engine, type EngineHost } from '../../src/core/engine.ts';
import * as L from '../../src/core/layout.ts';
import { Code } from './code.ts';

export const GDT = 0x1000;
export const IDT = 0x2000;
export const TSS = 0x3000;
const SETTINGS = 0x4000; // what the guest's handler looks up by vector
const RESUME = SETTINGS;
const SET_FLAGS = SETTINGS + 0x800;
const CLEAR_SLOTS = SETTINGS + 0x1000;
const LOG_POINTER = SETTINGS + 0x1800;
export const PML4 = 0x10000;
export const PAGE_TABLE = 0x13000; // 4 KiB pages of the first 2 MiB
export const HANDLERS = 0x20000;
export const CODE = 0x30000;
export const DATA = 0x40000;
export const STACK = 0x58000;
export const USER_STACK = 0x5c000;
export const IST_STACK = 0x60000;
export const LOG = 0x70000;
const LOG_ENTRY = 80;

export const KERNEL_CODE = 0x08;
export const KERNEL_DATA = 0x10;
export const USER_CODE32 = 0x18 | 3;
export const USER_DATA = 0x20 | 3;
export const USER_CODE = 0x28 | 3;
export const TASK = 0x30;
export const KERNEL_CODE32 = 0x40;
export const END_VECTOR = 0x81;

/** DR6 without causes, DR7 after reset, cause bits (SDM 3B 18.2). */
export const I6 = BigInt(L.DR6_CLEAR);
export const I7 = BigInt(L.DR7_CLEAR);
export const B0 = 1n;
export const B1 = 2n;
export const B2 = 4n;
export const BD = BigInt(L.DR6_BD);
export const BS = BigInt(L.DR6_BS);

export const TF = 0x100n;
export const IF = 0x200n;
export const RF = 0x10000n;

/** What the guest's handler saw. */
export interface Delivery {
  readonly vector: number;
  readonly error: bigint;
  readonly rip: bigint;
  readonly cs: bigint;
  readonly flags: bigint;
  readonly rsp: bigint;
  readonly ss: bigint;
  readonly dr6: bigint;
  readonly dr7: bigint;
  readonly cr2: bigint;
}

const dist = join(import.meta.dirname, '../../dist');
const modules = {
  core: new WebAssembly.Module(readFileSync(join(dist, 'core.wasm'))),
  system: new WebAssembly.Module(readFileSync(join(dist, 'system.wasm'))),
};

const HAS_ERROR = new Set([8, 10, 11, 12, 13, 14, 17]);

export interface MachineOptions {
  readonly user?: boolean;
  readonly profile?: 'intel' | 'amd';
  readonly vcpus?: number;
  /** CPUID announces bus-lock detection. */
  readonly busLockDetection?: boolean;
  /** Records before the cache of decoded code starts anew. */
  readonly arenaSize?: number;
}

export class Machine {
  readonly engine: Engine;
  readonly breakpoints = new Set<bigint>();
  readonly ports: { port: number; size: number; value: number }[] = [];
  readonly messages: { code: number; a: bigint; b: bigint }[] = [];
  /** Answers of port reads. */
  portInput = 0xff;
  interruptVector = 0x40;
  taskPriority = 0;
  /** Called when the guest writes CR8. */
  onTaskPriority: () => void = () => undefined;
  ticks = 0;

  constructor(options: MachineOptions = {}) {
    const host: EngineHost = {
      mmioRead: () => 0xffff_ffff_ffff_ffffn,
      mmioWrite: () => undefined,
      portRead: () => this.portInput,
      portWrite: (port, size, value) => void this.ports.push({ port, size, value }),
      acknowledgeInterrupt: () => this.interruptVector,
      msrKnown: () => false,
      msrRead: () => 0n,
      msrWrite: () => true,
      taskPriorityRead: () => this.taskPriority,
      taskPriorityWrite: (value) => {
        this.taskPriority = value;
        this.onTaskPriority();
      },
      log: (code, a, b) => void this.messages.push({ code, a, b }),
      delivered: () => undefined,
      splitAt: (linear) => this.breakpoints.has(linear),
      splitCount: () => this.breakpoints.size,
    };
    this.engine = new Engine({
      modules,
      host,
      vcpus: options.vcpus ?? 1,
      memorySize: 4 << 20,
      ...(options.busLockDetection === undefined ? {} : { busLockDetection: options.busLockDetection }),
      ...(options.profile === undefined ? {} : { profile: options.profile }),
      ...(options.arenaSize === undefined ? {} : { arenaSize: options.arenaSize }),
    });
    this.writeTables();
    this.writeHandlers();
    this.setLongMode();
    if (options.user === true) this.setUser();
  }

  // ---- memory --------------------------------------------------------------------------------------------------------------
  write(address: number, data: Uint8Array): void {
    this.engine.writePhysical(address, data);
  }
  write64(address: number, value: bigint): void {
    const data = new Uint8Array(8);
    new DataView(data.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
    this.write(address, data);
  }
  read64(address: number): bigint {
    const data = this.engine.ramView(address, 8);
    return new DataView(data.buffer, data.byteOffset).getBigUint64(0, true);
  }
  read8(address: number): number {
    return this.engine.ramView(address, 1)[0] ?? 0;
  }
  /** Replaces the page-table entry of an address in the first 2 MiB. */
  mapPage(linear: number, entry: bigint): void {
    this.write64(PAGE_TABLE + (linear >> 12) * 8, entry);
  }

  // ---- registers -------------------------------------------------------------------------------------------------------------
  get rip(): bigint {
    return this.engine.vcpu().rip;
  }
  set rip(value: bigint) {
    this.engine.vcpu().rip = value;
    this.engine.vcpu().repActive = 0;
  }
  get flags(): bigint {
    return BigInt.asUintN(64, this.engine.system.rflags());
  }
  set flags(value: bigint) {
    this.engine.system.setRflags(value);
  }
  register(number: number): bigint {
    return this.engine.vcpu().regs(number);
  }
  setRegister(number: number, value: bigint): void {
    this.engine.vcpu().setRegs(number, value);
  }
  get dr6(): bigint {
    return this.engine.vcpu().dr6;
  }
  setDebug(number: number, value: bigint): void {
    this.engine.system.setDebugRegister(number, BigInt.asIntN(64, value));
  }
  setSegment(slot: number, selector: number, base: bigint, limit: number, attributes: number): void {
    const segment = this.engine.vcpu().segments((slot - L.SEGMENTS) / L.SEGMENT_SIZE);
    Object.assign(segment, { selector, base, limit, attributes });
  }
  private setLongMode(): void {
    const { engine } = this;
    engine.vcpu().cr0 = 0x80010033n; // PG WP NE ET MP PE
    engine.vcpu().cr3 = BigInt(PML4);
    engine.vcpu().cr4 = 0x6a0n; // PAE PGE OSFXSR OSXMMEXCPT
    engine.vcpu().efer = 0xd01n; // SCE LME LMA NXE
    engine.vcpu().gdtr.base = BigInt(GDT);
    engine.vcpu().gdtr.limit = 0xff;
    engine.vcpu().idtr.base = BigInt(IDT);
    engine.vcpu().idtr.limit = 0xfff;
    this.setSegment(L.TR, TASK, BigInt(TSS), 0x67 + 0x100, 0x8b);
    engine.vcpu().msrStar = (0x18n << 48n) | (BigInt(KERNEL_CODE) << 32n);
    this.setSegment(L.CS, KERNEL_CODE, 0n, 0xffffffff, 0xa09b);
    for (const slot of [L.SS, L.DS, L.ES, L.FS, L.GS]) this.setSegment(slot, KERNEL_DATA, 0n, 0xffffffff, 0xc093);
    engine.vcpu().rsp = BigInt(STACK);
    engine.vcpu().rip = BigInt(CODE);
    engine.system.updateMode();
  }
  private setUser(): void {
    this.setSegment(L.CS, USER_CODE, 0n, 0xffffffff, 0xa0fb);
    for (const slot of [L.SS, L.DS, L.ES]) this.setSegment(slot, USER_DATA, 0n, 0xffffffff, 0xc0f3);
    this.engine.vcpu().cpl = 3;
    this.engine.vcpu().rsp = BigInt(USER_STACK);
    this.flags = 0x3000n; // IOPL 3
    this.engine.system.updateMode();
  }

  // ---- tables and handlers -----------------------------------------------------------------------------------------------------
  private writeTables(): void {
    const descriptors: [number, bigint][] = [
      [KERNEL_CODE, 0x00af9b000000ffffn],
      [KERNEL_DATA, 0x00cf93000000ffffn],
      [USER_CODE32 & ~3, 0x00cffb000000ffffn],
      [USER_DATA & ~3, 0x00cff3000000ffffn],
      [USER_CODE & ~3, 0x00affb000000ffffn],
      [TASK, 0x0000890000000167n | (BigInt(TSS) << 16n)],
      [KERNEL_CODE32, 0x00cf9b000000ffffn],
    ];
    for (const [selector, value] of descriptors) this.write64(GDT + selector, value);
    this.write64(TSS + 4, BigInt(STACK) - 0x1000n); // RSP0
    this.write64(TSS + 0x24, BigInt(IST_STACK)); // IST1
    this.write(TSS + 0x66, Uint8Array.of(0x68, 0)); // I/O permission map, all zero: allowed
    this.write64(PML4, 0x11007n);
    this.write64(0x11000, 0x12007n);
    this.write64(0x12000, BigInt(PAGE_TABLE) | 7n);
    this.write64(0x12008, 0x200087n); // 2 MiB to 4 MiB: one large page
    for (let i = 0; i < 512; i++) this.write64(PAGE_TABLE + i * 8, BigInt(i << 12) | 7n);
  }
  /** Writes an interrupt gate. */
  setGate(vector: number, address: bigint, level = 0, ist = 0, selector = KERNEL_CODE, type = 14): void {
    const low = (address & 0xffffn) | (BigInt(selector) << 16n) | ((address & 0xffff0000n) << 32n);
    this.write64(IDT + vector * 16, low | (BigInt(ist) << 32n) | (BigInt(type | (level << 5) | 0x80) << 40n));
    this.write64(IDT + vector * 16 + 8, address >> 32n);
  }
  /** Address of the first instruction of a vector's handler. */
  handler(vector: number): bigint {
    return BigInt(HANDLERS + 0x1000 + vector * 16);
  }
  private writeHandlers(): void {
    for (let vector = 0; vector < 256; vector++) {
      const stub = new Code(Number(this.handler(vector)));
      if (vector === END_VECTOR) stub.raw('F4 EB FD');
      else {
        if (!HAS_ERROR.has(vector)) stub.raw('6A 00'); // push 0
        stub.raw(0x68).value(vector, 4); // push vector
        stub.raw(0xe9).value(HANDLERS - (stub.here + 4), 4); // jmp to the common part
      }
      this.write(stub.origin, stub.finish());
      this.setGate(vector, this.handler(vector), [3, 4, 0x80, END_VECTOR].includes(vector) ? 3 : 0);
    }
    const code = new Code(HANDLERS).raw('50 53 51'); // push rax, rbx, rcx
    code.raw('48 8B 4C 24 18'); // mov rcx, [rsp + 24]: vector
    // an entry is taken before anything that can be interrupted by another event is read: mov rbx, [p]; add [p], size
    code.raw('48 8B 1C 25').value(LOG_POINTER, 4).raw('48 83 04 25').value(LOG_POINTER, 4).raw(LOG_ENTRY);
    for (let i = 0; i < 7; i++) code.raw('48 8B 44 24', 24 + i * 8, '48 89 43', i * 8); // vector error rip cs flags rsp ss
    code.raw('0F 21 F0 48 89 43 38 0F 21 F8 48 89 43 40 0F 20 D0 48 89 43 48'); // dr6 dr7 cr2
    code.raw('B8 F0 0F FF FF 0F 23 F0'); // dr6 = I6: where bus locks are detected, 0 would report one (bit 11 is active low)
    code.raw('48 8B 04 CD').value(RESUME, 4).raw('48 85 C0 74 05 48 89 44 24 28'); // another return address
    code.raw('48 8B 04 CD').value(SET_FLAGS, 4).raw('48 09 44 24 38'); // flags to set in the frame
    code.raw('48 8B 04 CD').value(CLEAR_SLOTS, 4).raw('48 85 C0 74 08 B8 00 04 00 00 0F 23 F8'); // dr7 = I7
    code.raw('59 5B 58 48 83 C4 10 48 CF'); // pop rcx, rbx, rax; add rsp, 16; iretq
    this.write(HANDLERS, code.finish());
    this.write64(LOG_POINTER, BigInt(LOG));
  }
  /** The handler of this vector returns elsewhere. */
  resumeAt(vector: number, address: bigint): void {
    this.write64(RESUME + vector * 8, address);
  }
  /** The handler of this vector sets these flags in its frame. */
  setFlagsOnReturn(vector: number, flags: bigint): void {
    this.write64(SET_FLAGS + vector * 8, flags);
  }
  /** The handler of this vector writes I7 to DR7. */
  clearSlotsIn(vector: number): void {
    this.write64(CLEAR_SLOTS + vector * 8, 1n);
  }
  /** What the guest's handlers saw so far, in the order in which they began to write it down. */
  get log(): Delivery[] {
    const end = Number(this.read64(LOG_POINTER));
    const entries: Delivery[] = [];
    for (let at = LOG; at < end; at += LOG_ENTRY) {
      const field = (i: number): bigint => this.read64(at + i * 8);
      entries.push({
        vector: Number(field(0)),
        error: field(1),
        rip: field(2),
        cs: field(3),
        flags: field(4),
        rsp: field(5),
        ss: field(6),
        dr6: field(7),
        dr7: field(8),
        cr2: field(9),
      });
    }
    return entries;
  }
  /** RIP and DR6 of each #DB. */
  get debugLog(): [bigint, bigint][] {
    return this.log.filter(({ vector }) => vector === 1).map(({ rip, dr6 }) => [rip, dr6]);
  }

  // ---- running -----------------------------------------------------------------------------------------------------------------
  /** A program at CODE; `int 81h`, which ends the run, is put behind it. */
  program(build: (code: Code) => void): Code {
    const code = new Code(CODE);
    build(code);
    code.at('end').raw(0xcd, END_VECTOR);
    this.write(CODE, code.finish());
    return code;
  }
  /** Runs until something but the end of a slice returns; at most `ticks`. */
  run(ticks = 100_000, slice = ticks): number {
    let left = ticks;
    for (;;) {
      const now = Math.min(left, slice);
      const { code, used } = this.engine.run(now, BigInt(this.ticks + now));
      this.ticks += used;
      left -= used;
      if (code !== L.RUN_SPENT || left <= 0) return code;
    }
  }
  /** Asks for the boundary to be evaluated before the next instruction. */
  attend(): void {
    this.engine.attend(this.engine.current, L.ATTENTION_EVENT);
  }

  // ---- the observer ------------------------------------------------------------------------------------------------------------
  get observed(): number {
    return this.engine.vcpu().observed;
  }
  /** One step under a lease (1 instruction, 2 whole, 3 branch); answers the code of run(). */
  step(lease = 1, pass = false): number {
    if (pass) this.armToken();
    this.engine.vcpu().lease = lease;
    this.attend();
    return this.run();
  }
  /** The token that lets this vCPU pass the breakpoint where it stands. */
  armToken(): void {
    const { engine } = this;
    engine.vcpu().passLinear = engine.vcpu().rip + engine.vcpu().cs.base;
    engine.vcpu().passCr3 = engine.vcpu().cr3;
    engine.vcpu().passRsp = engine.vcpu().rsp;
    engine.vcpu().passFaulted = 0;
    engine.vcpu().passToken = 1;
    // behind a step or a watch an interrupt may be due, and comes as it would have; at a breakpoint none can be
    if (this.observed & (L.OBSERVED_BREAKPOINT | L.OBSERVED_SLOT_X)) engine.vcpu().firstHold = 1;
    this.attend();
  }
  /** Goes on from a stop that showed this place. */
  resume(): number {
    this.armToken();
    return this.run();
  }
  addBreakpoint(linear: bigint): void {
    this.breakpoints.add(linear);
    this.engine.system.dropBlocksAt(BigInt.asIntN(64, linear));
    this.engine.system.observerChanged();
  }
  /** A host slot: type 0 X, 1 W, 2 I/O, 3 RW; length 1, 2, 4, 8. */
  setHostSlot(index: number, address: bigint, type: number, length: 1 | 2 | 4 | 8): void {
    const { engine } = this;
    const code = { 1: 0, 2: 1, 4: 3, 8: 2 }[length];
    engine.vcpu().setHDr(index, address);
    const dr7 = engine.vcpu().hDr7 & ~(0xf << (16 + index * 4));
    engine.vcpu().hDr7 = dr7 | (2 << (index * 2)) | (type << (16 + index * 4)) | (code << (18 + index * 4));
    if (type === 0) engine.system.dropBlocksAt(BigInt.asIntN(64, address));
    engine.system.observerChanged();
  }
  setGuestSlot(index: number, address: bigint, type: number, length: 1 | 2 | 4 | 8): void {
    const code = { 1: 0, 2: 1, 4: 3, 8: 2 }[length];
    this.setDebug(index, address);
    const dr7 = this.engine.vcpu().dr7;
    this.setDebug(
      7,
      dr7 |
        (2n << BigInt(index * 2)) |
        (BigInt(type) << BigInt(16 + index * 4)) |
        (BigInt(code) << BigInt(18 + index * 4)),
    );
  }
  /** Entries of the committed hit list. */
  get hits(): { linear: bigint; size: number; kind: number; slots: number; old: bigint; value: bigint; rip: bigint }[] {
    const { rawView } = this.engine;
    return Array.from({ length: rawView.getUint32(L.COMMITTED_COUNT, true) }, (_, i) => {
      const e = L.COMMITTED_HITS + i * L.HIT_SIZE;
      return {
        linear: rawView.getBigUint64(e, true),
        size: rawView.getUint32(e + 16, true),
        kind: rawView.getUint32(e + 20, true),
        slots: rawView.getUint32(e + 24, true),
        old: rawView.getBigUint64(e + 32, true),
        value: rawView.getBigUint64(e + 40, true),
        rip: rawView.getBigUint64(e + 48, true),
      };
    });
  }
}

/** Bytes that set TF through POPF: pushfq; pop rax; or rax, 100h; push rax; popfq. Leaves the flags with TF in RAX. */
export const POPF_SETTING_TF = '9C 58 48 0D 00 01 00 00 50 9D';
/** and rax, ~100h: 6 bytes. */
export const AND_CLEARING_TF = '48 25 FF FE FF FF';
