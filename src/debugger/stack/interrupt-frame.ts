/**
 * Recognises what the processor pushes when it delivers an interrupt or exception in 64-bit mode (SDM 3A 6.14.2):
 * RIP, CS, RFLAGS, RSP, SS, on a stack that it aligned to 16 bytes first. Assembly stubs leave the frame where it is, so it
 * leads to the interrupted code when no call-frame information does.
 */
import { fromLittleEndianBytes } from '../bits.ts';

export interface InterruptFrame {
  readonly pc: bigint;
  readonly stackPointer: bigint;
}

export interface FrameMemory {
  readMemory(address: bigint, length: number): Uint8Array | undefined;
  isCode(address: bigint): boolean;
}

const FRAME_SIZE = 40n;
/** RFLAGS: bit 1 reads as 1; bits 3, 5, 15 and those above 21 read as 0 (SDM 1 3.4.3). */
const FLAGS_ONE = 2n;
const FLAGS_ZERO = ~0x3f7fd7n & 0xffff_ffff_ffff_ffffn;
const SELECTOR_LIMIT = 0x10000n;

/** The frame at `address` (its RIP), or undefined when what lies there cannot be one. */
export function interruptFrameAt(address: bigint, { readMemory, isCode }: FrameMemory): InterruptFrame | undefined {
  if (((address + FRAME_SIZE) & 0xfn) !== 0n) return undefined;
  const bytes = readMemory(address, Number(FRAME_SIZE));
  if (bytes === undefined) return undefined;
  const word = (index: number): bigint => fromLittleEndianBytes(bytes.subarray(index * 8, index * 8 + 8));
  const [pc, codeSelector, flags, stackPointer, stackSelector] = [word(0), word(1), word(2), word(3), word(4)];
  const level = codeSelector & 3n;
  // CS is never null; SS may be, in 64-bit mode below ring 3.
  if (codeSelector < 4n || codeSelector >= SELECTOR_LIMIT || stackSelector >= SELECTOR_LIMIT) return undefined;
  if ((stackSelector & 3n) !== level || (stackSelector < 4n && level === 3n)) return undefined;
  if ((flags & FLAGS_ONE) === 0n || (flags & FLAGS_ZERO) !== 0n) return undefined;
  if (BigInt.asUintN(64, BigInt.asIntN(48, stackPointer)) !== stackPointer) return undefined;
  // Without a change of stack the frame ends right below the interrupted stack pointer.
  const end = address + FRAME_SIZE;
  const near = stackPointer - end >= 0n && stackPointer - end < 0x1000n;
  if (near && (stackPointer & ~0xfn) !== end) return undefined;
  return isCode(pc) || level === 3n ? { pc, stackPointer } : undefined;
}
