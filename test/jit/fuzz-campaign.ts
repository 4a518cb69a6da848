// Random programs in both engines, stopped at the same random places; what differs is made as small as it goes.
import type { EngineModules } from '../../src/core/engine.ts';
import * as L from '../../src/core/layout.ts';
import { layOut, type Piece, randomPieces } from './fuzz-program.ts';
import { initialRegisters, Rig, type RigOptions } from './fuzz-rig.ts';
import { type Random, randomOf } from '../harness/random.ts';

const STOPS = 10;
const LONGEST = 3000;
const DATA_BYTES = 0x6000;
/** Programs after which the rigs are built anew. */
const RIG_LIFE = 400;
const RIGS: readonly RigOptions[] = [
  { maximumModules: 1, batch: 1 },
  { maximumModules: 3, batch: 1 },
  { maximumModules: 2000, batch: 1 },
  { maximumModules: 2, batch: 4 },
  { maximumModules: 2000, batch: 32 },
];
const THRESHOLDS = [1, 1, 2, 5];

export interface Difference {
  readonly program: number;
  /** What differs, and the smallest program that shows it. */
  readonly account: string;
}
/** What the programs went through. */
export interface Sights {
  ticks: number;
  compiled: number;
  faults: number;
  interrupts: number;
  /** Stops in ring 3. */
  user: number;
}
export interface CampaignResult {
  readonly differences: readonly Difference[];
  readonly programs: number;
  readonly sights: Readonly<Sights>;
  readonly regions: number;
  readonly failures: Readonly<Record<string, number>>;
}
interface Program {
  readonly pieces: readonly Piece[];
  readonly rig: number;
  readonly threshold: number;
  /** Of the stops and of what the host does at them. */
  readonly stopSeed: number;
  readonly registers: readonly bigint[];
  readonly data: Uint8Array;
}

/** The n-th program of a campaign: each can be had again alone. */
function randomProgram(seed: number, number: number): Program {
  const random = randomOf(seed, 'program', number);
  const pieces = randomPieces(random, 50 + random(451));
  const registers = initialRegisters(random);
  const data = Uint8Array.from({ length: DATA_BYTES }, () => random(256));
  const threshold = THRESHOLDS[random(THRESHOLDS.length)] ?? 1;
  return { pieces, rig: random(RIGS.length), threshold, stopSeed: random(2 ** 32), registers, data };
}

/** One program to its end in both engines: what differs. `kept`: the pieces that it has. */
function compare(
  program: Program,
  kept: readonly boolean[],
  [reference, derived]: readonly [Rig, Rig],
  sights: Sights,
): string | undefined {
  const { pieces, threshold, stopSeed, registers, data } = program;
  const layout = layOut(pieces, kept);
  for (const rig of [reference, derived]) rig.start({ layout, registers, data, threshold });
  const random = randomOf(stopSeed, 'stops');
  const before = derived.engine.compiledTicks;
  let ticks = 0;
  let difference: string | undefined;
  for (let stop = 0; stop < STOPS; stop++) {
    const budget = 1 + random(random(3) === 0 ? 20 : LONGEST);
    const [expected, got] = [reference.run(budget), derived.run(budget)];
    ticks += expected.used;
    const same = expected.code === got.code && expected.used === got.used;
    difference = same
      ? stateDifference(reference, derived)
      : `interpreter ${JSON.stringify(expected)}, JIT ${JSON.stringify(got)}`;
    if (reference.ring === 3) sights.user++;
    if (difference !== undefined) difference = `stop ${stop} at tick ${ticks}: ${difference}`;
    if (difference !== undefined || expected.code !== L.RUN_SPENT) break;
    disturb(random, reference, derived);
  }
  const { faults, interrupts } = reference.handled;
  sights.ticks += ticks;
  sights.compiled += Number(derived.engine.compiledTicks - before);
  sights.faults += faults;
  sights.interrupts += interrupts;
  return difference;
}
const noSights = (): Sights => ({ ticks: 0, compiled: 0, faults: 0, interrupts: 0, user: 0 });
/** What the host may do at any stop: the guest must not see it. An interrupt is the guest's business, so both get it. */
function disturb(random: Random, reference: Rig, derived: Rig): void {
  switch (random(8)) {
    case 0:
      derived.engine.system.flushTags();
      break;
    case 1:
      derived.engine.flushBlocks();
      break;
    case 2:
      reference.engine.flushBlocks();
      break;
    case 3:
      for (const rig of [reference, derived]) rig.interrupt();
      break;
    default:
  }
}
const NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'];
const registerName = (i: number): string => NAMES[i] ?? `r${i}`;
const hex = (value: number | bigint): string => value.toString(16);

/** The first things that differ; undefined: nothing does. */
function stateDifference(reference: Rig, derived: Rig): string | undefined {
  const found: string[] = [];
  if (Buffer.compare(reference.state, derived.state) !== 0) {
    const note = (name: string, slot: number): void => {
      const [a, b] = [
        reference.engine.rawView.getBigUint64(slot, true),
        derived.engine.rawView.getBigUint64(slot, true),
      ];
      if (a !== b) found.push(`${name} ${hex(a)} in the interpreter, ${hex(b)} in the JIT`);
    };
    for (let i = 0; i < 16; i++) note(registerName(i), L.REGS + 8 * i);
    note('rip', L.RIP);
    for (let slot = L.STATE; slot < L.STATE_GUEST_END; slot += 8) {
      if (slot < L.REGS || (slot >= L.REGS + 128 && slot !== L.RIP)) note(`state ${hex(slot)}`, slot);
    }
    if (found.length === 0) found.push('the architectural TLB');
  }
  const [one, two] = [reference.ram, derived.ram];
  if (Buffer.compare(one, two) !== 0) {
    const at = one.findIndex((byte, i) => byte !== two[i]);
    found.push(`byte ${hex(at)} of RAM is ${hex(one[at] ?? 0)} in the interpreter, ${hex(two[at] ?? 0)} in the JIT`);
  }
  return found.length === 0 ? undefined : found.join('; ');
}

/** Leaves out pieces, many at first, as long as the engines still differ. */
function minimise(modules: EngineModules, program: Program): string {
  const attempt = (kept: readonly boolean[]): string | undefined => {
    const pair = [new Rig(modules, undefined), new Rig(modules, RIGS[program.rig])] as const;
    return compare(program, kept, pair, noSights());
  };
  let kept = program.pieces.map(() => true);
  let difference = attempt(kept);
  if (difference === undefined) return 'not seen again in machines of its own: it depends on the programs before it';
  for (let size = kept.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < kept.length; from += size) {
      if (!kept.slice(from, from + size).includes(true)) continue;
      const fewer = kept.map((keep, i) => keep && (i < from || i >= from + size));
      const still = attempt(fewer);
      if (still !== undefined) [kept, difference] = [fewer, still];
    }
  }
  const { code, places } = layOut(program.pieces, kept);
  const lines = program.pieces.flatMap(({ bytes, skipTo }, i) => {
    const place = places[i] ?? 0;
    const start = place - (places[0] ?? 0);
    const text =
      skipTo === undefined ? Buffer.from(code.subarray(start, start + bytes.length)).toString('hex') : 'goes on';
    return kept[i] === true ? [`  ${hex(place)}: ${text}`] : [];
  });
  const options = { ...RIGS[program.rig], threshold: program.threshold };
  return `${difference}\n  smallest program, ${lines.length} pieces, ${JSON.stringify(options)}:\n${lines.join('\n')}`;
}

export interface CampaignOptions {
  readonly seed: number;
  readonly programs: number;
  /** The first program; 0 unless a part of a campaign is run. */
  readonly first?: number;
  /** Differences after which it ends. */
  readonly enough?: number;
  /** false: the programs that differ are named, not made smaller. */
  readonly minimised?: boolean;
}
export function fuzz(
  modules: EngineModules,
  { seed, programs, first = 0, enough = 3, minimised = true }: CampaignOptions,
): CampaignResult {
  const differences: Difference[] = [];
  const sights = noSights();
  let [regions, done] = [0, 0];
  let reference = new Rig(modules, undefined);
  let rigs: Rig[] = [];
  const failures: Record<string, number> = {};
  const count = (): void => {
    for (const { jit } of rigs) {
      const statistics = jit?.statistics();
      regions += statistics?.regions ?? 0;
      for (const [reason, times] of Object.entries(statistics?.failures ?? {})) {
        failures[reason] = (failures[reason] ?? 0) + times;
      }
    }
  };
  for (; done < programs && differences.length < enough; done++) {
    if (done % RIG_LIFE === 0) {
      count();
      reference = new Rig(modules, undefined);
      rigs = RIGS.map((options) => new Rig(modules, options));
    }
    const program = randomProgram(seed, first + done);
    const derived = rigs[program.rig] ?? reference;
    const everything = program.pieces.map(() => true);
    const difference = compare(program, everything, [reference, derived], sights);
    if (difference === undefined) continue;
    const account = difference + (minimised ? `\n  ${minimise(modules, program)}` : '');
    differences.push({ program: first + done, account });
  }
  count();
  return { differences, programs: done, sights, regions, failures };
}
