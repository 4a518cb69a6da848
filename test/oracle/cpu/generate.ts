// Makes cases from the decode table: every form that ring 3 may execute, with prefixes, operands at the edges of their ranges
// and memory operands on the data pages, at their ends and outside.
import { decode } from '../../../src/core/disassembler/decode.ts';
import type { Decoded } from '../../../src/core/disassembler/instruction.ts';
import { type OpcodeRow, opcodeRows } from '../../../src/core/opcodes/index.ts';
import { pick, type Random } from '../random.ts';
import { floatState, isFloatRow } from './float-values.ts';
import { type Case, CODE_ADDRESS, DATA_ADDRESS, DATA_SIZE, GS_BASE } from './protocol.ts';

/** Forms that are not compared, by mnemonic. */
const LEFT_OUT: readonly (readonly [RegExp, string])[] = [
  [/^(SYSCALL|SYSRET|SYSENTER|SYSEXIT|INT|INTO|INT1|INT3|IRET|RETF)/, 'enters the operating system'],
  [/^(SGDT|SIDT|SLDT|STR|SMSW)/, 'the operating system may emulate it (CR4.UMIP)'],
  [/^(LAR|LSL|VERR|VERW|LSS|LFS|LGS)/, 'depends on descriptor tables'],
  [/^(CPUID|RDTSC|RDTSCP|RDPMC|XGETBV|XSETBV|MONITOR|MWAIT|PAUSE)/, 'depends on the processor or on time'],
  [/^(RDFSBASE|RDGSBASE|WRFSBASE|WRGSBASE)/, 'the FS base belongs to the runner, CR4.FSGSBASE to the operating system'],
  [/^(FX|FN|FLD|WAIT)/, 'the x87 state is not part of a case'],
  [/^(RSM|CLAC|STAC|UD0|UD1)/, 'differs between processors outside ring 0'],
];
const PREFETCH = 0x0d;
const FAR = new Set(['p']);

const tested = opcodeRows.filter(
  (row) =>
    !LEFT_OUT.some(([pattern]) => pattern.test(row.mnemonic)) &&
    !row.operands.some(({ kind, size }) => FAR.has(size) || (kind === 'S' && row.operands[0]?.kind === 'S')) &&
    !(row.operands[0]?.kind === 'name' && row.mnemonic === 'POP') &&
    !(row.opcode === PREFETCH && row.map === '0F' && row.mod === 'register'), // NOP or #UD, by vendor
);

/** By code size. */
export const testedRows = {
  64: tested.filter(({ modes }) => modes !== 'not64'),
  32: tested.filter(({ modes }) => modes !== 'only64'),
} as const;

const EDGES = [
  0n,
  1n,
  2n,
  0x0fn,
  0x10n,
  0x1fn,
  0x20n,
  0x3fn,
  0x40n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
];

function random64(random: Random): bigint {
  return (BigInt(random(0x100000000)) << 32n) | BigInt(random(0x100000000));
}
/** An edge, one beside it, or anything. */
function value64(random: Random): bigint {
  const kind = random(4);
  if (kind === 0) return random64(random);
  const edge = pick(random, EDGES);
  return BigInt.asUintN(64, kind === 1 ? edge + BigInt(random(5)) - 2n : random(3) === 0 ? -edge : edge);
}
function bytesOfValues(random: Random, count: number): Uint8Array {
  const bytes = new Uint8Array(count * 8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) view.setBigUint64(i * 8, value64(random), true);
  return bytes;
}

const canonical = (address: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(48, address));
const MIDDLE = DATA_ADDRESS + DATA_SIZE / 2;

/** Where a memory operand of up to 16 bytes goes. */
function target(code: number, random: Random): bigint {
  const kind = random(32);
  if (kind === 0) return BigInt(DATA_ADDRESS + DATA_SIZE - random(16)); // over the end
  if (kind === 1) return BigInt(DATA_ADDRESS - random(16));
  if (kind === 2) return code === 64 ? 0x8000_0000_0000n - BigInt(random(16)) : 0x10n; // not canonical, not mapped
  if (kind === 3) return BigInt(MIDDLE - random(16)); // over the end of a page
  const aligned = BigInt(MIDDLE + (random(64) - 32) * 16);
  return kind < 20 ? aligned : aligned + BigInt(random(16));
}

interface Encoding {
  readonly bytes: number[];
  /** Where a displacement of 4 or 8 bytes begins that decides where the operand is. */
  displacementAt: number | undefined;
  displacementSize: number;
}

function encode(row: OpcodeRow, code: 32 | 64, random: Random): Encoding {
  const bytes: number[] = [];
  const twoBytes = row.map !== 'one';
  if (random(16) === 0 && (row.size64 !== 'forced' || row.implicit !== undefined || !twoBytes)) bytes.push(0x67);
  const branches = row.size64 === 'forced';
  if (random(4) === 0 && row.prefix === 'any' && (code === 32 || !branches)) bytes.push(0x66); // processors disagree on 66 and branches
  // F2 and F3 in front of jumps have a meaning of their own on some processors
  if (random(24) === 0 && row.prefix === 'any' && !twoBytes && !branches) bytes.push(pick(random, [0xf2, 0xf3]));
  if (random(12) === 0) bytes.push(pick(random, [0x26, 0x2e, 0x36, 0x3e, ...(code === 64 ? [0x65, 0x65] : [])]));
  if (random(row.lockable ? 6 : 100) === 0) bytes.push(0xf0);
  if (row.prefix === '66') bytes.push(0x66);
  if (row.prefix === 'F3') bytes.push(0xf3);
  if (row.prefix === 'F2') bytes.push(0xf2);
  if (code === 64 && random(2) === 0) bytes.push(0x40 | (random(2) === 0 ? 8 : 0) | random(8));
  if (twoBytes) bytes.push(0x0f);
  if (row.map === '0F38') bytes.push(0x38);
  if (row.map === '0F3A') bytes.push(0x3a);
  bytes.push(row.opcode + random(row.span));
  const encoding: Encoding = { bytes, displacementAt: undefined, displacementSize: 4 };
  if (row.hasModRM) appendModRM(row, code === 32 && bytes.includes(0x67), random, encoding);
  if (row.operands.some(({ kind }) => kind === 'O')) {
    encoding.displacementAt = bytes.length;
    encoding.displacementSize = (bytes.includes(0x67) ? 4 : 8) / (code === 64 ? 1 : 2);
    for (let i = 0; i < encoding.displacementSize; i++) bytes.push(0);
  }
  while (bytes.length < 15) {
    const kind = random(3);
    bytes.push(kind === 0 ? random(256) : pick(random, [0, 1, 0x7f, 0x80, 0xff]));
  }
  return encoding;
}
/** word: 16-bit addresses, which lead to no data page and are not aimed. */
function appendModRM(row: OpcodeRow, word: boolean, random: Random, encoding: Encoding): void {
  const { bytes } = encoding;
  const reg = row.reg ?? random(8);
  let mod = row.mod === 'register' ? 3 : row.mod === 'memory' ? random(3) : random(4);
  const rm = row.rm ?? random(8);
  if (row.rm !== undefined) mod = 3;
  bytes.push((mod << 6) | (reg << 3) | rm);
  if (mod === 3 || word) return;
  let long = mod === 2;
  let fixed = mod === 0 && rm === 5;
  if (rm === 4) {
    const sib = random(256);
    bytes.push(sib);
    if ((sib & 7) === 5 && mod === 0) fixed = true;
  }
  if (fixed) {
    long = true;
    encoding.displacementAt = bytes.length;
  }
  if (mod === 1) bytes.push(random(256));
  else if (long) bytes.push(random(256), random(16), 0, pick(random, [0, 0, 0xff]));
}

const NUMBERS = new Map(
  ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'].flatMap((name, i): [string, number][] => [
    [`r${name}`, i],
    [`e${name}`, i],
  ]),
);
function registerNumber(name: string): number {
  return NUMBERS.get(name) ?? Number(name.replace(/\D/g, ''));
}

/** Replaces the low addressSize bytes of a register. */
function setAddress(registers: bigint[], number: number, value: bigint, addressSize: number, random: Random): void {
  const bits = addressSize * 8;
  const high = addressSize === 8 ? 0n : (random64(random) >> BigInt(bits)) << BigInt(bits);
  registers[number] = high | BigInt.asUintN(bits, value);
}

/** Makes the memory operand's registers, or the displacement in the code, lead to the place. */
function aim(decoded: Decoded, encoding: Encoding, code: Uint8Array, registers: bigint[], random: Random): bigint {
  const { memory } = decoded;
  if (memory === undefined) return BigInt(MIDDLE);
  const place = target(decoded.code, random);
  if (memory.addressSize === 2) return place;
  const offset = place - (memory.segment === 'gs' ? BigInt(GS_BASE) : 0n);
  const { base, index, scale, addressSize, displacement } = memory;
  const relative = base === 'rip' || base === 'eip';
  const indexNumber = index === undefined ? undefined : registerNumber(index);
  if (encoding.displacementAt !== undefined) {
    if (indexNumber !== undefined) setAddress(registers, indexNumber, BigInt(random(16)), addressSize, random);
    const scaled = indexNumber === undefined ? 0n : lowPart(registers[indexNumber], addressSize) * BigInt(scale);
    const value = offset - scaled - (relative ? decoded.next : 0n);
    for (let i = 0; i < encoding.displacementSize; i++)
      code[encoding.displacementAt + i] = Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 0xffn);
    return place;
  }
  if (base === undefined) return place;
  const number = registerNumber(base);
  if (number === indexNumber) {
    setAddress(registers, number, (offset - displacement) / BigInt(1 + scale), addressSize, random);
    return place;
  }
  const scaled = indexNumber === undefined ? 0n : lowPart(registers[indexNumber], addressSize) * BigInt(scale);
  setAddress(registers, number, offset - displacement - scaled, addressSize, random);
  return place;
}
const lowPart = (value: bigint | undefined, size: number): bigint => BigInt.asUintN(size * 8, value ?? 0n);

/** Registers that the instruction uses without naming them in ModRM. */
function aimImplicit(decoded: Decoded, registers: bigint[], random: Random): bigint | undefined {
  const { row, addressSize } = decoded;
  const stack = (): bigint => BigInt(MIDDLE + (random(64) - 32) * 8 + (random(8) === 0 ? random(8) : 0));
  const edge = (): bigint => (random(16) === 0 ? target(decoded.code, random) : stack());
  const kinds = row.operands.map(({ kind }) => kind);
  const offset = (place: bigint): bigint => place - (decoded.segment === 'gs' ? BigInt(GS_BASE) : 0n);
  let patchAt: bigint | undefined;
  const usesStack = ['push', 'pop', 'enter', 'leave', 'pusha', 'popa'].includes(row.implicit ?? '');
  if (usesStack) {
    if (decoded.memory?.base !== 'rsp' && decoded.memory?.base !== 'esp')
      // how much a POPA that faults has loaded differs between processors
      registers[4] = row.implicit === 'popa' ? stack() : edge();
    if (row.implicit === 'enter' || row.implicit === 'leave') registers[5] = edge();
    if (decoded.memory === undefined || row.implicit === 'pop')
      patchAt = row.implicit === 'leave' ? registers[5] : registers[4];
  }
  if (kinds.includes('X')) setAddress(registers, 6, offset(edge()), addressSize, random);
  if (kinds.includes('Y')) {
    const place = edge();
    setAddress(registers, 7, place, addressSize, random);
    patchAt = place;
  }
  // whether bytes that the mask leaves out may fault is up to the processor (SDM 2B MASKMOVDQU)
  if (row.implicit === 'mask') setAddress(registers, 7, offset(stack()), addressSize, random);
  if (kinds.includes('B'))
    setAddress(registers, 3, offset(edge()) - ((registers[0] ?? 0n) & 0xffn), addressSize, random);
  return patchAt;
}

/** Adjusts operands that would otherwise nearly always fault, or where processors differ. */
function adjust(decoded: Decoded, code: Uint8Array, registers: bigint[], patch: Uint8Array, random: Random): void {
  const { row } = decoded;
  const view = new DataView(patch.buffer, patch.byteOffset, patch.length);
  const { implicit, mnemonic } = row;
  const address = [decoded.memory?.base, decoded.memory?.index].map((name) =>
    name === undefined ? -1 : registerNumber(name),
  );
  const set = (number: number, value: bigint): void => {
    if (!address.includes(number)) registers[number] = BigInt.asUintN(64, value);
  };
  if (/^I?DIV$/.test(mnemonic) && random(4) !== 0)
    set(2, random(2) === 0 ? BigInt(random(4)) : BigInt.asIntN(64, registers[0] ?? 0n) >> 63n);
  if (mnemonic.startsWith('CMPXCHG') && random(2) === 0) {
    set(0, view.getBigUint64(0, true));
    if (mnemonic.includes('|')) set(2, view.getBigUint64(decoded.operandSize === 8 ? 8 : 4, true));
  }
  // whether the port is checked when the count is 0 differs between processors
  if (row.operands.some(({ kind }) => kind === 'X' || kind === 'Y') && /(INS|OUTS)/.test(mnemonic)) registers[1] = 3n;
  if (implicit === 'bits' && decoded.memory !== undefined) {
    set(decoded.reg, BigInt(random(0x8000) - 0x4000)); // the bit stays on the data pages
  }
  if (row.operands[0]?.kind === 'E' && /^(JMP|CALL)$/.test(mnemonic)) {
    view.setBigUint64(0, canonical(view.getBigUint64(0, true)), true);
    if (decoded.memory === undefined) registers[decoded.rm] = canonical(registers[decoded.rm] ?? 0n);
  }
  if (mnemonic === 'RET') view.setBigUint64(0, canonical(view.getBigUint64(0, true)), true);
  if (mnemonic.startsWith('POPF')) view.setBigUint64(0, view.getBigUint64(0, true) & 0xcd5n, true);
  if (mnemonic === 'ENTER') code[decoded.length - 2] = 0; // a frame of less than 256 bytes
  if (mnemonic === 'LDMXCSR') view.setUint32(0, view.getUint32(0, true) & ~0x20000, true); // bit 17 is AMD's
}

/** One case; undefined when the bytes came out as something else. */
export function generateCase(
  codeSize: 32 | 64,
  random: Random,
  rows: readonly OpcodeRow[] = testedRows[codeSize],
): { item: Case; decoded: Decoded } | undefined {
  const row = pick(random, rows);
  const encoding = encode(row, codeSize, random);
  const code = Uint8Array.from(encoding.bytes).slice(0, 15);
  const rip = BigInt(CODE_ADDRESS);
  const decoded = decode(code, rip, codeSize);
  if (decoded?.row !== row || decoded.memory?.segment === 'fs') return undefined;
  const registers = Array.from({ length: 16 }, () => value64(random));
  const float = isFloatRow(row) ? floatState(decoded, random) : undefined;
  const patch = float?.patch ?? bytesOfValues(random, 2);
  if (float !== undefined && decoded.memory === undefined && row.operands[1]?.kind === 'E')
    registers[decoded.rm] = float.integer;
  const place = aim(decoded, encoding, code, registers, random);
  const patchAt = aimImplicit(decoded, registers, random) ?? place;
  adjust(decoded, code, registers, patch, random);
  const offset = Number(patchAt) - DATA_ADDRESS;
  // how much a 16-bit MOVSXD reads differs between processors
  if (row.mnemonic === 'MOVSXD' && decoded.operandSize === 2 && decoded.memory !== undefined) return undefined;
  // an empty mask may fault or not; a destination in CS is refused before or after its page is looked for
  if (row.implicit === 'mask' && (decoded.addressSize === 2 || decoded.segment === 'cs')) return undefined;
  if (row.mnemonic === 'ARPL' && decoded.segment === 'cs') return undefined;
  // what adjust() decided has to be what is read
  if (/^(RET|POPF|CALL|JMP|LDMXCSR)/.test(row.mnemonic) && offset > DATA_SIZE - 16 && offset < DATA_SIZE)
    return undefined;
  const item: Case = {
    code: code.slice(0, decoded.length),
    registers: codeSize === 64 ? registers : registers.map((value, i) => (i < 8 ? value & 0xffffffffn : 0n)),
    flags: BigInt(random(0x1000)) & 0xcd5n, // OF DF SF ZF AF PF CF
    xmm: float?.xmm ?? bytesOfValues(random, 32),
    mxcsr: float?.mxcsr ?? 0x1f80,
    patchOffset: Math.min(Math.max(offset, 0), DATA_SIZE - 16),
    patch,
    codeSize,
  };
  return { item, decoded };
}
