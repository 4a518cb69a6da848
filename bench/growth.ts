// How the cost of a machine grows with its memory, its processors, and the breakpoints and watchpoints on it: the gcc -O2
// program under the guest-debug layer, in this process, after one run that warms the engine up.
import { readFile } from 'node:fs/promises';
import { loadEngineModules } from '../src/entry/node-files.ts';
import type { EngineModules } from '../src/core/engine.ts';
import { GuestDebug } from '../src/guestdebug/guest-debug.ts';
import { loadMultiboot } from '../src/machine/boot/multiboot.ts';
import { Machine } from '../src/machine/machine.ts';
import { buildKernel, type Workload, workloads } from './workloads.ts';

export interface GrowthPoint {
  readonly value: number;
  /** Milliseconds to make the machine, and to run the program on it. */
  readonly startMs: number;
  readonly runMs: number;
  /** What was asked for and refused: a processor has four debug registers. */
  readonly refused: number;
}
export interface Growth {
  readonly of: string;
  readonly points: readonly GrowthPoint[];
}
interface Setting {
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly breakpoints: number;
  readonly watchpoints: number;
}
const PLAIN: Setting = { memoryMiB: 128, cpus: 1, breakpoints: 0, watchpoints: 0 };
const ITERATIONS = 150;
const SLICE = 1_000_000;
/** Where nothing of the program is: 32 MiB and up. */
const ELSEWHERE = 0x200_0000n;

function measurePoint(modules: EngineModules, kernel: Uint8Array, setting: Setting, value: number): GrowthPoint {
  const started = performance.now();
  const machine = new Machine(modules, { cpus: setting.cpus, memorySize: setting.memoryMiB * 2 ** 20 });
  loadMultiboot(machine.engine, { kernel: { name: 'program', bytes: kernel, commandLine: '' } });
  const layer = new GuestDebug(machine, {});
  let refused = 0;
  const count = (verified: boolean): void => void (refused += verified ? 0 : 1);
  for (let i = 0; i < setting.breakpoints; i++) {
    count(layer.set({ kind: 'execution', linear: ELSEWHERE + 16n * BigInt(i) }).verified);
  }
  for (let i = 0; i < setting.watchpoints; i++) {
    count(layer.set({ kind: 'data', linear: ELSEWHERE + 4096n * BigInt(i), size: 8, access: 'write' }).verified);
  }
  const ready = performance.now();
  while (layer.runSlice(SLICE).kind === 'running');
  return { value, startMs: ready - started, runMs: performance.now() - ready, refused };
}

const curves: readonly { of: string; values: readonly number[]; setting: (value: number) => Partial<Setting> }[] = [
  { of: 'MiB of RAM', values: [64, 256, 1024, 2048], setting: (memoryMiB) => ({ memoryMiB }) },
  { of: 'processors', values: [1, 2, 4, 8, 16], setting: (cpus) => ({ cpus }) },
  { of: 'breakpoints', values: [0, 10, 100, 1000, 10_000], setting: (breakpoints) => ({ breakpoints }) },
  { of: 'watchpoints', values: [0, 1, 4, 100, 1000], setting: (watchpoints) => ({ watchpoints }) },
];
export async function measureGrowth(
  folder: string,
  rounds: number,
  say: (line: string) => void,
): Promise<readonly Growth[]> {
  const modules = await loadEngineModules();
  const program = workloads.find(({ name }) => name === 'program') as Workload;
  const kernel = await readFile(await buildKernel(folder, program, ITERATIONS, 64));
  measurePoint(modules, kernel, PLAIN, 0);
  const median = (points: readonly GrowthPoint[], of: (point: GrowthPoint) => number): number =>
    points.map(of).sort((a, b) => a - b)[points.length >> 1] ?? Number.NaN;
  return curves.map(({ of, values, setting }) => {
    const points = values.map((value) => {
      const runs = Array.from({ length: rounds }, () =>
        measurePoint(modules, kernel, { ...PLAIN, ...setting(value) }, value),
      );
      const refused = runs[0]?.refused ?? 0;
      return { value, startMs: median(runs, (p) => p.startMs), runMs: median(runs, (p) => p.runMs), refused };
    });
    say(`${of}: ${points.map(({ value, runMs }) => `${value}: ${runMs.toFixed(0)} ms`).join(', ')}`);
    return { of, points };
  });
}
