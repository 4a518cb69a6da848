/** How a session lets time pass between slices of the guest. */
import type { Backlog, Scheduler } from '../debugger/execution.ts';
import type { MachineApi } from '../machine/api.ts';
import type { AdapterHost } from './host.ts';

/** A machine without work looks up this often, in milliseconds: input and pauses are not to wait longer. */
const LONGEST_IDLE = 10;

/**
 * With an interactive console idle time passes as the wall clock does, so that a guest that waits for its user waits
 * as on real hardware; else the clock jumps to the next timer. What the guest computes is the same either way: it
 * wakes at its timers' deadlines, and those are virtual.
 */
export function sessionScheduler(
  host: AdapterHost,
  machine: MachineApi,
  interactive: boolean,
  between: () => void,
  backlog: Backlog,
): Scheduler {
  return {
    backlog,
    idleJumps: !interactive,
    async yield() {
      between();
      await host.scheduler.yield();
    },
    async idle() {
      between();
      const { clock, nextDeadline } = machine;
      const before = host.now();
      const left = nextDeadline === undefined ? LONGEST_IDLE : Number(nextDeadline - clock) / 1e6;
      await host.scheduler.wait(Math.max(0, Math.min(left, LONGEST_IDLE)));
      if (!interactive) return;
      const elapsed = Math.max(1, Math.round((host.now() - before) * 1e6));
      machine.skipIdle(clock + BigInt(elapsed));
    },
  };
}
