// The disassembler: what is shown is what is executed, because both come from the rows of src/core/opcodes.
import { A_CALL, A_ENDS_BLOCK } from '../layout.ts';
import { accessesOf } from './accesses.ts';
import { decode } from './decode.ts';
import { branchTarget, formatInstruction, hexadecimal, memoryTarget, type SymbolNames } from './format.ts';
import type { CodeSize, Instruction } from './instruction.ts';

export type { CodeSize, Instruction, MemoryAccess, MemoryOperand, SegmentName } from './instruction.ts';
export type { SymbolNames } from './format.ts';

/**
 * Disassembles the instruction at the start of bytes (15 are always enough).
 * @param address RIP of the instruction; outside 64-bit mode its offset in CS
 * @param names names for branch targets and RIP-relative addresses, put behind them in `text`
 * @returns valid false and length 1 for bytes that the engine raises #UD for, and for an instruction that is cut off
 */
export function disassemble(bytes: Uint8Array, address: bigint, code: CodeSize, names?: SymbolNames): Instruction {
  const decoded = decode(bytes, address, code);
  if (decoded === undefined) {
    const operands = [hexadecimal(BigInt(bytes[0] ?? 0))];
    const text = `.byte ${operands.join()}`;
    return {
      length: 1,
      valid: false,
      mnemonic: '.byte',
      operands,
      text,
      accesses: [],
      endsBlock: false,
      isCall: false,
    };
  }
  const { row, length } = decoded;
  const target = branchTarget(decoded);
  const relative = memoryTarget(decoded);
  return {
    length,
    valid: true,
    ...formatInstruction(decoded, names),
    ...(target === undefined ? {} : { target }),
    ...(relative === undefined ? {} : { memoryTarget: relative }),
    accesses: accessesOf(decoded),
    endsBlock: (row.attributes & A_ENDS_BLOCK) !== 0,
    isCall: (row.attributes & A_CALL) !== 0,
  };
}
