// SSE, SSE2, SSE3 and SSE4.1 instructions on floating-point numbers (SDM 1 5.5.1.2-5.5.2, 5.6.1, 5.7.2-5.7.5, 5.10.4, 5.10.8).
import { op, type OpcodeRow } from './row.ts';

/** Forms of one opcode by prefix: PS, PD, SS, SD. */
const four = (code: string, name: string, operation: string, access = ''): readonly OpcodeRow[] =>
  [
    op(`NP 0F ${code}`, `${name}PS`, 'Vx,Wx', `float_packed(${operation},32)`, access),
    op(`66 0F ${code}`, `${name}PD`, 'Vx,Wx', `float_packed(${operation},64)`, access),
    op(`F3 0F ${code}`, `${name}SS`, 'Vd,Wd', `float_scalar<d>(${operation})`, access),
    op(`F2 0F ${code}`, `${name}SD`, 'Vq,Wq', `float_scalar<q>(${operation})`, access),
  ].flat();

/** PD with 66, PS with F2. */
const alternating = (code: string, name: string, handler: string): readonly OpcodeRow[] =>
  [
    op(`66 0F ${code}`, `${name}PD`, 'Vx,Wx', `${handler},64)`),
    op(`F2 0F ${code}`, `${name}PS`, 'Vx,Wx', `${handler},32)`),
  ].flat();

const approximation = (code: string, name: string, operation: string): readonly OpcodeRow[] =>
  [
    op(`NP 0F ${code}`, `${name}PS`, 'Vx,Wx', `float_approximate(${operation})`, 'w'),
    op(`F3 0F ${code}`, `${name}SS`, 'Vd,Wd', `float_approximate_scalar(${operation})`, 'w'),
  ].flat();

export const sseFloatRows: readonly OpcodeRow[] = [
  four('51', 'SQRT', 'SQUARE_ROOT', 'w'),
  four('58', 'ADD', 'ADD'),
  four('59', 'MUL', 'MULTIPLY'),
  four('5C', 'SUB', 'SUBTRACT'),
  four('5D', 'MIN', 'MINIMUM'),
  four('5E', 'DIV', 'DIVIDE'),
  four('5F', 'MAX', 'MAXIMUM'),
  approximation('52', 'RSQRT', 'RSQRT'),
  approximation('53', 'RCP', 'RCP'),
  alternating('7C', 'HADD', 'float_horizontal(ADD'),
  alternating('7D', 'HSUB', 'float_horizontal(SUBTRACT'),
  alternating('D0', 'ADDSUB', 'float_packed(ADD_SUBTRACT'),
  op('66 0F 3A 40', 'DPPS', 'Vx,Wx,Ib', 'float_dot(32)'),
  op('66 0F 3A 41', 'DPPD', 'Vx,Wx,Ib', 'float_dot(64)'),

  op('NP 0F C2', 'CMPPS', 'Vx,Wx,Ib', 'float_compare_packed(32)'),
  op('66 0F C2', 'CMPPD', 'Vx,Wx,Ib', 'float_compare_packed(64)'),
  op('F3 0F C2', 'CMPSS', 'Vd,Wd,Ib', 'float_compare_scalar<d>'),
  op('F2 0F C2', 'CMPSD', 'Vq,Wq,Ib', 'float_compare_scalar<q>'),
  op('NP 0F 2E', 'UCOMISS', 'Vd,Wd', 'float_compare_flags<d>(0)', 'r'),
  op('66 0F 2E', 'UCOMISD', 'Vq,Wq', 'float_compare_flags<q>(0)', 'r'),
  op('NP 0F 2F', 'COMISS', 'Vd,Wd', 'float_compare_flags<d>(1)', 'r'),
  op('66 0F 2F', 'COMISD', 'Vq,Wq', 'float_compare_flags<q>(1)', 'r'),
  op('66 0F 3A 08', 'ROUNDPS', 'Vx,Wx,Ib', 'float_round_packed(32)', 'w'),
  op('66 0F 3A 09', 'ROUNDPD', 'Vx,Wx,Ib', 'float_round_packed(64)', 'w'),
  op('66 0F 3A 0A', 'ROUNDSS', 'Vd,Wd,Ib', 'float_round_scalar<d>', 'w'),
  op('66 0F 3A 0B', 'ROUNDSD', 'Vq,Wq,Ib', 'float_round_scalar<q>', 'w'),

  op('F3 0F 2A', 'CVTSI2SS', 'Vd,Ey', 'float_from_integer<y>(32)', 'w'),
  op('F2 0F 2A', 'CVTSI2SD', 'Vq,Ey', 'float_from_integer<y>(64)', 'w'),
  op('F3 0F 2C', 'CVTTSS2SI', 'Gy,Wd', 'float_to_integer<y>(32,1)', 'w'),
  op('F2 0F 2C', 'CVTTSD2SI', 'Gy,Wq', 'float_to_integer<y>(64,1)', 'w'),
  op('F3 0F 2D', 'CVTSS2SI', 'Gy,Wd', 'float_to_integer<y>(32,0)', 'w'),
  op('F2 0F 2D', 'CVTSD2SI', 'Gy,Wq', 'float_to_integer<y>(64,0)', 'w'),
  op('F3 0F 5A', 'CVTSS2SD', 'Vq,Wd', 'float_widen', 'w'),
  op('F2 0F 5A', 'CVTSD2SS', 'Vd,Wq', 'float_narrow', 'w'),
  op('NP 0F 5A', 'CVTPS2PD', 'Vx,Wq', 'packed_f32_to_f64', 'w'),
  op('66 0F 5A', 'CVTPD2PS', 'Vx,Wx', 'packed_f64_to_f32', 'w'),
  op('NP 0F 5B', 'CVTDQ2PS', 'Vx,Wx', 'packed_i32_to_f32', 'w'),
  op('66 0F 5B', 'CVTPS2DQ', 'Vx,Wx', 'packed_f32_to_i32(0)', 'w'),
  op('F3 0F 5B', 'CVTTPS2DQ', 'Vx,Wx', 'packed_f32_to_i32(1)', 'w'),
  op('F3 0F E6', 'CVTDQ2PD', 'Vx,Wq', 'packed_i32_to_f64', 'w'),
  op('F2 0F E6', 'CVTPD2DQ', 'Vx,Wx', 'packed_f64_to_i32(0)', 'w'),
  op('66 0F E6', 'CVTTPD2DQ', 'Vx,Wx', 'packed_f64_to_i32(1)', 'w'),

  op('F2 0F 12', 'MOVDDUP', 'Vx,Wq', 'move_duplicate_quad', 'w'),
  op('F3 0F 12', 'MOVSLDUP', 'Vx,Wx', 'move_duplicate_even', 'w'),
  op('F3 0F 16', 'MOVSHDUP', 'Vx,Wx', 'move_duplicate_odd', 'w'),
].flat();
