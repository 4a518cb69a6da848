/**
 * Callers by looking at every word of a kernel stack, as Linux's own dumps do for lines with a question mark
 * (arch/x86/kernel/dumpstack.c): where neither call-frame information nor frame pointers lead on. What is found is a guess:
 * a word may be left over from a call that has returned.
 */
import { fromLittleEndianBytes } from '../bits.ts';

/** THREAD_SIZE: task and interrupt stacks have 16 KiB and are aligned to it. */
const STACK_SIZE = 0x4000n;
const WORD = 8;
/** Guesses beyond this are noise. */
const GUESS_LIMIT = 48;

export interface ReturnAddress {
  readonly pc: bigint;
  /** The stack pointer behind the return. */
  readonly stackPointer: bigint;
}

export interface StackScan {
  readonly stackPointer: bigint;
  readMemory(address: bigint, length: number): Uint8Array | undefined;
  /** Whether code of the kernel is at the address. */
  isCode(address: bigint): boolean;
}

export function returnAddresses({ stackPointer, readMemory, isCode }: StackScan): readonly ReturnAddress[] {
  const end = (stackPointer & ~(STACK_SIZE - 1n)) + STACK_SIZE;
  const found: ReturnAddress[] = [];
  const first = (stackPointer + 7n) & ~7n;
  for (let at = first; at < end && found.length < GUESS_LIMIT; at += BigInt(WORD)) {
    const bytes = readMemory(at, WORD);
    if (bytes === undefined) break;
    const pc = fromLittleEndianBytes(bytes);
    if (pc >> 63n === 1n && isCode(pc) && followsCall(pc, readMemory)) {
      found.push({ pc, stackPointer: at + BigInt(WORD) });
    }
  }
  return found;
}

/** Whether the instruction before is a near call (SDM 2A, CALL): E8 rel32, or FF /2 of two to seven bytes. */
function followsCall(pc: bigint, readMemory: StackScan['readMemory']): boolean {
  const before = readMemory(pc - 7n, 7);
  if (before === undefined) return false;
  if (before[2] === 0xe8) return true;
  return [2, 3, 4, 6, 7].some((length) => {
    const at = 7 - length;
    return before[at] === 0xff && ((before[at + 1] ?? 0) & 0x38) === 0x10;
  });
}
