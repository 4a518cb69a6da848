// The trap ledger in words: its rows as they travel to the views, and what each column says.
import type { CauseKind, Disposition, LedgerEntry, Rule } from '../guestdebug/api.ts';
import { DR6_B, DR6_BD, DR6_BS, DR6_BT } from '../core/state-values.ts';
import { hex } from './places.ts';
import { english, type Translate } from './translate.ts';
import { vectorName } from './vectors.ts';

/** An entry of the ledger as JSON: 64-bit numbers are hexadecimal text. */
export interface LedgerRow extends Omit<LedgerEntry, 'clock' | 'rip' | 'dr6Host' | 'dr6Guest'> {
  /** Virtual time in nanoseconds, decimal. */
  readonly clock: string;
  readonly rip: string;
  /** `symbol+offset`, absent outside known code. */
  readonly symbol?: string;
  readonly dr6Host: string;
  readonly dr6Guest: string;
}
export function ledgerRow(entry: LedgerEntry, symbol: string | undefined): LedgerRow {
  return {
    ...entry,
    clock: String(entry.clock),
    rip: hex(entry.rip),
    ...(symbol === undefined ? {} : { symbol }),
    dr6Host: hex(entry.dr6Host),
    dr6Guest: hex(entry.dr6Guest),
  };
}

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
export const ownerWord = (row: Pick<LedgerRow, 'owner'>, t: Translate = english): string =>
  row.owner === 'host' ? t('host-owned') : t('guest-owned');

/** The symbol, or the address where there is none. */
export const placeOf = (row: Pick<LedgerRow, 'symbol' | 'rip'>): string => row.symbol ?? row.rip;

const DISPOSITIONS: Readonly<Record<Disposition, string>> = {
  stopped: 'stopped',
  reinjected: 're-injected',
  caughtDelivered: 'caught, then delivered',
  caughtDropped: 'caught, then dropped',
  discarded: 'discarded',
  continued: 'continued',
};
export const dispositionText = (disposition: Disposition, t: Translate = english): string =>
  t(DISPOSITIONS[disposition]);

/** The section of the guest-debug specification, and the line of its table. */
const RULES: Readonly<Record<Rule, string>> = {
  overlay: '2.4 overlay at RIP',
  hostExecute: '2.4 H-bank type X',
  hostData: '2.4 H-bank W/RW',
  hostIo: '2.4 H-bank I/O',
  hostStep: '2.4 step lease',
  hostBranchStep: '2.4 host branch step',
  hostGeneralDetect: '2.4 general detect, host filter',
  int3: '2.4 CC, not planted',
  softwareInt3: '2.4 CD 03',
  guestExecute: '2.4 G-bank type X',
  guestData: '2.4 G-bank W/RW',
  guestStep: '2.4 guest TF',
  guestGeneralDetect: '2.4 general detect',
  taskSwitch: '2.4 TSS T bit',
  busLock: '2.4 bus lock',
  icebp: '2.4 ICEBP',
  softwareInt1: '2.4 INT 1 (CD 01)',
  injected: '2.1 injected by the debugger',
  guestDebug: '2.4 guest #DB',
  movedAway: '2.4 RIP was moved away by the user',
  ownerGone: '4.3 owner gone',
  stoppedBefore: '4.6 stopped here for another reason',
};
export const ruleText = (rule: Rule, t: Translate = english): string => t(RULES[rule]);

const CAUSES: Readonly<Record<CauseKind, string>> = {
  bp: 'breakpoint',
  hwx: 'breakpoint in a debug register',
  watch: 'data breakpoint',
  io: 'I/O breakpoint',
  step: 'step',
  branchStep: 'branch step',
  bd: 'debug register access',
  bt: 'task switch',
  icebp: 'int1',
  int3: 'int3',
  guestDb: "the guest's own",
};
/** Cause bits of DR6 (SDM 3B 18.2.3). */
const DR6_CAUSES: readonly (readonly [bits: number, word: string])[] = [
  ...[0, 1, 2, 3].map((index) => [DR6_B & (1 << index), `DR${index}`] as const),
  [DR6_BD, 'DR access'],
  [DR6_BS, 'single step'],
  [DR6_BT, 'task switch'],
];

/** What caused a trap; for the guest's own #DB by the guest's DR6. */
export function causesText(
  row: Pick<LedgerEntry, 'causes'> & { readonly dr6Guest: string | bigint },
  t: Translate = english,
): string {
  const each = row.causes.map(({ cause, slot, machinery }) => {
    if (cause === 'guestDb') return guestCauses(BigInt(row.dr6Guest), t);
    const words = [t(CAUSES[cause])];
    if (slot !== undefined) words.push(`DR${slot}`);
    if (machinery.includes('step')) words.push(t('of a step'));
    if (machinery.includes('locator')) words.push(t('of the search for the kernel'));
    return words.join(' ');
  });
  return each.join(', ');
}
function guestCauses(dr6: bigint, t: Translate): string {
  const bits = DR6_CAUSES.filter(([bit]) => (dr6 & BigInt(bit)) !== 0n).map(([, word]) => t(word));
  return bits.length === 0 ? t(CAUSES.guestDb) : bits.join(', ');
}

/** One row as a sentence, for screen readers. */
export function rowSentence(row: LedgerRow, t: Translate = english): string {
  return t('{vector} on vCPU {vcpu} at {place}, {owner}, {disposition}, {causes}, {time}', {
    vector: vectorName(row.vector),
    vcpu: row.vcpu,
    place: placeOf(row),
    owner: ownerWord(row, t),
    disposition: dispositionText(row.disposition, t),
    causes: causesText(row, t),
    time: virtualTime(row.clock),
  });
}
