/** What a running command of the user (continue, step in, step out...) does at each stop of the guest-debug layer. */
import type { Resume, StopRecord } from '../guestdebug/api.ts';

/** What happens after a stop: go on unseen, or report. */
export type PlanAnswer =
  | { readonly kind: 'resume'; readonly how: Resume }
  /** The command is done: the vCPU stands where the user wanted it. */
  | { readonly kind: 'done'; readonly vcpu: number }
  /** The stop has a reason of its own: a breakpoint, a pause, a shutdown. */
  | { readonly kind: 'report' };

export interface Plan {
  /** What the user should know before it runs: that it relies on a guess. */
  readonly remark?: string | undefined;
  /** How the guest goes on first; undefined when there is nothing to run. */
  start(): Promise<PlanAnswer>;
  stopped(record: StopRecord): Promise<PlanAnswer>;
  /** Takes away what the plan had set. Always called once, at the end. */
  dispose(): void;
}

export const continuePlan: Plan = {
  start: () => Promise.resolve({ kind: 'resume', how: { kind: 'continue' } }),
  stopped: () => Promise.resolve({ kind: 'report' }),
  dispose: () => undefined,
};
