/** One instruction of one vCPU while all others stand still: an explicit command, not the unchanged schedule. */
import type { StopRecord } from '../../guestdebug/api.ts';
import type { Plan, PlanAnswer } from '../plan.ts';

export class StepAlone implements Plan {
  private readonly vcpu: number;

  constructor(vcpu: number) {
    this.vcpu = vcpu;
  }
  start(): Promise<PlanAnswer> {
    return Promise.resolve({ kind: 'resume', how: { kind: 'stepAlone', vcpu: this.vcpu, mode: 'insn' } });
  }
  stopped(record: StopRecord): Promise<PlanAnswer> {
    const mine = record.kind === 'step' && record.vcpu === this.vcpu;
    return Promise.resolve(mine ? { kind: 'done', vcpu: this.vcpu } : { kind: 'report' });
  }
  dispose(): void {
    return undefined;
  }
}
