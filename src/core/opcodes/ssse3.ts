// SSSE3 on XMM registers (SDM 1 5.8); without the 66 prefix they are those of mmx.ts.
import { op, type OpcodeRow } from './row.ts';

const binary = (code: string, mnemonic: string): readonly OpcodeRow[] =>
  op(`66 0F 38 ${code}`, mnemonic, 'Vx,Wx', `ssse3(${mnemonic})`);
const unary = (code: string, mnemonic: string): readonly OpcodeRow[] =>
  op(`66 0F 38 ${code}`, mnemonic, 'Vx,Wx', `ssse3(${mnemonic})`, 'w');

export const ssse3Rows: readonly OpcodeRow[] = [
  binary('00', 'PSHUFB'),
  binary('01', 'PHADDW'),
  binary('02', 'PHADDD'),
  binary('03', 'PHADDSW'),
  binary('04', 'PMADDUBSW'),
  binary('05', 'PHSUBW'),
  binary('06', 'PHSUBD'),
  binary('07', 'PHSUBSW'),
  binary('08', 'PSIGNB'),
  binary('09', 'PSIGNW'),
  binary('0A', 'PSIGND'),
  binary('0B', 'PMULHRSW'),
  unary('1C', 'PABSB'),
  unary('1D', 'PABSW'),
  unary('1E', 'PABSD'),
  op('66 0F 3A 0F', 'PALIGNR', 'Vx,Wx,Ib', 'palignr'),
].flat();
