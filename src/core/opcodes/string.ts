// String instructions (SDM 1 5.1.8, 5.1.9). A repeated one executes one iteration per record execution.
import * as RARE from '../assembly/rare.ts';
import { op, type OpcodeRow } from './row.ts';

/** MOVS, STOS, LODS: F3 and F2 both repeat, since only CMPS and SCAS look at ZF. */
const moving = (
  opcode: string,
  mnemonic: string,
  operands: string,
  handler: string,
  options: string,
): readonly OpcodeRow[] =>
  [
    op(opcode, mnemonic, operands, handler, options),
    op(`F3 ${opcode}`, `REP ${mnemonic}`, operands, `rep_${handler}`, `${options} ends rep`),
    op(`F2 ${opcode}`, `REPNE ${mnemonic}`, operands, `rep_${handler}`, `${options} ends rep`),
  ].flat();
const comparing = (opcode: string, mnemonic: string, operands: string, handler: string): readonly OpcodeRow[] =>
  [
    op(opcode, mnemonic, operands, handler, 'r'),
    op(`F3 ${opcode}`, `REPE ${mnemonic}`, operands, `repe_${handler}`, 'r ends rep'),
    op(`F2 ${opcode}`, `REPNE ${mnemonic}`, operands, `repne_${handler}`, 'r ends rep'),
  ].flat();
const port = (opcode: string, mnemonic: string, operands: string, rare: number, access: string): readonly OpcodeRow[] =>
  [
    op(opcode, mnemonic, operands, rare, `${access} boundary`),
    op(`F3 ${opcode}`, `REP ${mnemonic}`, operands, rare, `${access} ends rep`),
    op(`F2 ${opcode}`, `REPNE ${mnemonic}`, operands, rare, `${access} ends rep`),
  ].flat();

export const stringRows: readonly OpcodeRow[] = [
  moving('A4', 'MOVSB', 'Yb,Xb', 'movs<b>', 'w'),
  moving('A5', 'MOVSW|MOVSD|MOVSQ', 'Yv,Xv', 'movs<v>', 'w'),
  moving('AA', 'STOSB', 'Yb,AL', 'stos<b>', 'w'),
  moving('AB', 'STOSW|STOSD|STOSQ', 'Yv,rAX', 'stos<v>', 'w'),
  moving('AC', 'LODSB', 'AL,Xb', 'lods<b>', 'w'),
  moving('AD', 'LODSW|LODSD|LODSQ', 'rAX,Xv', 'lods<v>', 'w'),
  comparing('A6', 'CMPSB', 'Xb,Yb', 'cmps<b>'),
  comparing('A7', 'CMPSW|CMPSD|CMPSQ', 'Xv,Yv', 'cmps<v>'),
  comparing('AE', 'SCASB', 'AL,Yb', 'scas<b>'),
  comparing('AF', 'SCASW|SCASD|SCASQ', 'rAX,Yv', 'scas<v>'),
  port('6C', 'INSB', 'Yb,DX', RARE.RARE_INS, 'w'),
  port('6D', 'INSW|INSD|INSD', 'Yz,DX', RARE.RARE_INS, 'w'),
  port('6E', 'OUTSB', 'DX,Xb', RARE.RARE_OUTS, 'r'),
  port('6F', 'OUTSW|OUTSD|OUTSD', 'DX,Xz', RARE.RARE_OUTS, 'r'),
].flat();
