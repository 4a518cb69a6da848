// Makes cases from the decode table: every form that ring 3 may execute, with prefixes, operands at the edges of their ranges
// and memory operands on the data pages, at their ends and outside.
import { decode } from '../../../src/core/disassembler/decode.ts';
import type { Decoded, SegmentName } from '../../../src/core/disassembler/instruction.ts';
import { type OpcodeRow, opcodeRows } from '../../../src/core/opcodes/index.ts';
import { opcodeBytes } from '../encoding.ts';
import { pick, type Random } from '../../harness/random.ts';
import { type Case, DATA_ADDRESS, DATA_SIZE, startOf, testSegments } from './protocol.ts';
import { notExecuted } from './left-out.ts';
import { registerNumber, segmentBase } from './operand-address.ts';
import { aimSelectors, differsByVendor, usesSelectors } from './selectors.ts';
import { floatState, isFloatRow } from './float-values.ts';
import { whereVendorsAgree } from './mmx-vendors.ts';
import { operandValues } from './operand-values.ts';
import { random64, value64 } from './values.ts';

/** In what code a case runs. */
export type CaseKind = Pick<Case, 'codeSize' | 'segmented'>;

const tested = opcodeRows.filter((row) => notExecuted(row) === undefined);

/** By code size. */
const only64 = tested.filter(({ modes }) => modes !== 'not64');
const not64 = tested.filter(({ modes }) => modes !== 'only64');
export const testedRows = { 64: only64, 32: not64, 16: not64 } as const;

const canonical = (address: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(48, address));
const MIDDLE = DATA_ADDRESS + DATA_SIZE / 2;

/** Linear address of where a memory operand of up to 16 bytes goes. */
function target({ codeSize, segmented }: CaseKind, random: Random): bigint {
  const kind = random(32);
  const end = segmented ? testSegments(32).ds.limit + 1 : DATA_SIZE;
  if (kind === 0) return BigInt(DATA_ADDRESS + end - random(16)); // over the end
  if (kind === 1) return BigInt(DATA_ADDRESS + (segmented ? 0x800 : 0) - random(16)); // or the stack's limit
  if (kind === 2 && !segmented) return codeSize === 64 ? 0x8000_0000_0000n - BigInt(random(16)) : 0x10n; // not canonical, not mapped
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

function encode(row: OpcodeRow, { codeSize: code, segmented }: CaseKind, random: Random): Encoding {
  const bytes: number[] = [];
  const twoBytes = row.map !== 'one';
  const free = !row.vex && (row.prefix === 'any' || row.prefix === 'NFx'); // 66 is the operand size
  if (random(16) === 0 && (row.size64 !== 'forced' || row.implicit !== undefined || !twoBytes)) bytes.push(0x67);
  const branches = row.size64 === 'forced';
  if (random(4) === 0 && free && (code !== 64 || !branches)) bytes.push(0x66); // processors disagree on 66 and branches
  // F2 and F3 in front of jumps have a meaning of their own on some processors
  if (random(24) === 0 && row.prefix === 'any' && !twoBytes && !branches) bytes.push(pick(random, [0xf2, 0xf3]));
  if (random(12) === 0) bytes.push(pick(random, [0x26, 0x2e, 0x36, 0x3e, ...(code === 64 ? [0x65, 0x65] : [])]));
  if (random(row.lockable ? 6 : 100) === 0) bytes.push(0xf0);
  // the 66 of these is the operand size beside the mandatory prefix
  if (/^(LZCNT|TZCNT|POPCNT|CRC32)$/.test(row.mnemonic) && random(4) === 0) bytes.push(0x66);
  const rex = code === 64 && random(2) === 0 ? [0x40 | (random(2) === 0 ? 8 : 0) | random(8)] : [];
  bytes.push(...opcodeBytes(row, row.opcode + random(row.span), rex, random(code === 64 ? 16 : 8)));
  const encoding: Encoding = { bytes, displacementAt: undefined, displacementSize: 4 };
  // 16-bit addresses lead to the data pages only in segments
  const word = code !== 64 && (code === 16) !== bytes.includes(0x67);
  if (row.hasModRM) {
    if (word) appendModRM16(row, segmented, random, encoding);
    else appendModRM(row, random, encoding);
  }
  if (row.operands.some(({ kind }) => kind === 'O')) {
    encoding.displacementAt = bytes.length;
    encoding.displacementSize = code === 64 ? (bytes.includes(0x67) ? 4 : 8) : word ? 2 : 4;
    for (let i = 0; i < encoding.displacementSize; i++) bytes.push(0);
  }
  while (bytes.length < 15) {
    const kind = random(3);
    bytes.push(kind === 0 ? random(256) : pick(random, [0, 1, 0x7f, 0x80, 0xff]));
  }
  return encoding;
}
/** mod, with the register or memory form that the row asks for. */
function modOf(row: OpcodeRow, random: Random): number {
  if (row.rm !== undefined || row.mod === 'register') return 3;
  return row.mod === 'memory' ? random(3) : random(4);
}
/** SDM 2A table 2-1. */
function appendModRM16(row: OpcodeRow, aimed: boolean, random: Random, encoding: Encoding): void {
  const { bytes } = encoding;
  const mod = modOf(row, random);
  const rm = row.rm ?? random(8);
  bytes.push((mod << 6) | ((row.reg ?? random(8)) << 3) | rm);
  if (mod === 3) return;
  if (mod === 0 && rm === 6) {
    if (aimed) encoding.displacementAt = bytes.length;
    encoding.displacementSize = 2;
  }
  if (mod === 1) bytes.push(random(256));
  else if (mod === 2 || rm === 6) bytes.push(random(256), random(256));
}
/** SDM 2A table 2-2 and 2-3. */
function appendModRM(row: OpcodeRow, random: Random, encoding: Encoding): void {
  const { bytes } = encoding;
  const mod = modOf(row, random);
  const rm = row.rm ?? random(8);
  bytes.push((mod << 6) | ((row.reg ?? random(8)) << 3) | rm);
  if (mod === 3) return;
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

/** Replaces the low addressSize bytes of a register. */
function setAddress(registers: bigint[], number: number, value: bigint, addressSize: number, random: Random): void {
  const bits = addressSize * 8;
  const high = addressSize === 8 ? 0n : (random64(random) >> BigInt(bits)) << BigInt(bits);
  registers[number] = high | BigInt.asUintN(bits, value);
}

/** Makes the memory operand's registers, or the displacement in the code, lead to the place. */
function aim(
  kind: CaseKind,
  decoded: Decoded,
  encoding: Encoding,
  code: Uint8Array,
  registers: bigint[],
  random: Random,
): bigint {
  const { memory } = decoded;
  if (memory === undefined) return BigInt(MIDDLE);
  const place = target(kind, random);
  if (memory.addressSize === 2 && !kind.segmented) return place;
  const offset = place - segmentBase(kind, memory.segment);
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

/** Registers that the instruction uses without naming them in ModRM. Where the bytes of the case are to be, if elsewhere. */
function aimImplicit(kind: CaseKind, decoded: Decoded, registers: bigint[], random: Random): bigint | undefined {
  const { row, addressSize } = decoded;
  const inside = (): bigint => BigInt(MIDDLE + (random(64) - 32) * 8 + (random(8) === 0 ? random(8) : 0));
  const edge = (): bigint => (random(16) === 0 ? target(kind, random) : inside());
  const kinds = row.operands.map(({ kind: operand }) => operand);
  const source = decoded.segment ?? 'ds';
  const set = (number: number, place: bigint, segment: SegmentName, size: number = addressSize): bigint => {
    setAddress(registers, number, place - segmentBase(kind, segment), size, random);
    return place;
  };
  const stackSize = kind.codeSize / 8;
  let patchAt: bigint | undefined;
  const usesStack = ['push', 'pop', 'enter', 'leave', 'pusha', 'popa', 'pushfar', 'popfar', 'iret'].includes(
    row.implicit ?? '',
  );
  if (usesStack) {
    let top: bigint | undefined;
    if (!/^[re]?sp$/.test(decoded.memory?.base ?? ''))
      // how much a POPA that faults has loaded differs between processors
      top = set(4, row.implicit === 'popa' ? inside() : edge(), 'ss', stackSize);
    let frame: bigint | undefined;
    if (row.implicit === 'enter' || row.implicit === 'leave') frame = set(5, edge(), 'ss', stackSize);
    if (decoded.memory === undefined || row.implicit === 'pop') patchAt = row.implicit === 'leave' ? frame : top;
  }
  if (kinds.includes('X')) set(6, edge(), source);
  if (kinds.includes('Y')) patchAt = set(7, edge(), 'es');
  // whether bytes that the mask leaves out may fault is up to the processor (SDM 2B MASKMOVDQU)
  if (row.implicit === 'mask') set(7, inside(), source);
  if (kinds.includes('T')) set(3, edge() - ((registers[0] ?? 0n) & 0xffn), source);
  return patchAt;
}

/** Adjusts operands that would otherwise nearly always fault, or where processors differ. */
function adjust(
  kind: CaseKind,
  decoded: Decoded,
  code: Uint8Array,
  registers: bigint[],
  patch: Uint8Array,
  random: Random,
): void {
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
  // lengths that are within the strings more often than not
  if (mnemonic.startsWith('PCMPESTR'))
    for (const number of [0, 2]) if (random(4) !== 0) set(number, BigInt(random(40) - 20));
  if (mnemonic.startsWith('CMPXCHG') && random(2) === 0) {
    set(0, view.getBigUint64(0, true));
    if (mnemonic.includes('|')) set(2, view.getBigUint64(decoded.operandSize === 8 ? 8 : 4, true));
  }
  // whether the port is checked when the count is 0 differs between processors
  if (row.operands.some((operand) => operand.kind === 'X' || operand.kind === 'Y') && /(INS|OUTS)/.test(mnemonic))
    registers[1] = 3n;
  if (implicit === 'bits' && decoded.memory !== undefined) {
    set(decoded.reg, BigInt(random(0x8000) - 0x4000)); // the bit stays on the data pages
  }
  // a target that is canonical and mostly within the limit of the code segment
  const reachable = (place: bigint): bigint => (kind.segmented && random(8) !== 0 ? place & 0xffffn : canonical(place));
  if (row.operands[0]?.kind === 'E' && /^(JMP|CALL)$/.test(mnemonic)) {
    view.setBigUint64(0, reachable(view.getBigUint64(0, true)), true);
    if (decoded.memory === undefined) registers[decoded.rm] = reachable(registers[decoded.rm] ?? 0n);
  }
  if (mnemonic === 'RET') view.setBigUint64(0, reachable(view.getBigUint64(0, true)), true);
  if (mnemonic.startsWith('POPF')) view.setBigUint64(0, view.getBigUint64(0, true) & 0xcd5n, true);
  if (mnemonic === 'ENTER') code[decoded.length - 2] = 0; // a frame of less than 256 bytes
  if (mnemonic === 'LDMXCSR') view.setUint32(0, view.getUint32(0, true) & ~0x20000, true); // bit 17 is AMD's
}

/** OF DF SF ZF AF PF CF. */
const STATUS_FLAGS = 0xcd5n;
/** Alignment check: of accesses in ring 3, with CR0.AM. */
const AC = 0x40000n;
/**
 * Whether an access that is not aligned is #AC differs between processors: 16 bytes that need no alignment (SDM 2A 2.4.4,
 * type 4), and ENTER's look at the place where the stack ends.
 */
const alignmentVaries = ({ mnemonic }: OpcodeRow): boolean =>
  /^(MOVU|MOVDQU|LDDQU|PCMP.STR|ENTER|MASKMOV)/.test(mnemonic);

/** A random kind of case: mostly 64-bit code, and of the rest what the processor allows. */
export function pickKind(kinds: readonly CaseKind[], random: Random): CaseKind {
  return random(8) < 5 ? { codeSize: 64, segmented: false } : pick(random, kinds);
}

/** One case of a row (without: of any); undefined when the bytes came out as something else. */
export function generateCase(
  kind: CaseKind,
  random: Random,
  row: OpcodeRow = pick(random, testedRows[kind.codeSize]),
): { item: Case; decoded: Decoded } | undefined {
  const { codeSize } = kind;
  const encoding = encode(row, kind, random);
  const code = Uint8Array.from(encoding.bytes).slice(0, 15);
  const rip = startOf(kind);
  let decoded = decode(code, rip, codeSize);
  if (decoded?.row !== row || decoded.memory?.segment === 'fs' || differsByVendor(decoded)) return undefined;
  const values = operandValues(row);
  const registers = Array.from({ length: 16 }, () => value64(random));
  const float = isFloatRow(row) ? floatState(decoded, random) : undefined;
  const patch = float?.patch ?? values.memory(random);
  if (float !== undefined && decoded.memory === undefined && row.operands[1]?.kind === 'E')
    registers[decoded.rm] = float.integer;
  const place = aim(kind, decoded, encoding, code, registers, random);
  const patchAt = aimImplicit(kind, decoded, registers, random) ?? place;
  adjust(kind, decoded, code, registers, patch, random);
  aimSelectors(kind, decoded, { code, registers, patch }, random);
  decoded = decode(code, rip, codeSize) ?? decoded; // with the displacement that it has now
  const offset = Number(patchAt) - DATA_ADDRESS;
  // how much a 16-bit MOVSXD reads differs between processors
  if (row.mnemonic === 'MOVSXD' && decoded.operandSize === 2 && decoded.memory !== undefined) return undefined;
  // an empty mask may fault or not; a destination in CS is refused before or after its page is looked for
  if (row.implicit === 'mask' && (decoded.addressSize === 2 || decoded.segment === 'cs')) return undefined;
  if (row.mnemonic === 'ARPL' && decoded.segment === 'cs') return undefined;
  // what adjust() decided has to be what is read
  const decided = /^(RET|POPF|CALL|JMP|LDMXCSR)/.test(row.mnemonic) || usesSelectors(row);
  if (decided && offset > DATA_SIZE - patch.length && offset < DATA_SIZE) return undefined;
  const item: Case = {
    ...kind,
    code: code.slice(0, decoded.length),
    registers: codeSize === 64 ? registers : registers.map((value, i) => (i < 8 ? value & 0xffffffffn : 0n)),
    flags: (BigInt(random(0x1000)) & STATUS_FLAGS) | (random(16) === 0 && !alignmentVaries(row) ? AC : 0n),
    xmm: float?.xmm ?? values.xmm(random),
    mxcsr: float?.mxcsr ?? values.mxcsr(random),
    x87: whereVendorsAgree(values.x87(random), decoded),
    patchOffset: Math.min(Math.max(offset, 0), DATA_SIZE - patch.length),
    patch,
  };
  return { item, decoded };
}
