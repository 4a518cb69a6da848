// Where Intel's and AMD's processors do different things and the manual allows both. The engine does one of them.
import type { Decoded } from '../../../src/core/disassembler/instruction.ts';
import { operandAddress, segmentBase } from './operand-address.ts';
import { type Case, DATA_ADDRESS, type Result } from './protocol.ts';

const RETIRED = 1;
const BOUND_RANGE = 5;
const STACK_FAULT = 12;
const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;
const ALIGNMENT_CHECK = 17;
const X87_EXCEPTIONS = 0x3f;
/** Linux's selector of 64-bit code. */
const CODE64 = 0x33;
const SEGMENTS = /^(ES|CS|SS|DS|FS|GS)$/;

function isSegment({ row }: Decoded): boolean {
  const [first] = row.operands;
  return first !== undefined && (first.kind === 'S' || SEGMENTS.test(first.text));
}
const isX87Store = ({ row, memory }: Decoded): boolean =>
  memory !== undefined && /^F(ST|STP|IST|ISTP|ISTTP|BSTP)$/.test(row.mnemonic);

/** A store of an MMX register that faults: Intel's processors have made the unit one of MMX registers by then (SDM 1 9.5.1). */
export const isMmxStoreFault = ({ row, memory }: Decoded, { vector }: Result): boolean =>
  vector !== RETIRED && memory !== undefined && /^(MOVD\|MOVD\|MOVQ|MOVQ|MOVNTQ)$/.test(row.mnemonic);

/** Whether some of the largest operand, 16 bytes, lies in the gap of the canonical addresses. */
function touchesGap(address: bigint): boolean {
  return [address, address + 15n].some((end) => BigInt.asUintN(64, BigInt.asIntN(48, end)) !== BigInt.asUintN(64, end));
}

/** Whether both outcomes are right, one by each maker. */
export function makersFaultApart(item: Case, decoded: Decoded, processor: Result, engine: Result): boolean {
  const vectors = [processor.vector, engine.vector];
  const has = (...wanted: readonly number[]): boolean => vectors.some((vector) => wanted.includes(vector));
  // An exception that keeps an x87 store from storing keeps Intel's from looking at its address.
  if (isX87Store(decoded) && has(RETIRED) && has(STACK_FAULT, GENERAL_PROTECTION, PAGE_FAULT, ALIGNMENT_CHECK)) {
    const { status } = (processor.vector === RETIRED ? processor : engine).x87;
    return (status & ~item.x87.control & X87_EXCEPTIONS) !== 0;
  }
  // BOUND may compare with its first limit before it has read the second.
  if (decoded.row.mnemonic === 'BOUND' && has(BOUND_RANGE) && has(STACK_FAULT, GENERAL_PROTECTION, PAGE_FAULT))
    return true;
  // A return to 32-bit code whose RIP has more than 32 bits: Intel's cut it, AMD's find it beyond the limit.
  if (/^(IRET|RETF)/.test(decoded.row.mnemonic) && item.codeSize === 64 && has(RETIRED) && has(GENERAL_PROTECTION)) {
    const { selectors } = processor.vector === RETIRED ? processor : engine;
    return selectors.cs !== CODE64;
  }
  // A segment register is pushed and popped with two bytes or a word of the stack (SDM 2B PUSH, POP).
  if (/^(PUSH|POP)$/.test(decoded.row.mnemonic) && isSegment(decoded) && processor.vector !== engine.vector)
    return has(ALIGNMENT_CHECK, STACK_FAULT);
  if (!has(ALIGNMENT_CHECK)) return false;
  // What is neither aligned nor canonical is #AC to Intel's, #GP or #SS to AMD's.
  return (
    has(STACK_FAULT, GENERAL_PROTECTION) &&
    item.codeSize === 64 &&
    decoded.memory !== undefined &&
    touchesGap(operandAddress(item, decoded.memory, decoded.next))
  );
}

/**
 * Offset in the data pages and size of what a push leaves as it was, or fills with zeros: the upper half of a doubleword that a
 * segment register is pushed as (SDM 2B PUSH).
 */
export function pushedPadding(item: Case, decoded: Decoded, after: Result): readonly [start: number, size: number] {
  if (decoded.row.mnemonic !== 'PUSH' || decoded.operandSize !== 4 || !isSegment(decoded)) return [0, 0];
  const top = BigInt.asUintN(item.codeSize, after.registers[4] ?? 0n) + segmentBase(item, 'ss');
  return [Number(top) - DATA_ADDRESS + 2, 2];
}

/** REP with 32-bit addresses of which no iteration retires leaves RCX, RSI and RDI as they are, or clears their upper halves. */
export function mayCutCount({ registers }: Case, { row, addressSize }: Decoded, { vector }: Result): boolean {
  const isNone = BigInt.asUintN(32, registers[1] ?? 0n) === 0n || vector !== RETIRED;
  return row.mnemonic.startsWith('REP') && addressSize === 4 && isNone;
}

/** IRET may find several things wrong with a frame; which selector the error code names is up to the maker. */
export const namesEither = ({ row }: Decoded, a: Result, b: Result): boolean =>
  row.mnemonic.startsWith('IRET') && a.vector === GENERAL_PROTECTION && b.vector === GENERAL_PROTECTION;
