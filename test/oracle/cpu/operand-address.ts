// Where a memory operand of a case is.
import type { CodeSize, MemoryOperand, SegmentName } from '../../../src/core/disassembler/instruction.ts';
import { type Case, FS_BASE, GS_BASE, testSegments } from './protocol.ts';

/** Base of a segment of a case. */
export function segmentBase(
  { codeSize, segmented }: { codeSize: CodeSize; segmented: boolean },
  segment: SegmentName,
): bigint {
  if (codeSize === 64) return segment === 'gs' ? BigInt(GS_BASE) : segment === 'fs' ? BigInt(FS_BASE) : 0n;
  if (!segmented || segment === 'fs' || segment === 'gs') return 0n;
  return BigInt(testSegments(codeSize)[segment].base);
}

const NUMBERS = new Map(
  ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'].flatMap((name, i): [string, number][] => [
    [`r${name}`, i],
    [`e${name}`, i],
    [name, i],
  ]),
);
/** Number of a register that a memory operand names. */
export function registerNumber(name: string): number {
  return NUMBERS.get(name) ?? Number(name.replace(/\D/g, ''));
}

/** Linear address of an operand. next: the RIP behind the instruction, for RIP-relative ones. */
export function operandAddress(item: Case, memory: MemoryOperand, next = 0n): bigint {
  const { base, index, scale, displacement, addressSize, segment } = memory;
  const valueOf = (name: string | undefined): bigint => {
    if (name === undefined) return 0n;
    return name === 'rip' || name === 'eip' ? next : (item.registers[registerNumber(name)] ?? 0n);
  };
  const offset = BigInt.asUintN(addressSize * 8, valueOf(base) + valueOf(index) * BigInt(scale) + displacement);
  return BigInt.asUintN(item.codeSize === 64 ? 64 : 32, offset + segmentBase(item, segment));
}
