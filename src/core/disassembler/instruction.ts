// What the disassembler says about one instruction.
import type { OpcodeRow } from '../opcodes/index.ts';

/** Code size of the code segment. */
export type CodeSize = 16 | 32 | 64;
export type SegmentName = 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs';
export const SEGMENT_NAMES: readonly SegmentName[] = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];

/** A memory operand: segment:[base + index * scale + displacement], truncated to addressSize bytes. */
export interface MemoryOperand {
  readonly segment: SegmentName;
  /** Whether the segment is not the default one of the base register. */
  readonly overridden: boolean;
  /** Register names of the address size; `rip` and `eip` for RIP-relative operands. */
  readonly base: string | undefined;
  readonly index: string | undefined;
  readonly scale: 1 | 2 | 4 | 8;
  /** Signed. */
  readonly displacement: bigint;
  readonly addressSize: 2 | 4 | 8;
}

/** A memory access that the instruction makes when it retires (REP: in each iteration). */
export interface MemoryAccess extends MemoryOperand {
  /** Bytes; 0 when the instruction accesses none although it names an address. */
  readonly size: number;
  readonly kind: 'read' | 'write' | 'both';
  /** No operand shows it: stack accesses and the like. */
  readonly implicit: boolean;
  /** BT, BTS, BTR, BTC with a register: this signed bit number divided by the operand's bits moves the access. */
  readonly bitOffset?: string;
}

export interface Instruction {
  /** Bytes; 1 for bytes that are no instruction. */
  readonly length: number;
  readonly valid: boolean;
  /** Lower case, with its prefix: `lock add`, `rep movs`. */
  readonly mnemonic: string;
  /** In the order of the Intel syntax. */
  readonly operands: readonly string[];
  readonly text: string;
  /** Where a relative branch goes. */
  readonly target?: bigint;
  /** Linear address of a RIP-relative operand (without FS and GS base). */
  readonly memoryTarget?: bigint;
  readonly accesses: readonly MemoryAccess[];
  /** It stores RIP: a jump, call, return, or a repeated string instruction. */
  readonly endsBlock: boolean;
  readonly isCall: boolean;
}

/** What decoding found, before anything is made of it. */
export interface Decoded {
  readonly row: OpcodeRow;
  readonly code: CodeSize;
  readonly length: number;
  readonly opcode: number;
  /** RIP of the next instruction. */
  readonly next: bigint;
  readonly rex: number;
  readonly lock: boolean;
  /** Bytes. */
  readonly operandSize: 2 | 4 | 8;
  readonly addressSize: 2 | 4 | 8;
  readonly segment: SegmentName | undefined;
  readonly mod: number;
  readonly reg: number;
  readonly rm: number;
  /** VEX.vvvv as a register number; 0 without a VEX prefix. */
  readonly vvvv: number;
  readonly memory: MemoryOperand | undefined;
  /** By operand: immediates as written, sign-extended where the instruction does; far pointers as selector << 32 | offset. */
  readonly immediates: readonly (bigint | undefined)[];
}
