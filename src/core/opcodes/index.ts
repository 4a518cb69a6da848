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

/** The rows by the file of this folder that holds them. */
export const rowsByFile: ReadonlyMap<string, readonly OpcodeRow[]> = new Map([
  ['arithmetic.ts', arithmeticRows],
  ['shift-bit.ts', shiftAndBitRows],
  ['bit-manipulation.ts', bitManipulationRows],
  ['data-transfer.ts', dataTransferRows],
  ['control-transfer.ts', controlTransferRows],
  ['string.ts', stringRows],
  ['system.ts', systemRows],
  ['sse-move.ts', sseMoveRows],
  ['sse-integer.ts', sseIntegerRows],
  ['x87.ts', x87Rows],
  ['ssse3.ts', ssse3Rows],
  ['sse4.ts', sse4Rows],
  ['sse-float.ts', sseFloatRows],
  ['mmx.ts', mmxRows],
]);

export const opcodeRows: readonly OpcodeRow[] = [...rowsByFile.values()]
  .flat()
  .toSorted((a, b) => demand(b) - demand(a));
