// Where QEMU 7.2's TCG is not what the manual says. One row a cause; everything else of those snippets is still compared.
import type { Difference } from './processor-state.ts';

export interface KnownDifference {
  /** Names of the snippets that show it. */
  readonly snippets: RegExp;
  /** What differs in them: register names and [memory] places. */
  readonly what: RegExp;
  /** Bits, when the values differ in these and in no other. */
  readonly bits?: number;
  readonly reason: string;
  /** Where the manual decides. */
  readonly citation: string;
}
const MEMORY = /^\[/;
const ANYTHING = /./;

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    snippets: ANYTHING,
    what: MEMORY,
    bits: 0x10000,
    reason: 'QEMU pushes the flags of a fault with RF as it is; the processor pushes RF set',
    citation: 'SDM 3B 18.3.1.1',
  },
  {
    snippets: /reserved bit|address bit above|ignored bit of long mode/,
    what: MEMORY,
    bits: 1,
    reason: 'QEMU reports a reserved bit without P; RSVD is only set for present entries',
    citation: 'SDM 3A 4.7',
  },
  {
    snippets: /^pae/,
    what: /^\[16000\]/,
    bits: 0x20,
    reason: 'QEMU sets an accessed bit in page-directory pointers, where it is reserved',
    citation: 'SDM 3A 4.4.1',
  },
  {
    snippets:
      /read beyond the limit|write to read only|read in the hole|read through null|word at ffff|beyond the limit|end of its segment/,
    what: ANYTHING,
    reason: 'QEMU does not check limits and types of segments when they are used',
    citation: 'SDM 3A 5.3, 5.5',
  },
  {
    snippets: /alignment check/,
    what: ANYTHING,
    reason: 'QEMU has no alignment check',
    citation: 'SDM 3A 6.15, vector 17',
  },
  {
    snippets: /pointer with a reserved bit|pointers are read with cr3/,
    what: ANYTHING,
    reason: 'QEMU reads page-directory pointers at each walk and does not check them at loads of CR3',
    citation: 'SDM 3A 4.4.1',
  },
  {
    snippets: /global page survives cr3/,
    what: MEMORY,
    reason: 'QEMU drops global translations with MOV to CR3; both may',
    citation: 'SDM 3A 4.10.4.1',
  },
  {
    snippets: /in 64 bits/,
    what: /^\[6fd0\]/,
    reason: 'QEMU computes the error code of a bad gate as 16 * vector + 2; the index counts eight bytes',
    citation: 'SDM 3A 6.13',
  },
  {
    snippets: /lar and lsl in 64 bits/,
    what: /^(RCX|RDX|RSI|R8)$/,
    reason: 'QEMU answers LAR for task gates and 16-bit TSSs in IA-32e mode, where they do not exist',
    citation: 'SDM 2A LAR, table 3-53',
  },
  {
    snippets: /non canonical base/,
    what: ANYTHING,
    reason: 'QEMU takes a base that is not canonical',
    citation: 'SDM 2D WRMSR',
  },
  {
    snippets: /non canonical jump/,
    what: MEMORY,
    reason: 'QEMU jumps and faults at the target; the jump itself faults',
    citation: 'SDM 2A JMP, 64-bit mode exceptions',
  },
  {
    snippets: /non canonical through rbp/,
    what: /^RIP$/,
    reason: 'QEMU raises #GP where the operand is in the stack segment: #SS',
    citation: 'SDM 3A 6.15, vector 12',
  },
  {
    snippets: /interrupt stack table/,
    what: /^SS$/,
    reason: 'QEMU clears SS whenever IST gives the stack; it becomes null only when the privilege level changes',
    citation: 'SDM 2A INT n, INTRA-PRIVILEGE-LEVEL-INTERRUPT; 3A 6.14.4',
  },
  {
    snippets: /null stack in ring 0/,
    what: /^SS$/,
    reason: 'QEMU keeps access rights behind a null selector; nothing shows them to 64-bit code',
    citation: 'SDM 3A 5.4.1.1',
  },
  {
    snippets: /syscall from ring 3/,
    what: /^EFL$/,
    reason: 'QEMU clears the arithmetic flags; only those in IA32_FMASK are cleared',
    citation: 'SDM 2B SYSCALL',
  },
  {
    snippets: /task with/,
    what: MEMORY,
    reason:
      'QEMU saves the address of the switching instruction for faults behind the commit; they belong to the new task',
    citation: 'SDM 3A 8.3, 6.15 vector 10',
  },
  {
    snippets: /task with an absent stack/,
    what: /^(RIP|TR)$/,
    reason: 'QEMU raises #NP for a stack segment that is not present: #SS',
    citation: 'SDM 3A table 8-1',
  },
  {
    snippets: /general detect/,
    what: ANYTHING,
    reason: 'QEMU does not look at DR7.GD for MOV from a debug register',
    citation: 'SDM 3B 18.2.4',
  },
  {
    snippets: /icebp/,
    what: /^(RIP|\[6ff4\])$/,
    reason: 'QEMU raises #UD; INT1 is #DB behind the instruction',
    citation: 'SDM 2A INT n/INTO/INT3/INT1',
  },
  {
    snippets: /long mode without pae/,
    what: ANYTHING,
    reason: 'QEMU turns paging on without the checks of IA-32e mode',
    citation: 'SDM 3A 10.8.5',
  },
  {
    snippets: /task with the trap bit/,
    what: ANYTHING,
    reason: 'QEMU does not look at the T bit of a TSS',
    citation: 'SDM 3B 18.3.1.5',
  },
  {
    snippets: /lock on mov|lock list/,
    what: ANYTHING,
    reason: 'QEMU lets LOCK pass on a plain store and on BT',
    citation: 'SDM 2A LOCK',
  },
];

/** Whether a row explains a difference of a snippet. */
export function isKnown(row: KnownDifference, snippet: string, { what, ours, theirs }: Difference): boolean {
  if (!row.snippets.test(snippet) || !row.what.test(what)) return false;
  return row.bits === undefined || (Number.parseInt(ours, 16) ^ Number.parseInt(theirs, 16)) >>> 0 === row.bits;
}
