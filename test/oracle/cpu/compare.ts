// Compares what the processor and the engine made of a case.
import type { Decoded } from '../../../src/core/disassembler/instruction.ts';
import { disassemble } from '../../../src/core/disassembler/index.ts';
import { generalName } from '../../../src/core/disassembler/registers.ts';
import { bytesText } from '../random.ts';
import { withApproximations } from './approximation.ts';
import { type Case, CODE_ADDRESS, DATA_ADDRESS, type Result } from './protocol.ts';
import { COMPARED_FLAGS, faultAddressUndefined, undefinedAfter } from './undefined.ts';

const PAGE_FAULT = 14;
const PRESENT = 1;
/** The last page below the canonical addresses' gap: what is there is the operating system's matter. */
const TOP_PAGE = 0x7fff_ffff_f000n;
const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** PUSHF pushes the TF that makes the processor stop after it. */
function withoutTrapFlag(
  changes: ReadonlyMap<number, bigint>,
  after: Result,
  decoded: Decoded,
): ReadonlyMap<number, bigint> {
  if (!decoded.row.mnemonic.startsWith('PUSHF')) return changes;
  const byte = Number(after.registers[4] ?? 0n) - DATA_ADDRESS + 1;
  const at = byte & ~7;
  const value = changes.get(at);
  return value === undefined ? changes : new Map(changes).set(at, value & ~(1n << BigInt(8 * (byte & 7))));
}

/** Lines that name each difference, processor first; empty when there is none. */
export function differences(item: Case, decoded: Decoded, processor: Result, engine: Result): string[] {
  const lines: string[] = [];
  const expect = (what: string, a: bigint | number, b: bigint | number): void => {
    if (a !== b) lines.push(`${what}: processor ${hex(a)}, engine ${hex(b)}`);
  };
  expect('vector', processor.vector, engine.vector);
  if (processor.vector !== engine.vector) return lines;
  const retired = processor.vector === 1;
  const mapped = processor.vector === PAGE_FAULT && processor.address >= TOP_PAGE ? PRESENT : 0;
  if (!retired) expect('error code', processor.error | mapped, engine.error | mapped);
  if (processor.vector === PAGE_FAULT && !faultAddressUndefined(decoded))
    expect('CR2', processor.address, engine.address);
  expect('RIP', processor.rip, engine.rip);
  const undefinedParts = retired ? undefinedAfter(item, decoded, processor) : { flags: 0 };
  const mask = BigInt(COMPARED_FLAGS & ~undefinedParts.flags);
  expect('flags', processor.flags & mask, engine.flags & mask);
  if (undefinedParts.result === true) return lines;
  // in compatibility mode there are eight registers, and their upper halves are undefined
  const size = item.codeSize / 8;
  const whole = (value: bigint | undefined): bigint => BigInt.asUintN(item.codeSize, value ?? 0n);
  for (let i = 0; i < size * 2; i++)
    expect(generalName(i, size, true), whole(processor.registers[i]), whole(engine.registers[i]));
  const vectors = retired ? withApproximations(decoded, processor.xmm, engine.xmm) : processor.xmm;
  if (Buffer.compare(vectors, engine.xmm) !== 0) {
    for (let i = 0; i < 256; i += 16) {
      const [a, b] = [vectors.subarray(i, i + 16), engine.xmm.subarray(i, i + 16)];
      if (Buffer.compare(a, b) !== 0) lines.push(`xmm${i / 16}: processor ${bytesText(a)}, engine ${bytesText(b)}`);
    }
  }
  expect('mxcsr', processor.mxcsr, engine.mxcsr);
  const [a, b] = [processor, engine].map((result) => withoutTrapFlag(result.changes, result, decoded));
  for (const at of new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])]))
    expect(`memory at ${hex(DATA_ADDRESS + at)}`, a?.get(at) ?? -1, b?.get(at) ?? -1);
  return lines;
}

/** What is needed to see why: the instruction, its registers, and the differences. */
export function describeCase(item: Case, lines: readonly string[]): string {
  const { text } = disassemble(item.code, BigInt(CODE_ADDRESS), item.codeSize);
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
    `${item.codeSize}-bit: ${bytesText(item.code)}  ${text}`,
    `  ${[...shown, ...xmm].join(' ')} flags=${hex(item.flags)} mxcsr=${hex(item.mxcsr)} ${memory}`,
    ...lines.map((line) => `  ${line}`),
  ].join('\n');
}
