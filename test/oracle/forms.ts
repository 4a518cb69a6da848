// One line of text for each opcode form, in the notation of the decode table.
import { type OpcodeRow, opcodeRows } from '../../src/core/opcodes/index.ts';

const MAPS = { one: '', '0F': '0F ', '0F38': '0F 38 ', '0F3A': '0F 3A ' } as const;
const byte = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');

/** `66 0F 3A 0F /r PALIGNR Vx,Wx,Ib`: prefix, opcode, ModRM, mnemonics by operand size, operands, code sizes. */
export function formText(row: OpcodeRow): string {
  const { map, vex, opcode, span, prefix, reg, rm, mod, hasModRM, operands, modes } = row;
  const code = `${byte(opcode)}${span === 8 ? '+r' : ''}`;
  const before = vex
    ? `VEX.LZ.${prefix === 'NP' ? '' : `${prefix}.`}${map} `
    : `${prefix === 'any' ? '' : `${prefix} `}${MAPS[map]}`;
  const parts = [`${before}${code}`];
  if (rm !== undefined) parts.push(byte(0xc0 | ((reg ?? 0) << 3) | rm));
  else if (hasModRM) {
    parts.push(reg === undefined ? '/r' : `/${reg}`);
    if (mod !== 'any') parts.push(mod === 'memory' ? 'm' : 'r');
  }
  parts.push(row.mnemonic.replaceAll('|', '/'));
  if (operands.length > 0) parts.push(operands.map(({ text }) => text).join(','));
  if (modes !== 'all') parts.push(modes === 'only64' ? '(64-bit)' : '(not 64-bit)');
  if (row.withoutRexB) parts.push('(without REX.B)');
  return parts.join(' ');
}

/** Rows by their text; two rows that looked the same would be a fault of formText. */
export const forms: ReadonlyMap<string, OpcodeRow> = new Map(opcodeRows.map((row) => [formText(row), row]));
