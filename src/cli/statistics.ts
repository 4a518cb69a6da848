// The JSON object of --stats; its shape is public API.
import type { MachineApi } from '../machine/api.ts';
import * as L from '../core/layout.ts';

export interface Statistics {
  /** Instructions retired and events delivered, of all vCPUs. */
  readonly instructions: number;
  readonly virtualNs: number;
  readonly wallMs: number;
  /** Million instructions a second of wall time. */
  readonly mips: number;
  readonly perVcpu: readonly { readonly vcpu: number; readonly instructions: number }[];
  readonly jit: {
    /** Part of the instructions that ran in compiled regions, 0 to 1. */
    readonly share: number;
    readonly regions: number;
    readonly modules: number;
    readonly instructions: number;
    readonly compileMs: number;
    readonly exits: Readonly<Record<string, number>>;
    readonly failures: Readonly<Record<string, number>>;
  };
  /** Debug traps (#DB, #BP): stopped for the host, or given to the guest. */
  readonly traps: { readonly hostOwned: number; readonly reinjected: number };
  readonly digest: string;
  readonly exit: { readonly reason: string; readonly status: number };
}

/** Collects what the machine knows at the end of a run. */
export function statisticsOf(
  machine: MachineApi,
  wallMs: number,
  traps: Statistics['traps'],
  exit: Statistics['exit'],
): Statistics {
  const instructions = Number(machine.instructions);
  return {
    instructions,
    virtualNs: Number(machine.clock),
    wallMs: Math.round(wallMs),
    mips: wallMs > 0 ? Math.round(instructions / wallMs / 10) / 100 : 0,
    perVcpu: Array.from({ length: machine.options.cpus }, (_, vcpu) => ({
      vcpu,
      instructions: Number(machine.engine.get64(L.RETIRED, vcpu)),
    })),
    jit: {
      share: instructions > 0 ? Number(machine.engine.compiledTicks) / instructions : 0,
      ...(machine.jitStatistics ?? { regions: 0, modules: 0, instructions: 0, compileMs: 0, exits: {}, failures: {} }),
    },
    traps,
    digest: machine.digest(),
    exit,
  };
}
