// The decode table: every opcode form that the core knows.
import { arithmeticRows } from './arithmetic.ts';
import { bitManipulationRows } from './bit-manipulation.ts';
import { controlTransferRows } from './control-transfer.ts';
import { dataTransferRows } from './data-transfer.ts';
import { mmxRows } from './mmx.ts';
import type { OpcodeRow } from './row.ts';
import { shiftAndBitRows } from './shift-bit.ts';
import { sse4Rows } from './sse4.ts';
import { sseFloatRows } from './sse-float.ts';
import { sseIntegerRows } from './sse-integer.ts';
import { sseMoveRows } from './sse-move.ts';
import { ssse3Rows } from './ssse3.ts';
import { stringRows } from './string.ts';
import { systemRows } from './system.ts';
import { x87Rows } from './x87.ts';

export type { Operand, OpcodeRow } from './row.ts';

/** More demanding rows first, so that the first that fits is the right one. */
function demand(row: OpcodeRow): number {
  const prefix = row.prefix === 'any' ? 0 : 1;
  return (
    (row.rm === undefined ? 0 : 16) +
    (row.reg === undefined ? 0 : 8) +
    prefix * 4 +
    (row.mod === 'any' ? 0 : 2) +
    (row.withoutRexB ? 1 : 0)
  );
}

export const opcodeRows: readonly OpcodeRow[] = [
  arithmeticRows,
  shiftAndBitRows,
  bitManipulationRows,
  dataTransferRows,
  controlTransferRows,
  stringRows,
  systemRows,
  sseMoveRows,
  sseIntegerRows,
  x87Rows,
  ssse3Rows,
  sse4Rows,
  sseFloatRows,
  mmxRows,
]
  .flat()
  .toSorted((a, b) => demand(b) - demand(a));
