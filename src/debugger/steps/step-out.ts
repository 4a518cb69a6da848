/** Runs until the function of the innermost physical frame has returned. */
import type { PhysicalFrame } from '../stack/unwind.ts';
import { unwindStack } from '../stack/unwind.ts';
import type { PlanAnswer } from '../plan.ts';
import { dwarfRegisters } from '../../symbols/index.ts';
import type { Return } from './flow.ts';
import { StepPlan } from './step-plan.ts';
import type { StepHost } from './step-plan.ts';

export class StepOut extends StepPlan {
  readonly remark: string | undefined;

  constructor(
    host: StepHost,
    vcpu: number,
    { alone = false, remark }: { readonly alone?: boolean; readonly remark?: string | undefined } = {},
  ) {
    super(host, vcpu, 'insn-whole', alone);
    this.remark = remark;
  }
  async start(): Promise<PlanAnswer> {
    const stack = await unwindStack(this.host.target, this.host.modules, this.vcpu, 2);
    const caller = returnTo(stack[1]);
    return caller === undefined ? { kind: 'report' } : this.runToReturn(caller, () => this.resumed());
  }
  protected stepped(): Promise<PlanAnswer> {
    return Promise.resolve(this.done());
  }
  protected resumed(): Promise<PlanAnswer> {
    return Promise.resolve(this.done());
  }
}

/** Where the return into a caller's frame ends; undefined when its stack pointer is not known. */
export function returnTo(caller: PhysicalFrame | undefined): Return | undefined {
  const stackPointer = caller?.registers.get(dwarfRegisters(caller.machine).stackPointer);
  return caller === undefined || stackPointer === undefined ? undefined : { pc: caller.pc, stackPointer };
}
