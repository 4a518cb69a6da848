/** Runs the guest in short slices under a plan, and lets messages in between. */
import type { Ending, GuestDebugApi, Resume, SliceResult, StopRecord } from '../guestdebug/api.ts';
import type { Plan } from './plan.ts';

/** The world's clock and event queue, as far as the run loop needs them. */
export interface Scheduler {
  /** Lets messages, timers and I/O of the host in, then goes on. */
  yield(): Promise<void>;
  /** No vCPU has work: waits until something may have changed (input, a message, a timer), some ten milliseconds at most. */
  idle(): Promise<void>;
  /** Whether the clock jumps over idle time; else `idle` lets it pass. */
  readonly idleJumps: boolean;
  readonly backlog: Backlog;
}

/** What the guest has said and nobody has read yet. */
export interface Backlog {
  /** It is so much that the guest has to wait. */
  readonly full: boolean;
  /** Resolves when `full` may be another, or when `wake` is called. */
  changed(): Promise<void>;
  wake(): void;
}

export type RunOutcome =
  /** The plan reached its end: a step is done. */
  | { readonly kind: 'stepped'; readonly vcpu: number }
  | { readonly kind: 'stopped'; readonly record: StopRecord }
  /** A pause was asked for between two internal stops of a step. */
  | { readonly kind: 'paused'; readonly vcpu: number }
  | { readonly kind: 'ended'; readonly status: number; readonly ending: Ending }
  /** `abandon` was called: nothing may be reported any more. */
  | { readonly kind: 'abandoned' };

/** Instructions of a slice: a few milliseconds of an interpreter at some 20 million instructions a second. */
const SLICE_TICKS = 60_000;
/** Leases and other internal stops that may follow each other before messages are let in. */
const INTERNAL_STOPS = 64;

export class Execution {
  private readonly api: GuestDebugApi;
  private readonly scheduler: Scheduler;
  /** Looks at each stop before the plan does; true: it is not the user's business, the guest goes on as it did. */
  interlude: (record: StopRecord) => Promise<boolean> = () => Promise.resolve(false);
  private abandoned = false;
  private active = false;
  private pauseAsked = false;

  constructor(api: GuestDebugApi, scheduler: Scheduler) {
    this.api = api;
    this.scheduler = scheduler;
  }

  get running(): boolean {
    return this.active;
  }
  /** The client is gone: the loop ends at the next slice. */
  abandon(): void {
    this.abandoned = true;
    this.scheduler.backlog.wake();
  }

  /** Asks for a stop at the next boundary, wherever a step is just then. */
  pause(): void {
    this.pauseAsked = true;
    // In the middle of a step the world may stand still for a moment that nobody has seen.
    if (!this.api.stopped) this.api.pause();
    this.scheduler.backlog.wake();
  }

  /** Runs until the plan is done, something is to be reported, or the machine ends. One at a time. */
  async run(plan: Plan): Promise<RunOutcome> {
    this.active = true;
    try {
      return await this.loop(plan);
    } finally {
      plan.dispose();
      this.active = false;
      this.pauseAsked = false;
    }
  }

  private async loop(plan: Plan): Promise<RunOutcome> {
    let answer = await plan.start();
    let internal = 0;
    for (;;) {
      if (this.abandoned) return { kind: 'abandoned' };
      if (answer.kind === 'done') return { kind: 'stepped', vcpu: answer.vcpu };
      if (answer.kind === 'report') return this.report();
      if (this.pauseAsked) return { kind: 'paused', vcpu: this.api.reporter?.vcpu ?? 0 };
      const result = await this.untilStop(answer.how);
      if (result === undefined) return { kind: 'abandoned' };
      if (result.kind === 'ended') return result;
      if (await this.interlude(result.reporter)) continue;
      answer = await plan.stopped(result.reporter);
      if (answer.kind === 'report') return { kind: 'stopped', record: result.reporter };
      if (++internal % INTERNAL_STOPS === 0) await this.letIn('yield');
    }
  }

  private report(): RunOutcome {
    const record = this.api.reporter;
    return record === undefined ? { kind: 'stepped', vcpu: 0 } : { kind: 'stopped', record };
  }

  private async untilStop(how: Resume): Promise<Extract<SliceResult, { kind: 'stopped' | 'ended' }> | undefined> {
    let result = this.api.resume(how);
    for (;;) {
      if (result.kind === 'stopped' || result.kind === 'ended') return result;
      if (this.abandoned) return undefined;
      result = this.api.runSlice(SLICE_TICKS, { idleJumps: this.scheduler.idleJumps });
      if (result.kind === 'idle') await this.letIn('idle');
      else if (result.kind === 'running') await this.letIn('yield');
    }
  }

  /** Lets the world in between two slices; then waits as long as nobody reads, unless the loop is to end. */
  private async letIn(how: 'yield' | 'idle'): Promise<void> {
    const { scheduler } = this;
    await scheduler[how]();
    while (scheduler.backlog.full && !this.abandoned && !this.pauseAsked) await scheduler.backlog.changed();
  }
}
