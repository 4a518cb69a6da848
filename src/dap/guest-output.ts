/** What one machine has to say while it runs, gathered and sent at a bearable pace: log points, serial port, ledger. */
import type { LogLine } from '../debugger/hit-filter.ts';
import type { GuestDebugApi } from '../guestdebug/api.ts';
import type { EventSender } from './dispatcher.ts';
import type { SerialOutput } from './serial.ts';

/** Ledger events are sent at most this often, in milliseconds. */
const LEDGER_PACE = 100;

export class GuestOutput {
  private readonly events: EventSender;
  private readonly api: Pick<GuestDebugApi, 'ledgerSize'>;
  private readonly now: () => number;
  private readonly serial: SerialOutput;
  private readonly log: LogLine[] = [];
  private ledgerSaid = 0;
  private ledgerSaidAt = -Infinity;

  /** @param now milliseconds of a monotone clock */
  constructor(events: EventSender, api: Pick<GuestDebugApi, 'ledgerSize'>, serial: SerialOutput, now: () => number) {
    this.events = events;
    this.api = api;
    this.serial = serial;
    this.now = now;
  }

  logged(line: LogLine): void {
    this.log.push(line);
  }
  /** Called between slices. */
  pace(): void {
    this.sendLog();
    this.serial.pace();
    const now = this.now();
    if (now - this.ledgerSaidAt >= LEDGER_PACE) this.sendLedger(now);
  }
  /** Sends everything: the guest stands still, or is about to go. */
  flush(): void {
    this.sendLog();
    this.serial.flush();
    this.sendLedger(this.now());
  }

  private sendLog(): void {
    for (const { text } of this.log.splice(0))
      this.events.event('output', { category: 'console', output: `${text}\n` });
  }
  private sendLedger(now: number): void {
    const size = this.api.ledgerSize;
    if (size === this.ledgerSaid) return;
    this.ledgerSaid = size;
    this.ledgerSaidAt = now;
    this.events.event('trapline/ledgerAppended', { size });
  }
}
