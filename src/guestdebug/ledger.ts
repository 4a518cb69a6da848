// The trap ledger: every decision about a #DB, a #BP or a host cause, in order. A ring of bounded size.
import type { LedgerEntry } from './api.ts';
import { LEDGER_CAPACITY } from './policy.ts';

export class Ledger {
  /** Called for each new row; must not run the machine. */
  onEntry: ((entry: LedgerEntry) => void) | undefined;
  private readonly rows: LedgerEntry[] = [];
  private readonly capacity: number;
  private next = 0;

  constructor(capacity: number = LEDGER_CAPACITY) {
    this.capacity = capacity;
  }
  /** Rows ever written: the sequence of the next one. */
  get size(): number {
    return this.next;
  }
  add(entry: Omit<LedgerEntry, 'sequence'>): LedgerEntry {
    const row: LedgerEntry = { ...entry, sequence: this.next };
    this.rows[this.next % this.capacity] = row;
    this.next++;
    this.onEntry?.(row);
    return row;
  }
  /** Up to `count` rows from sequence `from` on, or from the oldest row that is still kept. */
  read(from: number, count: number): readonly LedgerEntry[] {
    const oldest = Math.max(0, this.next - this.capacity);
    const start = Math.max(from, oldest);
    const end = Math.min(start + Math.max(0, count), this.next);
    const found: LedgerEntry[] = [];
    for (let sequence = start; sequence < end; sequence++) {
      const row = this.rows[sequence % this.capacity];
      if (row) found.push(row);
    }
    return found;
  }
}
