// Binary integer arithmetic, logic and decimal instructions (SDM 1 5.1.2-5.1.4).
import { op, type OpcodeRow } from './row.ts';

/** The eight operations that share the encodings 00-3F, 80-83 (SDM 2D table A-6, group 1). */
const group1 = ['ADD', 'OR', 'ADC', 'SBB', 'AND', 'SUB', 'XOR', 'CMP'].flatMap((name, i) => {
  const base = (low: number): string => (i * 8 + low).toString(16).toUpperCase().padStart(2, '0');
  const handler = (types: string): string => `binary${types}(${name})`;
  const access = name === 'CMP' ? 'r' : '';
  const lock = name === 'CMP' ? 'r' : 'lock';
  return [
    op(base(0), name, 'Eb,Gb', handler(''), lock),
    op(base(1), name, 'Ev,Gv', handler(''), lock),
    op(base(2), name, 'Gb,Eb', handler(''), access),
    op(base(3), name, 'Gv,Ev', handler(''), access),
    op(base(4), name, 'AL,Ib', handler(''), access),
    op(base(5), name, 'rAX,Iz', handler(''), access),
    op(`80 /${i}`, name, 'Eb,Ib', handler(''), lock),
    op(`81 /${i}`, name, 'Ev,Iz', handler(''), lock),
    op(`82 /${i}`, name, 'Eb,Ib', handler(''), `${lock} i64`),
    op(`83 /${i}`, name, 'Ev,sIb', handler(''), lock),
  ].flat();
});

export const arithmeticRows: readonly OpcodeRow[] = [
  group1,
  op('84', 'TEST', 'Eb,Gb', 'binary(TEST)', 'r'),
  op('85', 'TEST', 'Ev,Gv', 'binary(TEST)', 'r'),
  op('A8', 'TEST', 'AL,Ib', 'binary(TEST)', 'r'),
  op('A9', 'TEST', 'rAX,Iz', 'binary(TEST)', 'r'),
  op('F6 /0', 'TEST', 'Eb,Ib', 'binary(TEST)', 'r'),
  op('F6 /1', 'TEST', 'Eb,Ib', 'binary(TEST)', 'r'),
  op('F7 /0', 'TEST', 'Ev,Iz', 'binary(TEST)', 'r'),
  op('F7 /1', 'TEST', 'Ev,Iz', 'binary(TEST)', 'r'),

  op('40+r', 'INC', 'Zv', 'unary(INC)', 'i64'),
  op('48+r', 'DEC', 'Zv', 'unary(DEC)', 'i64'),
  op('FE /0', 'INC', 'Eb', 'unary(INC)', 'lock'),
  op('FE /1', 'DEC', 'Eb', 'unary(DEC)', 'lock'),
  op('FF /0', 'INC', 'Ev', 'unary(INC)', 'lock'),
  op('FF /1', 'DEC', 'Ev', 'unary(DEC)', 'lock'),
  op('F6 /2', 'NOT', 'Eb', 'unary(NOT)', 'lock'),
  op('F7 /2', 'NOT', 'Ev', 'unary(NOT)', 'lock'),
  op('F6 /3', 'NEG', 'Eb', 'unary(NEG)', 'lock'),
  op('F7 /3', 'NEG', 'Ev', 'unary(NEG)', 'lock'),

  op('0F C0', 'XADD', 'Eb,Gb', 'xadd', 'lock'),
  op('0F C1', 'XADD', 'Ev,Gv', 'xadd', 'lock'),
  op('0F B0', 'CMPXCHG', 'Eb,Gb', 'cmpxchg', 'lock'),
  op('0F B1', 'CMPXCHG', 'Ev,Gv', 'cmpxchg', 'lock'),
  op('0F C7 /1 m', 'CMPXCHG8B|CMPXCHG8B|CMPXCHG16B', 'M', 'cmpxchg_pair<v>', 'lock +pair'),

  op('F6 /4', 'MUL', 'Eb', 'mul', 'r'),
  op('F7 /4', 'MUL', 'Ev', 'mul', 'r'),
  op('F6 /5', 'IMUL', 'Eb', 'imul', 'r'),
  op('F7 /5', 'IMUL', 'Ev', 'imul', 'r'),
  op('F6 /6', 'DIV', 'Eb', 'div', 'r'),
  op('F7 /6', 'DIV', 'Ev', 'div', 'r'),
  op('F6 /7', 'IDIV', 'Eb', 'idiv', 'r imm=1'),
  op('F7 /7', 'IDIV', 'Ev', 'idiv', 'r imm=1'),
  op('0F AF', 'IMUL', 'Gv,Ev', 'imul'),
  op('69', 'IMUL', 'Gv,Ev,Iz', 'imul', 'w'),
  op('6B', 'IMUL', 'Gv,Ev,sIb', 'imul', 'w'),

  op('66 0F 38 F6', 'ADCX', 'Gy,Ey', 'add_carry(ADCX)'),
  op('F3 0F 38 F6', 'ADOX', 'Gy,Ey', 'add_carry(ADOX)'),

  op('98', 'CBW|CWDE|CDQE', '', 'convert_in_accumulator<v>'),
  op('99', 'CWD|CDQ|CQO', '', 'convert_to_pair<v>'),

  op('27', 'DAA', '', 'daa', 'i64'),
  op('2F', 'DAS', '', 'das', 'i64'),
  op('37', 'AAA', '', 'aaa', 'i64'),
  op('3F', 'AAS', '', 'aas', 'i64'),
  op('D4', 'AAM', 'Ib', 'aam', 'i64'),
  op('D5', 'AAD', 'Ib', 'aad', 'i64'),
].flat();
