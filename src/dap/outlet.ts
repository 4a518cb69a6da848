/**
 * Back pressure: a client that does not read slows the guest down. What is sent to a client has to stay somewhere until it is
 * taken, so a guest that talks faster than its client listens waits between slices. Nothing that the guest does depends on it.
 */
import type { Backlog } from '../debugger/execution.ts';

/** The way to the client, as far as it fills up. */
export interface Outlet {
  /** Bytes that were sent and that the client has not taken yet. */
  readonly unsent: number;
  /** Calls whenever the client has taken something, or has gone. */
  onDrain(listener: () => void): void;
}

/** A client in the same thread takes everything at once. */
export const freeOutlet: Outlet = { unsent: 0, onDrain: () => undefined };

/** Unsent bytes above which the guest waits. */
export const UNSENT_LIMIT = 4 * 2 ** 20;

/** What the run loop asks of an outlet. */
export class OutletBacklog implements Backlog {
  private readonly outlet: Outlet;
  private waiting: (() => void)[] = [];

  constructor(outlet: Outlet) {
    this.outlet = outlet;
    outlet.onDrain(() => this.wake());
  }
  get full(): boolean {
    return this.outlet.unsent > UNSENT_LIMIT;
  }
  changed(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
  wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** Bytes that any message takes beside its texts. */
const ENVELOPE = 256;

/** About how much memory a message takes that is handed over as an object: its texts, and a little for the rest. */
export function sizeOf(message: unknown): number {
  const body = typeof message === 'object' && message !== null && 'body' in message ? message.body : undefined;
  if (typeof body !== 'object' || body === null) return ENVELOPE;
  return Object.values(body).reduce<number>(
    (sum, value) => sum + (typeof value === 'string' ? value.length : 0),
    ENVELOPE,
  );
}

/** An outlet between two threads: the other end says how many messages it has taken so far. */
export class CountedOutlet implements Outlet {
  unsent = 0;
  private readonly sizes: number[] = [];
  private takenSoFar = 0;
  private listeners: (() => void)[] = [];

  onDrain(listener: () => void): void {
    this.listeners.push(listener);
  }
  /** A message is on its way. */
  sent(message: unknown): void {
    const size = sizeOf(message);
    this.sizes.push(size);
    this.unsent += size;
  }
  /** @param count messages that were taken since the beginning */
  taken(count: number): void {
    const taken = this.sizes.splice(0, Math.max(0, count - this.takenSoFar));
    this.takenSoFar += taken.length;
    for (const size of taken) this.unsent -= size;
    for (const listener of this.listeners) listener();
  }
}

/** What the other end says to a CountedOutlet; no message of the protocol. */
export interface Taken {
  readonly type: 'trapline/taken';
  readonly count: number;
}
export function isTaken(message: unknown): message is Taken {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    message.type === 'trapline/taken' &&
    'count' in message &&
    typeof message.count === 'number'
  );
}
