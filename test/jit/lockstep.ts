// Lockstep: the same machine twice, one interpreted and one with the JIT, slice by slice, to the first instruction after
// which they are not the same.
import * as L from '../../src/core/layout.ts';
import type { Machine } from '../../src/machine/machine.ts';

export interface LockstepOptions {
  /** A machine with its guest loaded. */
  readonly make: (jit: boolean) => Machine;
  readonly instructions: number;
  /** Instructions between two comparisons. */
  readonly slice: number;
  /** Slices between two snapshots, from which a difference is looked for. */
  readonly snapshotEvery?: number;
  /** Told after each comparison. */
  readonly onSlice?: (instructions: bigint) => void;
}
export interface Divergence {
  /** The machines are the same after so many instructions, and not after one more. */
  readonly instructions: bigint;
  /** The vCPU whose instruction it was, and where that stood. */
  readonly vcpu: number;
  readonly rip: bigint;
  /** What differs, with both values. */
  readonly differences: readonly string[];
  /** false: it was seen again only from power-on, or only at the end of a slice; `instructions` is then that slice's start. */
  readonly exact: boolean;
}
export interface LockstepResult {
  readonly instructions: bigint;
  /** Share of the instructions that ran compiled. */
  readonly share: number;
  readonly divergence: Divergence | undefined;
}
interface Pair {
  readonly interpreter: Machine;
  readonly derived: Machine;
}
const MOST_DIFFERENCES = 12;
const REGISTER_NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'];
const hex = (value: number | bigint): string => value.toString(16);

/** Runs both until they differ, the guest ends, or the instructions are done. */
export function lockstep(options: LockstepOptions): LockstepResult {
  const { make, instructions, slice, snapshotEvery = 1, onSlice } = options;
  const pair = { interpreter: make(false), derived: make(true) };
  let snapshot = pair.interpreter.save();
  let done = 0;
  /** Slices since the snapshot. */
  let slices: number[] = [];
  const result = (divergence?: Divergence): LockstepResult => {
    const ran = pair.interpreter.instructions;
    return {
      instructions: ran,
      share: Number(pair.derived.engine.compiledTicks) / Math.max(1, Number(ran)),
      divergence,
    };
  };
  while (done < instructions) {
    const ticks = Math.min(slice, instructions - done);
    slices.push(ticks);
    const ends = run(pair, ticks);
    onSlice?.(pair.interpreter.instructions);
    const differences = differencesOf(pair, ends);
    if (differences.length > 0) return result(findInstruction(make, { snapshot, slices, ticks, differences }));
    if (pair.interpreter.instructions < done + ticks) break; // the guest has ended
    done += ticks;
    if (slices.length < snapshotEvery) continue;
    snapshot = pair.interpreter.save();
    slices = [];
  }
  // devices and clock too; during the run what they do shows in the vCPUs
  if (pair.interpreter.digest() === pair.derived.digest()) return result();
  const differences = ['the digests, but neither vCPUs nor RAM: a device'];
  return result({ instructions: BigInt(done), vcpu: 0, rip: 0n, differences, exact: false });
}

/** How a run ended in both machines. */
type Ends = readonly [string, string];
function run({ interpreter, derived }: Pair, ticks: number): Ends {
  const end = (machine: Machine): string =>
    JSON.stringify(machine.run(ticks), (_, value: unknown) => (typeof value === 'bigint' ? hex(value) : value));
  return [end(interpreter), end(derived)];
}

function differencesOf({ interpreter, derived }: Pair, ends?: Ends): string[] {
  const found: string[] = [];
  const note = (name: string, a: number | bigint, b: number | bigint): void => {
    if (a !== b && found.length < MOST_DIFFERENCES) found.push(`${name}: interpreter ${hex(a)}, JIT ${hex(b)}`);
  };
  if (ends !== undefined && ends[0] !== ends[1]) found.push(`the end: interpreter ${ends[0]}, JIT ${ends[1]}`);
  note('instructions', interpreter.instructions, derived.instructions);
  note('clock', interpreter.clock, derived.clock);
  note('turn', interpreter.turn, derived.turn);
  const [one, two] = [interpreter.engine, derived.engine];
  for (let vcpu = 0; vcpu < one.vcpuCount; vcpu++) {
    for (const engine of [one, two]) {
      engine.select(vcpu);
      engine.system.canonicaliseFlags(); // one representation for each value, whatever computed it
    }
    const [a, b] = [one.raw, two.raw].map((raw) => raw.subarray(L.STATE, L.STATE_GUEST_END));
    if (a === undefined || b === undefined || Buffer.compare(a, b) === 0) continue;
    for (let slot = L.STATE; slot < L.STATE_GUEST_END; slot += 8) {
      note(
        `vCPU ${vcpu} ${slotName(slot)}`,
        one.rawView.getBigUint64(slot, true),
        two.rawView.getBigUint64(slot, true),
      );
    }
  }
  for (const { engine, turn } of [interpreter, derived]) engine.select(turn);
  const [ramOne, ramTwo] = [one, two].map((engine) => engine.ramView(0, engine.memorySize));
  if (ramOne !== undefined && ramTwo !== undefined && Buffer.compare(ramOne, ramTwo) !== 0) {
    const at = ramOne.findIndex((byte, i) => byte !== ramTwo[i]);
    note(`RAM at ${hex(at)}`, ramOne[at] ?? 0, ramTwo[at] ?? 0);
  }
  return found;
}
function slotName(slot: number): string {
  const register = (slot - L.REGS) / 8;
  if (register >= 0 && register < 16) return REGISTER_NAMES[register] ?? `r${register}`;
  return slot === L.RIP ? 'rip' : `state at ${hex(slot)}`;
}

interface Seen {
  readonly snapshot: Uint8Array;
  /** Slices since the snapshot; the difference was seen after the last. */
  readonly slices: readonly number[];
  readonly ticks: number;
  readonly differences: readonly string[];
}
/**
 * Bisects the last slice with machines that start from the snapshot. A JIT that starts there has compiled nothing yet, so a
 * difference may stay away; then the slice is all that is known.
 */
function findInstruction(make: (jit: boolean) => Machine, { snapshot, slices, ticks, differences }: Seen): Divergence {
  const pair = { interpreter: make(false), derived: make(true) };
  /** What differs when the last slice is cut short; the machines stay there. */
  const after = (last: number): string[] => {
    for (const machine of [pair.interpreter, pair.derived]) machine.restore(snapshot);
    let ends: Ends | undefined;
    for (const slice of [...slices.slice(0, -1), last]) if (slice > 0) ends = run(pair, slice);
    return differencesOf(pair, ends);
  };
  const place = (exact: boolean, seen: readonly string[]): Divergence => {
    const { interpreter } = pair;
    const vcpu = interpreter.turn;
    const rip = interpreter.engine.vcpu(vcpu).rip;
    return { instructions: interpreter.instructions, vcpu, rip, differences: seen, exact };
  };
  if (after(ticks).length === 0) {
    after(0);
    return place(false, differences);
  }
  let [same, different] = [0, ticks];
  while (different - same > 1) {
    const middle = (same + different) >> 1;
    if (after(middle).length > 0) different = middle;
    else same = middle;
  }
  const first = after(different);
  after(same);
  return place(true, first.length > 0 ? first : differences);
}
/** The result for people. */
export function describe({ instructions, share, divergence }: LockstepResult): string {
  const ran = `${instructions} instructions, ${(share * 100).toFixed(1)} % of them compiled`;
  if (divergence === undefined) return `No difference in ${ran}.`;
  const { vcpu, rip, exact, differences } = divergence;
  const where = exact
    ? `instruction ${divergence.instructions}`
    : `the slice that begins at instruction ${divergence.instructions}`;
  return `Different after ${where} (vCPU ${vcpu} at ${hex(rip)}); ${ran}:\n${differences.map((line) => `  ${line}`).join('\n')}`;
}
