// Where QEMU 7.2's TCG is not what the manual says. One row a cause, with every difference that it makes: which register or place of
// memory of which snippet, and both values. Whatever is not written here is a difference to be explained, and whatever is written here
// has to be seen in each run.
import type { Difference } from './processor-state.ts';

export interface KnownDifference {
  readonly reason: string;
  /** Where the manual decides. */
  readonly citation: string;
  /** Lines of `snippet | WHAT ours / theirs | ...`; addresses of code by name, see `named`. */
  readonly seen: readonly string[];
}

/** Fault frames and task state segments: where a snippet's events save EFLAGS. */
const SAVED_FLAGS = /^\[(?:6ffc|6fe[8c]|6fb8|5fe4|5ff4|1024|1324)\]$/;
const RF = 0x10000;
/** EFLAGS bits that are always 0, and the one that is always 1 (SDM 1 3.4.3). */
const RESERVED = 0xffc08028;
const ALWAYS = 2;

/** QEMU pushes the flags of a fault with RF as it is; the processor pushes RF set (SDM 3B 18.3.1.1). In most snippets. */
export function isFlagsWithoutRf({ what, ours, theirs }: Difference): boolean {
  const [flags, others] = [Number.parseInt(ours, 16), Number.parseInt(theirs, 16)];
  const isFlags = (flags & RESERVED) === 0 && (flags & ALWAYS) !== 0;
  return SAVED_FLAGS.test(what) && isFlags && (flags & RF) !== 0 && (flags & ~RF) === others;
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    reason: 'QEMU reports a reserved bit without P; RSVD is only set for present entries',
    citation: 'SDM 3A 4.7',
    seen: [
      'long: reserved bit in 64 bits | [6fd0] 00000009 / 00000008',
      'pae: address bit above the width | [6ff0] 00000009 / 00000008',
      'pae: ignored bit of long mode is reserved | [6ff0] 00000009 / 00000008',
      'page32: large page with a reserved bit | [6ff0] 00000009 / 00000008',
    ],
  },
  {
    reason: 'QEMU sets an accessed bit in page-directory pointers, where it is reserved',
    citation: 'SDM 3A 4.4.1',
    seen: [
      'pae: address bit above the width | [16000] 00017001 / 00017021',
      'pae: ignored bit of long mode is reserved | [16000] 00017001 / 00017021',
      'pae: no execute fetch | [16000] 00017001 / 00017021',
      'pae: no execute read | [16000] 00017001 / 00017021',
      'pae: pointer with a reserved bit | [16000] 00017003 / 00017023',
      'pae: read of a missing page pae | [16000] 00017001 / 00017021',
    ],
  },
  {
    reason: 'QEMU does not check limits and types of segments when they are used',
    citation: 'SDM 3A 5.3, 5.5',
    seen: [
      'prot: instruction at the end of its segment | RSP 6ff0 / 6ff4 | RIP 1a1a / 1a20 | [6ff4] 00008000 / 00008003 | [6ffc] 00010046 / 00000246',
      'prot: read beyond the limit | RSP 6ff0 / 7000 | RIP 1a1a / end | [6ff4] start+7 / 00000000 | [6ff8] 00000008 / 00000000 | [6ffc] 00010046 / 00000000',
      'prot: read in the hole | RSP 6ff0 / 7000 | RIP 1a1a / end | [6ff4] start+7 / 00000000 | [6ff8] 00000008 / 00000000 | [6ffc] 00010046 / 00000000',
      'prot: read through null | RBX 0 / 1a00 | RSP 6ff0 / 7000 | RIP 1a1a / end | [6ff4] start+7 / 00000000 | [6ff8] 00000008 / 00000000 | [6ffc] 00010046 / 00000000',
      'prot: virtual beyond the limit | RAX 0 / 700 | RSP 5fd8 / 5000 | RIP 1a1a / end | EFL 2 / 20002 | CPL 0 / 3 | ES 0 unusable / 2222 base 22220 limit ffff rights f3 | CS 8 base 0 limit ffffffff rights c09b / 0 base 0 limit ffff rights f3 | SS 10 base 0 limit ffffffff rights c093 / 0 base 0 limit ffff rights f3 | DS 0 unusable / 0 base 0 limit ffff rights f3 | FS 0 unusable / 3333 base 33330 limit ffff rights f3 | GS 0 unusable / 4444 base 44440 limit ffff rights f3 | [5fdc] start+25 / 00000000 | [5fe4] 00030002 / 00000000 | [5fe8] 00005000 / 00000000 | [5ff0] 00002222 / 00000000 | [5ff8] 00003333 / 00000000 | [5ffc] 00004444 / 00000000',
      'prot: write to read only | RSP 6ff0 / 7000 | RIP 1a1a / end | [6ff4] start+7 / 00000000 | [6ff8] 00000008 / 00000000 | [6ffc] 00010046 / 00000000 | [20000] 00000000 / 00000088',
      'real: word at ffff is beyond the limit | RAX 0 / 700 | RSP 6ffa / 7000 | RIP 1a1a / end | [6ff8] 80180000 / 00000000 | [6ffc] 00460000 / 00000000',
    ],
  },
  {
    reason: 'QEMU has no alignment check',
    citation: 'SDM 3A 6.15, vector 17',
    seen: [
      'page32: alignment check | RSP 5fe8 / 5000 | RIP 1a22 / end | EFL 40002 / 40202 | CPL 0 / 3 | CS 8 base 0 limit ffffffff rights c09b / 33 base 0 limit ffffffff rights c0fb | SS 10 base 0 limit ffffffff rights c093 / 3b base 0 limit ffffffff rights c0f3 | [5fec] start+2a / 00000000 | [5ff0] 00000033 / 00000000 | [5ff4] 00050202 / 00000000 | [5ff8] 00005000 / 00000000 | [5ffc] 0000003b / 00000000 | [15004] 00001027 / 00001007 | [15014] 00005067 / 00005007 | [15080] 00020007 / 00020027',
    ],
  },
  {
    reason: 'QEMU reads page-directory pointers at each walk and does not check them at loads of CR3',
    citation: 'SDM 3A 4.4.1',
    seen: [
      'pae: pointer with a reserved bit | RSP 6ff0 / 7000 | RIP 1a1a / end | EFL 6 / 2 | [6ff4] start+a / 00000000 | [6ff8] 00000008 / 00000000 | [6ffc] 00010006 / 00000000 | [13030] 00006067 / 00006007',
    ],
  },
  {
    reason: 'QEMU drops global translations with MOV to CR3; both may',
    citation: 'SDM 3A 4.10.4.1',
    seen: ['page32: global page survives cr3 | [6ff4] start+38 / start+2b'],
  },
  {
    reason: 'QEMU computes the error code of a bad gate as 16 * vector + 2; the index counts eight bytes',
    citation: 'SDM 3A 6.13',
    seen: [
      'long: absent gate in 64 bits | [6fd0] 000001aa / 00000352',
      'long: vector beyond the idt in 64 bits | [6fd0] 00000402 / 00000802',
    ],
  },
  {
    reason: 'QEMU answers LAR for task gates and 16-bit TSSs in IA-32e mode, where they do not exist',
    citation: 'SDM 2A LAR, table 3-53',
    seen: ['long: lar and lsl in 64 bits | RCX 0 / 100 | RDX 1 / 101 | RSI 0 / e500 | R8 0 / 8100'],
  },
  {
    reason: 'QEMU takes a base that is not canonical',
    citation: 'SDM 2D WRMSR',
    seen: [
      'long: non canonical base | RSP 6fd0 / 7000 | RIP 1a1a / end | FS 10 base 0 limit ffffffff rights c093 / 10 base 800000000000 limit ffffffff rights c093 | [6fd8] start+a / 00000000 | [6fe0] 00000028 / 00000000 | [6fe8] 00010046 / 00000000 | [6ff0] 00007000 / 00000000 | [6ff8] 00000010 / 00000000 | [13030] 00006067 / 00006007',
    ],
  },
  {
    reason: 'QEMU jumps and faults at the target; the jump itself faults',
    citation: 'SDM 2A JMP, 64-bit mode exceptions',
    seen: ['long: non canonical jump | [6fd8] start+a / 00000000 | [6fdc] 00000000 / 80000000'],
  },
  {
    reason: 'QEMU raises #GP where the operand is in the stack segment: #SS',
    citation: 'SDM 3A 6.15, vector 12',
    seen: ['long: non canonical through rbp | RIP 1a18 / 1a1a'],
  },
  {
    reason: 'QEMU clears SS whenever IST gives the stack; it becomes null only when the privilege level changes',
    citation: 'SDM 2A INT n, INTRA-PRIVILEGE-LEVEL-INTERRUPT; 3A 6.14.4',
    seen: ['long: interrupt stack table | SS 10 base 0 limit ffffffff rights c093 / 0 unusable'],
  },
  {
    reason: 'QEMU keeps access rights behind a null selector; nothing shows them to 64-bit code',
    citation: 'SDM 3A 5.4.1.1',
    seen: ['long: null stack in ring 0 | SS 0 unusable / 0 base 0 limit ffffffff rights c093'],
  },
  {
    reason: 'QEMU clears the arithmetic flags; only those in IA32_FMASK are cleared',
    citation: 'SDM 2B SYSCALL',
    seen: ['long: syscall from ring 3 | EFL 46 / 2'],
  },
  {
    reason:
      'QEMU saves the address of the switching instruction for faults behind the commit; they belong to the new task',
    citation: 'SDM 3A 8.3, 6.15 vector 10',
    seen: [
      'prot: task with a bad data segment | [1320] task / start+45',
      'prot: task with a bad ldt | [1320] task / start+45',
      'prot: task with a bad stack | [1320] task / start+45',
      'prot: task with a local ldt | [1320] task / start+45',
      'prot: task with a null ldt and bad code | [1320] task / start+45',
      'prot: task with a null stack | [1320] task / start+45',
      'prot: task with a segment beyond the table | [1320] task / start+45',
      'prot: task with absent code | [1320] task / start+45',
      'prot: task with an absent data segment | [1320] task / start+45',
      'prot: task with an absent stack | [92c] 00008900 / 00008b00 | [934] 00008b00 / 00008900 | [1320] task / start+45 | [1680] 00000000 / 00000050 | [1700] 00000050 / 00000000',
      'prot: task with null code | [1320] task / start+45',
      'prot: task with the trap bit | [4ff4] task / task+3',
    ],
  },
  {
    reason: 'QEMU raises #NP for a stack segment that is not present: #SS',
    citation: 'SDM 3A table 8-1',
    seen: [
      'prot: task with an absent stack | RIP 1a18 / 1a16 | TR 130 base 1700 limit 67 rights 8b / 128 base 1680 limit 67 rights 8b',
    ],
  },
  {
    reason: 'QEMU does not look at DR7.GD for MOV from a debug register',
    citation: 'SDM 3B 18.2.4',
    seen: [
      'prot: general detect | RSP 6ff4 / 7000 | RIP 1a02 / end | DR6 ffff2ff0 / ffff0ff0 | DR7 400 / 2400 | [6ff4] start+8 / 00000000 | [6ff8] 00000008 / 00000000 | [6ffc] 00000046 / 00000000',
    ],
  },
  {
    reason: 'QEMU raises #UD; INT1 is #DB behind the instruction',
    citation: 'SDM 2A INT n/INTO/INT3/INT1',
    seen: ['prot: icebp | RIP 1a02 / 1a0c | [6ff4] end / start'],
  },
  {
    reason: 'QEMU turns paging on without the checks of IA-32e mode',
    citation: 'SDM 3A 10.8.5',
    seen: [
      'prot: long mode without pae | RSP 6ff0 / 7000 | RIP 1a1a / end | [6ff4] start+1b / 00000000 | [6ff8] 00000008 / 00000000 | [6ffc] 00010046 / 00000000',
    ],
  },
  {
    reason: 'QEMU does not look at the T bit of a TSS',
    citation: 'SDM 3B 18.3.1.5',
    seen: [
      'prot: task with the trap bit | RSP 4ff4 / 4ff0 | RBP 1006 / 19 | RIP 1a02 / 1a1a | DR6 ffff8ff0 / ffff0ff0',
    ],
  },
  {
    reason: 'QEMU lets LOCK pass on a plain store and on BT',
    citation: 'SDM 2A LOCK',
    seen: [
      'prot: lock list | RSP 6ff4 / 7000 | RIP 1a0c / end | [6ff4] start+21 / 00000000 | [6ff8] 00000008 / 00000000 | [6ffc] 00010012 / 00000000',
      'real: lock on mov | RSP 6ffa / 7000 | RIP 1a0c / end | [0] 00001a00 / 00000000 | [6ff8] 80c80000 / 00000000 | [6ffc] 00460000 / 00000000',
    ],
  },
];

/** The differences of the table, by snippet. */
export interface ListedDifference extends Difference {
  readonly row: KnownDifference;
}
export function listedDifferences(): ReadonlyMap<string, readonly ListedDifference[]> {
  const found = new Map<string, ListedDifference[]>();
  for (const row of KNOWN_DIFFERENCES) {
    for (const line of row.seen) {
      const [snippet = '', ...places] = line.split(' | ');
      for (const place of places) {
        const [, what, ours, theirs] = /^(\S+) (.*) \/ (.*)$/.exec(place) ?? [];
        if (what === undefined || ours === undefined || theirs === undefined)
          throw new Error(`no difference: ${place}`);
        found.set(snippet, [...(found.get(snippet) ?? []), { row, what, ours, theirs }]);
      }
    }
  }
  return found;
}
