// The memory accesses of an instruction, those that no operand shows included.
import type { Operand } from '../opcodes/row.ts';
import { memoryAt } from './decode.ts';
import type { Decoded, MemoryAccess, MemoryOperand } from './instruction.ts';
import { generalName } from './registers.ts';
import { operandBytes } from './sizes.ts';

const FXSAVE_AREA = 512;
/** Legacy region and header: x87 and SSE state need no more (SDM 1 13.4). */
const XSAVE_AREA = 576;

/** Bytes that the operand's memory access has. */
function accessSize(decoded: Decoded, operand: Operand): number {
  const { row, code, operandSize } = decoded;
  if (row.implicit === 'pair') return operandSize === 8 ? 16 : 8;
  if (row.implicit === 'fx') return FXSAVE_AREA;
  if (row.implicit === 'xsave') return XSAVE_AREA;
  if (row.implicit === 'environment') return operandSize === 2 ? 14 : 28;
  if (row.implicit === 'state87') return operandSize === 2 ? 94 : 108;
  if (operand.size === 'p') return Math.min(operandSize, 8) + 2;
  if (operand.size === 's') return code === 64 ? 10 : 6;
  return operandBytes(operand, decoded, true);
}

const READ = 'read' as const;
const WRITE = 'write' as const;

function stackAccess(decoded: Decoded, kind: 'read' | 'write', size: number, base: 'sp' | 'bp' = 'sp'): MemoryAccess {
  const addressSize = decoded.code === 64 ? 8 : decoded.code === 32 ? 4 : 2;
  const displacement = kind === WRITE ? BigInt(-size) : 0n;
  const operand = memoryAt(
    { addressSize, segment: undefined },
    { base: generalName(base === 'sp' ? 4 : 5, addressSize, true), displacement },
    'ss',
  );
  return { ...operand, size, kind, implicit: true };
}

function implicitAccesses(decoded: Decoded): readonly MemoryAccess[] {
  const { row, operandSize: size, addressSize, segment, code } = decoded;
  switch (row.implicit) {
    case 'push':
    case 'enter':
      return [stackAccess(decoded, WRITE, size)];
    case 'pop':
      return [stackAccess(decoded, READ, size)];
    case 'pushfar':
      return [stackAccess(decoded, WRITE, 2 * size)];
    case 'popfar':
      return [stackAccess(decoded, READ, 2 * size)];
    case 'iret':
      return [stackAccess(decoded, READ, (code === 64 ? 5 : 3) * size)];
    case 'pusha':
      return [stackAccess(decoded, WRITE, 8 * size)];
    case 'popa':
      return [stackAccess(decoded, READ, 8 * size)];
    case 'leave':
      return [stackAccess(decoded, READ, size, 'bp')];
    case 'mask': {
      const operand = memoryAt({ addressSize, segment }, { base: generalName(7, addressSize, true) });
      const [data] = row.operands;
      return [{ ...operand, size: data === undefined ? 0 : operandBytes(data, decoded), kind: WRITE, implicit: true }];
    }
    default:
      return [];
  }
}

/** The memory that an operand stands for, undefined when it is no memory. */
export function memoryOf(decoded: Decoded, { kind }: Operand): MemoryOperand | undefined {
  const { addressSize, segment, mod, memory } = decoded;
  if (kind === 'O' || (mod !== 3 && 'EMWQ'.includes(kind))) return memory;
  if (kind === 'X') return memoryAt({ addressSize, segment }, { base: generalName(6, addressSize, true) });
  if (kind === 'Y')
    return memoryAt({ addressSize, segment: undefined }, { base: generalName(7, addressSize, true) }, 'es');
  if (kind === 'T') return memoryAt({ addressSize, segment }, { base: generalName(3, addressSize, true), index: 'al' });
  return undefined;
}

export function accessesOf(decoded: Decoded): readonly MemoryAccess[] {
  const { row } = decoded;
  const accesses: MemoryAccess[] = [];
  if (row.access !== 'none' && row.implicit !== 'address') {
    row.operands.forEach((operand, i) => {
      const memory = memoryOf(decoded, operand);
      if (memory === undefined) return;
      const kind = i > 0 ? READ : row.access === 'none' ? READ : row.access;
      const second = row.operands[1];
      const bits =
        row.implicit === 'bits' && second !== undefined
          ? { bitOffset: generalName(decoded.reg, operandBytes(second, decoded), true) }
          : {};
      accesses.push({ ...memory, size: accessSize(decoded, operand), kind, implicit: false, ...bits });
    });
  }
  return [...accesses, ...implicitAccesses(decoded)];
}
