/** continue, pause and the steps. Answers come at once; stops are events. */
import { continuePlan } from '../../debugger/plan.ts';
import type { Plan } from '../../debugger/plan.ts';
import type { Arguments } from '../arguments.ts';
import { ProtocolError } from '../errors.ts';
import type { Call, Group } from '../protocol.ts';
import type { Session } from '../session.ts';

export function execution(session: Session): Group<'continue' | 'next' | 'stepIn' | 'stepOut' | 'pause'> {
  const step = async (
    argument: Arguments['next'],
    call: Call,
    make: (vcpu: number, instruction: boolean, alone: boolean) => Plan | Promise<Plan>,
  ): Promise<undefined> => {
    session.life.require('resume');
    const guest = session.launched;
    const vcpu = session.vcpuOf(argument.threadId);
    const offline = session.status(vcpu)?.activity === 'waitSipi';
    if (offline)
      throw new ProtocolError(
        'notAvailable',
        `vCPU ${vcpu} has not been started by the guest yet (it waits for SIPI), so it cannot step.`,
      );
    // `singleThread` is an explicit command: this vCPU alone, the others stand still.
    const alone = argument.singleThread === true;
    const plan: Plan = await make(vcpu, argument.granularity === 'instruction', alone);
    // Another request may have resumed or restarted the guest while symbols were asked.
    session.life.require('resume');
    if (!session.isCurrent(guest)) throw new ProtocolError('notStopped', 'notStopped');
    session.life.request('resume');
    if (plan.remark !== undefined) session.output('console', plan.remark);
    session.continued(vcpu, alone);
    call.after(() => session.run(guest, plan));
    return undefined;
  };

  return {
    continue(argument, call) {
      session.life.require('resume');
      const guest = session.launched;
      session.vcpuOf(argument.threadId);
      if (argument.singleThread === true) {
        throw new ProtocolError(
          'notAvailable',
          'One vCPU cannot run on its own for long; step it alone (Step Only This vCPU), or continue all.',
        );
      }
      session.life.request('resume');
      call.after(() => session.run(guest, continuePlan));
      return { allThreadsContinued: true };
    },
    next: (argument, call) =>
      step(argument, call, (vcpu, instruction, alone) =>
        instruction
          ? session.debugger.stepInstruction(vcpu, true, alone)
          : session.debugger.stepLine(vcpu, 'over', alone),
      ),
    stepIn: (argument, call) =>
      step(argument, call, (vcpu, instruction, alone) =>
        instruction
          ? session.debugger.stepInstruction(vcpu, false, alone)
          : session.debugger.stepLine(vcpu, 'in', alone),
      ),
    stepOut: (argument, call) =>
      step(argument, call, (vcpu, _instruction, alone) => session.debugger.stepOut(vcpu, alone)),
    pause(argument) {
      session.life.require('pause');
      session.pause(session.vcpuOf(argument.threadId));
      return undefined;
    },
  };
}
