/**
 * Callers by looking at every word of a stack, as Linux's own dumps do for lines with a question mark
 * (arch/x86/kernel/dumpstack.c): where neither call-frame information nor frame pointers lead on. What is found is a guess:
 * a word may be left over from a call that has returned.
 */
import { fromLittleEndianBytes } from '../bits.ts';

/** THREAD_SIZE: Linux's task and interrupt stacks have 16 KiB and are aligned to it; who else has larger ones is not looked at. */
const STACK_SIZE = 0x4000n;

export interface ReturnAddress {
  /** Linear. */
  readonly pc: bigint;
  /** The stack pointer behind the return. */
  readonly stackPointer: bigint;
}

export interface StackScan {
  readonly stackPointer: bigint;
  /** Bytes that a call of this code pushes. */
  readonly word: 2 | 4 | 8;
  /** Base of the code segment: 0 but for real mode and its like. */
  readonly codeBase: bigint;
  readMemory(address: bigint, length: number): Uint8Array | undefined;
  /** Whether known code is at the linear address. */
  isCode(address: bigint): boolean;
}

/** Words of the stack, from its top on, that are the address behind a near call. */
export function* returnAddresses(scan: StackScan): Generator<ReturnAddress> {
  const { stackPointer, word, codeBase, readMemory, isCode } = scan;
  const size = BigInt(word);
  const end = (stackPointer & ~(STACK_SIZE - 1n)) + STACK_SIZE;
  const first = word === 8 ? (stackPointer + 7n) & ~7n : stackPointer;
  for (let at = first; at < end; at += size) {
    const bytes = readMemory(at, word);
    if (bytes === undefined) return;
    const pc = codeBase + fromLittleEndianBytes(bytes);
    if (isCode(pc) && followsCall(pc, word, readMemory)) yield { pc, stackPointer: at + size };
  }
}

/** Whether the instruction before is a near call (SDM 2A, CALL): E8 rel16 or rel32, or FF /2 of two to seven bytes. */
export function followsCall(pc: bigint, word: 2 | 4 | 8, readMemory: StackScan['readMemory']): boolean {
  const before = readMemory(pc - 7n, 7);
  if (before === undefined) return false;
  if (before[word === 2 ? 4 : 2] === 0xe8) return true;
  return [2, 3, 4, 6, 7].some((length) => {
    const at = 7 - length;
    return before[at] === 0xff && ((before[at + 1] ?? 0) & 0x38) === 0x10;
  });
}
