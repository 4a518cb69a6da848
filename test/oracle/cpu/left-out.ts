// Which forms ring 3 of this machine cannot judge, and which test does it instead.
import type { OpcodeRow } from '../../../src/core/opcodes/index.ts';

/** Forms that are not executed on the host processor, by mnemonic, and why. */
const NOT_EXECUTED: readonly (readonly [form: RegExp, reason: string])[] = [
  [/^(SYSCALL|SYSRET|SYSENTER|SYSEXIT|INT|INTO|INT1|INT3)/, 'enters the operating system'],
  [/^(SGDT|SIDT|SLDT|STR|SMSW)/, 'the operating system may emulate it (CR4.UMIP)'],
  [/^(CPUID|RDTSC|RDTSCP|RDPMC|XGETBV|XSETBV|MONITOR|MWAIT|RDPID)/, 'depends on the processor or on time'],
  [/^(RDRAND|RDSEED)/, 'is random'],
  [/^(FX(SAVE|RSTOR)|XSAVE|XRSTOR)/, 'the images need values of their own'],
];
const PREFETCH = 0x0d;

/** MOV and POP of SS hold traps back until the next instruction has retired (SDM 3A 6.8.3). */
function loadsSS({ mnemonic, operands, immediate }: OpcodeRow): boolean {
  const [first] = operands;
  return (mnemonic === 'MOV' && first?.kind === 'S' && immediate === 2) || (mnemonic === 'POP' && first?.text === 'SS');
}

/** Why a form is not executed on the host processor; undefined when it is. */
export function notExecuted(row: OpcodeRow): string | undefined {
  const found = NOT_EXECUTED.find(([form]) => form.test(row.mnemonic));
  if (found !== undefined) return found[1];
  if (loadsSS(row)) return 'holds back the trap that ends a case';
  if (row.opcode === PREFETCH && row.map === '0F' && row.mod === 'register') return 'NOP or #UD, by vendor';
  return undefined;
}

/** Forms that ring 3 may not execute: only their fault is compared. */
const PRIVILEGED =
  /^(CLI|STI|HLT|IN|OUT|INS|OUTS|RDMSR|WRMSR|LGDT|LIDT|LLDT|LTR|LMSW|INVLPG|INVPCID|INVD|WBINVD|CLTS|SWAPGS|RSM|CLAC|STAC|UD0|UD1|UD2)([BWD|]|$)/;
export const privileged = ({ mnemonic, operands }: OpcodeRow): boolean =>
  PRIVILEGED.test(mnemonic) || operands.some(({ kind }) => kind === 'C' || kind === 'D');
