// The bytes in front of the ModRM byte of a row's encodings.
import type { OpcodeRow } from '../../src/core/opcodes/index.ts';

const MANDATORY = { any: [], NP: [], NFx: [], 66: [0x66], F3: [0xf3], F2: [0xf2] } as const;
const ESCAPES = { one: [], '0F': [0x0f], '0F38': [0x0f, 0x38], '0F3A': [0x0f, 0x3a] } as const;
const VEX_MAPS = { one: 0, '0F': 1, '0F38': 2, '0F3A': 3 } as const;
const VEX_PREFIXES = { any: 0, NP: 0, NFx: 0, 66: 1, F3: 2, F2: 3 } as const;

/**
 * Mandatory prefix, REX prefix (none or one byte), escape bytes and opcode; for a VEX row the VEX prefix that says the same.
 * vvvv: the register number that a VEX prefix holds, for rows that have an operand for it.
 */
export function opcodeBytes(row: OpcodeRow, opcode: number, rex: readonly number[] = [], vvvv = 0): number[] {
  if (!row.vex) return [...MANDATORY[row.prefix], ...rex, ...ESCAPES[row.map], opcode];
  const [bits = 0] = rex;
  const register = row.operands.some(({ kind }) => kind === 'B') ? vvvv : 0;
  return [
    0xc4,
    ((~bits & 7) << 5) | VEX_MAPS[row.map],
    ((bits & 8) << 4) | ((~register & 15) << 3) | VEX_PREFIXES[row.prefix],
    opcode,
  ];
}
