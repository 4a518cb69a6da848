// Cases of instructions that load or look at segment descriptors: selectors of descriptors that Linux and the runner have,
// far pointers in the instruction, in memory and on the stack.
import type { Decoded } from '../../../src/core/disassembler/instruction.ts';
import type { OpcodeRow } from '../../../src/core/opcodes/index.ts';
import { pick, type Random } from '../../harness/random.ts';
import type { Case } from './protocol.ts';

const DATA = [0x2b, 0x17, 0x1f, 0x2b, 0x28, 0x2a, 0x16];
const STACK = [0x2b, 0x27, 0x2f, 0x17, 0x2b];
const CODE64 = 0x33;
const CODE32 = [0x23, 0x0f, 0x07, 0x23];
/** Null, the kernel's, read-only, not present, not readable, beyond the limits of both tables. */
const OTHER = [0, 3, 0x08, 0x10, 0x18, 0x37, 0x3f, 0x47, 0x4f, 0x83, 0x0c, 0xffff];
const SS = 2;

type Use = 'data' | 'stack' | 'code';
function selectorFor(use: Use, { codeSize }: Pick<Case, 'codeSize'>, random: Random): number {
  if (random(5) === 0) return pick(random, [...OTHER, ...DATA, ...CODE32, CODE64]);
  if (use === 'data') return pick(random, [...DATA, ...DATA, ...CODE32, CODE64, 0]);
  if (use === 'stack') return pick(random, STACK);
  // from code in the LDT, too, there is a way to each of the others
  return codeSize === 64 ? pick(random, [CODE64, CODE64, ...CODE32]) : pick(random, [...CODE32, CODE64]);
}

/** How a form gets at its selector. */
type Form = 'register or memory' | 'pop' | 'far memory' | 'far immediate' | 'far return' | 'interrupt return';
function formOf({ mnemonic, operands }: OpcodeRow): Form | undefined {
  if (/^(LAR|LSL|VERR|VERW)$/.test(mnemonic) || operands[0]?.kind === 'S') return 'register or memory';
  if (mnemonic === 'POP' && operands[0]?.kind === 'name') return 'pop';
  if (operands.some(({ kind }) => kind === 'A')) return 'far immediate';
  if (operands.some(({ kind, size }) => kind === 'M' && size === 'p')) return 'far memory';
  if (mnemonic === 'RETF') return 'far return';
  return mnemonic.startsWith('IRET') ? 'interrupt return' : undefined;
}
export const usesSelectors = (row: OpcodeRow): boolean => formOf(row) !== undefined;

/** Status flags, DF, IF, TF (the runner stops behind the instruction by it), and the one that is always set. */
const IMAGE_FLAGS = 0xcd5n | 0x302n;
const canonical = (address: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(48, address));

/** Far pointers of 64-bit offsets are Intel's alone: AMD's processors ignore REX.W there. */
export const differsByVendor = ({ row, operandSize }: Decoded): boolean =>
  operandSize === 8 && formOf(row) === 'far memory';

/** Puts selectors and targets that mostly work where the instruction takes them from. */
export function aimSelectors(
  item: Pick<Case, 'codeSize' | 'segmented'>,
  decoded: Decoded,
  parts: { readonly code: Uint8Array; readonly registers: bigint[]; readonly patch: Uint8Array },
  random: Random,
): void {
  const { row, operandSize } = decoded;
  const form = formOf(row);
  if (form === undefined) return;
  const { code, registers, patch } = parts;
  const view = new DataView(patch.buffer, patch.byteOffset, patch.length);
  const set = (at: number, size: number, value: bigint): void => {
    for (let i = 0; i < size; i++) view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn));
  };
  const get = (at: number, size: number): bigint => {
    let value = 0n;
    for (let i = 0; i < size; i++) value |= BigInt(view.getUint8(at + i)) << BigInt(8 * i);
    return value;
  };
  // within the limit of most code segments, and canonical
  const target = (value: bigint): bigint => (random(6) === 0 ? canonical(value) : value & 0xffffn);
  const isSegmentLoad = form === 'register or memory' && row.operands[0]?.kind === 'S';
  const use: Use =
    (isSegmentLoad && row.immediate === SS) || row.mnemonic === 'LSS'
      ? 'stack'
      : /^(JMP|CALL|RETF|IRET)/.test(row.mnemonic)
        ? 'code'
        : 'data';
  let selector = selectorFor(use, item, random);
  // from a stack with a base, or from a 64-bit stack pointer: whether they count for the return address that goes to code of
  // the other size differs between processors
  const wide = item.codeSize === 64 && (registers[4] ?? 0n) > 0xffff_ffffn;
  if (/^(CALL|RETF)$/.test(row.mnemonic)) {
    if (item.segmented && selector === CODE64) selector = 0x23;
    else if (wide && CODE32.includes(selector)) selector = CODE64;
  }
  switch (form) {
    case 'register or memory':
      if (decoded.memory !== undefined) set(0, 2, BigInt(selector));
      else registers[decoded.rm] = ((registers[decoded.rm] ?? 0n) & ~0xffffn) | BigInt(selector);
      break;
    case 'pop':
      set(0, 2, BigInt(selector));
      break;
    case 'far memory':
      set(operandSize, 2, BigInt(selector));
      if (use === 'code') set(0, operandSize, target(get(0, operandSize)));
      break;
    case 'far immediate': {
      const at = decoded.length - 2;
      code[at] = selector & 0xff;
      code[at + 1] = selector >> 8;
      if (operandSize === 4 && random(6) !== 0) code.fill(0, at - 2, at);
      break;
    }
    case 'far return':
    case 'interrupt return':
      set(0, operandSize, target(get(0, operandSize)));
      set(operandSize, 2, BigInt(selector));
      if (form === 'far return') break;
      set(2 * operandSize, operandSize, (get(2 * operandSize, operandSize) & IMAGE_FLAGS) | 0x302n);
      if (item.codeSize === 64) set(4 * operandSize, 2, BigInt(selectorFor('stack', item, random)));
  }
}
