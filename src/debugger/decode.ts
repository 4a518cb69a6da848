/** The disassembler of the engine's own decode table, as the debugger uses it. */
import { disassemble } from '../core/disassembler/index.ts';
import type { Decode } from './disassembly.ts';

export const decodeInstruction: Decode = (bytes, address, bits, names) => {
  const { length, valid, text } = disassemble(bytes, address, bits, names);
  return valid ? { length, text } : undefined;
};
