/**
 * What a processor's registers can be, by the rules of MOV to control registers, WRMSR, POPF, LDMXCSR and XSETBV: the user may
 * set them to anything that a guest could have brought about, and to nothing else. The masks are those of the processor that
 * CPUID describes (src/core/assembly/system/control.ts, msr.ts).
 */
import { readRegister, registerNamed, type RegisterSlots } from './registers.ts';

/** Value of a register by name, with the one that is about to be written. */
type State = (name: string) => bigint;

interface Rule {
  /** Writing one of these is refused when the rule does not hold behind it. */
  readonly registers: readonly string[];
  readonly holds: (state: State, written: bigint) => boolean;
  /** A sentence without its full stop, and where the manual says so. */
  readonly says: string;
}

const PE = 1n;
const ET = 1n << 4n;
const NW = 1n << 29n;
const CD = 1n << 30n;
const PG = 1n << 31n;
/** PE MP EM TS ET NE WP AM NW CD PG. */
const CR0_DEFINED = 0xe005_003fn;
const PAE = 1n << 5n;
const PCIDE = 1n << 17n;
/** VME PVI TSD DE PSE PAE PGE PCE OSFXSR OSXMMEXCPT UMIP FSGSBASE PCIDE OSXSAVE SMEP SMAP. */
const CR4_DEFINED = 0x37_0fbfn;
const LME = 1n << 8n;
const LMA = 1n << 10n;
/** SCE LME LMA NXE. */
const EFER_DEFINED = 0xd01n;
const VM = 1n << 17n;
/** All flags, and bit 1. */
const RFLAGS_DEFINED = 0x3f_7fd7n;
/** The processor has 40 bits of physical address. */
const PHYSICAL = (1n << 40n) - 1n;
const LOW_HALF = 0xffff_ffffn;
/** D/B and L of the access rights of a segment, as the descriptor cache holds them. */
const CS_LONG = 0x2000n;
const CS_DEFAULT_SIZE = 0x4000n;
/** DR6: bits that are always 1 (SDM 3B 18.2.3), without BLD and RTM, which are 1 when nothing happened. */
const DR6_ONES = 0xfffe_07f0n;
const DR6_ZEROS = ~0xffff_efffn;
const DR7_ONE = 1n << 10n;
const DR7_ZEROS = ~LOW_HALF | 0xd000n;

const isCanonical = (address: bigint): boolean => address >> 47n === 0n || address >> 47n === 0x1_ffffn;
const none = (value: bigint, bits: bigint): boolean => (BigInt.asUintN(64, bits) & value) === 0n;
const all = (value: bigint, bits: bigint): boolean => (value & bits) === bits;
const isLong = (state: State): boolean => all(state('efer'), LMA);
const is64BitCode = (state: State): boolean => isLong(state) && all(state('cs_attributes'), CS_LONG);

const rules: readonly Rule[] = [
  {
    registers: ['cr0'],
    holds: (_state, cr0) => none(cr0, ~CR0_DEFINED) && all(cr0, ET),
    says: 'CR0 has the bits PE MP EM TS ET NE WP AM NW CD PG, and ET is always 1 (SDM 3A 2.5)',
  },
  {
    registers: ['cr0'],
    holds: (state) => !all(state('cr0'), PG) || all(state('cr0'), PE),
    says: 'CR0.PG needs CR0.PE (SDM 3A 2.5)',
  },
  {
    registers: ['cr0'],
    holds: (state) => !all(state('cr0'), NW) || all(state('cr0'), CD),
    says: 'CR0.NW needs CR0.CD (SDM 3A 2.5)',
  },
  {
    registers: ['cr4'],
    holds: (_state, cr4) => none(cr4, ~CR4_DEFINED),
    says: 'CR4 has no bits but those that CPUID reports, 0x370fbf (SDM 3A 2.5)',
  },
  {
    registers: ['efer'],
    holds: (_state, efer) => none(efer, ~EFER_DEFINED),
    says: 'EFER has the bits SCE LME LMA NXE (SDM 3A 2.2.1)',
  },
  {
    registers: ['efer', 'cr0'],
    holds: (state) => isLong(state) === (all(state('efer'), LME) && all(state('cr0'), PG)),
    says: 'EFER.LMA is 1 while EFER.LME and CR0.PG are both 1, and else 0 (SDM 3A 4.1.1)',
  },
  {
    registers: ['cr4', 'efer'],
    holds: (state) => !isLong(state) || all(state('cr4'), PAE),
    says: 'long mode needs CR4.PAE (SDM 3A 4.1.1)',
  },
  {
    registers: ['cr4', 'efer'],
    holds: (state) => isLong(state) || none(state('cr4'), PCIDE),
    says: 'CR4.PCIDE needs long mode (SDM 3A 4.10.1)',
  },
  {
    registers: ['cr3'],
    holds: (state, cr3) => (isLong(state) ? none(cr3, ~PHYSICAL) : cr3 <= LOW_HALF),
    says: 'CR3 holds a physical address of 40 bits in long mode and of 32 bits outside (SDM 3A 4.5)',
  },
  {
    registers: ['rflags'],
    holds: (_state, rflags) => none(rflags, ~RFLAGS_DEFINED) && all(rflags, 2n),
    says: 'bits 3, 5, 15 and 22 to 63 of RFLAGS are always 0, and bit 1 is always 1 (SDM 1 3.4.3)',
  },
  {
    registers: ['rflags', 'efer'],
    holds: (state) => !isLong(state) || none(state('rflags'), VM),
    says: 'there is no virtual-8086 mode in long mode (SDM 3A 21.2)',
  },
  {
    registers: ['rflags', 'cr0'],
    holds: (state) => none(state('rflags'), VM) || all(state('cr0'), PE),
    says: 'virtual-8086 mode needs CR0.PE (SDM 3A 21.2)',
  },
  {
    registers: ['cs_attributes', 'efer'],
    holds: (state) => !is64BitCode(state) || none(state('cs_attributes'), CS_DEFAULT_SIZE),
    says: 'a code segment with L has no D in long mode (SDM 3A 5.2.1)',
  },
  {
    registers: ['rip'],
    holds: (state, rip) => (is64BitCode(state) ? isCanonical(rip) : rip <= LOW_HALF),
    says: 'RIP is canonical (bits 63 to 47 are equal) in 64-bit mode and has 32 bits elsewhere (SDM 1 3.3.7.1)',
  },
  {
    registers: [
      ...['fs_base', 'gs_base', 'tr_base', 'ldtr_base', 'gdtr_base', 'idtr_base', 'kernel_gs_base'],
      ...['lstar', 'cstar', 'sysenter_esp', 'sysenter_eip'],
    ],
    holds: (_state, address) => isCanonical(address),
    says: 'it holds a canonical address: bits 63 to 47 are equal (SDM 1 3.3.7.1)',
  },
  {
    registers: ['es_base', 'cs_base', 'ss_base', 'ds_base'],
    holds: (_state, address) => address <= LOW_HALF,
    says: 'the base of this segment has 32 bits (SDM 3A 3.4.4)',
  },
  {
    registers: ['gdtr_limit', 'idtr_limit'],
    holds: (_state, limit) => limit <= 0xffffn,
    says: 'the limit of a descriptor table has 16 bits (SDM 3A 2.4.1)',
  },
  {
    registers: ['xcr0'],
    holds: (_state, xcr0) => xcr0 === 1n || xcr0 === 3n,
    says: 'XCR0 has x87, which is always 1, and SSE (SDM 1 13.3)',
  },
  {
    registers: ['mxcsr'],
    holds: (_state, mxcsr) => mxcsr <= 0xffffn,
    says: 'bits 16 to 31 of MXCSR are always 0 (SDM 1 10.2.3)',
  },
  {
    registers: ['pat'],
    holds: (_state, pat) =>
      [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].every((i) => [0n, 1n, 4n, 5n, 6n, 7n].includes((pat >> (8n * i)) & 0xffn)),
    says: 'each byte of IA32_PAT is a memory type: 0, 1, 4, 5, 6 or 7 (SDM 3A 12.12.2)',
  },
  {
    registers: ['debugctl'],
    holds: (_state, debugctl) => none(debugctl, ~7n),
    says: 'IA32_DEBUGCTL has the bits LBR BTF BLD here (SDM 3B 18.4.1)',
  },
  {
    registers: ['apic_base'],
    holds: (_state, base) => none(base, ~PHYSICAL | 0x2ffn),
    says: 'IA32_APIC_BASE has a page of 40 bits and the bits BSP EXTD EN (SDM 3A 11.4.4)',
  },
  {
    registers: ['sfmask', 'tsc_aux'],
    holds: (_state, value) => value <= LOW_HALF,
    says: 'the upper half of this MSR is always 0 (SDM 4, table 2-2)',
  },
  {
    registers: ['dr6'],
    holds: (_state, dr6) => none(dr6, DR6_ZEROS) && all(dr6, DR6_ONES),
    says: 'bits 4 to 10 and 17 to 31 of DR6 are always 1, bits 12 and 32 to 63 always 0 (SDM 3B 18.2.3)',
  },
  {
    registers: ['dr7'],
    holds: (_state, dr7) => none(dr7, DR7_ZEROS) && all(dr7, DR7_ONE),
    says: 'bit 10 of DR7 is always 1, bits 12, 14, 15 and 32 to 63 always 0 (SDM 3B 18.2.4)',
  },
];

/**
 * Why a vCPU cannot have a value in a register, as a sentence; undefined when it can.
 *
 * @param number of a whole register (registers.ts)
 */
export function impossibleState(slots: RegisterSlots, vcpu: number, number: number, value: bigint): string | undefined {
  const numberOf = (name: string): number | undefined => registerNamed(name)?.number;
  const state: State = (name) => {
    const asked = numberOf(name) ?? -1;
    return asked === number ? value : (readRegister(slots, vcpu, asked) ?? 0n);
  };
  for (const { registers, holds, says } of rules) {
    const written = registers.find((name) => numberOf(name) === number);
    if (written === undefined || holds(state, value)) continue;
    return `${written} = 0x${value.toString(16)} is a state that no processor can be in: ${says}.`;
  }
  return undefined;
}
