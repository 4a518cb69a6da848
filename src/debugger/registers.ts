/**
 * The registers of a vCPU by name, and by DWARF number, on top of the engine's state slots.
 *
 * Names are those of the SDM in lower case. Widths that are parts of another register (eax, ax, al, ah) are views.
 */
import * as L from '../core/layout.ts';
import type { Engine } from '../core/engine.ts';

/** What this file needs of the engine; tests give a plain table. */
export interface RegisterSlots {
  get32(slot: number, vcpu: number): number;
  get64(slot: number, vcpu: number): bigint;
  set32(slot: number, value: number, vcpu: number): void;
  set64(slot: number, value: bigint, vcpu: number): void;
  /** Stores all of RFLAGS, arithmetic flags included. */
  setFlags(value: bigint, vcpu: number): void;
  /** A control register or segment was written from outside: what is derived from them must follow. */
  modeChanged(vcpu: number): void;
}

/** The slots of the real engine. */
export function engineSlots(engine: Engine): RegisterSlots {
  const withSelected = (vcpu: number, work: () => void): void => {
    const before = engine.current;
    engine.select(vcpu);
    try {
      work();
    } finally {
      engine.select(before);
    }
  };
  return {
    get32: (slot, vcpu) => engine.get32(slot, vcpu),
    get64: (slot, vcpu) => engine.get64(slot, vcpu),
    set32: (slot, value, vcpu) => engine.set32(slot, value, vcpu),
    set64: (slot, value, vcpu) => engine.set64(slot, value, vcpu),
    setFlags: (value, vcpu) => withSelected(vcpu, () => engine.system.setRflags(BigInt.asIntN(64, value))),
    modeChanged: (vcpu) =>
      withSelected(vcpu, () => {
        engine.system.initTlb();
        engine.system.refreshDirectoryPointers();
        engine.system.updateMode();
      }),
  };
}

export type RegisterGroup = 'general' | 'flags' | 'segment' | 'control' | 'debug' | 'vector';

/** A register that can be named. */
export interface Register {
  readonly name: string;
  readonly group: RegisterGroup;
  readonly bits: number;
  /** What it is, in a few words, for completions. */
  readonly description: string;
  /** Number by which locations refer to it: DWARF's (AMD64 supplement, figure 3.36), or one of ours from 0x1000 on. */
  readonly number: number;
  /** For parts of a register: the lowest bit within it. */
  readonly bitOffset: number;
}

interface Source {
  readonly bits: number;
  read(slots: RegisterSlots, vcpu: number): bigint;
  write(slots: RegisterSlots, vcpu: number, value: bigint): void;
}

const quad = (slot: number): Source => ({
  bits: 64,
  read: (slots, vcpu) => slots.get64(slot, vcpu),
  write: (slots, vcpu, value) => slots.set64(slot, value, vcpu),
});
const mode = (source: Source): Source => ({
  ...source,
  write(slots, vcpu, value) {
    source.write(slots, vcpu, value);
    slots.modeChanged(vcpu);
  },
});
const double = (slot: number): Source => ({
  bits: 32,
  read: (slots, vcpu) => BigInt(slots.get32(slot, vcpu)),
  write: (slots, vcpu, value) => slots.set32(slot, Number(BigInt.asUintN(32, value)), vcpu),
});
/** Only the selector changes: the hidden part stays as it is, as no load from a descriptor table happens here. */
const selector = (slot: number): Source => ({ ...double(slot + 16), bits: 16 });

const PARITY_BYTE = 0xffn;

/**
 * RFLAGS, put together from the engine's plain flag values (layout.ts): ZF = F_ZERO==0, SF = F_SIGN<0, PF = even parity
 * of F_SIGN's low byte, CF = F_CF, OF = F_LT ^ SF, AF = bit 4 of F_AF.
 */
export function readFlags(slots: RegisterSlots, vcpu: number): bigint {
  let flags = slots.get64(L.RFLAGS, vcpu);
  const sign = slots.get64(L.F_SIGN, vcpu);
  let parity = sign & PARITY_BYTE;
  parity ^= parity >> 4n;
  parity ^= parity >> 2n;
  parity ^= parity >> 1n;
  const negative = BigInt.asIntN(64, sign) < 0n;
  if ((slots.get32(L.F_CF, vcpu) & 1) !== 0) flags |= 1n;
  if ((parity & 1n) === 0n) flags |= 4n;
  if ((slots.get32(L.F_AF, vcpu) & 16) !== 0) flags |= 16n;
  if (slots.get64(L.F_ZERO, vcpu) === 0n) flags |= 64n;
  if (negative) flags |= 128n;
  if (((slots.get32(L.F_LT, vcpu) & 1) !== 0) !== negative) flags |= 2048n;
  return flags | 2n;
}

const generalNames = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'];
for (let i = 8; i < 16; i++) generalNames.push(`r${i}`);
/** Slot order (the encoding's) to DWARF order: rax rdx rcx rbx rsi rdi rbp rsp. */
const dwarfOfGeneral = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];

export const DWARF_RIP = 16;
export const DWARF_RSP = 7;
export const DWARF_RBP = 6;
const DWARF_XMM0 = 17;
const DWARF_RFLAGS = 49;
const OWN_NUMBERS = 0x1000;

const sources = new Map<number, Source>();
const registers = new Map<string, Register>();

function define(register: Omit<Register, 'bits' | 'bitOffset'>, source: Source): void {
  sources.set(register.number, source);
  registers.set(register.name, { ...register, bits: source.bits, bitOffset: 0 });
}
function part(name: string, of: string, bits: number, bitOffset: number): void {
  const whole = registers.get(of);
  if (whole === undefined) return;
  registers.set(name, {
    ...whole,
    name,
    bits,
    bitOffset,
    description: `bits ${bitOffset + bits - 1}:${bitOffset} of ${of}`,
  });
}

generalNames.forEach((name, index) => {
  const number = dwarfOfGeneral[index] ?? 0;
  define({ name, group: 'general', number, description: 'general register' }, quad(L.REGS + index * 8));
});
define(
  { name: 'rip', group: 'general', number: DWARF_RIP, description: 'instruction pointer (offset in CS)' },
  quad(L.RIP),
);
define(
  { name: 'rflags', group: 'flags', number: DWARF_RFLAGS, description: 'flags' },
  { bits: 64, read: readFlags, write: (slots, vcpu, value) => slots.setFlags(value, vcpu) },
);
for (let i = 0; i < 16; i++) {
  const low = quad(L.XMM + i * 16);
  const high = quad(L.XMM + i * 16 + 8);
  define(
    { name: `xmm${i}`, group: 'vector', number: DWARF_XMM0 + i, description: 'vector register' },
    {
      bits: 128,
      read: (slots, vcpu) => low.read(slots, vcpu) | (high.read(slots, vcpu) << 64n),
      write(slots, vcpu, value) {
        low.write(slots, vcpu, BigInt.asUintN(64, value));
        high.write(slots, vcpu, BigInt.asUintN(64, value >> 64n));
      },
    },
  );
}
const segments: readonly (readonly [string, number, number])[] = [
  ['es', L.ES, 50],
  ['cs', L.CS, 51],
  ['ss', L.SS, 52],
  ['ds', L.DS, 53],
  ['fs', L.FS, 54],
  ['gs', L.GS, 55],
  ['tr', L.TR, 62],
  ['ldtr', L.LDTR, 63],
];
let own = OWN_NUMBERS;
for (const [name, slot, number] of segments) {
  define({ name, group: 'segment', number, description: 'segment selector' }, selector(slot));
  const base = { name: `${name}_base`, group: 'segment' as const, description: `base of ${name}` };
  define({ ...base, number: name === 'fs' ? 58 : name === 'gs' ? 59 : own++ }, mode(quad(slot)));
  define(
    { name: `${name}_limit`, group: 'segment', number: own++, description: `limit of ${name}` },
    mode(double(slot + 8)),
  );
  const attributes = { name: `${name}_attributes`, group: 'segment' as const, description: `access rights of ${name}` };
  define({ ...attributes, number: own++ }, mode(double(slot + 12)));
}
for (const [name, slot] of [
  ['gdtr', L.GDTR],
  ['idtr', L.IDTR],
] as const) {
  define({ name: `${name}_base`, group: 'segment', number: own++, description: `base of ${name}` }, quad(slot));
  define({ name: `${name}_limit`, group: 'segment', number: own++, description: `limit of ${name}` }, double(slot + 8));
}
const controls: readonly (readonly [string, number, string])[] = [
  ['cr0', L.CR0, 'control register 0'],
  ['cr2', L.CR2, 'page-fault linear address'],
  ['cr3', L.CR3, 'page-table base'],
  ['cr4', L.CR4, 'control register 4'],
  ['efer', L.EFER, 'extended features (MSR)'],
  ['xcr0', L.XCR0, 'enabled state components'],
];
for (const [name, slot, description] of controls) {
  const source = name === 'cr2' || name === 'xcr0' ? quad(slot) : mode(quad(slot));
  define({ name, group: 'control', number: own++, description }, source);
}
const machineSpecific: readonly (readonly [string, number])[] = [
  ['star', L.MSR_STAR],
  ['lstar', L.MSR_LSTAR],
  ['cstar', L.MSR_CSTAR],
  ['sfmask', L.MSR_SFMASK],
  ['kernel_gs_base', L.MSR_KERNEL_GS_BASE],
  ['tsc_aux', L.MSR_TSC_AUX],
  ['apic_base', L.MSR_APIC_BASE],
  ['pat', L.MSR_PAT],
  ['sysenter_cs', L.MSR_SYSENTER_CS],
  ['sysenter_esp', L.MSR_SYSENTER_ESP],
  ['sysenter_eip', L.MSR_SYSENTER_EIP],
  ['debugctl', L.MSR_DEBUGCTL],
];
for (const [name, slot] of machineSpecific) {
  define({ name, group: 'control', number: own++, description: `MSR IA32_${name.toUpperCase()}` }, quad(slot));
}
define({ name: 'mxcsr', group: 'vector', number: 64, description: 'SSE control and status' }, double(L.MXCSR));
for (const index of [0, 1, 2, 3]) {
  const description = 'address of a breakpoint (guest bank)';
  define({ name: `dr${index}`, group: 'debug', number: own++, description }, quad(L.DR0 + index * 8));
}
define({ name: 'dr6', group: 'debug', number: own++, description: 'debug status (guest bank)' }, quad(L.DR6));
define({ name: 'dr7', group: 'debug', number: own++, description: 'debug control (guest bank)' }, quad(L.DR7));

for (const name of ['rax', 'rbx', 'rcx', 'rdx']) {
  const letter = name.charAt(1);
  part(`e${letter}x`, name, 32, 0);
  part(`${letter}x`, name, 16, 0);
  part(`${letter}l`, name, 8, 0);
  part(`${letter}h`, name, 8, 8);
}
for (const name of ['rsp', 'rbp', 'rsi', 'rdi']) {
  part(`e${name.slice(1)}`, name, 32, 0);
  part(name.slice(1), name, 16, 0);
  part(`${name.slice(1)}l`, name, 8, 0);
}
for (let i = 8; i < 16; i++) {
  part(`r${i}d`, `r${i}`, 32, 0);
  part(`r${i}w`, `r${i}`, 16, 0);
  part(`r${i}b`, `r${i}`, 8, 0);
}
part('eip', 'rip', 32, 0);
part('eflags', 'rflags', 32, 0);
const aliases: readonly (readonly [string, string])[] = [
  ['pc', 'rip'],
  ['sp', 'rsp'],
  ['fp', 'rbp'],
];
for (const [alias, of] of aliases) {
  const whole = registers.get(of);
  if (whole !== undefined && !registers.has(alias)) registers.set(alias, { ...whole, name: alias });
  else if (whole !== undefined) registers.set(`$${alias}`, whole);
}

/** The register of a name without `$`, lower case; `pc`, `sp` and `fp` stand for rip, rsp and rbp. */
export function registerNamed(name: string): Register | undefined {
  // `sp` is a 16-bit part by the manual's names; in expressions gdb's meaning, the whole stack pointer, is expected.
  return registers.get(`$${name}`) ?? registers.get(name);
}

/** All registers of a group that are not parts of others, in the order of the manuals. */
export function registersOf(group: RegisterGroup): readonly Register[] {
  return [...registers.values()].filter((register) => {
    const source = sources.get(register.number);
    const alias = register.name === 'pc' || register.name === 'fp' || register.name === 'sp';
    return register.group === group && source?.bits === register.bits && !alias && register.bitOffset === 0;
  });
}

/** All names that can follow `$`, sorted. */
export function registerNames(): readonly string[] {
  return [...registers.keys()].filter((name) => !name.startsWith('$')).sort();
}

/** The value of a whole register by number; undefined when there is none of that number. */
export function readRegister(slots: RegisterSlots, vcpu: number, number: number): bigint | undefined {
  return sources.get(number)?.read(slots, vcpu);
}

/** Stores a whole register. @returns false when there is none of that number. */
export function writeRegister(slots: RegisterSlots, vcpu: number, number: number, value: bigint): boolean {
  const source = sources.get(number);
  if (source === undefined) return false;
  source.write(slots, vcpu, BigInt.asUintN(source.bits, value));
  return true;
}

/** Linear address of the next instruction: CS.base + RIP, cut to 32 bits outside 64-bit mode (SDM 1, 3.3.1). */
export function linearPc(slots: RegisterSlots, vcpu: number): bigint {
  const sum = slots.get64(L.CS, vcpu) + slots.get64(L.RIP, vcpu);
  return BigInt.asUintN(isLongCode(slots, vcpu) ? 64 : 32, sum);
}

/** Whether the vCPU executes 64-bit code: EFER.LMA and CS.L. */
export function isLongCode(slots: RegisterSlots, vcpu: number): boolean {
  const active = (slots.get64(L.EFER, vcpu) & 0x400n) !== 0n;
  return active && (slots.get32(L.CS + 12, vcpu) & 0x2000) !== 0;
}

/** Physical base of the page tables that translate: CR3 without its low 12 bits. */
export function pageTableBase(slots: RegisterSlots, vcpu: number): bigint {
  return slots.get64(L.CR3, vcpu) & 0x000ffffffffff000n;
}

/** Names of the set bits of RFLAGS as in `[ ZF PF IF ]`, with the I/O privilege level when it is not 0. */
export function describeFlags(flags: bigint): string {
  const names: readonly (readonly [number, string])[] = [
    [0, 'CF'],
    [2, 'PF'],
    [4, 'AF'],
    [6, 'ZF'],
    [7, 'SF'],
    [8, 'TF'],
    [9, 'IF'],
    [10, 'DF'],
    [11, 'OF'],
    [14, 'NT'],
    [16, 'RF'],
    [17, 'VM'],
    [18, 'AC'],
    [19, 'VIF'],
    [20, 'VIP'],
    [21, 'ID'],
  ];
  const set = names.filter(([bit]) => (flags >> BigInt(bit)) & 1n).map(([, name]) => name);
  const level = (flags >> 12n) & 3n;
  if (level !== 0n) set.push(`IOPL=${level}`);
  return `[ ${set.join(' ')}${set.length > 0 ? ' ' : ''}]`;
}
