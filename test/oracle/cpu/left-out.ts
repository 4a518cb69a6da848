// Which forms ring 3 of this machine cannot judge, and which test does it instead.
import type { OpcodeRow } from '../../../src/core/opcodes/index.ts';

/** Forms that are not executed on the host processor, by mnemonic, and why. */
const NOT_EXECUTED: readonly (readonly [form: RegExp, reason: string])[] = [
  [/^(SYSCALL|SYSRET|SYSENTER|SYSEXIT|INT|INTO|INT1|INT3|IRET|RETF)/, 'enters the operating system'],
  [/^(SGDT|SIDT|SLDT|STR|SMSW)/, 'the operating system may emulate it (CR4.UMIP)'],
  [/^(LAR|LSL|VERR|VERW|LSS|LFS|LGS)/, 'depends on descriptor tables'],
  [/^(CPUID|RDTSC|RDTSCP|RDPMC|XGETBV|XSETBV|MONITOR|MWAIT|PAUSE|RDPID)/, 'depends on the processor or on time'],
  [/^(RDRAND|RDSEED)/, 'is random'],
  [/^(FX(SAVE|RSTOR)|XSAVE|XRSTOR)/, 'the images need values of their own'],
  [/^(RSM|CLAC|STAC|UD0|UD1)/, 'differs between processors outside ring 0'],
];
const PREFETCH = 0x0d;

/** Why a form is not executed on the host processor; undefined when it is. */
export function notExecuted(row: OpcodeRow): string | undefined {
  const found = NOT_EXECUTED.find(([form]) => form.test(row.mnemonic));
  if (found !== undefined) return found[1];
  const [first] = row.operands;
  if (row.operands.some(({ size }) => size === 'p')) return 'a far pointer: depends on descriptor tables';
  if (row.operands.some(({ kind }) => kind === 'S') && first?.kind === 'S') return 'depends on descriptor tables';
  if (first?.kind === 'name' && row.mnemonic === 'POP') return 'depends on descriptor tables';
  if (row.opcode === PREFETCH && row.map === '0F' && row.mod === 'register') return 'NOP or #UD, by vendor';
  return undefined;
}

/** Forms that ring 3 may not execute: only their fault is compared. */
const PRIVILEGED =
  /^(CLI|STI|HLT|IN|OUT|INS|OUTS|RDMSR|WRMSR|LGDT|LIDT|LLDT|LTR|LMSW|INVLPG|INVPCID|INVD|WBINVD|CLTS|SWAPGS|UD2)([BWD|]|$)/;
export const privileged = ({ mnemonic, operands }: OpcodeRow): boolean =>
  PRIVILEGED.test(mnemonic) || operands.some(({ kind }) => kind === 'C' || kind === 'D');
