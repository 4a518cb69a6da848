/**
 * Where a vCPU's flow of instructions stands, and how it came there: by a call that will return, or by an event whose
 * handler will. For every mode: addresses are linear, so 16-bit and 32-bit segments need no case of their own later.
 */
import type { StopRecord } from '../../guestdebug/api.ts';
import { fromLittleEndianBytes } from '../bits.ts';
import { isLongCode, linearPc, linearStackPointer, pageTableBase, stackWord } from '../registers.ts';
import type { Target } from '../target.ts';
import { readExactly } from '../target.ts';

/** A place of a flow. Addresses are linear. */
export interface Spot {
  readonly pc: bigint;
  readonly stackPointer: bigint;
  readonly privilege: number;
  readonly codeBase: bigint;
  readonly codeSelector: number;
  /** Width of the code: bytes that a push takes by default. */
  readonly word: 2 | 4 | 8;
}

export function spotOf({ slots }: Target, vcpu: number): Spot {
  const { cs, cpl } = slots.vcpu(vcpu);
  return {
    pc: linearPc(slots, vcpu),
    stackPointer: linearStackPointer(slots, vcpu),
    privilege: cpl,
    codeBase: cs.base,
    codeSelector: cs.selector & 0xffff,
    word: stackWord(slots, vcpu),
  };
}

/** Where a call or a handler comes back to. */
export interface Return {
  readonly pc: bigint;
  /** The stack pointer behind the return. */
  readonly stackPointer: bigint;
}

const LONGEST_INSTRUCTION = 15n;
/** Clear in real-address mode (SDM 3A 2.5). */
const CR0_PE = 1n;

/**
 * The return of what the instruction at `before` called; undefined when it called nothing. `behind` answers the address
 * behind that instruction; it is only asked when the stack looks like a call.
 */
export function calledFrom(
  target: Target,
  vcpu: number,
  before: Spot,
  behind: () => bigint | undefined,
): Return | undefined {
  const now = spotOf(target, vcpu);
  const pushed = before.stackPointer - now.stackPointer;
  const systemCall = before.privilege === 3 && now.privilege === 0;
  if (!systemCall && (pushed < 2n || pushed > 16n)) return undefined;
  const next = behind();
  // Also CALL to the next instruction, by which position-independent code learns where it is.
  if (next === undefined || now.pc === next) return undefined;
  // SYSCALL (SDM 2B): no stack is used, RCX holds the address of the next instruction.
  if (systemCall) {
    const called = now.stackPointer === before.stackPointer && target.slots.vcpu(vcpu).rcx === next;
    return called ? { pc: next, stackPointer: before.stackPointer } : undefined;
  }
  // A near call pushes IP, EIP or RIP; a far one the selector above it, in as many bytes (SDM 2A, CALL).
  for (const word of [8, 4, 2]) {
    const far = pushed === BigInt(2 * word);
    if (pushed !== BigInt(word) && !far) continue;
    const offset = readWord(target, vcpu, now.stackPointer, word);
    if (offset === undefined || before.codeBase + offset !== next) continue;
    if (far && !isSelector(readWord(target, vcpu, now.stackPointer + BigInt(word), word), before)) continue;
    return { pc: next, stackPointer: before.stackPointer };
  }
  return undefined;
}

/** The frame that the delivery of an event has just pushed. */
export interface InterruptedFlow extends Return {
  /** Where the return address lies, and its bytes: IRET reads it there. */
  readonly slot: { readonly linear: bigint; readonly size: number };
}

/**
 * The flow that an event interrupted whose handler's first instruction is next (SDM 3A 6.12, 6.14, 20.1.4).
 * Undefined when the frame cannot be read or is none that is known (a task gate).
 */
export function interruptedFlow(
  target: Target,
  vcpu: number,
  delivery: NonNullable<StopRecord['delivery']>,
  before: Spot,
): InterruptedFlow | undefined {
  const { slots } = target;
  const now = spotOf(target, vcpu);
  const long = isLongCode(slots, vcpu);
  const widths = long ? [8] : (slots.vcpu(vcpu).cr0 & CR0_PE) === 0n ? [2] : [4, 2];
  for (const word of widths) {
    const frame = now.stackPointer + (delivery.errorCode === undefined ? 0n : BigInt(word));
    const offset = readWord(target, vcpu, frame, word);
    const selector = readWord(target, vcpu, frame + BigInt(word), word);
    if (offset === undefined || !isSelector(selector, before)) continue;
    const pc = before.codeBase + offset;
    if (pc < delivery.fromPc || pc > delivery.fromPc + LONGEST_INSTRUCTION) continue;
    // Only 64-bit mode always pushes RSP; what faults or is interrupted has not moved the stack pointer yet.
    const stackPointer = long ? readWord(target, vcpu, frame + 24n, 8) : before.stackPointer;
    if (stackPointer === undefined) continue;
    return { pc, stackPointer, slot: { linear: frame, size: word } };
  }
  return undefined;
}

function isSelector(word: bigint | undefined, { codeSelector }: Spot): boolean {
  return word !== undefined && Number(word & 0xffffn) === codeSelector;
}

function readWord(target: Target, vcpu: number, address: bigint, size: number): bigint | undefined {
  const bytes = readExactly(target, vcpu, address, size);
  return bytes === undefined ? undefined : fromLittleEndianBytes(bytes);
}

/** Recognises the flow of one task on whatever vCPU: kernel stacks are nobody else's, user stacks go with the page tables. */
export function sameTask(target: Target, vcpu: number, { privilege }: Spot): (other: number) => boolean {
  if (privilege !== 3) return () => true;
  const tables = pageTableBase(target.slots, vcpu);
  return (other) => pageTableBase(target.slots, other) === tables;
}
