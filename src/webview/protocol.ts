// Every message between the extension and its webviews. Both ends import this file, and nothing else of each other.
import type { LedgerRow } from '../words/ledger.ts';

export interface LedgerFilter {
  readonly text: string;
  /** Empty: both. */
  readonly owner: '' | 'host' | 'guest';
  readonly vector: number | undefined;
  readonly vcpu: number | undefined;
}

/** From the extension to the ledger. */
export type ToLedger =
  /** Another session's ledger: what is shown goes. */
  | { readonly type: 'session'; readonly state: 'none' | 'live' | 'ended' }
  | { readonly type: 'rows'; readonly rows: readonly LedgerRow[] }
  | { readonly type: 'ended' }
  | { readonly type: 'clearFilter' };

/** From the ledger to the extension. */
export type FromLedger =
  /** The page is loaded: send everything. */
  | { readonly type: 'ready' }
  | { readonly type: 'filter'; readonly filter: LedgerFilter }
  /** A row was clicked, or Enter pressed on it. */
  | { readonly type: 'open'; readonly sequence: number };

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isNumberOrNothing = (value: unknown): value is number | undefined =>
  value === undefined || value === null || typeof value === 'number';

function readFilter(value: unknown): LedgerFilter | undefined {
  if (!isRecord(value)) return undefined;
  const { text, owner, vector, vcpu } = value;
  if (typeof text !== 'string' || (owner !== '' && owner !== 'host' && owner !== 'guest')) return undefined;
  if (!isNumberOrNothing(vector) || !isNumberOrNothing(vcpu)) return undefined;
  return { text, owner, vector: vector ?? undefined, vcpu: vcpu ?? undefined };
}

/** A message of the ledger's, checked; undefined when it is none. */
export function readFromLedger(message: unknown): FromLedger | undefined {
  if (!isRecord(message)) return undefined;
  switch (message['type']) {
    case 'ready':
      return { type: 'ready' };
    case 'filter': {
      const filter = readFilter(message['filter']);
      return filter === undefined ? undefined : { type: 'filter', filter };
    }
    case 'open':
      return typeof message['sequence'] === 'number' ? { type: 'open', sequence: message['sequence'] } : undefined;
    default:
      return undefined;
  }
}

/** A filter that was kept from an earlier life of the page. */
export const readKeptFilter = (value: unknown): LedgerFilter | undefined =>
  isRecord(value) ? readFilter(value['filter']) : undefined;
