// The decode table's rows. One row is one opcode form of the SDM's instruction reference (volume 2); from the rows come the
// record decoder with its handler registry (scripts/generate-decoder.ts) and the disassembler, so what is shown is what
// is executed.
//
// Opcode notation (SDM 2A 3.1.1.1), with these words in front or behind:
//   NP 66 F3 F2   mandatory prefix; NP: none of them. Without such a word the row does not look at prefixes.
//   NFx           66 may be there (it is the operand size), F2 and F3 may not
//   VEX.LZ.F3.0F38   a VEX prefix with L 0 (any LIG, WIG: W is the operand size), its mandatory prefix (NP or left out: none), its map
//   0F, 0F 38, 0F 3A   opcode map
//   /0../7        ModRM.reg; "/2 m" only memory, "/2 r" only register forms; "/r m" any reg, only memory
//   "0F 01 F8"    a whole ModRM byte
//   50+r          register in the low three opcode bits; 70+cc: sixteen rows, one per condition
// Operand notation: SDM 2D appendix A.2 (Eb, Gv, Iz, ...), with these of our own: sIb (sign-extended byte), Vx Wx with the
// memory size as the suffix (Wx 16 bytes, Wq 8, Wd 4), R (ModRM.rm register whatever mod says), T (memory of XLAT), STi (the
// x87 register of ModRM.rm).

import { A_STACK } from '../layout.ts';

/** Which of 66, F3, F2 a row demands. */
export type MandatoryPrefix = 'any' | 'NP' | '66' | 'F3' | 'F2' | 'NFx';
export type OpcodeMap = 'one' | '0F' | '0F38' | '0F3A';

/** What an instruction does to its first operand; the others are only read unless an option says otherwise. */
export type FirstAccess = 'read' | 'write' | 'both' | 'none';

/** Operand kinds; the numbers are those of the generated decoder. */
export const OPERAND_KINDS = {
  E: 1, // ModRM.rm: general register or memory
  G: 2, // ModRM.reg: general register
  Z: 3, // low opcode bits: general register
  I: 4, // immediate, zero-extended
  sI: 5, // immediate, sign-extended
  J: 6, // relative target
  M: 7, // ModRM.rm: memory only
  R: 8, // ModRM.rm: general register, mod ignored (MOV CR, MOV DR)
  V: 9, // ModRM.reg: XMM
  W: 10, // ModRM.rm: XMM or memory
  U: 11, // ModRM.rm: XMM only
  S: 12, // ModRM.reg: segment register
  C: 13, // ModRM.reg: control register
  D: 14, // ModRM.reg: debug register
  O: 15, // memory at an absolute offset in the instruction
  X: 16, // memory at DS:rSI
  Y: 17, // memory at ES:rDI
  A: 18, // far pointer in the instruction
  fixed: 19, // a register that the opcode implies
  one: 20, // the constant 1
  name: 21, // something the opcode implies and only the disassembler shows
  T: 22, // memory at DS:rBX+AL (XLAT)
  P: 23, // ModRM.reg: MMX
  Q: 24, // ModRM.rm: MMX or memory
  N: 25, // ModRM.rm: MMX only
  B: 26, // VEX.vvvv: general register
  K: 27, // ModRM.rm: x87 register ST(i)
} as const;
export type OperandKind = keyof typeof OPERAND_KINDS;

/**
 * Operand sizes: b w d q x are 8, 16, 32, 64, 128 bits; v follows the operand size (16, 32, 64), z too but at most 32,
 * y too but at least 32; p far pointer, s pseudo-descriptor, a BOUND's pair, t 80 bits, n: of no size.
 */
export const OPERAND_SIZES = {
  n: 0,
  b: 1,
  w: 2,
  d: 3,
  q: 4,
  v: 5,
  z: 6,
  y: 7,
  x: 8,
  p: 9,
  s: 10,
  a: 11,
  t: 12,
} as const;
export type OperandSize = keyof typeof OPERAND_SIZES;

export interface Operand {
  readonly kind: OperandKind;
  readonly size: OperandSize;
  /** Fixed registers and names: what the disassembler shows; rAX stands for AX, EAX or RAX. */
  readonly text: string;
}

export interface OpcodeRow {
  readonly map: OpcodeMap;
  /** Behind a VEX prefix (SDM 2A 2.3), which holds map, mandatory prefix and operand size. */
  readonly vex: boolean;
  readonly opcode: number;
  /** Number of consecutive opcodes of the row: 8 for +r, else 1. */
  readonly span: 1 | 8;
  readonly prefix: MandatoryPrefix;
  /** ModRM.reg, ModRM.rm and the register or memory form that the row is limited to. */
  readonly reg: number | undefined;
  readonly rm: number | undefined;
  readonly mod: 'any' | 'register' | 'memory';
  readonly hasModRM: boolean;
  readonly modes: 'all' | 'only64' | 'not64';
  /** 64-bit mode: operand size 64 by default, or always. */
  readonly size64: 'no' | 'default' | 'forced';
  /** Only without REX.B (NOP and PAUSE are XCHG's place). */
  readonly withoutRexB: boolean;
  readonly lockable: boolean;
  /** Names for operand sizes 16|32|64, or one name for all. */
  readonly mnemonic: string;
  readonly operands: readonly Operand[];
  /** A handler of src/core/assembly/core/handlers, `name<types>(arguments)`, or the number of a RARE_* operation. */
  readonly handler: string | number;
  /** A_* bits of layout.ts. */
  readonly attributes: number;
  /** Immediate that the row itself stands for (segment numbers and the like). */
  readonly immediate: number;
  readonly access: FirstAccess;
  /** Accesses that no operand shows: `push`, `pop`, `frame`... see src/core/disassembler/accesses.ts. */
  readonly implicit: string | undefined;
  /** Condition code of a +cc row. */
  readonly condition: number | undefined;
}

const CONDITIONS = ['O', 'NO', 'B', 'AE', 'E', 'NE', 'BE', 'A', 'S', 'NS', 'P', 'NP', 'L', 'GE', 'LE', 'G'] as const;
const FIXED = new Set(['AL', 'AX', 'CL', 'DX', 'rAX', 'eAX']);
const MODRM_KINDS: ReadonlySet<OperandKind> = new Set('E G M R V W U S C D P Q N K'.split(' ') as OperandKind[]);

function parseOperand(text: string): Operand {
  if (FIXED.has(text)) {
    const size = text === 'rAX' ? 'v' : text === 'eAX' ? 'z' : text.endsWith('L') ? 'b' : 'w';
    return { kind: 'fixed', size, text };
  }
  if (text === 'STi') return { kind: 'K', size: 'n', text };
  if (text === '1') return { kind: 'one', size: 'n', text };
  const match = /^(sI|[A-Z])([a-z]?)$/.exec(text);
  if (match === null) return { kind: 'name', size: 'n', text };
  const kind = match[1] as OperandKind;
  const size = (match[2] === '' ? 'n' : match[2]) as OperandSize;
  if (!(kind in OPERAND_KINDS) || !(size in OPERAND_SIZES)) throw new Error(`Operand ${text}: no such notation.`);
  return { kind: kind === 'I' && (size === 'z' || size === 'v') ? 'sI' : kind, size, text };
}

/** A_* bits by option word: see layout.ts. */
/** Implicit accesses to the stack. */
const STACK_ACCESSES: ReadonlySet<string> = new Set([
  'push',
  'pop',
  'pushfar',
  'popfar',
  'iret',
  'pusha',
  'popa',
  'enter',
  'leave',
]);
const ATTRIBUTES: Readonly<Record<string, number>> = { ends: 1, call: 2, boundary: 4, rep: 8 };

/**
 * Rows of one opcode form (sixteen for +cc). `options` are words: lock, d64 and f64 (64-bit operand size by default,
 * forced), i64 (invalid in 64-bit mode), o64 (only there), b0 (not with REX.B), r w n (first operand read, written, not
 * accessed; default both), ends call boundary rep (A_*), imm=N, push pop ... (implicit accesses, "+" and a name).
 */
export function op(
  notation: string,
  mnemonic: string,
  operandText: string,
  handler: string | number,
  options = '',
): readonly OpcodeRow[] {
  const words = notation.split(' ');
  let prefix: MandatoryPrefix = 'any';
  if (/^(NP|66|F3|F2|NFx)$/.test(words[0] ?? '') && words.length > 1) prefix = words.shift() as MandatoryPrefix;
  let map: OpcodeMap = 'one';
  const vex = /^VEX\.LZ\.(?:(NP|66|F3|F2)\.)?(0F38|0F3A)$/.exec(words[0] ?? '');
  if (vex !== null) {
    prefix = (vex[1] ?? 'NP') as MandatoryPrefix;
    map = vex[2] as OpcodeMap;
    words.shift();
  }
  const [escape, second = '', third = ''] = words;
  if (escape === '0F' && words.length > 1) {
    // 38 and 3A are maps only when another opcode byte follows
    const long = /^3[8A]$/.test(second) && /^[0-9A-F]{2}/.test(third);
    map = long ? (second === '38' ? '0F38' : '0F3A') : '0F';
    words.splice(0, long ? 2 : 1);
  }
  const [code = '', ...rest] = words;
  const [digits = '', plus] = code.split('+');
  const opcode = Number.parseInt(digits, 16);
  let reg: number | undefined;
  let rm: number | undefined;
  let mod: OpcodeRow['mod'] = 'any';
  for (const word of rest) {
    if (word === 'm') mod = 'memory';
    else if (word === 'r') mod = 'register';
    else if (/^\/[0-7]$/.test(word)) reg = Number(word[1]);
    else if (/^[0-9A-F]{2}$/.test(word)) {
      const byte = Number.parseInt(word, 16);
      [mod, reg, rm] = ['register', (byte >> 3) & 7, byte & 7];
    } else if (word !== '/r') throw new Error(`Opcode ${notation}: "${word}" is not understood.`);
  }
  const operands = operandText === '' ? [] : operandText.split(',').map(parseOperand);
  for (const { kind } of operands) {
    if (kind === 'M') mod = 'memory';
    if (kind === 'U' || kind === 'N') mod = 'register';
  }
  let attributes = 0;
  const row = {
    modes: 'all' as OpcodeRow['modes'],
    size64: 'no' as OpcodeRow['size64'],
    lockable: false,
    withoutRexB: false,
    immediate: 0,
    access: 'both' as FirstAccess,
    implicit: undefined as string | undefined,
  };
  for (const word of options.split(' ')) {
    if (word === '') continue;
    const bit = ATTRIBUTES[word];
    if (bit !== undefined) attributes |= bit;
    else if (word === 'lock') row.lockable = true;
    else if (word === 'd64') row.size64 = 'default';
    else if (word === 'f64') row.size64 = 'forced';
    else if (word === 'i64') row.modes = 'not64';
    else if (word === 'o64') row.modes = 'only64';
    else if (word === 'b0') row.withoutRexB = true;
    else if (word === 'r') row.access = 'read';
    else if (word === 'w') row.access = 'write';
    else if (word === 'n') row.access = 'none';
    else if (word.startsWith('imm=')) row.immediate = Number(word.slice(4));
    else if (word.startsWith('+')) {
      row.implicit = word.slice(1);
      if (STACK_ACCESSES.has(row.implicit)) attributes |= A_STACK;
    } else throw new Error(`Opcode ${notation}: option "${word}" is not understood.`);
  }
  const hasModRM =
    mod !== 'any' || reg !== undefined || rest.length > 0 || operands.some(({ kind }) => MODRM_KINDS.has(kind));
  const common = { map, vex: vex !== null, prefix, reg, rm, mod, hasModRM, operands, attributes, ...row };
  if (plus !== 'cc') {
    return [{ ...common, opcode, span: plus === 'r' ? 8 : 1, mnemonic, handler, condition: undefined }];
  }
  return CONDITIONS.map((condition, i) => ({
    ...common,
    opcode: opcode + i,
    span: 1 as const,
    mnemonic: mnemonic.replace('cc', condition),
    handler: typeof handler === 'string' ? handler.replace('(cc)', `(${i})`) : handler,
    condition: i,
  }));
}
