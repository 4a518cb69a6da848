// The JSON object of --stats; its shape is public API.
import type { JitStatistics } from '../jit/jit.ts';
import { compiledShare, type MachineApi } from '../machine/api.ts';

/** Of a machine that interprets everything. */
const NOTHING_COMPILED: JitStatistics = {
  regions: 0,
  modules: 0,
  instructions: 0,
  bytes: 0,
  compileMs: 0,
  exits: {},
  failures: {},
};

export interface Statistics {
  /** Instructions retired and events delivered, of all vCPUs. */
  readonly instructions: number;
  readonly virtualNs: number;
  readonly wallMs: number;
  /** Million instructions a second of wall time. */
  readonly mips: number;
  readonly perVcpu: readonly { readonly vcpu: number; readonly instructions: number }[];
  /** All zero and empty with --no-jit. */
  readonly jit: JitStatistics & {
    /** Part of the instructions that ran in compiled regions, 0 to 1. */
    readonly share: number;
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
      instructions: Number(machine.engine.vcpu(vcpu).retired),
    })),
    jit: {
      share: compiledShare(machine),
      ...(machine.jitStatistics ?? NOTHING_COMPILED),
    },
    traps,
    digest: machine.digest(),
    exit,
  };
}
