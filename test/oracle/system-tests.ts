// Which test judges the forms that a process of ring 3 cannot, by mnemonic. docs/coverage.md shows it.
export interface SystemTest {
  readonly form: RegExp;
  /** Path in the checkout, and part of the name of the test or of its group. */
  readonly file: string;
  readonly name: string;
}

export const SYSTEM_TESTS: readonly SystemTest[] = [
  { form: /^SYSCALL|^SYSRET/, file: 'test/core/events.test.ts', name: 'SYSCALL and SYSRET' },
  { form: /^SWAPGS/, file: 'test/core/events.test.ts', name: 'SWAPGS and WRMSR reach the same base' },
  { form: /^(SYSENTER|SYSEXIT)/, file: 'test/core/stepping.test.ts', name: 'T-57 SYSENTER keeps TF' },
  { form: /^(INT3|INT1|ICEBP)/, file: 'test/core/guest-debug.test.ts', name: 'T-05 INT3 pushes the next address' },
  { form: /^(LAR|LSL|VERR|VERW)/, file: 'test/core/modes.test.ts', name: 'LAR, LSL, VERR, VERW' },
  { form: /^LTR/, file: 'test/core/modes.test.ts', name: 'LTR marks its TSS busy' },
  { form: /^(CLI|STI)/, file: 'test/core/stepping.test.ts', name: 'T-5D CLI and STI' },
  { form: /^HLT/, file: 'test/core/events.test.ts', name: 'HLT with IF clear sleeps on, NMI wakes it' },
  { form: /^INVLPG/, file: 'test/core/paging.test.ts', name: 'a stale translation is used until INVLPG' },
  { form: /^(CLAC|STAC)/, file: 'test/core/paging.test.ts', name: 'SMEP and SMAP' },
  { form: /^(XSAVE|XRSTOR)/, file: 'test/core/extended-state.test.ts', name: 'brings back what XSAVE saved' },
  { form: /^(XGETBV|XSETBV)/, file: 'test/core/extended-state.test.ts', name: 'extended control register' },
  { form: /^(RDRAND|RDSEED)/, file: 'test/core/random-source.test.ts', name: 'the random source' },
  { form: /^(RDPID|RDTSCP)/, file: 'test/core/cpuid.test.ts', name: 'RDPID and RDTSCP answer IA32_TSC_AUX' },
  {
    form: /^CPUID/,
    file: 'test/core/cpuid.test.ts',
    name: 'a feature is shown exactly when its instructions are there',
  },
  {
    form: /^(INT|INTO|IRET|RETF|CALL|JMP)/,
    file: 'test/core/modes.test.ts',
    name: 'ring 3 and back: IRETD out, INT in through the TSS, a call gate',
  },
  {
    form: /^(LGDT|LIDT|MOV$|WRMSR|RDMSR|CLTS|LMSW|POP$)/,
    file: 'test/core/modes.test.ts',
    name: 'all the way to 64-bit code',
  },
];
/** Where forms are covered that no test of SYSTEM_TESTS names: random code in every mode and ring. */
export const HOSTILE = 'test/core/hostile.test.ts';
