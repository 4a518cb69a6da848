// What the manual leaves undefined: it is not compared. SDM 2A and 2B, the instructions' "Flags Affected" sections.
import type { Decoded } from '../../../src/core/disassembler/instruction.ts';
import { operandBytes } from '../../../src/core/disassembler/sizes.ts';
import { operandAddress } from './operand-address.ts';
import { makersFaultApart } from './makers.ts';
import { type Case, type Result, startOf } from './protocol.ts';

const CF = 0x1;
const PF = 0x4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;
export const COMPARED_FLAGS = CF | PF | AF | ZF | SF | OF | 0x400; // and DF

// x87 status word
const INVALID = 1;
const DENORMAL = 2;
const UNDERFLOW = 0x10;
const C1 = 0x200;
const CONDITIONS = 0x4500; // C3 C2 C0

export interface Undefined {
  /** RFLAGS bits. */
  readonly flags: number;
  /** The destination, which is the first operand; of x87 instructions all that the unit shows. */
  readonly result?: boolean;
  /** Bits of the x87 status word. */
  readonly status?: number;
  /** By how many units in the last place an x87 register may differ. */
  readonly ulps?: number;
  /** By how much single-precision elements of XMM registers may differ, as a part of their value. */
  readonly relative?: number;
  /** Bits of the destination register. */
  readonly destination?: bigint;
  /** Which NaN an element of that many bytes of an XMM register is. */
  readonly whichNaN?: 4 | 8;
}
interface Rule {
  readonly form: RegExp;
  readonly reason: string;
  readonly undefined: (item: Case, decoded: Decoded, after: Result) => Undefined;
}

/** The count of a shift or rotate, masked as the processor does. */
function countOf({ registers }: Case, decoded: Decoded): number {
  const last = decoded.row.operands.at(-1);
  const at = decoded.row.operands.length - 1;
  const raw =
    last?.kind === 'one'
      ? 1
      : last?.text === 'CL'
        ? Number((registers[1] ?? 0n) & 0xffn)
        : Number(decoded.immediates[at] ?? 0n);
  return raw & (decoded.operandSize === 8 && bitsOf(decoded) === 64 ? 63 : 31);
}
function bitsOf(decoded: Decoded): number {
  const [first] = decoded.row.operands;
  return first === undefined ? 0 : 8 * operandBytes(first, decoded);
}

/** Whether an invalid or denormal operand was found whose exception is not masked. */
const unmaskedOperand = ({ x87 }: Case, after: Result): boolean =>
  (after.x87.status & ~x87.control & (INVALID | DENORMAL)) !== 0;

/** Whether ST(0) is beyond where F2XM1 (-1 to 1) or FYL2XP1 (to 1 - sqrt(1/2)) is defined. */
function outOfRange({ x87 }: Case, { row }: Decoded): boolean {
  const view = new DataView(x87.registers.buffer, x87.registers.byteOffset);
  const exponent = view.getUint16(8, true) & 0x7fff;
  const low = view.getBigUint64(0, true);
  if (row.mnemonic === 'F2XM1') return exponent > 0x3fff || (exponent === 0x3fff && low !== 1n << 63n);
  return row.mnemonic === 'FYL2XP1' && (exponent > 0x3ffd || (exponent === 0x3ffd && low > 0x95f6_1998_0c43_36f7n));
}

/** Whether ST(0) is the smallest normal number or below. */
function isTiny({ x87 }: Case): boolean {
  const view = new DataView(x87.registers.buffer, x87.registers.byteOffset);
  return (view.getUint16(8, true) & 0x7fff) <= 1;
}

/** What is not compared, and where the manual says so. */
export const RULES: readonly Rule[] = [
  { form: /^(DAA|DAS)$/, reason: 'OF after decimal adjustment (SDM 2A DAA, DAS)', undefined: () => ({ flags: OF }) },
  {
    form: /^(AAA|AAS)$/,
    reason: 'all but AF and CF after ASCII adjustment (SDM 2A AAA, AAS)',
    undefined: () => ({ flags: OF | SF | ZF | PF }),
  },
  {
    form: /^(AAM|AAD)$/,
    reason: 'all but SF, ZF, PF after ASCII adjustment (SDM 2A AAM, AAD)',
    undefined: () => ({ flags: OF | AF | CF }),
  },
  {
    form: /^(AND|OR|XOR|TEST)$/,
    reason: 'AF after logic (SDM 2A AND, 2B OR, TEST, 2D XOR)',
    undefined: () => ({ flags: AF }),
  },
  {
    form: /^(MUL|IMUL)$/,
    reason: 'all but CF and OF after a multiplication (SDM 2A IMUL, 2B MUL)',
    undefined: () => ({ flags: SF | ZF | AF | PF }),
  },
  {
    form: /^(DIV|IDIV)$/,
    reason: 'all flags after a division (SDM 2A DIV, IDIV)',
    undefined: () => ({ flags: CF | OF | SF | ZF | AF | PF }),
  },
  {
    form: /^(SHL|SHR|SAR)$/,
    reason: 'AF; OF but for a count of 1; CF when everything is shifted out (SDM 2B SAL/SAR/SHL/SHR)',
    undefined: (item, decoded) => {
      const count = countOf(item, decoded);
      if (count === 0) return { flags: 0 };
      const out = decoded.row.mnemonic !== 'SAR' && count >= bitsOf(decoded) ? CF : 0;
      return { flags: AF | out | (count === 1 ? 0 : OF) };
    },
  },
  {
    form: /^(ROL|ROR|RCL|RCR)$/,
    reason: 'OF but for a count of 1 (SDM 2B RCL/RCR/ROL/ROR)',
    undefined: (item, decoded) => ({ flags: [0, 1].includes(countOf(item, decoded)) ? 0 : OF }),
  },
  {
    form: /^(SHLD|SHRD)$/,
    reason: 'AF; OF but for a count of 1; everything when the count is beyond the operand (SDM 2B SHLD, SHRD)',
    undefined: (item, decoded) => {
      const count = countOf(item, decoded);
      if (count === 0) return { flags: 0 };
      if (count > bitsOf(decoded)) return { flags: CF | OF | SF | ZF | AF | PF, result: true };
      return { flags: AF | (count === 1 ? 0 : OF) };
    },
  },
  {
    form: /^(BT|BTS|BTR|BTC)$/,
    reason: 'all but CF and ZF after a bit test (SDM 2A BT, BTC, BTR, BTS)',
    undefined: () => ({ flags: OF | SF | AF | PF }),
  },
  {
    form: /^(BSF|BSR)$/,
    reason: 'all but ZF after a scan; the destination when the source is 0 (SDM 2A BSF, BSR)',
    undefined: () => ({ flags: CF | OF | SF | AF | PF }),
  },
  {
    form: /^LAR$/,
    reason: 'bits 19:16 of the access rights (00FxFF00H, SDM 2A LAR)',
    undefined: () => ({ flags: 0, destination: 0xf0000n }),
  },
  {
    form: /^F(COM|UCOM|ICOM|TST)P?P?$/,
    reason:
      'AMD sets condition codes when #IA or #D is not masked; "if unmasked, the condition code flags are not set" (SDM 2A FCOM)',
    undefined: (item, _, after) => ({ flags: 0, status: unmaskedOperand(item, after) ? CONDITIONS : 0 }),
  },
  {
    form: /^FU?COMIP?$/,
    reason:
      'AMD leaves C1, which is "set to 0", and sets ZF, PF and CF when #IA or #D is not masked, where they "are not" (SDM 2A FCOMI)',
    undefined: (item, _, after) => ({
      flags: unmaskedOperand(item, after) ? ZF | PF | CF | OF | SF | AF : 0,
      status: C1,
    }),
  },
  {
    form: /^(F2XM1|FYL2X|FYL2XP1|FPATAN|FSIN|FCOS|FSINCOS|FPTAN)$/,
    reason:
      'errors of less than one unit in the last place are allowed (SDM 1 8.3.10), and C1 with them, and beside the smallest normal number whether the result is tiny; the results of F2XM1 and FYL2XP1 are undefined out of their ranges (SDM 2A)',
    undefined: (item, decoded) => ({
      flags: 0,
      status: isTiny(item) ? C1 | UNDERFLOW : C1,
      ulps: 1,
      result: outOfRange(item, decoded),
    }),
  },
  {
    form: /^(LZCNT|TZCNT)$/,
    reason: 'all but CF and ZF after a count (SDM 2A LZCNT, 2B TZCNT)',
    undefined: () => ({ flags: OF | SF | AF | PF }),
  },
  {
    form: /^(ANDN|BLSI|BLSMSK|BLSR|BZHI)$/,
    reason: 'AF and PF after BMI arithmetic (SDM 2A ANDN, BLSI, BLSMSK, BLSR, BZHI)',
    undefined: () => ({ flags: AF | PF }),
  },
  {
    form: /^BEXTR$/,
    reason: 'AF, SF and PF after a field extraction (SDM 2A BEXTR)',
    undefined: () => ({ flags: AF | SF | PF }),
  },
  {
    form: /^BSWAP$/,
    reason: 'the result of a 16-bit BSWAP (SDM 2A BSWAP)',
    undefined: (_, decoded) => ({ flags: 0, result: decoded.operandSize === 2 }),
  },
  {
    form: /^REPN?E (CMPS|SCAS)/,
    reason: "between two iterations Intel's processors have not set the flags yet, AMD's have (SDM 2B REP)",
    undefined: (item, _, after) => ({ flags: after.rip === startOf(item) ? CF | PF | AF | ZF | SF | OF : 0 }),
  },
  {
    form: /^DPP[SD]$/,
    reason: 'the order of the sums, and so which of several NaNs comes out, differs between makers (SDM 2A DPPS, DPPD)',
    undefined: (_, { row }) => ({ flags: 0, whichNaN: row.mnemonic === 'DPPS' ? 4 : 8 }),
  },
  {
    form: /^R(CP|SQRT)[PS]S$/,
    reason: 'the digits of an approximation within 1.5 * 2^-12 (SDM 2B RCPPS, RSQRTPS): two may be twice that apart',
    undefined: () => ({ flags: 0, relative: 2 * 1.5 * 2 ** -12 }),
  },
];

/** Which flags are undefined, and whether the result is, for an instruction that retired as ZF of `after` says. */
export function undefinedAfter(item: Case, decoded: Decoded, after: Result): Undefined {
  const rule = RULES.find(({ form }) => form.test(decoded.row.mnemonic));
  if (rule === undefined) return { flags: 0 };
  const found = rule.undefined(item, decoded, after);
  const scanOfZero = /^BS[FR]$/.test(decoded.row.mnemonic) && (Number(after.flags) & ZF) !== 0;
  return scanOfZero ? { ...found, result: true } : found;
}

/** x87 images and 80-bit operands: several accesses, whose order is up to the processor (SDM 3A 8.1.1). */
const IMAGES = /^(FLDENV|FNSTENV|FRSTOR|FNSAVE)$/;
const inParts = ({ row }: Decoded): boolean =>
  IMAGES.test(row.mnemonic) || row.operands.some(({ size }) => size === 't');
const CANONICAL_END = 0x8000_0000_0000n;
const FAR_TRANSFER = /^(RETF|IRET|JMP|CALL)/;
/**
 * Which of two missing operands is reported, whether MASKMOVQ and MASKMOVDQU ask for bytes that they do not write, and which
 * byte of a missing page an image reports.
 */
export const faultAddressUndefined = (decoded: Decoded): boolean =>
  /CMPS[BWDQ]|MASKMOV/.test(decoded.row.mnemonic) || FAR_TRANSFER.test(decoded.row.mnemonic) || inParts(decoded);

const RETIRED = 1;
const STACK_FAULT = 12;
const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;
const ALIGNMENT_CHECK = 17;
const OPERAND_FAULTS: ReadonlySet<number> = new Set([STACK_FAULT, GENERAL_PROTECTION, PAGE_FAULT, ALIGNMENT_CHECK]);
/**
 * A call may have pushed its return address when it finds out that its target is beyond the limit (SDM 2A CALL); what is
 * stored in parts may lie there in part.
 */
export const faultMayWrite = (decoded: Decoded): boolean =>
  decoded.row.mnemonic === 'CALL' || decoded.row.mnemonic === 'FBSTP' || inParts(decoded);
function straddles(item: Case, { memory, next }: Decoded): boolean {
  if (memory === undefined || item.codeSize !== 64) return false;
  const address = operandAddress(item, memory, next);
  return address < CANONICAL_END && address + 10n > CANONICAL_END;
}
const isCompareString = ({ row }: Decoded): boolean => /CMPS[BWDQ]/.test(row.mnemonic);
/** An access over the end of a segment of 4 GBytes may be #GP or #SS, or go on at 0 (SDM 3A 5.3). */
function wrapsAround({ codeSize, segmented }: Case, a: Result, b: Result): boolean {
  const page = [a, b].find(({ vector }) => vector === PAGE_FAULT);
  const limit = [a, b].some(({ vector }) => vector === STACK_FAULT || vector === GENERAL_PROTECTION);
  if (codeSize !== 32 || segmented || page === undefined || !limit) return false;
  return page.address < 16n || page.address > 0xffff_ffe0n;
}
/**
 * Whether both faults are right. Faults of one instruction's operands have no order among each other (SDM 3A table 6-2,
 * class 9): a 16-byte operand that is not aligned (#GP) and is outside of the stack segment (#SS); a far transfer whose
 * frame is not all there (#PF, #SS) and whose selector is wrong (#GP).
 */
export function eitherFault(item: Case, decoded: Decoded, processor: Result, engine: Result): boolean {
  const [a, b] = [processor.vector, engine.vector];
  if (makersFaultApart(item, decoded, processor, engine)) return true;
  if (wrapsAround(item, processor, engine)) return true;
  // ten bytes over the end of the canonical addresses: the part below it may be missing, or not be aligned
  const early = [a, b].includes(PAGE_FAULT) || [a, b].includes(ALIGNMENT_CHECK);
  if (early && decoded.row.operands.some(({ size }) => size === 't') && straddles(item, decoded)) return true;
  // a transfer whose frame is not aligned, or that of the outer stack, and whose selector or target is wrong
  if (
    /^(CALL|RETF|IRET)/.test(decoded.row.mnemonic) &&
    [a, b].includes(ALIGNMENT_CHECK) &&
    [a, b].includes(GENERAL_PROTECTION)
  )
    return true;
  // of CMPS either operand may be the one that is looked at first
  if (isCompareString(decoded) && a !== RETIRED && b !== RETIRED) return true;
  if (FAR_TRANSFER.test(decoded.row.mnemonic) && a !== b && a !== RETIRED && b !== RETIRED)
    return [a, b].includes(PAGE_FAULT) || [a, b].includes(STACK_FAULT);
  // an image that begins on a missing page or unaligned, and ends beyond its segment or where no canonical address is
  if (IMAGES.test(decoded.row.mnemonic) && [a, b].every((vector) => OPERAND_FAULTS.has(vector))) return true;
  if (Math.min(a, b) !== STACK_FAULT || Math.max(a, b) !== GENERAL_PROTECTION || decoded.memory?.segment !== 'ss')
    return false;
  return (operandAddress(item, decoded.memory) & 15n) !== 0n && decoded.row.operands.some(({ size }) => size === 'x');
}
