/**
 * gdb is the judge of real stops: a session with the sample guest is stopped all over it, on four processors; at each
 * stop gdb gets the machine's very registers and memory as a core file, and must show the stacks, source lines,
 * registers, variables, values and types that the client of our adapter shows.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { guest } from '../dap/story.ts';
import { missing, openSymbols, run, temporaryDirectory } from '../symbols/tools.ts';
import { StopComparison, type JudgedStop } from './stop-comparison.ts';
import { latePlaces, places, visit, visitCorruption } from './stop-places.ts';
import { StopSession, type TakenStop } from './stop-session.ts';

const kernel = path.join(guest, 'smp.elf');
const judge = fileURLToPath(new URL('stops-judge.py', import.meta.url));
const skip = existsSync(kernel) ? missing('gdb') : 'the guest is not built';

describe('real stops judged by gdb', { skip }, () => {
  let stops: readonly TakenStop[] = [];
  let comparison = new StopComparison(new Set());

  before(async () => {
    stops = await takeStops();
    const judged = askJudge(stops);
    comparison = new StopComparison(await symbolsWithoutSize());
    for (const [index, stop] of stops.entries())
      comparison.compare(stop, judged[index] ?? { threads: {}, expressions: {} });
    console.log(JSON.stringify(comparison.tally));
  });

  it('shows the same stacks, registers, variables, values and types', () => {
    const { differences } = comparison;
    assert.deepEqual(differences.slice(0, 40), [], `${differences.length} differences`);
  });

  it('compared enough to mean something', () => {
    const { tally } = comparison;
    const all = JSON.stringify(tally);
    assert.ok(tally.stops >= 100 && tally.stacks >= 300 && tally.frames > 1500 && tally.inlined > 250, all);
    assert.ok(tally.variables > 2000 && tally.scalars > 30_000 && tally.expressions > 80, all);
  });

  it('stopped where it was meant to: at the corruption, in ring 3, in traps from there, on the stack of #DF', () => {
    const stacks = stops.map(({ threads, focus }) => (threads.get(focus) ?? []).map(({ name }) => name).join(' < '));
    for (const wanted of [
      /^remember_sample < take_sample < insert_one < worker_run/,
      /^call_kernel < user_program$/,
      /^on_breakpoint < trap_common < call_kernel < user_program$/,
      /^on_double_fault < trap_common < overflow_stack/,
      /^on_step < on_debug < trap_common < step_patient < step_through/,
      /^this_cpu < on_tick < trap_common < /,
    ]) {
      assert.ok(
        stacks.some((stack) => wanted.test(stack)),
        `no stop is like ${wanted}`,
      );
    }
  });
});

async function takeStops(): Promise<readonly TakenStop[]> {
  const session = new StopSession();
  const stops: TakenStop[] = [];
  try {
    await session.start();
    const focus = (): number => stops.at(-1)?.focus ?? 1;
    for (const place of places) stops.push(...(await visit(session, place, focus())));
    stops.push(...(await visitCorruption(session, focus())));
    for (const place of latePlaces) stops.push(...(await visit(session, place, focus())));
  } finally {
    await session.end();
  }
  return stops;
}

/** One run of gdb for all stops. */
function askJudge(stops: readonly TakenStop[]): readonly JudgedStop[] {
  const directory = temporaryDirectory();
  const output = path.join(directory, 'stops.json');
  const tasks = stops.map(({ core, focus, expressions }, index) => {
    const file = path.join(directory, `core${index}`);
    writeFileSync(file, core);
    return [file, focus, [...expressions.keys()]];
  });
  const quiet = ['-nx', '-q', '-batch', '-iex', 'set auto-load off', '-iex', 'set debuginfod enabled off'];
  run('gdb', [...quiet, kernel, '-x', judge], { STOPS_CORES: JSON.stringify(tasks), STOPS_OUTPUT: output });
  return JSON.parse(readFileSync(output, 'utf8')) as readonly JudgedStop[];
}

async function symbolsWithoutSize(): Promise<ReadonlySet<string>> {
  const symbols = await (await openSymbols(kernel)).symbols();
  return new Set(symbols.filter(({ size }) => size === 0n).map(({ name }) => name));
}
