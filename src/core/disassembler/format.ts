// Text of an instruction: Intel syntax in lower case, as objdump -M intel writes it.
import type { Operand } from '../opcodes/row.ts';
import { memoryOf } from './accesses.ts';
import { segmentOf } from './decode.ts';
import type { Decoded, MemoryOperand } from './instruction.ts';
import { generalName } from './registers.ts';
import { operandBytes } from './sizes.ts';

/** Name of an address as it is put behind it, such as `main+0x10`; undefined: none. */
export type SymbolNames = (address: bigint) => string | undefined;

const POINTERS: Readonly<Record<number, string>> = {
  1: 'byte ptr ',
  2: 'word ptr ',
  4: 'dword ptr ',
  6: 'fword ptr ',
  8: 'qword ptr ',
  10: 'tbyte ptr ',
  16: 'xmmword ptr ',
};

export function hexadecimal(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

/** `fs:[rax+rcx*4-0x10]` */
export function memoryText(memory: MemoryOperand, showSegment: boolean): string {
  const { base, index, scale, displacement, addressSize } = memory;
  let text = [base, index === undefined ? undefined : scale === 1 ? index : `${index}*${scale}`]
    .filter((part) => part !== undefined)
    .join('+');
  if (text === '') text = hexadecimal(BigInt.asUintN(addressSize * 8, displacement));
  else if (displacement !== 0n || base === 'rip' || base === 'eip')
    text += `${displacement < 0n ? '' : '+'}${hexadecimal(displacement)}`;
  return `${showSegment ? `${memory.segment}:` : ''}[${text}]`;
}

/** Whether a segment prefix has an effect that has to be shown: in 64-bit mode only FS and GS do. */
function showsSegment(decoded: Decoded, memory: MemoryOperand, operand: Operand): boolean {
  if (operand.kind === 'X' || operand.kind === 'Y') return true;
  if (decoded.code === 64) return memory.segment === 'fs' || memory.segment === 'gs';
  return memory.overridden;
}

function pointerBytes(decoded: Decoded, operand: Operand): number {
  if (operand.size === 'p') return decoded.operandSize + 2;
  if (operand.size === 's') return decoded.code === 64 ? 10 : 6;
  if (decoded.row.implicit === 'pair') return decoded.operandSize === 8 ? 16 : 8;
  return operandBytes(operand, decoded, true);
}

/** Target of a relative branch, as wide as the operand size says. */
export function branchTarget(decoded: Decoded): bigint | undefined {
  const at = decoded.row.operands.findIndex(({ kind }) => kind === 'J');
  const distance = decoded.immediates[at];
  return distance === undefined ? undefined : BigInt.asUintN(decoded.operandSize * 8, decoded.next + distance);
}

/** Address of a RIP-relative operand. */
export function memoryTarget({ memory, next }: Decoded): bigint | undefined {
  if (memory?.base !== 'rip' && memory?.base !== 'eip') return undefined;
  return BigInt.asUintN(memory.addressSize * 8, next + memory.displacement);
}

/** Immediates are shown as wide as the operand that they meet. */
function immediateBytes(decoded: Decoded, operand: Operand): number {
  const [first] = decoded.row.operands;
  if (operand.kind === 'I') return 8;
  if (first === undefined || first === operand) return decoded.operandSize;
  return operandBytes(first, decoded);
}

function operandText(decoded: Decoded, operand: Operand, at: number): string {
  const { rex, reg, rm, vvvv } = decoded;
  const memory = memoryOf(decoded, operand);
  const size = operandBytes(operand, decoded);
  if (memory !== undefined) {
    const pointer = POINTERS[pointerBytes(decoded, operand)] ?? '';
    return `${pointer}${memoryText(memory, showsSegment(decoded, memory, operand))}`;
  }
  const immediate = decoded.immediates[at] ?? 0n;
  const general = (number: number): string => generalName(number, size, rex !== 0);
  switch (operand.kind) {
    case 'E':
    case 'R':
      return general(rm);
    case 'G':
      return general(reg);
    case 'B':
      return general(vvvv);
    case 'Z':
      return general((decoded.opcode & 7) | ((rex & 1) << 3));
    case 'I':
    case 'sI':
      return hexadecimal(BigInt.asUintN(8 * immediateBytes(decoded, operand), immediate));
    case 'J':
      return hexadecimal(branchTarget(decoded) ?? 0n);
    case 'V':
      return `xmm${reg}`;
    case 'W':
    case 'U':
      return `xmm${rm}`;
    case 'P':
      return `mm${reg & 7}`;
    case 'Q':
    case 'N':
      return `mm${rm & 7}`;
    case 'K':
      return `st${rm & 7}`;
    case 'S':
      return segmentOf(reg & 7);
    case 'C':
      return `cr${reg}`;
    case 'D':
      return `dr${reg}`;
    case 'A':
      return `${hexadecimal(immediate >> 32n)}:${hexadecimal(immediate & 0xffffffffn)}`;
    case 'fixed':
      return /^[re]AX$/.test(operand.text) ? generalName(0, size, true) : operand.text.toLowerCase();
    case 'one':
      return '1';
    default:
      return operand.text.toLowerCase();
  }
}

const isString = ({ kind }: Operand): boolean => kind === 'X' || kind === 'Y';

/** The name at the operand size; string instructions without their size, which the operands show. */
function mnemonicOf(decoded: Decoded): string {
  const { row, operandSize, addressSize, lock } = decoded;
  const [, repeat = '', names = ''] = /^(REPN?E? )?(.*)$/.exec(row.mnemonic) ?? [];
  const choices = names.split('|');
  let name = choices[choices.length === 1 ? 0 : operandSize === 2 ? 0 : operandSize === 4 ? 1 : 2] ?? names;
  if (name === 'JCXZ') name = addressSize === 8 ? 'JRCXZ' : addressSize === 4 ? 'JECXZ' : 'JCXZ';
  if (row.operands.some(isString)) name = name.slice(0, -1);
  return `${lock ? 'lock ' : ''}${repeat}${name}`.toLowerCase();
}

export interface InstructionText {
  readonly mnemonic: string;
  readonly operands: readonly string[];
  readonly text: string;
}

/** Mnemonic, operands, and both with what is behind addresses: `call 0x100040 <main>`. */
export function formatInstruction(decoded: Decoded, names?: SymbolNames): InstructionText {
  const mnemonic = mnemonicOf(decoded);
  const operands = decoded.row.operands.map((operand, i) => operandText(decoded, operand, i));
  let text = operands.length === 0 ? mnemonic : `${mnemonic} ${operands.join(', ')}`;
  const relative = memoryTarget(decoded);
  if (relative !== undefined) text += ` # ${hexadecimal(relative)}`;
  const shown = relative ?? branchTarget(decoded);
  const name = shown === undefined ? undefined : names?.(shown);
  if (name !== undefined) text += ` <${name}>`;
  return { mnemonic, operands, text };
}
