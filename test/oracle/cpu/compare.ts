// Compares what the processor and the engine made of a case.
import { type Decoded, SEGMENT_NAMES, type SegmentName } from '../../../src/core/disassembler/instruction.ts';
import { disassemble } from '../../../src/core/disassembler/index.ts';
import { generalName } from '../../../src/core/disassembler/registers.ts';
import { bytesText } from '../../harness/bytes.ts';
import { type Case, DATA_ADDRESS, type Result, startOf, type X87State } from './protocol.ts';
import { isMmxStoreFault, mayCutCount, namesEither, pushedPadding } from './makers.ts';
import { operandAddress, segmentBase } from './operand-address.ts';
import {
  COMPARED_FLAGS,
  eitherFault,
  faultAddressUndefined,
  faultMayWrite,
  type Undefined,
  undefinedAfter,
} from './undefined.ts';

const PAGE_FAULT = 14;
const PRESENT = 1;
/** RCX, RSI, RDI. */
const STRING_REGISTERS: readonly number[] = [1, 6, 7];
const STACK_POINTER = 4;
/** Linux's selector of 64-bit code. */
const CODE64 = 0x33;
/** The last page below the canonical addresses' gap: what is there is the operating system's matter. */
const TOP_PAGE = 0x7fff_ffff_f000n;
const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** PUSHF pushes the TF that makes the processor stop after it. */
function withoutTrapFlag(item: Case, after: Result, decoded: Decoded): ReadonlyMap<number, bigint> {
  if (!decoded.row.mnemonic.startsWith('PUSHF')) return after.changes;
  const top = BigInt.asUintN(item.codeSize, after.registers[4] ?? 0n) + segmentBase(item, 'ss');
  const byte = Number(top) - DATA_ADDRESS + 1;
  const at = byte & ~7;
  const value = after.changes.get(at);
  return value === undefined ? after.changes : new Map(after.changes).set(at, value & ~(1n << BigInt(8 * (byte & 7))));
}

/** Whether each single-precision element that differs does so by no more than a part of its value. */
function singlesClose(a: Uint8Array, b: Uint8Array, relative: number): boolean {
  if (relative === 0) return false;
  const [x, y] = [a, b].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  return [0, 4, 8, 12].every((at) => {
    const [u = 0, v = 0] = [x?.getFloat32(at, true), y?.getFloat32(at, true)];
    if (x?.getUint32(at, true) === y?.getUint32(at, true)) return true;
    // of the size of the smallest normal number it may count as tiny, and so become 0, or not (SDM 2B RCPPS)
    const small = Math.max(Math.abs(u), Math.abs(v)) <= 2 ** -126 && Math.sign(1 / u) === Math.sign(1 / v);
    return small || Math.abs(u - v) <= Math.abs(u) * relative;
  });
}
/** Whether each element of that many bytes that differs is a NaN in both. */
function bothNaN(a: Uint8Array, b: Uint8Array, size: 4 | 8): boolean {
  const [x, y] = [a, b].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  const isNaNAt = (view: DataView | undefined, at: number): boolean =>
    Number.isNaN(size === 4 ? view?.getFloat32(at, true) : view?.getFloat64(at, true));
  const offsets = size === 4 ? [0, 4, 8, 12] : [0, 8];
  return offsets.every(
    (at) =>
      Buffer.compare(a.subarray(at, at + size), b.subarray(at, at + size)) === 0 || (isNaNAt(x, at) && isNaNAt(y, at)),
  );
}
/** Whether two 80-bit numbers of one sign are at most that many units in the last place apart. */
function extendedClose(a: Uint8Array, b: Uint8Array, ulps: number): boolean {
  const [x = 0n, y = 0n] = [a, b].map((bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const word = view.getUint16(8, true);
    // the integer bit is no part of the distance: the next exponent begins 2^63 further
    const magnitude = (BigInt(word & 0x7fff) << 63n) | (view.getBigUint64(0, true) & 0x7fff_ffff_ffff_ffffn);
    return (word & 0x8000) === 0 ? magnitude : -magnitude;
  });
  const distance = x < y ? y - x : x - y;
  return x < 0n === y < 0n && distance <= BigInt(ulps);
}

/** Bits of quadwords of the data pages that an undefined memory operand covers, by offset. */
function undefinedMemory(start: number, size: number): ReadonlyMap<number, bigint> {
  const masks = new Map<number, bigint>();
  for (let byte = start; byte < start + size; byte++)
    masks.set(byte & ~7, (masks.get(byte & ~7) ?? 0n) | (0xffn << BigInt(8 * (byte & 7))));
  return masks;
}

/** x87 instructions other than those that wait or are MMX: they set FIP, FDP and FOP. */
const usesX87 = ({ row }: Decoded): boolean => row.map === 'one' && row.opcode >= 0xd8 && row.opcode <= 0xdf;

/** pointers: whether FIP, FDP and FOP are compared (when they are set differs between processors, SDM 1 8.1.8). */
function x87Differences(a: X87State, b: X87State, parts: Undefined, pointers: boolean): string[] {
  const { status = 0, ulps = 0 } = parts;
  const lines: string[] = [];
  const fields = [
    'control',
    'status',
    'tags',
    ...(pointers ? (['opcode', 'instruction', 'operand'] as const) : []),
  ] as const;
  for (const field of fields)
    if (a[field] !== b[field] && !(field === 'status' && ((a.status ^ b.status) & ~status) === 0))
      lines.push(`x87 ${field}: processor ${hex(a[field])}, engine ${hex(b[field])}`);
  for (let i = 0; i < 8; i++) {
    const [x, y] = [a, b].map(({ registers }) => registers.subarray(i * 16, i * 16 + 10));
    if (x !== undefined && y !== undefined && Buffer.compare(x, y) !== 0 && !extendedClose(x, y, ulps))
      lines.push(`st${i}: processor ${bytesText(x)}, engine ${bytesText(y)}`);
  }
  return lines;
}

/** The return to ring 3 makes every null selector 0. */
function selectorOf({ selectors }: Result, name: SegmentName): number {
  const selector = selectors[name];
  return selector < 4 ? 0 : selector;
}
/** Number of the general register that the first operand is; undefined: it is memory, or none. */
function destinationRegister({ row, reg, rm, rex, opcode, memory }: Decoded): number | undefined {
  const kind = row.operands[0]?.kind;
  if (kind === 'Z') return (opcode & 7) | ((rex & 1) << 3);
  if (kind === 'E') return memory === undefined ? rm : undefined;
  return kind === 'G' ? reg : undefined;
}
/** Bits of it that are undefined: of 32-bit results all 64. */
function undefinedBits({ operandSize }: Decoded, { result = false, destination = 0n }: Undefined): bigint {
  if (!result) return destination;
  return operandSize === 2 ? 0xffffn : 0xffff_ffff_ffff_ffffn;
}
/** What of a register is defined: in compatibility mode there are 32 bits, of RSP behind a transfer into it, too. */
function definedBits(item: Case, decoded: Decoded, after: Result, number: number, parts: Undefined): bigint {
  const narrow = item.codeSize !== 64 || (number === STACK_POINTER && after.selectors.cs !== CODE64);
  const half = narrow || (STRING_REGISTERS.includes(number) && mayCutCount(item, decoded, after));
  const mask = half ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
  return number === destinationRegister(decoded) ? mask & ~undefinedBits(decoded, parts) : mask;
}

/**
 * Lines that name each difference, processor first; empty when there is none.
 * everyFlag: what the manual leaves undefined is compared too, because both results are the engine's.
 */
export function differences(
  item: Case,
  decoded: Decoded,
  processor: Result,
  engine: Result,
  { everyFlag = false } = {},
): string[] {
  const lines: string[] = [];
  const expect = (what: string, a: bigint | number, b: bigint | number): void => {
    if (a !== b) lines.push(`${what}: processor ${hex(a)}, engine ${hex(b)}`);
  };
  if (eitherFault(item, decoded, processor, engine)) return lines;
  expect('vector', processor.vector, engine.vector);
  if (processor.vector !== engine.vector) return lines;
  const retired = processor.vector === 1;
  const mapped = processor.vector === PAGE_FAULT && processor.address >= TOP_PAGE ? PRESENT : 0;
  if (!retired && !namesEither(decoded, processor, engine))
    expect('error code', processor.error | mapped, engine.error | mapped);
  if (processor.vector === PAGE_FAULT && !faultAddressUndefined(decoded))
    expect('CR2', processor.address, engine.address);
  expect('RIP', processor.rip, engine.rip);
  for (const name of SEGMENT_NAMES) expect(name, selectorOf(processor, name), selectorOf(engine, name));
  const compareAll = everyFlag || !retired;
  const undefinedParts: Undefined = compareAll ? { flags: 0 } : undefinedAfter(item, decoded, processor);
  const flags = BigInt(COMPARED_FLAGS & ~undefinedParts.flags);
  expect('flags', processor.flags & flags, engine.flags & flags);
  const size = item.codeSize === 64 ? 8 : 4;
  for (let i = 0; i < size * 2; i++) {
    const defined = definedBits(item, decoded, processor, i, undefinedParts);
    const [a = 0n, b = 0n] = [processor.registers[i], engine.registers[i]];
    expect(generalName(i, size, true), a & defined, b & defined);
  }
  for (let i = 0; i < 256; i += 16) {
    const [a, b] = [processor.xmm.subarray(i, i + 16), engine.xmm.subarray(i, i + 16)];
    const { whichNaN } = undefinedParts;
    const likewise = whichNaN !== undefined && bothNaN(a, b, whichNaN);
    if (Buffer.compare(a, b) !== 0 && !likewise && !singlesClose(a, b, undefinedParts.relative ?? 0))
      lines.push(`xmm${i / 16}: processor ${bytesText(a)}, engine ${bytesText(b)}`);
  }
  expect('mxcsr', processor.mxcsr, engine.mxcsr);
  // from an undefined result follow its exceptions, and from those whether the stack is popped
  if ((!usesX87(decoded) || undefinedParts.result !== true) && !isMmxStoreFault(decoded, processor))
    lines.push(...x87Differences(processor.x87, engine.x87, undefinedParts, !usesX87(decoded)));
  if (item.codeSize === 64) {
    expect('FS base', processor.fsBase, engine.fsBase);
    expect('GS base', processor.gsBase, engine.gsBase);
  }
  if (!retired && faultMayWrite(decoded)) return lines;
  const undefinedBytes =
    undefinedParts.result === true && decoded.memory !== undefined
      ? undefinedMemory(Number(operandAddress(item, decoded.memory, decoded.next)) - DATA_ADDRESS, decoded.operandSize)
      : undefinedMemory(...pushedPadding(item, decoded, processor));
  const [a, b] = [processor, engine].map((result) => withoutTrapFlag(item, result, decoded));
  for (const at of new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])])) {
    const [x, y] = [a?.get(at), b?.get(at)];
    const mask = undefinedBytes.get(at);
    // a quadword that one of them left as it was, and the other changed where it may
    if (mask !== undefined && (x === undefined || y === undefined)) continue;
    expect(`memory at ${hex(DATA_ADDRESS + at)}`, (x ?? -1n) & ~(mask ?? 0n), (y ?? -1n) & ~(mask ?? 0n));
  }
  return lines;
}

/** What is needed to see why: the instruction, its registers, and the differences. */
export function describeCase(item: Case, lines: readonly string[]): string {
  const { text } = disassemble(item.code, startOf(item), item.codeSize);
  const names = new Set([...text.matchAll(/\b[re]?[a-ds][xpil]+\b|\br\d+/g)].map(([name]) => name));
  const shown = item.registers
    .map((value, i) => [generalName(i, 8, true), value] as const)
    .filter(([name], i) => i < 8 || names.has(name))
    .map(([name, value]) => `${name}=${hex(value)}`);
  const xmm = [...text.matchAll(/xmm(\d+)/g)].map(
    ([name, number]) => `${name}=${bytesText(item.xmm.subarray(Number(number) * 16, Number(number) * 16 + 16))}`,
  );
  const memory = `[${hex(DATA_ADDRESS + item.patchOffset)}]=${bytesText(item.patch)}`;
  return [
    `${item.codeSize}-bit${item.segmented ? ' segmented' : ''}: ${bytesText(item.code)}  ${text}`,
    `  ${[...shown, ...xmm].join(' ')} flags=${hex(item.flags)} mxcsr=${hex(item.mxcsr)} ${memory}`,
    ...lines.map((line) => `  ${line}`),
  ].join('\n');
}
