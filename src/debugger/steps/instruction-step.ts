/** One instruction; step over runs a call, or the handler of what the instruction raised, as one. */
import type { StopRecord } from '../../guestdebug/api.ts';
import type { PlanAnswer } from '../plan.ts';
import type { StepHost } from './step-plan.ts';
import { StepPlan } from './step-plan.ts';

export class InstructionStep extends StepPlan {
  private readonly over: boolean;

  constructor(host: StepHost, vcpu: number, over: boolean, alone = false) {
    super(host, vcpu, over ? 'insn-whole' : 'insn', alone);
    this.over = over;
  }
  start(): Promise<PlanAnswer> {
    return Promise.resolve(this.lease());
  }
  /** Into an exception's handler goes only who steps in. */
  protected override through(delivery: NonNullable<StopRecord['delivery']>): PlanAnswer | undefined {
    return this.over ? super.through(delivery) : undefined;
  }
  protected stepped(): Promise<PlanAnswer> {
    const call = this.over ? this.call() : undefined;
    return Promise.resolve(call === undefined ? this.done() : this.runToReturn(call, () => this.resumed()));
  }
  protected resumed(): Promise<PlanAnswer> {
    return Promise.resolve(this.done());
  }
}
