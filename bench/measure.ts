// Rounds of all engines over all workloads, in turn, so that a machine whose speed drifts treats them alike.
import { type Engine, countInstructions, engines } from './engines.ts';
import { type Workload, workloads } from './workloads.ts';

export interface Figure {
  readonly engine: string;
  /** Seconds of each round, for its own number of iterations. */
  readonly seconds: readonly number[];
  readonly iterations: number;
  readonly instructions: number;
}
export interface Measured {
  readonly workload: string;
  readonly figures: readonly Figure[];
  /** Part of the instructions that ran compiled under our JIT. */
  readonly compiledShare: number;
}
export interface Selection {
  readonly rounds: number;
  /** Names; undefined: all. */
  readonly workloads: readonly string[] | undefined;
  readonly engines: readonly string[] | undefined;
  /** All counts are divided by this: for a quick look. */
  readonly shorten: number;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
/** Iterations a second, the median of the rounds. */
export const rate = ({ iterations, seconds }: Figure): number => iterations / median(seconds);
/** Million guest instructions a second. */
export const mips = (figure: Figure): number => (rate(figure) * (figure.instructions / figure.iterations)) / 1e6;

export async function measure(
  folder: string,
  { rounds, workloads: names, engines: engineNames, shorten }: Selection,
  say: (line: string) => void,
): Promise<Measured[]> {
  const present = engines.filter(
    ({ name, present: here }) => (engineNames === undefined || engineNames.includes(name)) && here(),
  );
  const measured: Measured[] = [];
  for (const workload of workloads.filter(({ name }) => names === undefined || names.includes(name))) {
    measured.push(
      await measureWorkload(
        folder,
        workload,
        present.filter(({ runs }) => runs(workload)),
        rounds,
        shorten,
      ),
    );
    const text = (measured.at(-1)?.figures ?? []).map((figure) => `${figure.engine} ${mips(figure).toFixed(0)}`);
    say(`${workload.name}: ${text.join(', ')} MIPS`);
  }
  return measured;
}

async function measureWorkload(
  folder: string,
  workload: Workload,
  present: readonly Engine[],
  rounds: number,
  shorten: number,
): Promise<Measured> {
  const count = ({ speed }: Engine): number => shortened(workload, speed, shorten);
  const seconds = new Map(present.map((engine): [Engine, number[]] => [engine, []]));
  for (let round = 0; round < rounds; round++) {
    for (const engine of present) {
      const took = await engine.measure(folder, workload, count(engine));
      if (took !== undefined) seconds.get(engine)?.push(took);
    }
  }
  const instructions = new Map<string, number>();
  let compiledShare = 0;
  for (const bits of [64, 32] as const) {
    if (!present.some((engine) => engine.bits === bits)) continue;
    for (const speed of ['slow', 'fast'] as const) {
      const counted = await countInstructions(folder, workload, shortened(workload, speed, shorten), bits);
      instructions.set(`${speed}${bits}`, counted.instructions);
      if (bits === 64) ({ compiledShare } = counted);
    }
  }
  const figures = present.map((engine) => ({
    engine: engine.name,
    seconds: seconds.get(engine) ?? [],
    iterations: count(engine),
    instructions: instructions.get(`${engine.speed}${engine.bits}`) ?? 0,
  }));
  return {
    workload: workload.name,
    figures: figures.filter((figure) => figure.seconds.length > 0),
    compiledShare,
  };
}
/** fib's work grows with the golden ratio: a shorter run takes some steps off instead of a factor. */
function shortened({ name, iterations }: Workload, speed: 'fast' | 'slow', by: number): number {
  if (name !== 'fib') return Math.max(1, Math.round(iterations[speed] / by));
  return Math.round(iterations[speed] - Math.log(by) / Math.log(1.618));
}
