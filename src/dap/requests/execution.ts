/** continue, pause and the steps. Answers come at once; stops are events. */
import { continuePlan } from '../../debugger/plan.ts';
import type { Plan } from '../../debugger/plan.ts';
import { StepAlone } from '../../debugger/step-alone.ts';
import { ProtocolError } from '../errors.ts';
import type { Call, Group } from '../protocol.ts';
import type { Session } from '../session.ts';

interface StepArguments {
  readonly threadId: number;
  readonly singleThread?: boolean;
  readonly granularity?: string;
}

export function execution(session: Session): Group<'continue' | 'next' | 'stepIn' | 'stepOut' | 'pause'> {
  const step = async (
    argument: StepArguments,
    call: Call,
    make: (vcpu: number, instruction: boolean) => Plan | Promise<Plan>,
  ): Promise<undefined> => {
    session.requireStopped();
    const vcpu = session.vcpuOf(argument.threadId);
    const offline = session.status(vcpu)?.activity === 'waitSipi';
    if (offline)
      throw new ProtocolError(
        'notAvailable',
        `vCPU ${vcpu} has not been started by the guest yet (it waits for SIPI), so it cannot step.`,
      );
    // `singleThread` is an explicit command: this vCPU alone, the others stand still.
    const plan =
      argument.singleThread === true ? new StepAlone(vcpu) : await make(vcpu, argument.granularity === 'instruction');
    // Another request may have resumed the guest while symbols were asked.
    session.requireStopped();
    session.continued(vcpu);
    session.state = 'running';
    call.after(() => session.run(plan));
    return undefined;
  };

  return {
    continue(argument, call) {
      session.requireStopped();
      session.vcpuOf(argument.threadId);
      if (argument.singleThread === true) {
        throw new ProtocolError(
          'notAvailable',
          'One vCPU cannot run on its own for long; step it alone (Step Only This vCPU), or continue all.',
        );
      }
      session.state = 'running';
      call.after(() => session.run(continuePlan));
      return { allThreadsContinued: true };
    },
    next: (argument, call) =>
      step(argument, call, (vcpu, instruction) =>
        instruction ? session.debugger.stepInstruction(vcpu, true) : session.debugger.stepLine(vcpu, 'over'),
      ),
    stepIn: (argument, call) =>
      step(argument, call, (vcpu, instruction) =>
        instruction ? session.debugger.stepInstruction(vcpu, false) : session.debugger.stepLine(vcpu, 'in'),
      ),
    stepOut: (argument, call) => step(argument, call, (vcpu) => session.debugger.stepOut(vcpu)),
    pause(argument) {
      session.pauseWish = session.vcpuOf(argument.threadId);
      if (session.state === 'ended') throw new ProtocolError('ended', 'The machine has stopped for good.');
      // Pausing what stands still is no error and no event.
      if (session.state === 'running') session.launched.execution.pause();
      return undefined;
    },
  };
}
