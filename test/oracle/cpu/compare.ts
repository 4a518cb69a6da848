// Compares what the processor and the engine made of a case.
import type { Decoded } from '../../../src/core/disassembler/instruction.ts';
import { disassemble } from '../../../src/core/disassembler/index.ts';
import { generalName } from '../../../src/core/disassembler/registers.ts';
import { bytesText } from '../random.ts';
import { type Case, DATA_ADDRESS, type Result, startOf, type X87State } from './protocol.ts';
import { segmentBase } from './operand-address.ts';
import { COMPARED_FLAGS, eitherFault, faultAddressUndefined, undefinedAfter } from './undefined.ts';

const PAGE_FAULT = 14;
const PRESENT = 1;
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

/** x87 instructions other than those that wait or are MMX: they set FIP, FDP and FOP. */
const usesX87 = ({ row }: Decoded): boolean => row.map === 'one' && row.opcode >= 0xd8 && row.opcode <= 0xdf;

/** pointers: whether FIP, FDP and FOP are compared (when they are set differs between processors, SDM 1 8.1.8). */
function x87Differences(a: X87State, b: X87State, pointers: boolean): string[] {
  const lines: string[] = [];
  const fields = [
    'control',
    'status',
    'tags',
    ...(pointers ? (['opcode', 'instruction', 'operand'] as const) : []),
  ] as const;
  for (const field of fields)
    if (a[field] !== b[field]) lines.push(`x87 ${field}: processor ${hex(a[field])}, engine ${hex(b[field])}`);
  for (let i = 0; i < 8; i++) {
    const [x, y] = [a, b].map(({ registers }) => registers.subarray(i * 16, i * 16 + 10));
    if (x !== undefined && y !== undefined && Buffer.compare(x, y) !== 0)
      lines.push(`st${i}: processor ${bytesText(x)}, engine ${bytesText(y)}`);
  }
  return lines;
}

/** Lines that name each difference, processor first; empty when there is none. */
export function differences(item: Case, decoded: Decoded, processor: Result, engine: Result): string[] {
  const lines: string[] = [];
  const expect = (what: string, a: bigint | number, b: bigint | number): void => {
    if (a !== b) lines.push(`${what}: processor ${hex(a)}, engine ${hex(b)}`);
  };
  if (eitherFault(item, decoded, processor.vector, engine.vector)) return lines;
  expect('vector', processor.vector, engine.vector);
  if (processor.vector !== engine.vector) return lines;
  const retired = processor.vector === 1;
  const mapped = processor.vector === PAGE_FAULT && processor.address >= TOP_PAGE ? PRESENT : 0;
  if (!retired) expect('error code', processor.error | mapped, engine.error | mapped);
  if (processor.vector === PAGE_FAULT && !faultAddressUndefined(decoded))
    expect('CR2', processor.address, engine.address);
  expect('RIP', processor.rip, engine.rip);
  expect('CS', processor.cs, engine.cs);
  expect('SS', processor.ss, engine.ss);
  const undefinedParts = retired ? undefinedAfter(item, decoded, processor) : { flags: 0 };
  const mask = BigInt(COMPARED_FLAGS & ~undefinedParts.flags);
  expect('flags', processor.flags & mask, engine.flags & mask);
  if (undefinedParts.result === true) return lines;
  // in compatibility mode there are eight registers, and their upper halves are undefined
  const size = item.codeSize === 64 ? 8 : 4;
  const whole = (value: bigint | undefined): bigint => BigInt.asUintN(size * 8, value ?? 0n);
  for (let i = 0; i < size * 2; i++)
    expect(generalName(i, size, true), whole(processor.registers[i]), whole(engine.registers[i]));
  if (Buffer.compare(processor.xmm, engine.xmm) !== 0) {
    for (let i = 0; i < 256; i += 16) {
      const [a, b] = [processor.xmm.subarray(i, i + 16), engine.xmm.subarray(i, i + 16)];
      if (Buffer.compare(a, b) !== 0) lines.push(`xmm${i / 16}: processor ${bytesText(a)}, engine ${bytesText(b)}`);
    }
  }
  expect('mxcsr', processor.mxcsr, engine.mxcsr);
  lines.push(...x87Differences(processor.x87, engine.x87, !usesX87(decoded)));
  if (item.codeSize === 64) {
    expect('FS base', processor.fsBase, engine.fsBase);
    expect('GS base', processor.gsBase, engine.gsBase);
  }
  const [a, b] = [processor, engine].map((result) => withoutTrapFlag(item, result, decoded));
  for (const at of new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])]))
    expect(`memory at ${hex(DATA_ADDRESS + at)}`, a?.get(at) ?? -1, b?.get(at) ?? -1);
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
    `  ${[...shown, ...xmm].join(' ')} flags=${hex(item.flags)} ${memory}`,
    ...lines.map((line) => `  ${line}`),
  ].join('\n');
}
