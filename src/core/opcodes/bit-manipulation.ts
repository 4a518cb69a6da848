// Bit manipulation: LZCNT, TZCNT, BMI1, BMI2 (SDM 1 5.1.16). The VEX forms are all there is behind a VEX prefix, since CPUID
// shows no AVX.
import { op, type OpcodeRow } from './row.ts';

export const bitManipulationRows: readonly OpcodeRow[] = [
  // where CPUID showed neither, F3 would be ignored and these would be BSR and BSF
  op('F3 0F BD', 'LZCNT', 'Gv,Ev', 'lzcnt', 'w'),
  op('F3 0F BC', 'TZCNT', 'Gv,Ev', 'tzcnt', 'w'),

  op('VEX.LZ.0F38 F2', 'ANDN', 'Gy,By,Ey', 'andn', 'w'),
  op('VEX.LZ.0F38 F3 /1', 'BLSR', 'By,Ey', 'lowest_bit(BLSR)', 'w'),
  op('VEX.LZ.0F38 F3 /2', 'BLSMSK', 'By,Ey', 'lowest_bit(BLSMSK)', 'w'),
  op('VEX.LZ.0F38 F3 /3', 'BLSI', 'By,Ey', 'lowest_bit(BLSI)', 'w'),
  op('VEX.LZ.0F38 F7', 'BEXTR', 'Gy,Ey,By', 'bextr', 'w'),

  op('VEX.LZ.0F38 F5', 'BZHI', 'Gy,Ey,By', 'bzhi', 'w'),
  op('VEX.LZ.F2.0F38 F5', 'PDEP', 'Gy,By,Ey', 'deposit_extract(PDEP)', 'w'),
  op('VEX.LZ.F3.0F38 F5', 'PEXT', 'Gy,By,Ey', 'deposit_extract(PEXT)', 'w'),
  op('VEX.LZ.F2.0F38 F6', 'MULX', 'Gy,By,Ey', 'mulx', 'w'),
  op('VEX.LZ.66.0F38 F7', 'SHLX', 'Gy,Ey,By', 'shiftx(SHLX)', 'w'),
  op('VEX.LZ.F3.0F38 F7', 'SARX', 'Gy,Ey,By', 'shiftx(SARX)', 'w'),
  op('VEX.LZ.F2.0F38 F7', 'SHRX', 'Gy,Ey,By', 'shiftx(SHRX)', 'w'),
  op('VEX.LZ.F2.0F3A F0', 'RORX', 'Gy,Ey,Ib', 'rorx', 'w'),
].flat();
