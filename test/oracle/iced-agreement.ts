// Byte strings through the decode table and iced-x86: the same length, validity and operands, in the disassembler and in the
// decoder that fills the engine's records.
import assert from 'node:assert/strict';
import { decode } from '../../src/core/disassembler/decode.ts';
import { disassemble } from '../../src/core/disassembler/index.ts';
import type { CodeSize } from '../../src/core/disassembler/instruction.ts';
import { type OpcodeRow, opcodeRows } from '../../src/core/opcodes/index.ts';
import { opcodeBytes } from './encoding.ts';
import { EngineDecoder } from './engine-decoder.ts';
import { Iced, type Verdict } from './iced.ts';
import { notImplemented } from './not-implemented.ts';
import { bytesText } from '../harness/bytes.ts';
import { pick, type Random } from '../harness/random.ts';

export const SLOT = 16;
const RIP = 0x8000n;
export const MODES = [16, 32, 64] as const;
const engine = new EngineDecoder();

/** What differs for one byte string, undefined when nothing does. */
function differenceOf(bytes: Uint8Array, code: CodeSize, iced: Iced, expected: Verdict): string | undefined {
  const ours = disassemble(bytes, RIP, code);
  if (expected.valid && !ours.valid) {
    const reason = notImplemented(iced.features());
    return reason === undefined ? `${expected.code} is not known` : undefined;
  }
  if (!expected.valid && ours.valid) return `"${ours.text}" is no instruction`;
  const decoded = decode(bytes, RIP, code);
  engine.decode(bytes, RIP, code);
  // whether a control or debug register exists is found out on execution
  const late = /^0F2[0-3]$/.test(opcodeText(bytes));
  if (engine.valid !== ours.valid && !late)
    return `the engine's decoder says valid: ${engine.valid} (${expected.code})`;
  const record = engine.difference(decoded);
  if (record !== undefined) return `the engine's record differs: ${record} ("${ours.text}")`;
  if (!ours.valid) return undefined;
  const [a, b] = [
    [expected.length, expected.mnemonic, ...expected.operands].join(' '),
    [ours.length, ours.mnemonic, ...operandsToCompare(ours.mnemonic, ours.operands)].join(' '),
  ];
  // F3 90 with REX.B exchanges r8 and rAX on processors, as does 90 with REX.B
  if (expected.code === 'Pause' && ours.mnemonic === 'xchg') return undefined;
  // without shadow stacks RDSSP is one of the hints, whose operand size is the usual one
  if (expected.code.startsWith('Rdssp') && ours.mnemonic === 'nop' && ours.length === expected.length) return undefined;
  return a === b ? undefined : `"${b}" instead of "${a}" (${expected.code})`;
}
/** Without the operand sizes that iced does not have, and with its way to write the constant 1. */
function operandsToCompare(mnemonic: string, operands: readonly string[]): readonly string[] {
  if (mnemonic === 'nop' || mnemonic === 'invlpg') return operands.map((operand) => operand.replace(/^\w+ ptr /, ''));
  return operands.map((operand) => (operand === '1' ? '0x1' : operand));
}
/** The opcode of a two-byte instruction behind its prefixes. */
function opcodeText(bytes: Uint8Array): string {
  const at = bytes.indexOf(0x0f);
  return Buffer.from(bytes.subarray(at, at + 2))
    .toString('hex')
    .toUpperCase();
}

export class Report {
  private readonly lines = new Map<string, string>();
  private count = 0;
  /** Byte strings on which both agree, by row. */
  readonly agreed = new Map<OpcodeRow, number>();
  add(bytes: Uint8Array, code: CodeSize, difference: string): void {
    this.count++;
    const key = difference.replaceAll(/0x[0-9a-f]+|"[^"]*"/g, '');
    if (this.lines.size < 40 && !this.lines.has(key))
      this.lines.set(key, `${code}-bit ${bytesText(bytes)}: ${difference}`);
  }
  agree(row: OpcodeRow | undefined): void {
    if (row !== undefined) this.agreed.set(row, (this.agreed.get(row) ?? 0) + 1);
  }
  check(what: string): void {
    assert.equal(this.count, 0, `${what}: ${this.count} differences, such as\n${[...this.lines.values()].join('\n')}`);
  }
}

/** Compares byte strings of SLOT bytes each. */
export function compare(data: Uint8Array, code: CodeSize, report: Report): { valid: number } {
  const iced = new Iced(data, code);
  let valid = 0;
  for (let at = 0; at + SLOT <= data.length; at += SLOT) {
    const bytes = data.subarray(at, at + SLOT);
    const expected = iced.at(at, RIP);
    if (expected.valid) valid++;
    const difference = differenceOf(bytes, code, iced, expected);
    if (difference !== undefined) report.add(bytes, code, difference);
    else if (expected.valid) report.agree(decode(bytes, RIP, code)?.row);
  }
  iced.free();
  return { valid };
}

const PREFIXES = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x40, 0x41, 0x44, 0x48, 0x4f];
/** Prefixes in front of the row's own. */
const PREFIX_SETS: readonly (readonly number[])[] = [
  [],
  [0x66],
  [0x67],
  [0xf2],
  [0xf3],
  [0xf0],
  [0x64],
  [0x65, 0x2e],
  [0x66, 0x67],
  [0xf0, 0x66],
];
const REX_SETS: readonly (readonly number[])[] = [[], [0x40], [0x41], [0x44], [0x48], [0x4f]];
/** mod and rm of the classes: register, SIB, displacement only, base with displacement of 8 and 32 bits. */
const CLASSES = [0xc0, 0xc5, 0x00, 0x04, 0x05, 0x06, 0x45, 0x44, 0x84, 0x87];

export function systematic(code: CodeSize, random: Random): Uint8Array {
  const bytes: number[] = [];
  for (const row of opcodeRows) {
    const registers = row.reg === undefined ? [0, 5] : [row.reg];
    const modrms = row.hasModRM
      ? registers.flatMap((reg) => CLASSES.map((kind) => (kind & 0xc7) | (reg << 3) | (row.rm ?? 0)))
      : [random(256)];
    for (const prefixes of PREFIX_SETS) {
      for (const rex of code === 64 ? REX_SETS : [[]]) {
        for (const modrm of modrms) {
          const start = bytes.length;
          const opcode = row.opcode + random(row.span);
          bytes.push(...prefixes, ...opcodeBytes(row, opcode, rex, random(16)), modrm);
          while (bytes.length < start + SLOT) bytes.push(random(256));
        }
      }
    }
  }
  return Uint8Array.from(bytes);
}
/** A VEX prefix with one of the maps that have instructions and L 0, and an opcode near theirs. */
const vexStart = (random: Random): number[] => [
  0xc4,
  (random(8) << 5) | 2 | random(2),
  random(256) & ~4,
  0xf0 | random(8),
];
/** Random bytes, with the prefixes, the escape byte and VEX more often than chance has them. */
export function randomStrings(count: number, random: Random): Uint8Array {
  const data = new Uint8Array(count * SLOT);
  for (let start = 0; start < data.length; start += SLOT) {
    for (let i = 0; i < SLOT; i++) data[start + i] = random(256);
    let at = start;
    for (let n = random(3); n > 0; n--) data[at++] = pick(random, PREFIXES);
    const kind = random(8);
    if (kind < 4) data[at] = 0x0f;
    else if (kind === 4) data.set(vexStart(random), at);
  }
  return data;
}
