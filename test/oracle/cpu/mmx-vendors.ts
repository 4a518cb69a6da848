// Where the MMX instructions of one vendor's processors are not those of the manual.
import type { Decoded } from '../../../src/core/disassembler/instruction.ts';
import type { X87State } from './protocol.ts';

/**
 * CVTPI2PS with memory makes the unit one of MMX registers (SDM 2A); AMD's leave the x87 alone, and its exceptions pending, as
 * everybody's CVTPI2PD with memory does. With a unit that is one of MMX registers already both do the same.
 */
export function whereVendorsAgree(state: X87State, { row, memory: operand }: Decoded): X87State {
  if (row.mnemonic !== 'CVTPI2PS' || operand === undefined) return state;
  return { ...state, status: state.status & 0x4700, tags: 0xff };
}
