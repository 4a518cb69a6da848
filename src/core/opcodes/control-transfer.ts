// Control transfer instructions (SDM 1 5.1.7).
import * as RARE from '../assembly/rare.ts';
import { op, type OpcodeRow } from './row.ts';

export const controlTransferRows: readonly OpcodeRow[] = [
  op('70+cc', 'Jcc', 'Jb', 'jcc(cc)', 'f64 ends'),
  op('0F 80+cc', 'Jcc', 'Jz', 'jcc(cc)', 'f64 ends'),
  op('E0', 'LOOPNE', 'Jb', 'loopne', 'f64 ends'),
  op('E1', 'LOOPE', 'Jb', 'loope', 'f64 ends'),
  op('E2', 'LOOP', 'Jb', 'loop_', 'f64 ends'),
  op('E3', 'JCXZ', 'Jb', 'jcxz', 'f64 ends'),
  op('EB', 'JMP', 'Jb', 'jmp', 'f64 ends'),
  op('E9', 'JMP', 'Jz', 'jmp', 'f64 ends'),
  op('FF /4', 'JMP', 'Ev', 'jmp', 'f64 ends r'),
  op('E8', 'CALL', 'Jz', 'call<v>', 'f64 ends call +push'),
  op('FF /2', 'CALL', 'Ev', 'call', 'f64 ends call r +push'),
  op('C3', 'RET', '', 'ret<v>', 'f64 ends +pop'),
  op('C2', 'RET', 'Iw', 'ret<v>', 'f64 ends +pop'),
  op('9A', 'CALL', 'Ap', RARE.RARE_CALL_FAR, 'i64 ends call +pushfar'),
  op('EA', 'JMP', 'Ap', RARE.RARE_JMP_FAR, 'i64 ends'),
  op('FF /3 m', 'CALL', 'Mp', RARE.RARE_CALL_FAR, 'ends call r +pushfar'),
  op('FF /5 m', 'JMP', 'Mp', RARE.RARE_JMP_FAR, 'ends r'),
  op('CB', 'RETF', '', RARE.RARE_RET_FAR, 'ends +popfar'),
  op('CA', 'RETF', 'Iw', RARE.RARE_RET_FAR, 'ends +popfar'),
  op('CC', 'INT3', '', RARE.RARE_INT3, 'ends'),
  op('CD', 'INT', 'Ib', RARE.RARE_INT, 'ends'),
  op('CE', 'INTO', '', RARE.RARE_INTO, 'ends i64'),
  op('F1', 'INT1', '', RARE.RARE_INT1, 'ends'),
  op('CF', 'IRET|IRETD|IRETQ', '', RARE.RARE_IRET, 'ends +iret'),
  op('62 /r m', 'BOUND', 'Gv,Ma', RARE.RARE_BOUND, 'r i64'),
].flat();
