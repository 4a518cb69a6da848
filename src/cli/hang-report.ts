// One line about a guest that made no progress when its run was cut short.
import * as L from '../core/layout.ts';
import type { MachineApi } from '../machine/api.ts';

/** Nanoseconds of virtual time with interrupts off that are no critical section any more. */
const HUNG_AFTER = 1_000_000_000n;
const HALTED = 1;
const WAIT_FOR_SIPI = 2;

/** Says so when every processor that was started is halted or spins with its interrupts off; undefined otherwise. */
export function describeHang(machine: MachineApi): string | undefined {
  const { engine, options } = machine;
  const places: string[] = [];
  for (let vcpu = 0; vcpu < options.cpus; vcpu++) {
    const activity = engine.get32(L.ACTIVITY, vcpu);
    if (activity === WAIT_FOR_SIPI) continue;
    const shut = machine.interruptsOffFor(vcpu);
    if (shut === undefined || (activity !== HALTED && shut < HUNG_AFTER)) return undefined;
    const rip = engine.get64(L.RIP, vcpu) + engine.get64(L.CS, vcpu);
    places.push(
      `vCPU ${vcpu} ${activity === HALTED ? 'is halted' : 'spins'} at 0x${BigInt.asUintN(64, rip).toString(16)}`,
    );
  }
  return `The guest hangs with interrupts off on every processor: ${places.join(', ')}.`;
}
