// Data transfer instructions (SDM 1 5.1.1), LEA, NOP and flag transfers.
import * as RARE from '../assembly/rare.ts';
import { op, type OpcodeRow } from './row.ts';

const segmentNames = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;
const segmentMoves = segmentNames.flatMap((name, i) =>
  [
    op(`8C /${i}`, 'MOV', 'Ev,Sw', RARE.RARE_MOV_FROM_SEGMENT, `w imm=${i}`),
    name === 'CS' ? [] : op(`8E /${i}`, 'MOV', 'Sw,Ew', RARE.RARE_MOV_TO_SEGMENT, `w boundary imm=${i}`),
  ].flat(),
);
const loadFar = (opcode: string, number: number, options: string): readonly OpcodeRow[] =>
  op(
    `${opcode} /r m`,
    `L${segmentNames[number] ?? ''}`,
    'Gv,Mp',
    RARE.RARE_LOAD_FAR_POINTER,
    `w boundary imm=${number} ${options}`,
  );
const pushSegment = (opcode: string, number: number, options: string): readonly OpcodeRow[] =>
  op(opcode, 'PUSH', segmentNames[number] ?? '', RARE.RARE_PUSH_SEGMENT, `imm=${number} +push ${options}`);
const popSegment = (opcode: string, number: number, options: string): readonly OpcodeRow[] =>
  op(opcode, 'POP', segmentNames[number] ?? '', RARE.RARE_POP_SEGMENT, `boundary imm=${number} +pop ${options}`);

export const dataTransferRows: readonly OpcodeRow[] = [
  op('88', 'MOV', 'Eb,Gb', 'mov', 'w'),
  op('89', 'MOV', 'Ev,Gv', 'mov', 'w'),
  op('8A', 'MOV', 'Gb,Eb', 'mov', 'w'),
  op('8B', 'MOV', 'Gv,Ev', 'mov', 'w'),
  op('A0', 'MOV', 'AL,Ob', 'mov', 'w'),
  op('A1', 'MOV', 'rAX,Ov', 'mov', 'w'),
  op('A2', 'MOV', 'Ob,AL', 'mov', 'w'),
  op('A3', 'MOV', 'Ov,rAX', 'mov', 'w'),
  op('B0+r', 'MOV', 'Zb,Ib', 'mov', 'w'),
  op('B8+r', 'MOV', 'Zv,Iv', 'mov', 'w'),
  op('C6 /0', 'MOV', 'Eb,Ib', 'mov', 'w'),
  op('C7 /0', 'MOV', 'Ev,Iz', 'mov', 'w'),
  op('NP 0F C3 /r m', 'MOVNTI', 'My,Gy', 'mov', 'w'),
  op('NFx 0F 38 F0', 'MOVBE', 'Gv,Mv', 'movbe', 'w'),
  op('NFx 0F 38 F1', 'MOVBE', 'Mv,Gv', 'movbe', 'w'),
  segmentMoves,
  op('63', 'MOVSXD', 'Gv,Ed', 'movsxd<v>', 'w o64'),
  op('0F B6', 'MOVZX', 'Gv,Eb', 'movzx<v,b>', 'w'),
  op('0F B7', 'MOVZX', 'Gv,Ew', 'movzx<v,w>', 'w'),
  op('0F BE', 'MOVSX', 'Gv,Eb', 'movsx<v,b>', 'w'),
  op('0F BF', 'MOVSX', 'Gv,Ew', 'movsx<v,w>', 'w'),
  op('8D /r m', 'LEA', 'Gv,M', 'lea<v>', 'w +address'),
  op('0F 40+cc', 'CMOVcc', 'Gv,Ev', 'cmov(cc)'),

  op('86', 'XCHG', 'Eb,Gb', 'xchg', 'lock'),
  op('87', 'XCHG', 'Ev,Gv', 'xchg', 'lock'),
  op('90', 'NOP', '', 'nop', 'b0'),
  op('F3 90', 'PAUSE', '', RARE.RARE_PAUSE, 'b0 boundary'),
  op('90+r', 'XCHG', 'Zv,rAX', 'xchg'),
  // all but /1 and /2 are reserved; processors take them for one of the two prefetches
  op('0F 0D /r m', 'PREFETCH', 'Mb', 'nop', 'n'),
  op('0F 0D /1 m', 'PREFETCHW', 'Mb', 'nop', 'n'),
  op('0F 0D /2 m', 'PREFETCHWT1', 'Mb', 'nop', 'n'),
  op('0F 0D /3 m', 'PREFETCHW', 'Mb', 'nop', 'n'),
  op('0F 0D /r r', 'NOP', 'Ev', 'nop', 'n'),
  ...['NTA', 'T0', 'T1', 'T2'].map((hint, i) => op(`0F 18 /${i} m`, `PREFETCH${hint}`, 'Mb', 'nop', 'n')),
  ...['18', '19', '1A', '1B', '1C', '1D', '1E', '1F'].map((code) => op(`0F ${code}`, 'NOP', 'Ev', 'nop', 'n')),
  op('F3 0F 1E FA', 'ENDBR64', '', 'nop'),
  op('F3 0F 1E FB', 'ENDBR32', '', 'nop'),
  op('D7', 'XLATB', 'Tb', 'xlat', 'r'),

  op('50+r', 'PUSH', 'Zv', 'push', 'd64 r +push'),
  op('FF /6', 'PUSH', 'Ev', 'push', 'd64 r +push'),
  op('68', 'PUSH', 'Iz', 'push<v>', 'd64 r +push'),
  op('6A', 'PUSH', 'sIb', 'push<v>', 'd64 r +push'),
  op('58+r', 'POP', 'Zv', 'pop', 'd64 w +pop'),
  op('8F /0', 'POP', 'Ev', 'pop', 'd64 w +pop'),
  pushSegment('06', 0, 'i64'),
  pushSegment('0E', 1, 'i64'),
  pushSegment('16', 2, 'i64'),
  pushSegment('1E', 3, 'i64'),
  pushSegment('0F A0', 4, 'd64'),
  pushSegment('0F A8', 5, 'd64'),
  popSegment('07', 0, 'i64'),
  popSegment('17', 2, 'i64'),
  popSegment('1F', 3, 'i64'),
  popSegment('0F A1', 4, 'd64'),
  popSegment('0F A9', 5, 'd64'),
  loadFar('C4', 0, 'i64'),
  loadFar('C5', 3, 'i64'),
  loadFar('0F B2', 2, ''),
  loadFar('0F B4', 4, ''),
  loadFar('0F B5', 5, ''),
  op('60', 'PUSHA|PUSHAD', '', RARE.RARE_PUSHA, 'i64 +pusha'),
  op('61', 'POPA|POPAD', '', RARE.RARE_POPA, 'i64 +popa'),
  op('9C', 'PUSHF|PUSHFD|PUSHFQ', '', RARE.RARE_PUSHF, 'd64 +push'),
  op('9D', 'POPF|POPFD|POPFQ', '', RARE.RARE_POPF, 'd64 boundary +pop'),
  op('9E', 'SAHF', '', 'sahf'),
  op('9F', 'LAHF', '', 'lahf'),
  op('C8', 'ENTER', 'Iw,Ib', RARE.RARE_ENTER, 'd64 +enter'),
  op('C9', 'LEAVE', '', 'leave<v>', 'd64 +leave'),
].flat();
