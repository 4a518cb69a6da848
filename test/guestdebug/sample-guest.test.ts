// The acceptance test of the layer: a guest that debugs itself, under a debugger that uses everything, ends with the very
// same status, console output and state digest as without one; and a random debugger cannot make a difference either.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BreakpointRequest, Resume, SliceResult } from '../../src/guestdebug/api.ts';
import { campaignSeed, randomOf, SEED_VARIABLE } from '../harness/random.ts';
import type { SampleRun } from './sample-guest.ts';
import { OWN_TRAPS, SUCCESS, debugged, expectedOutput, plain, symbol } from './sample-guest.ts';
import { idOf } from './layer.ts';

/** Stops at each `n`th visit only, decided inside the machine. */
function everyNth(n: number): () => 'stop' | 'continue' {
  let visits = 0;
  return () => (++visits % n === 0 ? 'stop' : 'continue');
}
function overlay(name: string, n: number): BreakpointRequest {
  return { kind: 'execution', linear: symbol(name), filter: everyNth(n) };
}
/** Runs on after a stop; a queued stop counts as one of its own. */
function go(run: SampleRun, how: Resume, ticks: number): SliceResult {
  const result = run.layer.resume(how);
  return result.kind === 'running' ? run.layer.runSlice(ticks) : result;
}
const reinjected = (run: SampleRun): number =>
  run.layer.ledger(0, run.layer.ledgerSize).filter((row) => row.owner === 'guest' && row.disposition !== 'stopped')
    .length;

describe('the sample guest under the guest-debug layer', () => {
  test('without a debugger: its own judgement', () => {
    const { status, output } = plain();
    assert.equal(status, SUCCESS);
    assert.equal(output.replaceAll('\r', ''), expectedOutput.replaceAll('\r', ''));
  });
  test('T-C8 attached and unused: nothing changes, and every trap of the guest is in the ledger', () => {
    const run = debugged();
    let result = run.layer.runSlice(60_000);
    while (result.kind === 'running') result = run.layer.runSlice(60_000);
    assert.ok(result.kind === 'ended');
    assert.deepEqual(run.outcome(result), plain());
    assert.equal(reinjected(run), OWN_TRAPS);
  });
  test('T-C6 eight breakpoints, four slots, 1,000 steps: same status, output and digest', () => {
    const run = debugged({ stepIrq: 'through' });
    const { layer } = run;
    const places: [string, number][] = [
      ['list_insert', 60],
      ['list_remove', 60],
      ['trap_dispatch', 300],
      ['on_tick', 40],
      ['on_breakpoint', 3],
      ['on_debug', 20],
      ['remember_sample', 1],
      ['smp_entry', 1],
    ];
    for (const [name, n] of places) idOf(layer.set(overlay(name, n)));
    idOf(layer.set({ kind: 'data', linear: symbol('shared_list'), size: 4, access: 'write', filter: everyNth(50) }));
    idOf(
      layer.set({ kind: 'data', linear: symbol('workers') + 8n, size: 8, access: 'readWrite', filter: everyNth(50) }),
    );
    idOf(layer.set({ kind: 'data', linear: symbol('ending'), size: 4, access: 'write' }));
    idOf(layer.set({ kind: 'execution', mode: 'hardware', linear: symbol('on_double_fault') }));
    assert.equal(layer.set({ kind: 'data', linear: symbol('cpus'), size: 8, access: 'write' }).verified, false);
    const steps = 1000;
    let taken = 0;
    let stops = 0;
    let result = layer.runSlice(60_000);
    const modes = ['insn', 'insn-whole', 'branch'] as const;
    const interrupts = ['through', 'enter'] as const;
    while (result.kind !== 'ended') {
      if (result.kind !== 'stopped') {
        result = layer.runSlice(60_000);
        continue;
      }
      stops++;
      const { vcpu } = result.reporter;
      const mode = modes[taken % 3] ?? 'insn';
      const stepping = taken < steps && taken % 7 !== 6;
      result = stepping
        ? go(run, { kind: 'step', vcpu, mode, interrupts: interrupts[taken % 2] ?? 'through' }, 60_000)
        : go(run, { kind: 'continue' }, 60_000);
      if (taken < steps) taken++;
    }
    assert.ok(taken === steps && stops > steps, `${stops} stops, ${taken} resumes`);
    assert.deepEqual(run.outcome(result), plain());
    assert.equal(layer.holdsApplied, 0);
    assert.equal(reinjected(run), OWN_TRAPS);
  });
  test('its own #BP and #DB caught on the way: still delivered, each once', () => {
    const run = debugged();
    const { layer } = run;
    layer.setCatch({ bp: 'both', db: true });
    let caught = 0;
    let result = layer.runSlice(60_000);
    while (result.kind !== 'ended') {
      if (result.kind === 'stopped') caught++;
      result = result.kind === 'stopped' ? go(run, { kind: 'continue' }, 60_000) : layer.runSlice(60_000);
    }
    assert.deepEqual(run.outcome(result), plain());
    const delivered = layer.ledger(0, layer.ledgerSize).filter((row) => row.disposition === 'caughtDelivered');
    assert.deepEqual([caught, delivered.length], [OWN_TRAPS, OWN_TRAPS]);
  });
  test('a random debugger never changes the end', (t) => {
    const given = process.env[SEED_VARIABLE];
    const rounds = given === undefined ? Number(process.env['TRAPLINE_ROUNDS'] ?? 3) : 1;
    for (let round = 0; round < rounds; round++) {
      const seed = campaignSeed();
      t.diagnostic(`seed ${seed}`);
      const run = debugged();
      assert.deepEqual(randomRun(run, randomOf(seed)), plain(), `seed ${seed}`);
      assert.equal(run.layer.holdsApplied, 0, `seed ${seed}`);
    }
  });
});

const PLACES = ['list_insert', 'list_remove', 'trap_dispatch', 'on_tick', 'on_debug', 'spin', 'patch_line', 'stub_32'];
const WATCHED = ['shared_list', 'workers', 'progress_of', 'cpus'];

/** A debugger that sets, removes, steps, continues, pauses and detaches at random; ends with the guest. */
function randomRun(run: SampleRun, below: (n: number) => number): unknown {
  const { layer } = run;
  const ids: number[] = [];
  const pick = <T>(list: readonly T[], fallback: T): T => list[below(list.length)] ?? fallback;
  const set = (): void => {
    const n = 1 + below(40);
    const place = pick(PLACES, 'on_tick');
    const linear = symbol(place === 'spin' ? 'acquire_list' : place) + BigInt(below(3));
    const request: BreakpointRequest =
      below(3) > 0
        ? { kind: 'execution', mode: below(4) === 0 ? 'hardware' : 'overlay', linear, filter: everyNth(n) }
        : {
            kind: 'data',
            linear: symbol(pick(WATCHED, 'cpus')) + BigInt(below(64)),
            size: 1 + below(12),
            access: pick(['read', 'write', 'readWrite'], 'write'),
            filter: everyNth(n * 4),
          };
    const result = layer.set(request);
    if (result.verified) ids.push(result.id);
  };
  const change = (): void => {
    const id = pick(ids, 0);
    const what = below(6);
    if (what < 2 || ids.length < 4) set();
    else if (what < 4) {
      layer.remove(id);
      ids.splice(ids.indexOf(id), 1);
    } else if (what === 4) layer.setEnabled(id, below(2) === 0);
    else layer.setCatch({ bp: pick(['off', 'exception', 'both'], 'off'), db: below(2) === 0 });
  };
  let actions = 0;
  let result: SliceResult = { kind: 'running' };
  for (let i = 0; i < 4; i++) set();
  while (result.kind !== 'ended') {
    const ticks = 1 + below(200_000);
    const busy = actions < 2500;
    if (busy && below(3) === 0) change();
    if (!busy && ids.length > 0) {
      for (const id of ids.splice(0)) layer.remove(id);
      layer.setCatch({ bp: 'off', db: false });
    }
    if (result.kind !== 'stopped') {
      if (busy && below(20) === 0) layer.pause();
      result = layer.runSlice(ticks);
      continue;
    }
    actions++;
    const mode = pick(['insn', 'insn-whole', 'branch'] as const, 'insn');
    const interrupts = pick(['through', 'enter'] as const, 'through');
    const how: Resume = below(2) === 0 ? { kind: 'continue' } : { kind: 'step', vcpu: below(4), mode, interrupts };
    result = go(run, how, ticks);
  }
  return run.outcome(result);
}
