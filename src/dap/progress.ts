/** Requests under way: which can be cancelled, and which have taken so long that the client is shown their progress. */
import { PROGRESS_AFTER, type Clock, type RequestCall } from './call.ts';
import type { EventSender } from './dispatcher.ts';

/** Milliseconds between two looks at what is under way. */
const PACE = 100;

export class CallsUnderWay {
  private readonly calls = new Set<RequestCall>();
  private readonly clock: Clock;
  private readonly events: EventSender;
  private readonly isShown: () => boolean;
  private watching = false;
  private lastId = 0;

  /** @param isShown whether the client shows progress at all */
  constructor(clock: Clock, events: EventSender, isShown: () => boolean) {
    this.clock = clock;
    this.events = events;
    this.isShown = isShown;
  }

  add(call: RequestCall): void {
    this.calls.add(call);
    if (this.isShown() && !this.watching) void this.watch();
  }
  /** The request has its answer. */
  remove(call: RequestCall): void {
    this.calls.delete(call);
    const { progressId } = call;
    if (progressId !== undefined) this.events.event('progressEnd', { progressId });
  }

  /** Cancels the request of this number, or the one whose progress has this id. What is answered already is none. */
  cancel(requestId: number | undefined, progressId: string | undefined): void {
    for (const call of this.calls) {
      if (requestId !== undefined ? call.seq === requestId : call.progressId === progressId) call.cancel();
    }
  }

  private async watch(): Promise<void> {
    this.watching = true;
    while (this.calls.size > 0) {
      await this.clock.scheduler.wait(PACE);
      for (const call of this.calls) this.show(call);
    }
    this.watching = false;
  }

  private show(call: RequestCall): void {
    if (this.clock.now() - call.begun < PROGRESS_AFTER) return;
    const percentage = call.share === undefined ? {} : { percentage: Math.min(100, Math.floor(call.share * 100)) };
    const { progressId } = call;
    if (progressId !== undefined) {
      this.events.event('progressUpdate', { progressId, message: call.title, ...percentage });
      return;
    }
    call.progressId = `progress ${++this.lastId}`;
    this.events.event('progressStart', {
      progressId: call.progressId,
      title: call.title,
      requestId: call.seq,
      cancellable: true,
      ...percentage,
    });
  }
}
