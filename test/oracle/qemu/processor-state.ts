// What the comparison looks at after a snippet: registers, descriptor caches, control registers, memory.

export interface SegmentState {
  readonly selector: number;
  readonly base: bigint;
  readonly limit: number;
  /** Bits 0-7 and 12-15: access rights as in a descriptor's second double word, shifted right by 8. */
  readonly rights: number;
}
export interface TableState {
  readonly base: bigint;
  readonly limit: number;
}
export const GENERAL = [
  'RAX',
  'RCX',
  'RDX',
  'RBX',
  'RSP',
  'RBP',
  'RSI',
  'RDI',
  'R8',
  'R9',
  'R10',
  'R11',
  'R12',
  'R13',
  'R14',
  'R15',
] as const;
export const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDT', 'TR'] as const;
/** Registers that are plain numbers. */
export const PLAIN = ['RIP', 'EFL', 'CPL', 'HLT', 'CR0', 'CR2', 'CR3', 'CR4', 'EFER', 'DR6', 'DR7'] as const;

export interface ProcessorState {
  readonly general: ReadonlyMap<string, bigint>;
  readonly plain: ReadonlyMap<string, bigint>;
  readonly segments: ReadonlyMap<string, SegmentState>;
  readonly tables: ReadonlyMap<string, TableState>;
  readonly memory: Uint8Array;
}
const PRESENT = 0x80;

/** A segment that cannot be used has no other contents than its selector; a base may stay behind, unseen. */
function describe({ selector, base, limit, rights }: SegmentState): string {
  const selectorText = selector.toString(16);
  if ((rights & PRESENT) === 0) return `${selectorText} unusable`;
  return `${selectorText} base ${base.toString(16)} limit ${limit.toString(16)} rights ${rights.toString(16)}`;
}
const hex = (value: bigint | undefined): string => (value === undefined ? '-' : value.toString(16));

/** Each difference in words: `what`, ours, theirs. */
export interface Difference {
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
}

/** Everything that differs. ignored: bits by name of a plain register that the manual leaves undefined. */
export function compareStates(
  ours: ProcessorState,
  theirs: ProcessorState,
  ignored: ReadonlyMap<string, bigint> = new Map(),
): Difference[] {
  const found: Difference[] = [];
  const check = (what: string, a: string, b: string): void => {
    if (a !== b) found.push({ what, ours: a, theirs: b });
  };
  for (const [name, value] of theirs.general) check(name, hex(ours.general.get(name)), hex(value));
  for (const [name, value] of theirs.plain) {
    const mask = ~(ignored.get(name) ?? 0n);
    check(name, hex((ours.plain.get(name) ?? -1n) & mask), hex(value & mask));
  }
  for (const [name, value] of theirs.segments) {
    const own = ours.segments.get(name);
    check(name, own === undefined ? '-' : describe(own), describe(value));
  }
  for (const [name, { base, limit }] of theirs.tables) {
    const own = ours.tables.get(name);
    check(name, `${hex(own?.base)} ${own?.limit.toString(16)}`, `${hex(base)} ${limit.toString(16)}`);
  }
  for (let at = 0; at < theirs.memory.length; at++) {
    if (ours.memory[at] === theirs.memory[at]) continue;
    const dword = at & ~3;
    const text = (memory: Uint8Array): string =>
      Buffer.from(memory.subarray(dword, dword + 4))
        .reverse()
        .toString('hex');
    check(`[${dword.toString(16)}]`, text(ours.memory), text(theirs.memory));
    at = dword + 3;
  }
  return found;
}

/** Places that hold addresses of code: RIP, the stacks, the EIP of a saved task. */
const CODE_POINTERS = /^(RIP|\[[456][0-9a-f]{3}\]|\[1320\])$/;

/** The same difference with addresses of code by name, so that it does not depend on where the assembler puts them. */
export function named({ what, ours, theirs }: Difference, nameOf: (address: number) => string | undefined): Difference {
  if (!CODE_POINTERS.test(what)) return { what, ours, theirs };
  const name = (value: string): string => nameOf(Number.parseInt(value, 16)) ?? value;
  return { what, ours: name(ours), theirs: name(theirs) };
}
