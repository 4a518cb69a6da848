// SSE4.1 and SSE4.2 without floating-point arithmetic (SDM 1 5.10, 5.11).
import * as RARE from '../assembly/rare.ts';
import { op, type OpcodeRow } from './row.ts';

const binary = (code: string, mnemonic: string): readonly OpcodeRow[] =>
  op(`66 0F 38 ${code}`, mnemonic, 'Vx,Wx', `sse4(${mnemonic})`);
/** PMOVSX and PMOVZX: the source is a half (q), a quarter (d) or an eighth (w) of a register. */
const widening = (code: string, mnemonic: string, size: string): readonly OpcodeRow[] =>
  op(`66 0F 38 ${code}`, mnemonic, `Vx,W${size}`, `widen<${size}>(${mnemonic})`, 'w');
const extraction = (code: string, mnemonic: string, size: string): readonly OpcodeRow[] =>
  [
    op(`66 0F 3A ${code} /r r`, mnemonic, 'Ey,Vx,Ib', `extract<${size}>`, 'w'),
    op(`66 0F 3A ${code} /r m`, mnemonic, `M${size},Vx,Ib`, `extract<${size}>`, 'w'),
  ].flat();
const strings = (code: string, mnemonic: string, operation: number): readonly OpcodeRow[] =>
  op(`66 0F 3A ${code}`, mnemonic, 'Vx,Wx,Ib', operation, 'r');

export const sse4Rows: readonly OpcodeRow[] = [
  op('66 0F 38 10', 'PBLENDVB', 'Vx,Wx,XMM0', 'blend_variable(8)'),
  op('66 0F 38 14', 'BLENDVPS', 'Vx,Wx,XMM0', 'blend_variable(32)'),
  op('66 0F 38 15', 'BLENDVPD', 'Vx,Wx,XMM0', 'blend_variable(64)'),
  op('66 0F 3A 0C', 'BLENDPS', 'Vx,Wx,Ib', 'blend(32)'),
  op('66 0F 3A 0D', 'BLENDPD', 'Vx,Wx,Ib', 'blend(64)'),
  op('66 0F 3A 0E', 'PBLENDW', 'Vx,Wx,Ib', 'blend(16)'),

  op('66 0F 38 17', 'PTEST', 'Vx,Wx', 'ptest', 'r'),
  op('66 0F 38 2A', 'MOVNTDQA', 'Vx,Mx', 'move_aligned', 'w'),
  binary('28', 'PMULDQ'),
  binary('29', 'PCMPEQQ'),
  binary('2B', 'PACKUSDW'),
  binary('37', 'PCMPGTQ'),
  binary('38', 'PMINSB'),
  binary('39', 'PMINSD'),
  binary('3A', 'PMINUW'),
  binary('3B', 'PMINUD'),
  binary('3C', 'PMAXSB'),
  binary('3D', 'PMAXSD'),
  binary('3E', 'PMAXUW'),
  binary('3F', 'PMAXUD'),
  binary('40', 'PMULLD'),
  op('66 0F 38 41', 'PHMINPOSUW', 'Vx,Wx', 'sse4(PHMINPOSUW)', 'w'),
  op('66 0F 3A 42', 'MPSADBW', 'Vx,Wx,Ib', 'mpsadbw'),

  widening('20', 'PMOVSXBW', 'q'),
  widening('21', 'PMOVSXBD', 'd'),
  widening('22', 'PMOVSXBQ', 'w'),
  widening('23', 'PMOVSXWD', 'q'),
  widening('24', 'PMOVSXWQ', 'd'),
  widening('25', 'PMOVSXDQ', 'q'),
  widening('30', 'PMOVZXBW', 'q'),
  widening('31', 'PMOVZXBD', 'd'),
  widening('32', 'PMOVZXBQ', 'w'),
  widening('33', 'PMOVZXWD', 'q'),
  widening('34', 'PMOVZXWQ', 'd'),
  widening('35', 'PMOVZXDQ', 'q'),

  op('66 0F 3A 20 /r r', 'PINSRB', 'Vx,Ey,Ib', 'insert<b>'),
  op('66 0F 3A 20 /r m', 'PINSRB', 'Vx,Mb,Ib', 'insert<b>'),
  op('66 0F 3A 22', 'PINSRD|PINSRD|PINSRQ', 'Vx,Ey,Ib', 'insert<y>'),
  op('66 0F 3A 21 /r r', 'INSERTPS', 'Vx,Ux,Ib', 'insertps'),
  op('66 0F 3A 21 /r m', 'INSERTPS', 'Vx,Md,Ib', 'insertps'),
  extraction('14', 'PEXTRB', 'b'),
  extraction('15', 'PEXTRW', 'w'),
  op('66 0F 3A 16', 'PEXTRD|PEXTRD|PEXTRQ', 'Ey,Vx,Ib', 'extract<y>', 'w'),
  extraction('17', 'EXTRACTPS', 'd'),

  op('F2 0F 38 F0', 'CRC32', 'Gy,Eb', 'crc32<b>'),
  op('F2 0F 38 F1', 'CRC32', 'Gy,Ev', 'crc32<v>'),
  strings('60', 'PCMPESTRM', RARE.RARE_PCMPESTRM),
  strings('61', 'PCMPESTRI', RARE.RARE_PCMPESTRI),
  strings('62', 'PCMPISTRM', RARE.RARE_PCMPISTRM),
  strings('63', 'PCMPISTRI', RARE.RARE_PCMPISTRI),
].flat();
