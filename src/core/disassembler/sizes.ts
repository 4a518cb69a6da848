// Operand sizes in bytes.
import { RARE_MOV_FROM_SEGMENT, RARE_SLDT, RARE_SMSW, RARE_STR } from '../assembly/rare.ts';
import type { Operand } from '../opcodes/row.ts';
import type { Decoded } from './instruction.ts';

/** Their register form follows the operand size, their memory form has 16 bits. */
const WORD_IN_MEMORY: ReadonlySet<string | number> = new Set([RARE_MOV_FROM_SEGMENT, RARE_SLDT, RARE_STR, RARE_SMSW]);

/** Bytes of an operand; 0 when it has no size of its own. */
export function operandBytes({ kind, size }: Operand, decoded: Decoded, memory = false): number {
  const { row, operandSize, code } = decoded;
  if (kind === 'R' || kind === 'C' || kind === 'D') return code === 64 ? 8 : 4;
  if (memory && WORD_IN_MEMORY.has(row.handler)) return 2;
  switch (size) {
    case 'b':
      return 1;
    case 'w':
      return 2;
    case 'd':
      // MOVSXD with a 16-bit operand size reads a word (SDM 2B MOVSX)
      return row.mnemonic === 'MOVSXD' && operandSize === 2 ? 2 : 4;
    case 'q':
      return 8;
    case 'v':
      return operandSize;
    case 'z':
      return Math.min(operandSize, 4);
    case 'y':
      return Math.max(operandSize, 4);
    case 'x':
      return 16;
    case 'a':
      return 2 * operandSize;
    case 't':
      return 10;
    default:
      return 0;
  }
}
