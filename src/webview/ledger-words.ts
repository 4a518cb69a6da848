// How a row of the trap ledger is said in words: used by the webview, by the Machine view and by tests.
import type { LedgerRow } from './protocol.ts';

const VECTOR_NAMES: Readonly<Record<number, string>> = {
  0: '#DE',
  1: '#DB',
  2: 'NMI',
  3: '#BP',
  4: '#OF',
  5: '#BR',
  6: '#UD',
  7: '#NM',
  8: '#DF',
  10: '#TS',
  11: '#NP',
  12: '#SS',
  13: '#GP',
  14: '#PF',
  16: '#MF',
  17: '#AC',
  18: '#MC',
  19: '#XM',
};

/** The manual's name of a vector (SDM 3A table 6-1). */
export const vectorName = (vector: number): string => VECTOR_NAMES[vector] ?? `vector ${vector}`;

/** Virtual nanoseconds (decimal) as "1.234 567 890 s", or shorter: three digits of the next smaller unit. */
export function virtualTime(nanoseconds: string): string {
  const total = BigInt(nanoseconds);
  const seconds = total / 1_000_000_000n;
  if (seconds >= 1n) return `${seconds}.${pad(total % 1_000_000_000n, 9).slice(0, 6)} s`;
  if (total >= 1_000_000n) return `${total / 1_000_000n}.${pad(total % 1_000_000n, 6).slice(0, 3)} ms`;
  if (total >= 1000n) return `${total / 1000n}.${pad(total % 1000n, 3)} µs`;
  return `${total} ns`;
}
const pad = (value: bigint, digits: number): string => value.toString().padStart(digits, '0');

/** Whose a trap was. */
export const ownerWord = (row: Pick<LedgerRow, 'owner'>): string =>
  row.owner === 'host' ? 'host-owned' : 'guest-owned';

/** The symbol, or the address where there is none. */
export const placeOf = (row: Pick<LedgerRow, 'symbol' | 'rip'>): string => row.symbol ?? row.rip;

const CAUSES: Readonly<Record<string, string>> = {
  bp: 'breakpoint',
  hwx: 'breakpoint in a debug register',
  watch: 'data breakpoint',
  io: 'I/O breakpoint',
  step: 'step',
  branchStep: 'branch step',
  bd: 'debug register access',
  bt: 'task switch',
  icebp: 'int1',
};
/** Cause bits of DR6 (SDM 3B 18.2.3). */
const DR6_CAUSES: readonly (readonly [bigint, string])[] = [
  [0x1n, 'DR0'],
  [0x2n, 'DR1'],
  [0x4n, 'DR2'],
  [0x8n, 'DR3'],
  [0x2000n, 'DR access'],
  [0x4000n, 'single step'],
  [0x8000n, 'task switch'],
];

/** What caused a trap, in words; for the guest's own #DB by the guest's DR6. */
export function causeInWords(row: Pick<LedgerRow, 'cause' | 'dr6Guest'>): string {
  if (row.cause === 'guestDb') {
    const dr6 = BigInt(row.dr6Guest);
    const bits = DR6_CAUSES.filter(([bit]) => (dr6 & bit) !== 0n).map(([, word]) => word);
    return bits.length === 0 ? "the guest's own" : bits.join(', ');
  }
  // "watch H0 #3": the cause, the host's slot, the layer's own number of the breakpoint (which no user knows).
  return row.cause
    .replaceAll(/ #\d+/g, '')
    .replaceAll(/\bH([0-3])\b/g, 'DR$1')
    .replaceAll(/(^|, )(\w+)/g, (_, before: string, word: string) => before + (CAUSES[word] ?? word));
}

/** One row as a sentence, for screen readers. */
export function rowSentence(row: LedgerRow): string {
  return `${vectorName(row.vector)} on vCPU ${row.vcpu} at ${placeOf(row)}, ${ownerWord(row)}, ${row.disposition}, ${causeInWords(row)}, ${virtualTime(row.clock)}`;
}
