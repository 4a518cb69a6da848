// SSE and SSE2 moves, shuffles and bitwise operations on packed floating-point registers (SDM 1 5.5, 5.6).
import * as RARE from '../assembly/rare.ts';
import { op, type OpcodeRow } from './row.ts';

/** PS and PD forms differ only in the 66 prefix and the name. */
const packed = (code: string, name: string, operands: string, handler: string, options = ''): readonly OpcodeRow[] =>
  [
    op(`NP 0F ${code}`, `${name}PS`, operands, handler, options),
    op(`66 0F ${code}`, `${name}PD`, operands, handler, options),
  ].flat();

export const sseMoveRows: readonly OpcodeRow[] = [
  packed('10', 'MOVU', 'Vx,Wx', 'move_unaligned', 'w'),
  packed('11', 'MOVU', 'Wx,Vx', 'move_unaligned', 'w'),
  packed('28', 'MOVA', 'Vx,Wx', 'move_aligned', 'w'),
  packed('29', 'MOVA', 'Wx,Vx', 'move_aligned', 'w'),
  packed('2B', 'MOVNT', 'Mx,Vx', 'move_aligned', 'w'),
  op('66 0F 6F', 'MOVDQA', 'Vx,Wx', 'move_aligned', 'w'),
  op('66 0F 7F', 'MOVDQA', 'Wx,Vx', 'move_aligned', 'w'),
  op('F3 0F 6F', 'MOVDQU', 'Vx,Wx', 'move_unaligned', 'w'),
  op('F3 0F 7F', 'MOVDQU', 'Wx,Vx', 'move_unaligned', 'w'),
  op('66 0F E7', 'MOVNTDQ', 'Mx,Vx', 'move_aligned', 'w'),
  op('F2 0F F0', 'LDDQU', 'Vx,Mx', 'move_unaligned', 'w'),
  op('F3 0F 10', 'MOVSS', 'Vd,Wd', 'move_scalar<d>', 'w'),
  op('F3 0F 11', 'MOVSS', 'Wd,Vd', 'move_scalar<d>', 'w'),
  op('F2 0F 10', 'MOVSD', 'Vq,Wq', 'move_scalar<q>', 'w'),
  op('F2 0F 11', 'MOVSD', 'Wq,Vq', 'move_scalar<q>', 'w'),
  packed('12', 'MOVL', 'Vq,Mq', 'move_low', 'w'),
  packed('13', 'MOVL', 'Mq,Vq', 'move_low', 'w'),
  packed('16', 'MOVH', 'Vq,Mq', 'move_high', 'w'),
  packed('17', 'MOVH', 'Mq,Vq', 'move_high', 'w'),
  op('NP 0F 12', 'MOVHLPS', 'Vx,Ux', 'move_high_to_low', 'w'),
  op('NP 0F 16', 'MOVLHPS', 'Vx,Ux', 'move_low_to_high', 'w'),
  op('66 0F 6E', 'MOVD|MOVD|MOVQ', 'Vx,Ey', 'move_from_general<y>', 'w'),
  op('66 0F 7E', 'MOVD|MOVD|MOVQ', 'Ey,Vx', 'move_to_general<y>', 'w'),
  op('F3 0F 7E', 'MOVQ', 'Vq,Wq', 'move_quad', 'w'),
  op('66 0F D6', 'MOVQ', 'Wq,Vq', 'move_quad', 'w'),
  op('NP 0F 50', 'MOVMSKPS', 'Gy,Ux', 'move_mask(32)', 'w'),
  op('66 0F 50', 'MOVMSKPD', 'Gy,Ux', 'move_mask(64)', 'w'),
  op('66 0F D7', 'PMOVMSKB', 'Gy,Ux', 'move_mask(8)', 'w'),
  op('66 0F C4 /r r', 'PINSRW', 'Vx,Ey,Ib', 'pinsrw'),
  op('66 0F C4 /r m', 'PINSRW', 'Vx,Mw,Ib', 'pinsrw'),
  op('66 0F C5', 'PEXTRW', 'Gy,Ux,Ib', 'pextrw', 'w'),
  op('66 0F F7', 'MASKMOVDQU', 'Vx,Ux', RARE.RARE_MASKMOVDQU, 'r +mask'),

  op('NP 0F 14', 'UNPCKLPS', 'Vx,Wx', 'vector(UNPACK_LOW_32)'),
  op('66 0F 14', 'UNPCKLPD', 'Vx,Wx', 'vector(UNPACK_LOW_64)'),
  op('NP 0F 15', 'UNPCKHPS', 'Vx,Wx', 'vector(UNPACK_HIGH_32)'),
  op('66 0F 15', 'UNPCKHPD', 'Vx,Wx', 'vector(UNPACK_HIGH_64)'),
  packed('54', 'AND', 'Vx,Wx', 'vector(AND)'),
  packed('55', 'ANDN', 'Vx,Wx', 'vector(ANDN)'),
  packed('56', 'OR', 'Vx,Wx', 'vector(OR)'),
  packed('57', 'XOR', 'Vx,Wx', 'vector(XOR)'),
  op('NP 0F C6', 'SHUFPS', 'Vx,Wx,Ib', 'shuffle(SHUFPS)'),
  op('66 0F C6', 'SHUFPD', 'Vx,Wx,Ib', 'shuffle(SHUFPD)'),
].flat();
