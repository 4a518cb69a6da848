import type { LedgerRow } from '../words/ledger.ts';

/** As many rows as the guest-debug layer keeps. */
const CAPACITY = 65_536;

/** The rows of one session's trap ledger, oldest first; the oldest go when there are too many. */
export class LedgerRows {
  #rows: LedgerRow[] = [];

  get all(): readonly LedgerRow[] {
    return this.#rows;
  }

  /** Sequence number of the next row to ask for. */
  get next(): number {
    return (this.#rows.at(-1)?.sequence ?? -1) + 1;
  }

  clear(): void {
    this.#rows = [];
  }

  add(rows: readonly LedgerRow[]): void {
    for (const row of rows) if (row.sequence >= this.next) this.#rows.push(row);
    // In large steps: cutting an array costs as much as it is long.
    if (this.#rows.length > CAPACITY * 1.25) this.#rows = this.#rows.slice(-CAPACITY);
  }

  /** Rows from a sequence number on. Numbers rise, but rows may be missing. */
  since(sequence: number): readonly LedgerRow[] {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle]?.sequence ?? 0) < sequence) low = middle + 1;
      else high = middle;
    }
    return this.#rows.slice(low);
  }
}
