// Shifts, rotates, bit and byte instructions (SDM 1 5.1.5, 5.1.6).
import { op, type OpcodeRow } from './row.ts';

/** SDM 2D table A-6, group 2; /6 is an alias of /4. */
const group2 = ['ROL', 'ROR', 'RCL', 'RCR', 'SHL', 'SHR', 'SHL', 'SAR'].flatMap((name, i) =>
  [
    op(`C0 /${i}`, name, 'Eb,Ib', `shift(${name})`),
    op(`C1 /${i}`, name, 'Ev,Ib', `shift(${name})`),
    op(`D0 /${i}`, name, 'Eb,1', `shift(${name})`),
    op(`D1 /${i}`, name, 'Ev,1', `shift(${name})`),
    op(`D2 /${i}`, name, 'Eb,CL', `shift(${name})`),
    op(`D3 /${i}`, name, 'Ev,CL', `shift(${name})`),
  ].flat(),
);

const bitTests = ['BT', 'BTS', 'BTR', 'BTC'].flatMap((name, i) => {
  const options = name === 'BT' ? 'r' : 'lock';
  return [
    op(`0F ${['A3', 'AB', 'B3', 'BB'][i] ?? ''}`, name, 'Ev,Gv', `bit(${name})`, `${options} +bits`),
    op(`0F BA /${i + 4}`, name, 'Ev,Ib', `bit_immediate(${name})`, options),
  ].flat();
});

export const shiftAndBitRows: readonly OpcodeRow[] = [
  group2,
  bitTests,
  op('0F A4', 'SHLD', 'Ev,Gv,Ib', 'double_shift(SHL)'),
  op('0F A5', 'SHLD', 'Ev,Gv,CL', 'double_shift(SHL)'),
  op('0F AC', 'SHRD', 'Ev,Gv,Ib', 'double_shift(SHR)'),
  op('0F AD', 'SHRD', 'Ev,Gv,CL', 'double_shift(SHR)'),
  // F3 0F BC and F3 0F BD are TZCNT and LZCNT: bit-manipulation.ts
  op('0F BC', 'BSF', 'Gv,Ev', 'bsf'),
  op('0F BD', 'BSR', 'Gv,Ev', 'bsr'),
  op('F3 0F B8', 'POPCNT', 'Gv,Ev', 'popcnt', 'w'),
  op('0F C8+r', 'BSWAP', 'Zv', 'bswap'),
  op('0F 90+cc', 'SETcc', 'Eb', 'set<>(cc)', 'w'),
].flat();
