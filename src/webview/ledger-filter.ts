// Which rows of the trap ledger are shown. The webview filters, and the extension copies what the webview shows.
import { causesText, dispositionText, ownerWord, ruleText, type LedgerRow } from '../words/ledger.ts';
import { vectorName } from '../words/vectors.ts';
import type { LedgerFilter } from './protocol.ts';

export const noFilter: LedgerFilter = { text: '', owner: '', vector: undefined, vcpu: undefined };

/** Whether a filter lets everything through. */
export const isEmptyFilter = (filter: LedgerFilter): boolean =>
  filter.text.trim() === '' && filter.owner === '' && filter.vector === undefined && filter.vcpu === undefined;

/** A test for rows: every word of the text must be somewhere in the row, whatever the case. */
export function matcher(filter: LedgerFilter): (row: LedgerRow) => boolean {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => {
    if (filter.owner !== '' && row.owner !== filter.owner) return false;
    if (filter.vector !== undefined && row.vector !== filter.vector) return false;
    if (filter.vcpu !== undefined && row.vcpu !== filter.vcpu) return false;
    if (words.length === 0) return true;
    const text =
      `${row.sequence} vcpu ${row.vcpu} ${vectorName(row.vector)} ${row.rip} ${row.symbol ?? ''} ${causesText(row)} ${ownerWord(row)} ${dispositionText(row.disposition)} ${ruleText(row.rule)}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}
