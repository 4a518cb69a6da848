// Machines for hostile programs: every mode and ring, with handlers that go on behind whatever faulted, and canaries around
// what belongs to the guest.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as L from '../../src/core/layout.ts';
import { Jit } from '../../src/jit/jit.ts';
import {
  CODE,
  DATA,
  GDT,
  KERNEL_CODE32,
  KERNEL_DATA,
  Machine,
  STACK,
  USER_CODE32,
  USER_DATA,
  USER_STACK,
} from './machine.ts';

export const HOSTILE_MODES = [
  'real',
  'virtual-8086',
  'protected 16-bit ring 0',
  'protected 16-bit ring 3',
  'protected 32-bit ring 0',
  'protected 32-bit ring 3',
  'compatibility ring 3',
  'long ring 0',
  'long ring 3',
] as const;
export type HostileMode = (typeof HOSTILE_MODES)[number];

const TSS32 = 0x3800;
const IDT32 = 0x6000;
const HANDLERS32 = 0x7000;
const PAGE_DIRECTORY = 0x8000;
const HAS_ERROR = new Set([8, 10, 11, 12, 13, 14, 17]);
const PE = 1n;
const CR0_NO_PAGING = 0x31n; // NE ET PE
const CANARY = 0xc5;
/** Compilations of one program. */
const MOST_REGIONS = 12;

const coreBytes = readFileSync(join(import.meta.dirname, '../../dist/core.wasm'));

/** A range of linear memory that no guest may change, and what is in it. */
interface Canary {
  readonly name: string;
  readonly start: number;
  readonly contents: Uint8Array;
}

export class HostileMachine extends Machine {
  readonly mode: HostileMode;
  private readonly canaries: Canary[] = [];
  constructor(mode: HostileMode, profile: 'intel' | 'amd', compiled: boolean) {
    super({ user: mode === 'long ring 3', profile, arenaSize: 1 << 18 });
    this.mode = mode;
    if (mode === 'real') this.setReal();
    else if (mode === 'compatibility ring 3') this.setCompatibility();
    else if (!mode.startsWith('long')) this.setProtected(mode);
    this.engine.system.updateMode();
    if (compiled) {
      const jit = new Jit(coreBytes, this.engine);
      let left = MOST_REGIONS;
      this.engine.onHot = (block) => {
        jit.hot(block);
        // a program that rewrites itself all the time would have the same compiled again and again
        if (--left === 0) this.engine.hotThreshold = 0;
      };
      this.engine.hotThreshold = 1;
    }
    this.plantCanaries();
  }
  /** Offset of CODE in the code segment. */
  get start(): bigint {
    return BigInt(CODE) - this.engine.vcpu().cs.base;
  }

  private setReal(): void {
    const { engine } = this;
    engine.system.reset(1);
    for (const segment of [0, 2, 3, 4, 5]) engine.system.loadSegmentReal(segment, DATA >> 4);
    engine.system.loadSegmentReal(1, CODE >> 4);
    for (let vector = 0; vector < 256; vector++) this.write64(vector * 4, BigInt(HANDLERS32 + vector * 16)); // 0000:7xxx
    this.writeHandlers32('FF 04 24', 'CF', false);
  }
  private setCompatibility(): void {
    this.setSegment(L.CS, USER_CODE32, 0n, 0xffffffff, 0xc0fb);
    for (const slot of [L.SS, L.DS, L.ES, L.FS, L.GS]) this.setSegment(slot, USER_DATA, 0n, 0xffffffff, 0xc0f3);
    this.engine.vcpu().cpl = 3;
    this.engine.vcpu().rsp = BigInt(USER_STACK);
  }
  private setProtected(mode: HostileMode): void {
    const { engine } = this;
    const ring = mode.endsWith('ring 0') ? 0 : 3;
    const big = mode.startsWith('protected 32') ? 0x4000 : 0;
    engine.vcpu().efer = 0n;
    engine.vcpu().cr0 = CR0_NO_PAGING;
    engine.vcpu().cr4 = 0x610n; // PSE OSFXSR OSXMMEXCPT
    engine.vcpu().cr3 = BigInt(PAGE_DIRECTORY);
    this.write64(PAGE_DIRECTORY, 0x87n); // 4 MiB, for programs that turn paging on
    engine.vcpu().idtr.base = BigInt(IDT32);
    engine.vcpu().idtr.limit = 0x7ff;
    this.setSegment(L.TR, 0x30, BigInt(TSS32), 0x167, 0x8b);
    this.write64(TSS32 + 4, BigInt(STACK - 0x1000) | (BigInt(KERNEL_DATA) << 32n)); // ESP0, SS0
    this.write(TSS32 + 0x66, Uint8Array.of(0x68, 0));
    for (let vector = 0; vector < 256; vector++) {
      const handler = BigInt(HANDLERS32 + vector * 16);
      const level = [3, 4, 0x80].includes(vector) ? 0xeen : 0x8en;
      this.write64(IDT32 + vector * 8, (handler & 0xffffn) | (BigInt(KERNEL_CODE32) << 16n) | (level << 40n));
    }
    this.writeHandlers32('FF 04 24', 'CF', true);
    const rights = ring === 0 ? 0 : 0x60;
    const base = BigInt(big === 0 ? CODE : 0);
    const limit = big === 0 ? 0xffff : 0xffffffff;
    // 16-bit code: a descriptor of its own behind those of the table
    const code = big === 0 ? 0x48 : ring === 0 ? KERNEL_CODE32 : USER_CODE32;
    this.write64(GDT + 0x48, 0x00009b000000ffffn | (BigInt(CODE) << 16n) | (BigInt(rights) << 40n));
    this.setSegment(L.CS, code | ring, base, limit, 0x9b | rights | big);
    const selector = ring === 0 ? KERNEL_DATA : USER_DATA;
    for (const slot of [L.SS, L.DS, L.ES, L.FS, L.GS]) this.setSegment(slot, selector, 0n, 0xffffffff, 0xc093 | rights);
    engine.vcpu().cpl = ring;
    engine.vcpu().rsp = BigInt(ring === 0 ? STACK : USER_STACK);
    if (mode === 'virtual-8086') this.setVirtual8086();
  }
  private setVirtual8086(): void {
    this.flags = 0x23202n; // VM, IOPL 3, IF
    for (const slot of [L.SS, L.DS, L.ES, L.FS, L.GS]) this.setSegment(slot, DATA >> 4, BigInt(DATA), 0xffff, 0xf3);
    this.setSegment(L.CS, CODE >> 4, BigInt(CODE), 0xffff, 0xf3);
    this.engine.vcpu().cpl = 3;
    this.engine.vcpu().rsp = 0x8000n;
  }
  /** Handlers that drop the error code, step over one byte of the program and go back. */
  private writeHandlers32(step: string, back: string, errors: boolean): void {
    const bytes = (text: string): number[] => text.split(' ').map((pair) => Number.parseInt(pair, 16));
    for (let vector = 0; vector < 256; vector++) {
      const drop = errors && HAS_ERROR.has(vector) ? [0x83, 0xc4, 0x04] : []; // add esp, 4
      this.write(HANDLERS32 + vector * 16, Uint8Array.from([...drop, ...bytes(step), ...bytes(back)]));
    }
  }

  // ---- what has to hold whatever the program does --------------------------------------------------------------------------
  private plantCanaries(): void {
    const { raw, ram, memorySize } = this.engine;
    const end = ram + memorySize;
    raw.fill(CANARY, end, raw.length);
    const keep = (name: string, start: number, stop: number): void => {
      this.canaries.push({ name, start, contents: raw.slice(start, stop) });
    };
    keep('below the state area', 0, L.STATE);
    keep('configuration', L.CONFIG_RAM, L.ARENA_TOP);
    keep('saved areas of the other vCPUs', L.VCPU_AREAS + L.VCPU_AREA_SIZE, L.VCPU_AREAS + 16 * L.VCPU_AREA_SIZE);
    keep('behind guest memory', end, raw.length);
  }
  /** Hash of what the guest can see: its registers and its memory. */
  digest(): string {
    const { engine } = this;
    engine.system.canonicaliseFlags();
    return createHash('sha256')
      .update(engine.raw.subarray(L.STATE, L.STATE_GUEST_END))
      .update(engine.ramView(0, engine.memorySize))
      .digest('hex')
      .slice(0, 16);
  }
  /** Memory outside of the guest's is as it was, and the vCPU is in a state that a processor can be in. */
  check(): void {
    const { engine } = this;
    for (const { name, start, contents } of this.canaries)
      assert.equal(
        Buffer.compare(engine.raw.subarray(start, start + contents.length), contents),
        0,
        `the guest changed linear memory: ${name}`,
      );
    const mode = engine.vcpu().mode;
    engine.system.updateMode();
    assert.equal(engine.vcpu().mode, mode, 'the mode key is that of the registers');
    const { flags } = this;
    assert.equal(flags & 0xffff_ffff_ffc0_802an, 2n, `reserved flags: ${flags.toString(16)}`);
    assert.ok(engine.vcpu().cpl <= 3 && engine.vcpu().activity <= 3);
    const cr0 = engine.vcpu().cr0;
    assert.ok((cr0 & 0x80000000n) === 0n || (cr0 & PE) !== 0n, 'paging needs protected mode');
    const long = (engine.vcpu().efer & 0x400n) !== 0n;
    if (long) assert.notEqual(cr0 & 0x80000000n, 0n, 'long mode needs paging');
    const code64 = (mode & L.MODE_CODE) === 2;
    assert.ok(!code64 || long, '64-bit code needs long mode');
    const rip = engine.vcpu().rip;
    if (code64) assert.equal(BigInt.asUintN(64, BigInt.asIntN(48, rip)), rip, 'RIP is canonical');
    else assert.ok(rip <= 0xffff_ffffn, `RIP ${rip.toString(16)}`);
    assert.equal(engine.vcpu().mxcsr & 0xffff0000, 0, 'reserved bits of MXCSR');
    for (let i = 0; i < 8; i++) {
      assert.ok(engine.vcpu().segments(i).selector <= 0xffff, 'a selector has 16 bits');
    }
  }
}
