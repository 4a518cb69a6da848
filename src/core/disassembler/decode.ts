// Selects the row of an instruction and takes it apart: the same rules as core/assembly/core/decoder.ts, over the same rows.
import { type OpcodeRow, opcodeRows } from '../opcodes/index.ts';
import type { Operand } from '../opcodes/row.ts';
import { type CodeSize, type Decoded, type MemoryOperand, SEGMENT_NAMES, type SegmentName } from './instruction.ts';
import { generalName } from './registers.ts';

const LONGEST = 15;
const MAPS = ['one', '0F', '0F38', '0F3A'] as const;
/** Maps behind a VEX prefix follow the others. */
const VEX = MAPS.length;

function indexRows(): readonly (readonly OpcodeRow[])[] {
  const index: OpcodeRow[][] = Array.from({ length: 2 * MAPS.length * 256 }, () => []);
  for (const row of opcodeRows) {
    const map = MAPS.indexOf(row.map) + (row.vex ? VEX : 0);
    for (let i = 0; i < row.span; i++) index[map * 256 + row.opcode + i]?.push(row);
  }
  return index;
}
const ROWS = indexRows();

/** Reads bytes in order; one beyond the end makes the instruction incomplete. */
class Reader {
  at = 0;
  private readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  /** False when a byte was read that is not there. */
  get complete(): boolean {
    return this.at <= this.bytes.length;
  }
  peek(): number {
    return this.bytes[this.at] ?? 0;
  }
  byte(): number {
    return this.bytes[this.at++] ?? 0;
  }
  unsigned(size: number): bigint {
    let value = 0n;
    for (let i = 0; i < size; i++) value |= BigInt(this.byte()) << BigInt(8 * i);
    return value;
  }
  signed(size: number): bigint {
    return BigInt.asIntN(size * 8, this.unsigned(size));
  }
}

interface Prefixes {
  operandSize: boolean;
  addressSize: boolean;
  lock: boolean;
  repeat: number;
  segment: SegmentName | undefined;
  rex: number;
  /** VEX.vvvv, not inverted; 0 without a VEX prefix. */
  vvvv: number;
}

const SEGMENT_PREFIXES = new Map<number, SegmentName>([
  [0x26, 'es'],
  [0x2e, 'cs'],
  [0x36, 'ss'],
  [0x3e, 'ds'],
  [0x64, 'fs'],
  [0x65, 'gs'],
]);

/** Reads prefixes (SDM 2A 2.1.1, 2.2.1) and the first opcode byte. */
function readPrefixes(reader: Reader, code: CodeSize): { prefixes: Prefixes; byte: number } {
  const prefixes: Prefixes = {
    operandSize: false,
    addressSize: false,
    lock: false,
    repeat: 0,
    segment: undefined,
    rex: 0,
    vvvv: 0,
  };
  for (;;) {
    const byte = reader.byte();
    if (code === 64 && (byte & 0xf0) === 0x40) {
      prefixes.rex = byte;
      if (reader.at > LONGEST) return { prefixes, byte };
      continue;
    }
    const segment = SEGMENT_PREFIXES.get(byte);
    if (byte === 0x66) prefixes.operandSize = true;
    else if (byte === 0x67) prefixes.addressSize = true;
    else if (byte === 0xf0) prefixes.lock = true;
    else if (byte === 0xf2 || byte === 0xf3) prefixes.repeat = byte;
    else if (segment !== undefined) {
      // in 64-bit mode ES, CS, SS and DS prefixes are as if they were not there (SDM 2A 2.1.1)
      if (code !== 64 || byte >= 0x64) prefixes.segment = segment;
    } else return { prefixes, byte };
    prefixes.rex = 0; // a REX prefix counts only right in front of the opcode
    if (reader.at > LONGEST) return { prefixes, byte };
  }
}

/**
 * Reads what is behind the first byte of a VEX prefix (SDM 2A 2.3.5) and leaves it in `prefixes` as the REX and legacy prefixes
 * that say the same. Answers the map, undefined when there is no such instruction: see vexPrefix() in decoder.ts.
 */
function readVex(reader: Reader, first: number, prefixes: Prefixes, code: CodeSize): number | undefined {
  const { operandSize, repeat, rex, lock } = prefixes;
  if (first === 0xc5 || operandSize || repeat !== 0 || rex !== 0 || lock) return undefined;
  const mapByte = reader.byte();
  const byte = reader.byte();
  const map = mapByte & 31;
  if ((byte & 4) !== 0 || map < 2 || map > 3) return undefined;
  const simdPrefix = byte & 3;
  prefixes.operandSize = simdPrefix === 1;
  prefixes.repeat = [0, 0, 0xf3, 0xf2][simdPrefix] ?? 0;
  prefixes.vvvv = (~byte >> 3) & 15;
  if (code === 64) prefixes.rex = 0x40 | ((~mapByte >> 5) & 7) | ((byte >> 4) & 8);
  return VEX + map;
}

function fits(row: OpcodeRow, prefixes: Prefixes, modrm: number, code: CodeSize): boolean {
  const { repeat, operandSize } = prefixes;
  if (row.prefix === 'NP' && (operandSize || repeat !== 0)) return false;
  if (row.prefix === '66' && (!operandSize || repeat !== 0)) return false;
  if (row.prefix === 'F3' && repeat !== 0xf3) return false;
  if (row.prefix === 'F2' && repeat !== 0xf2) return false;
  if (row.prefix === 'NFx' && repeat !== 0) return false;
  // a register number that no operand takes has to be that of register 0, which is 1111b
  if (row.vex && prefixes.vvvv !== 0 && !row.operands.some(({ kind }) => kind === 'B')) return false;
  if (row.reg !== undefined && ((modrm >> 3) & 7) !== row.reg) return false;
  if (row.rm !== undefined && (modrm & 7) !== row.rm) return false;
  if (row.mod !== 'any' && (row.mod === 'register') !== modrm >= 0xc0) return false;
  if (row.modes !== 'all' && (row.modes === 'only64') !== (code === 64)) return false;
  return !(row.withoutRexB && (prefixes.rex & 1) !== 0);
}

function operandSizeOf(row: OpcodeRow, prefixes: Prefixes, code: CodeSize): 2 | 4 | 8 {
  const toggled = prefixes.operandSize && row.prefix !== '66';
  if (code !== 64) return (code === 32) !== toggled ? 4 : 2;
  if ((prefixes.rex & 8) !== 0 || row.size64 === 'forced') return 8;
  if (toggled) return 2;
  return row.size64 === 'default' ? 8 : 4;
}
function addressSizeOf(prefixes: Prefixes, code: CodeSize): 2 | 4 | 8 {
  if (code === 64) return prefixes.addressSize ? 4 : 8;
  return (code === 32) !== prefixes.addressSize ? 4 : 2;
}

/** What memory operands are read with. */
interface Context {
  readonly reader: Reader;
  readonly code: CodeSize;
  readonly addressSize: 2 | 4 | 8;
  readonly rex: number;
  readonly segment: SegmentName | undefined;
}

export function memoryAt(
  context: Pick<Context, 'addressSize' | 'segment'>,
  parts: Partial<Pick<MemoryOperand, 'base' | 'index' | 'scale' | 'displacement'>>,
  byDefault: SegmentName = 'ds',
): MemoryOperand {
  const segment = context.segment ?? byDefault;
  return {
    segment,
    overridden: segment !== byDefault,
    base: parts.base,
    index: parts.index,
    scale: parts.scale ?? 1,
    displacement: parts.displacement ?? 0n,
    addressSize: context.addressSize,
  };
}
const isStack = (number: number): boolean => number === 4 || number === 5;
const SCALES = [1, 2, 4, 8] as const;

/** SDM 2A table 2-2 and 2-3. */
function readMemory(context: Context, mod: number, rm: number): MemoryOperand {
  const { reader, code, addressSize, rex } = context;
  if (addressSize === 2) return readMemory16(context, mod, rm);
  const name = (number: number): string => generalName(number, addressSize, true);
  let base: string | undefined;
  let index: string | undefined;
  let scale: MemoryOperand['scale'] = 1;
  let byDefault: SegmentName = 'ds';
  let long = mod === 2;
  const setBase = (number: number): void => {
    base = name(number);
    if (isStack(number)) byDefault = 'ss';
  };
  if (rm === 4) {
    const sib = reader.byte();
    const number = ((sib >> 3) & 7) | ((rex & 2) << 2);
    if (number !== 4) {
      index = name(number);
      scale = SCALES[sib >> 6] ?? 1;
    }
    if ((sib & 7) === 5 && mod === 0) long = true;
    else setBase((sib & 7) | ((rex & 1) << 3));
  } else if (rm === 5 && mod === 0) {
    long = true;
    if (code === 64) base = addressSize === 8 ? 'rip' : 'eip';
  } else setBase(rm | ((rex & 1) << 3));
  const displacement = mod === 1 ? reader.signed(1) : long ? reader.signed(4) : 0n;
  return memoryAt(context, { base, index, scale, displacement }, byDefault);
}
/** SDM 2A table 2-1. */
function readMemory16(context: Context, mod: number, rm: number): MemoryOperand {
  const { reader } = context;
  const absolute = rm === 6 && mod === 0;
  const base = absolute ? undefined : ['bx', 'bx', 'bp', 'bp', 'si', 'di', 'bp', 'bx'][rm];
  const index = ['si', 'di', 'si', 'di'][rm];
  const displacement = mod === 1 ? reader.signed(1) : mod === 2 || absolute ? reader.signed(2) : 0n;
  return memoryAt(context, { base, index, displacement }, base === 'bp' ? 'ss' : 'ds');
}

function immediateSize({ size }: Operand, operandSize: number): number {
  if (size === 'b') return 1;
  if (size === 'w') return 2;
  if (size === 'v') return operandSize;
  return Math.min(operandSize, 4);
}

/** CR0, CR2, CR3, CR4, CR8 and DR0-DR7 exist (SDM 2B MOV to and from control registers, debug registers). */
function registerExists(row: OpcodeRow, reg: number): boolean {
  return row.operands.every(({ kind }) => (kind !== 'C' || [0, 2, 3, 4, 8].includes(reg)) && (kind !== 'D' || reg < 8));
}

/** Takes the instruction at the start of bytes apart; undefined when they begin with none. */
export function decode(bytes: Uint8Array, rip: bigint, code: CodeSize): Decoded | undefined {
  const reader = new Reader(bytes);
  const { prefixes, byte } = readPrefixes(reader, code);
  if (reader.at > LONGEST) return undefined;
  let opcode = byte;
  let map = 0;
  if ((opcode === 0xc4 || opcode === 0xc5) && (code === 64 || reader.peek() >= 0xc0)) {
    const vex = readVex(reader, opcode, prefixes, code);
    if (vex === undefined) return undefined;
    map = vex;
    opcode = reader.byte();
  } else if (opcode === 0x0f) {
    opcode = reader.byte();
    map = opcode === 0x38 ? 2 : opcode === 0x3a ? 3 : 1;
    if (map > 1) opcode = reader.byte();
  }
  const modrm = reader.peek();
  const row = ROWS[map * 256 + opcode]?.find((candidate) => fits(candidate, prefixes, modrm, code));
  if (row === undefined) return undefined;
  const operandSize = operandSizeOf(row, prefixes, code);
  const addressSize = addressSizeOf(prefixes, code);
  const { rex, segment, lock } = prefixes;
  const context: Context = { reader, code, addressSize, rex, segment };
  let mod = 3;
  let reg = 0;
  let rm = 0;
  let memory: MemoryOperand | undefined;
  if (row.hasModRM) {
    reader.at++;
    mod = modrm >> 6;
    reg = ((modrm >> 3) & 7) | ((rex & 4) << 1);
    rm = modrm & 7;
    // MOV CR and MOV DR take a register whatever mod says
    if (row.operands.some(({ kind }) => kind === 'R')) mod = 3;
    if (mod === 3) rm |= (rex & 1) << 3;
    else memory = readMemory(context, mod, rm);
  }
  const immediates = row.operands.map((operand): bigint | undefined => {
    const { kind } = operand;
    if (kind === 'I') return reader.unsigned(immediateSize(operand, operandSize));
    if (kind === 'sI' || kind === 'J') return reader.signed(immediateSize(operand, operandSize));
    if (kind === 'A') {
      const offset = reader.unsigned(operandSize === 2 ? 2 : 4);
      return (reader.unsigned(2) << 32n) | offset;
    }
    if (kind === 'O')
      memory = memoryAt(context, { displacement: BigInt.asIntN(64, reader.unsigned(addressSize)) }, 'ds');
    return undefined;
  });
  if (!reader.complete || reader.at > LONGEST) return undefined;
  if (lock && !(row.lockable && memory !== undefined)) return undefined;
  if (!registerExists(row, reg)) return undefined;
  const next = BigInt.asUintN(code, rip + BigInt(reader.at));
  const length = reader.at;
  return {
    row,
    code,
    length,
    opcode,
    next,
    rex,
    lock,
    operandSize,
    addressSize,
    segment,
    mod,
    reg,
    rm,
    vvvv: code === 64 ? prefixes.vvvv : prefixes.vvvv & 7,
    memory,
    immediates,
  };
}

export const segmentOf = (number: number): SegmentName => SEGMENT_NAMES[number] ?? 'ds';
