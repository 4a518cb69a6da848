// One line about a guest that made no progress when its run was cut short.
import { ACTIVITY_HALTED, ACTIVITY_WAIT_FOR_SIPI } from '../core/state-values.ts';
import type { MachineApi } from '../machine/api.ts';

/** Nanoseconds of virtual time with interrupts off that are no critical section any more. */
const HUNG_AFTER = 1_000_000_000n;

/** Says so when every processor that was started is halted or spins with its interrupts off; undefined otherwise. */
export function describeHang(machine: MachineApi): string | undefined {
  const { engine, options } = machine;
  const places: string[] = [];
  for (let vcpu = 0; vcpu < options.cpus; vcpu++) {
    const state = engine.vcpu(vcpu);
    const { activity } = state;
    if (activity === ACTIVITY_WAIT_FOR_SIPI) continue;
    const shut = machine.interruptsOffFor(vcpu);
    if (shut === undefined || (activity !== ACTIVITY_HALTED && shut < HUNG_AFTER)) return undefined;
    const rip = state.rip + state.cs.base;
    places.push(
      `vCPU ${vcpu} ${activity === ACTIVITY_HALTED ? 'is halted' : 'spins'} at 0x${BigInt.asUintN(64, rip).toString(16)}`,
    );
  }
  return `The guest hangs with interrupts off on every processor: ${places.join(', ')}.`;
}
