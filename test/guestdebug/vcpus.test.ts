// guest-debug-spec 6.8 on the real core and machine: several vCPUs that really run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code } from '../core/code.ts';
import { RBX, RCX } from '../core/code.ts';
import type { Machine as Tables } from '../core/machine.ts';
import { AND_CLEARING_TF, DATA, POPF_SETTING_TF } from '../core/machine.ts';
import { bench, undebugged } from './bench.ts';
import { idOf, next, noStop, step, stopOf, untilStop } from './layer.ts';

/** Counts in memory with a locked increment, `rounds` times on each vCPU. */
const counting = (rounds: number) => (c: Code) =>
  c.load(RBX, DATA).load(RCX, rounds).at('A').raw('F0 48 FF 03').relative('E2', 'A', 1).raw('90');

test('T-A0 four vCPUs at one overlay in the same slice: four stops, nothing executed between them', () => {
  const { layer, pc, A } = bench(counting(3), { vcpus: 4, quantum: 1 });
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  const first = untilStop(layer);
  assert.equal(first.alsoPending.length, 3);
  const executed = pc.instructions;
  const vcpus = [first, ...[1, 2, 3].map(() => stopOf(layer.resume({ kind: 'continue' })))].map(({ vcpu }) => vcpu);
  assert.deepEqual([vcpus, pc.instructions, layer.counts(id)?.hits], [[0, 1, 2, 3], executed, 4]);
});
test('T-A1 deleted after the first stop: three are discarded', () => {
  const { layer, A } = bench(counting(3), { vcpus: 4, quantum: 1 });
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  untilStop(layer);
  layer.remove(id);
  noStop(layer, 10_000);
  assert.equal(layer.discardedEvents, 3);
});
test('4.3 a queued event of a vCPU that the user has moved away is discarded', () => {
  const { layer, pc, A, code } = bench((c) => c.raw('90').at('A').raw('90 90').at('B').raw('90'), {
    vcpus: 2,
    quantum: 1,
  });
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  const first = untilStop(layer);
  assert.deepEqual([first.alsoPending.length, layer.counts(id)?.hits], [1, 2]);
  pc.engine.vcpu(1 - first.vcpu).rip = code.place('B');
  noStop(layer, 1000);
  assert.deepEqual([layer.discardedEvents, layer.counts(id)?.discarded], [1, 1]);
  assert.equal(layer.ledger(0, 100).filter((row) => row.disposition === 'discarded').length, 1);
});
test('T-A5 as many hits as the guest counted, and the digest of a run without a debugger', () => {
  const options = { vcpus: 4, quantum: 7 };
  const { layer, pc, A, tables } = bench(counting(500), options);
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  let stops = 0;
  while (layer.runSlice(10_000).kind === 'stopped') {
    do stops++;
    while (layer.resume({ kind: 'continue' }).kind === 'stopped');
  }
  assert.deepEqual([stops, layer.counts(id)?.hits, tables.read64(DATA)], [2000, 2000, 2000n]);
  assert.equal(layer.holdsApplied, 0);
  layer.detach(false);
  assert.equal(pc.digest(), undebugged(counting(500), options));
});
test('T-AF a watch on one vCPU while another is stepped', () => {
  const { layer } = bench(counting(3), { vcpus: 2, quantum: 1 });
  layer.attach();
  const id = idOf(layer.set({ kind: 'data', linear: BigInt(DATA), size: 8, access: 'write', vcpus: [1] }));
  const kinds: string[] = [];
  for (let i = 0; i < 12; i++) {
    const record = step(layer, 0);
    kinds.push(`${record.vcpu} ${record.kind}`);
  }
  assert.ok(kinds.includes('1 watch') && kinds.includes('0 step'));
  assert.ok((layer.counts(id)?.hits ?? 0) >= 1);
});
test('T-B0 a breakpoint set between slices is passed by no vCPU', () => {
  const { layer, A, tables } = bench(counting(1000), { vcpus: 4, quantum: 5 });
  layer.runSlice(777);
  const before = tables.read64(DATA);
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  while (layer.runSlice(100_000).kind === 'stopped') while (layer.resume({ kind: 'continue' }).kind === 'stopped');
  assert.equal(BigInt(layer.counts(id)?.hits ?? 0), 4000n - before);
});
test('T-B2 T-B7 on the real core', () => {
  const { layer, A } = bench(counting(3));
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  untilStop(layer);
  assert.deepEqual([step(layer, 0).kind, layer.reporter?.pc, layer.counts(id)?.hits], ['step', A + 4n, 1]);
  assert.equal(next(layer).pc, A);
  layer.remove(id);
  noStop(layer, 1000);
});
test("T-C0 detach with two queued events and BLOCKIRQ: the guest's own slots and pending #DB are as they were", () => {
  const build = (c: Code): Code =>
    c.load(RBX, DATA).raw(POPF_SETTING_TF).at('A').raw('90 90').raw('9C 58', AND_CLEARING_TF, '50 9D 90');
  const prepare = (m: Tables): void => m.setGuestSlot(2, BigInt(DATA + 128), 1, 8);
  const options = { vcpus: 3, quantum: 1, prepare };
  const { layer, pc, A } = bench(build, options);
  idOf(layer.set({ kind: 'execution', linear: A + 1n }));
  idOf(layer.set({ kind: 'data', linear: BigInt(DATA + 64), size: 32, access: 'readWrite' }));
  layer.setCatch({ bp: 'both', db: false });
  const stopped = untilStop(layer);
  assert.deepEqual([stopped.pc, stopped.alsoPending.length], [A + 1n, 2]);
  for (const vcpu of [0, 1, 2]) {
    const debugreg = [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n];
    assert.equal(layer.setGuestDebug(vcpu, { control: 0x110001, pad: 0, debugreg }), 'OK');
  }
  const guestBank = (): unknown => [0, 1, 2].map((vcpu) => layer.slots(vcpu).slice(0, 4));
  const before = guestBank();
  layer.detach(true);
  assert.deepEqual(guestBank(), before);
  assert.deepEqual(
    [0, 1, 2].flatMap((vcpu) =>
      layer
        .slots(vcpu)
        .slice(4)
        .map(({ owner }) => owner),
    ),
    Array.from({ length: 12 }, () => 'free'),
  );
  pc.run(100_000);
  assert.equal(pc.digest(), undebugged(build, options));
});
test('T-C0 detach with everything set: the digest is that of a run without a debugger', () => {
  const options = { vcpus: 4, quantum: 3 };
  const { layer, pc, A } = bench(counting(50), options);
  idOf(layer.set({ kind: 'execution', linear: A }));
  for (let i = 0; i < 4; i++) {
    idOf(layer.set({ kind: 'data', linear: BigInt(DATA + 8 * i), size: 8, access: 'readWrite' }));
  }
  layer.setCatch({ bp: 'both', db: true });
  for (let i = 0; i < 20; i++) {
    untilStop(layer);
    layer.resume({ kind: 'continue' });
  }
  untilStop(layer);
  layer.resume({ kind: 'step', vcpu: 2, mode: 'insn' });
  layer.detach(false);
  layer.detach(false);
  pc.run(100_000);
  assert.equal(pc.digest(), undebugged(counting(50), options));
});
