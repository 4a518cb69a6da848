/**
 * The registers of a vCPU by name, and by DWARF number, on top of the engine's state slots.
 *
 * Names are those of the SDM in lower case. Widths that are parts of another register (eax, ax, al, ah) are views.
 */
import type { Engine } from '../core/engine.ts';
import type { StateArea } from '../core/state-area.generated.ts';

/** What this file needs of the engine; tests give a plain table. */
export interface RegisterSlots {
  /** State of one vCPU. RFLAGS and what a mode is made of are written by the two functions below. */
  vcpu(index: number): StateArea;
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
    vcpu: (index) => engine.vcpu(index),
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

/** Names of the slots that hold 64 bits, and of those that hold a number. */
type SlotsOf<Value> = {
  [Name in Exclude<keyof StateArea, 'shift'>]: StateArea[Name] extends Value ? Name : never;
}[Exclude<keyof StateArea, 'shift'>];
type SegmentName = 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs' | 'tr' | 'ldtr';
type TableName = 'gdtr' | 'idtr';

/** Shape of a register of 64 bits: where it is in the state of a vCPU. */
const quad = (slot: SlotsOf<bigint>): Source => ({
  bits: 64,
  read: (slots, vcpu) => slots.vcpu(vcpu)[slot],
  write(slots, vcpu, value) {
    slots.vcpu(vcpu)[slot] = value;
  },
});
const double = (slot: SlotsOf<number>): Source => ({
  bits: 32,
  read: (slots, vcpu) => BigInt(slots.vcpu(vcpu)[slot]),
  write(slots, vcpu, value) {
    slots.vcpu(vcpu)[slot] = Number(BigInt.asUintN(32, value));
  },
});
const base = (name: SegmentName | TableName): Source => ({
  bits: 64,
  read: (slots, vcpu) => slots.vcpu(vcpu)[name].base,
  write(slots, vcpu, value) {
    slots.vcpu(vcpu)[name].base = value;
  },
});
const limit = (name: SegmentName | TableName): Source => ({
  bits: 32,
  read: (slots, vcpu) => BigInt(slots.vcpu(vcpu)[name].limit),
  write(slots, vcpu, value) {
    slots.vcpu(vcpu)[name].limit = Number(BigInt.asUintN(32, value));
  },
});
const attributes = (name: SegmentName): Source => ({
  bits: 32,
  read: (slots, vcpu) => BigInt(slots.vcpu(vcpu)[name].attributes),
  write(slots, vcpu, value) {
    slots.vcpu(vcpu)[name].attributes = Number(BigInt.asUintN(32, value));
  },
});
/** Only the selector changes: the hidden part stays as it is, as no load from a descriptor table happens here. */
const selector = (name: SegmentName): Source => ({
  bits: 16,
  read: (slots, vcpu) => BigInt(slots.vcpu(vcpu)[name].selector),
  write(slots, vcpu, value) {
    slots.vcpu(vcpu)[name].selector = Number(BigInt.asUintN(16, value));
  },
});
/** What decides the mode: what is derived from it follows a change. */
const mode = (source: Source): Source => ({
  ...source,
  write(slots, vcpu, value) {
    source.write(slots, vcpu, value);
    slots.modeChanged(vcpu);
  },
});

const PARITY_BYTE = 0xffn;

/**
 * RFLAGS, put together from the engine's plain flag values (state-table.ts): ZF = F_ZERO==0, SF = F_SIGN<0, PF = even parity
 * of F_SIGN's low byte, CF = F_CF, OF = F_LT ^ SF, AF = bit 4 of F_AF.
 */
export function readFlags(slots: RegisterSlots, vcpu: number): bigint {
  const state = slots.vcpu(vcpu);
  let flags = state.rflags;
  const sign = state.fSign;
  let parity = sign & PARITY_BYTE;
  parity ^= parity >> 4n;
  parity ^= parity >> 2n;
  parity ^= parity >> 1n;
  const negative = sign < 0n;
  if ((state.fCf & 1) !== 0) flags |= 1n;
  if ((parity & 1n) === 0n) flags |= 4n;
  if ((state.fAf & 16) !== 0) flags |= 16n;
  if (state.fZero === 0n) flags |= 64n;
  if (negative) flags |= 128n;
  if (((state.fLt & 1) !== 0) !== negative) flags |= 2048n;
  return flags | 2n;
}

const generalNames = [
  ...(['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const),
  ...(['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const),
];
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
  define({ name, group: 'general', number, description: 'general register' }, quad(name));
});
define(
  { name: 'rip', group: 'general', number: DWARF_RIP, description: 'instruction pointer (offset in CS)' },
  quad('rip'),
);
define(
  { name: 'rflags', group: 'flags', number: DWARF_RFLAGS, description: 'flags' },
  { bits: 64, read: readFlags, write: (slots, vcpu, value) => slots.setFlags(value, vcpu) },
);
for (let i = 0; i < 16; i++) {
  define(
    { name: `xmm${i}`, group: 'vector', number: DWARF_XMM0 + i, description: 'vector register' },
    {
      bits: 128,
      read(slots, vcpu) {
        const { low, high } = slots.vcpu(vcpu).xmm(i);
        return low | (high << 64n);
      },
      write(slots, vcpu, value) {
        const register = slots.vcpu(vcpu).xmm(i);
        register.low = BigInt.asUintN(64, value);
        register.high = BigInt.asUintN(64, value >> 64n);
      },
    },
  );
}
const segments: readonly (readonly [SegmentName, number])[] = [
  ['es', 50],
  ['cs', 51],
  ['ss', 52],
  ['ds', 53],
  ['fs', 54],
  ['gs', 55],
  ['tr', 62],
  ['ldtr', 63],
];
let own = OWN_NUMBERS;
for (const [name, number] of segments) {
  const group = 'segment';
  define({ name, group, number, description: 'segment selector' }, selector(name));
  const baseNumber = name === 'fs' ? 58 : name === 'gs' ? 59 : own++;
  define({ name: `${name}_base`, group, number: baseNumber, description: `base of ${name}` }, mode(base(name)));
  define({ name: `${name}_limit`, group, number: own++, description: `limit of ${name}` }, mode(limit(name)));
  define(
    { name: `${name}_attributes`, group, number: own++, description: `access rights of ${name}` },
    mode(attributes(name)),
  );
}
for (const name of ['gdtr', 'idtr'] as const) {
  define({ name: `${name}_base`, group: 'segment', number: own++, description: `base of ${name}` }, base(name));
  define({ name: `${name}_limit`, group: 'segment', number: own++, description: `limit of ${name}` }, limit(name));
}
const controls = [
  ['cr0', 'control register 0'],
  ['cr2', 'page-fault linear address'],
  ['cr3', 'page-table base'],
  ['cr4', 'control register 4'],
  ['efer', 'extended features (MSR)'],
  ['xcr0', 'enabled state components'],
] as const;
for (const [name, description] of controls) {
  const source = name === 'cr2' || name === 'xcr0' ? quad(name) : mode(quad(name));
  define({ name, group: 'control', number: own++, description }, source);
}
const machineSpecific = [
  ['star', 'msrStar'],
  ['lstar', 'msrLstar'],
  ['cstar', 'msrCstar'],
  ['sfmask', 'msrSfmask'],
  ['kernel_gs_base', 'msrKernelGsBase'],
  ['tsc_aux', 'msrTscAux'],
  ['apic_base', 'msrApicBase'],
  ['pat', 'msrPat'],
  ['sysenter_cs', 'msrSysenterCs'],
  ['sysenter_esp', 'msrSysenterEsp'],
  ['sysenter_eip', 'msrSysenterEip'],
  ['debugctl', 'msrDebugctl'],
] as const;
for (const [name, slot] of machineSpecific) {
  define({ name, group: 'control', number: own++, description: `MSR IA32_${name.toUpperCase()}` }, quad(slot));
}
define({ name: 'mxcsr', group: 'vector', number: 64, description: 'SSE control and status' }, double('mxcsr'));
for (const name of ['dr0', 'dr1', 'dr2', 'dr3'] as const) {
  const description = 'address of a breakpoint (guest bank)';
  define({ name, group: 'debug', number: own++, description }, quad(name));
}
define({ name: 'dr6', group: 'debug', number: own++, description: 'debug status (guest bank)' }, quad('dr6'));
define({ name: 'dr7', group: 'debug', number: own++, description: 'debug control (guest bank)' }, quad('dr7'));

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
  const state = slots.vcpu(vcpu);
  return BigInt.asUintN(isLongCode(slots, vcpu) ? 64 : 32, state.cs.base + state.rip);
}

/** Whether the vCPU executes 64-bit code: EFER.LMA and CS.L. */
export function isLongCode(slots: RegisterSlots, vcpu: number): boolean {
  const state = slots.vcpu(vcpu);
  return (state.efer & 0x400n) !== 0n && (state.cs.attributes & 0x2000) !== 0;
}

/** Linear address of the top of the stack: SS.base + SP, ESP (SS.B, SDM 3A 3.4.5) or, in 64-bit mode, RSP. */
export function linearStackPointer(slots: RegisterSlots, vcpu: number): bigint {
  const { rsp, ss } = slots.vcpu(vcpu);
  if (isLongCode(slots, vcpu)) return rsp;
  const isBig = (ss.attributes & 0x4000) !== 0;
  return BigInt.asUintN(32, ss.base + BigInt.asUintN(isBig ? 32 : 16, rsp));
}

/** Bytes that a push of the current code takes, unless a prefix says otherwise: 8, or by CS.D 4 or 2 (SDM 3A 3.4.5). */
export function stackWord(slots: RegisterSlots, vcpu: number): 2 | 4 | 8 {
  if (isLongCode(slots, vcpu)) return 8;
  return (slots.vcpu(vcpu).cs.attributes & 0x4000) === 0 ? 2 : 4;
}

/** Physical base of the page tables that translate: CR3 without its low 12 bits. */
export function pageTableBase(slots: RegisterSlots, vcpu: number): bigint {
  return slots.vcpu(vcpu).cr3 & 0x000ffffffffff000n;
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
