// Which test judges the forms that a process of ring 3 cannot, or can only fault on. docs/coverage.md shows it.
import type { OpcodeRow } from '../../src/core/opcodes/index.ts';

export interface SystemTest {
  /** Mnemonics. */
  readonly form: RegExp;
  /** Path in the checkout (a snippet of test/oracle/qemu is compared with QEMU), and some of its text. */
  readonly file: string;
  readonly name: string;
}

export const SYSTEM_TESTS: readonly SystemTest[] = [
  { form: /^(SGDT|SIDT)/, file: 'test/oracle/qemu/snippets/protected.S', name: 'sgdt' },
  { form: /^(LGDT)/, file: 'test/oracle/qemu/snippets/modes.S', name: 'lgdt' },
  { form: /^LIDT/, file: 'test/oracle/qemu/snippets/modes.S', name: 'lidt' },
  { form: /^SLDT/, file: 'test/oracle/qemu/snippets/long.S', name: 'sldt' },
  { form: /^STR/, file: 'test/oracle/qemu/snippets/long.S', name: 'str' },
  { form: /^SMSW/, file: 'test/oracle/qemu/snippets/real.S', name: 'smsw' },
  { form: /^LLDT/, file: 'test/oracle/qemu/snippets/protected.S', name: 'lldt' },
  { form: /^LTR/, file: 'test/oracle/qemu/snippets/gates.S', name: 'ltr' },
  { form: /^LMSW/, file: 'test/oracle/qemu/snippets/real.S', name: 'lmsw' },
  { form: /^INVLPG/, file: 'test/oracle/qemu/snippets/paging.S', name: 'invlpg' },
  { form: /^SWAPGS/, file: 'test/oracle/qemu/snippets/long.S', name: 'swapgs' },
  { form: /^(RDMSR|RDTSC$)/, file: 'test/oracle/qemu/snippets/control.S', name: 'rdmsr' },
  { form: /^WRMSR/, file: 'test/oracle/qemu/snippets/control.S', name: 'wrmsr' },
  { form: /^(SYSCALL|SYSRET)/, file: 'test/oracle/qemu/snippets/long.S', name: 'syscall' },
  { form: /^(SYSENTER)/, file: 'test/oracle/qemu/snippets/gates.S', name: 'sysenter' },
  { form: /^INT3/, file: 'test/oracle/qemu/snippets/gates.S', name: 'int3' },
  { form: /^INTO/, file: 'test/oracle/qemu/snippets/real.S', name: 'into' },
  { form: /^INT$/, file: 'test/oracle/qemu/snippets/gates.S', name: 'int ' },
  { form: /^CLI/, file: 'test/oracle/qemu/snippets/gates.S', name: 'cli' },
  { form: /^STI/, file: 'test/oracle/qemu/snippets/real.S', name: 'sti' },
  { form: /^(CLAC|STAC)/, file: 'test/oracle/qemu/snippets/paging.S', name: 'stac' },
  { form: /^SYSEXIT/, file: 'test/core/stepping.test.ts', name: 'T-57 SYSENTER keeps TF' },
  { form: /^INT1/, file: 'test/core/guest-debug.test.ts', name: 'T-17 INT1 sets no cause' },
  { form: /^HLT/, file: 'test/core/events.test.ts', name: 'HLT with IF clear sleeps on, NMI wakes it' },
  {
    form: /^(INVD|WBINVD|CLTS|RDPMC|INVPCID|MONITOR|MWAIT|UD[012]|NOP)/,
    file: 'test/core/system-instructions.test.ts',
    name: 'INVPCID',
  },
  { form: /^(CPUID|RDTSCP|RDPID)/, file: 'test/core/cpuid.test.ts', name: 'RDPID and RDTSCP answer IA32_TSC_AUX' },
  { form: /^(RDRAND|RDSEED)/, file: 'test/core/random-source.test.ts', name: 'RDSEED draws from it too' },
  { form: /^(FX|XSAVE|XRSTOR)/, file: 'test/core/extended-state.test.ts', name: 'brings back what XSAVE saved' },
  {
    form: /^(XGETBV|XSETBV)/,
    file: 'test/core/extended-state.test.ts',
    name: 'XCR0 is 1 after reset; XSETBV enables the SSE state',
  },
  { form: /^RSM/, file: 'test/core/system-management.test.ts', name: 'RSM outside is #UD' },
  {
    form: /^(IN|OUT|INS|OUTS)([BWD|]|$)/,
    file: 'test/core/watch.test.ts',
    name: 'T-70a a host port watch needs no CR4.DE',
  },
];
const MOVES: Readonly<Record<string, SystemTest>> = {
  C: { form: /^MOV/, file: 'test/oracle/qemu/snippets/control.S', name: '%cr' },
  D: { form: /^MOV/, file: 'test/core/guest-debug.test.ts', name: 'T-03 DR4 is DR6 while CR4.DE is clear' },
  SS: { form: /^(MOV|POP)/, file: 'test/core/stepping.test.ts', name: 'T-5E MOV SS' },
};

/** The test of a form; undefined: there is none. */
export function systemTestOf({ mnemonic, operands }: OpcodeRow): SystemTest | undefined {
  const special = operands.find(({ kind }) => kind === 'C' || kind === 'D');
  if (special !== undefined) return MOVES[special.kind];
  if (/^(MOV|POP)$/.test(mnemonic)) return MOVES['SS'];
  return SYSTEM_TESTS.find(({ form }) => form.test(mnemonic));
}
export const allSystemTests: readonly SystemTest[] = [...SYSTEM_TESTS, ...Object.values(MOVES)];
