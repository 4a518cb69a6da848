// guest-debug-spec 6.8: several vCPUs, the queue, discarding, tokens; on the small model of the machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GuestDebugOptions } from '../../src/guestdebug/guest-debug.ts';
import { GuestDebug } from '../../src/guestdebug/guest-debug.ts';
import * as P from '../../src/guestdebug/policy.ts';
import type { FakeOptions } from './fake-machine.ts';
import { FakeMachine } from './fake-machine.ts';
import { idOf, next, noStop, step, stopOf, untilStop } from './layer.ts';
import { dumpLines } from '../../src/words/internal-errors.ts';
import { statusBadge, stopSentence } from '../../src/words/stops.ts';

const A = 0x10n;
/** Every vCPU runs 0x00..0x1f in a circle. */
const circle = (_vcpu: number, pc: bigint): { next?: bigint } => (pc === 0x1fn ? { next: 0n } : {});
function four(
  options: GuestDebugOptions = {},
  fake: FakeOptions = {},
): { layer: GuestDebug; machine: FakeMachine; hits: () => number } {
  const machine = new FakeMachine({ vcpus: 4, code: circle, ...fake });
  const layer = new GuestDebug(machine, { stepIrq: 'enter', ...options });
  return { layer, machine, hits: () => machine.trace.filter(({ pc }) => pc === A).length };
}
const badgeOf = (layer: GuestDebug, vcpu: number): string | undefined =>
  layer.vcpus().map((one) => statusBadge(one))[vcpu];
const overlay = (layer: GuestDebug, linear = A): number => idOf(layer.set({ kind: 'execution', linear }));

test('T-A0 four vCPUs reach one overlay in the same slice: four stops, nothing executed between them', () => {
  const { layer, machine, hits } = four();
  const id = overlay(layer);
  const first = untilStop(layer);
  assert.deepEqual([first.kind, first.vcpu, first.pc, first.faultLike], ['bp', 0, A, true]);
  assert.deepEqual(
    first.alsoPending.map((event) => [event.vcpu, event.kind, event.ownerIds]),
    [1, 2, 3].map((vcpu) => [vcpu, 'bp', [id]]),
  );
  assert.deepEqual(
    layer.vcpus().map((vcpu) => [vcpu.state, statusBadge(vcpu)]),
    [
      ['reporting', 'breakpoint'],
      ['pending', 'breakpoint'],
      ['pending', 'breakpoint'],
      ['pending', 'breakpoint'],
    ],
  );
  const executed = machine.executed;
  const others = [1, 2, 3].map(() => stopOf(layer.resume({ kind: 'continue' })));
  assert.deepEqual(
    others.map((record) => record.vcpu),
    [1, 2, 3],
  );
  assert.ok(others.every((record, i) => record.sequence > (others[i - 1] ?? first).sequence));
  assert.equal(machine.executed, executed);
  assert.equal(layer.counts(id)?.hits, 4);
  assert.deepEqual(layer.resume({ kind: 'continue' }), { kind: 'running' });
  layer.runSlice(8);
  assert.equal(hits(), 4);
});
test('T-A1 deleted after the first stop: no further stop, three discarded', () => {
  const { layer } = four();
  const id = overlay(layer);
  untilStop(layer);
  layer.remove(id);
  assert.deepEqual(layer.resume({ kind: 'continue' }), { kind: 'running' });
  noStop(layer, 200);
  assert.equal(layer.discardedEvents, 3);
  assert.equal(layer.ledger(0, 100).filter((row) => row.disposition === 'discarded').length, 3);
});
test('T-A2 deleted and added again at once: three discarded, then three fresh hits', () => {
  const { layer } = four();
  const gone = overlay(layer);
  untilStop(layer);
  layer.remove(gone);
  const fresh = overlay(layer);
  const stops = [1, 2, 3].map(() => next(layer));
  assert.equal(layer.discardedEvents, 3);
  assert.deepEqual(
    stops.map((record) => [record.vcpu, record.causes[0]?.ownerIds]),
    [1, 2, 3].map((vcpu) => [vcpu, [fresh]]),
  );
});
test('T-A3 coalesced: one stop names the three others, and continue acknowledges all', () => {
  const { layer, hits } = four({ reporting: 'coalesce' });
  overlay(layer);
  assert.equal(untilStop(layer).alsoPending.length, 3);
  noStop(layer, 8);
  assert.equal(hits(), 4);
});
test('T-A4 one vCPU steps off the breakpoint while another runs into it: neither is lost', () => {
  const { layer, machine } = four({}, { quantum: 3 });
  overlay(layer);
  machine.setPc(1, A - 1n);
  for (const vcpu of [2, 3]) machine.engine.vcpu(vcpu).activity = 1;
  assert.equal(untilStop(layer).vcpu, 1);
  machine.setPc(0, A - 1n);
  const other = step(layer, 0);
  assert.deepEqual([other.vcpu, other.kind, other.pc], [0, 'step', A]);
  assert.equal(machine.trace.filter(({ vcpu, pc }) => vcpu === 1 && pc === A).length, 1);
});
test('T-A5 a hundred thousand hits by eight vCPUs are as many as the guest executed', () => {
  const { layer, hits } = four({}, { vcpus: 8, quantum: 3 });
  const id = overlay(layer);
  for (let i = 0; i < 100_000; i++) next(layer);
  // vCPUs that stand on the breakpoint were counted and have not executed it yet.
  const waiting = layer.vcpus().filter((vcpu) => vcpu.pc === A).length;
  assert.equal(layer.counts(id)?.hits, hits() + waiting);
  assert.equal(layer.holdsApplied, 0);
});
test('T-AC a vCPU that waits for SIPI is not started by continue', () => {
  const { layer, machine } = four();
  machine.engine.vcpu(3).activity = 2;
  overlay(layer);
  untilStop(layer);
  assert.equal(layer.vcpus()[3]?.state, 'offline');
  next(layer);
  assert.equal(
    machine.trace.some(({ vcpu }) => vcpu === 3),
    false,
  );
});
test('T-AD a halted vCPU is still halted after a stop', () => {
  const { layer, machine } = four();
  machine.engine.vcpu(2).activity = 1;
  overlay(layer);
  untilStop(layer);
  assert.deepEqual([layer.vcpus()[2]?.state, badgeOf(layer, 2)], ['parked', 'halted']);
  for (let i = 0; i < 3; i++) next(layer);
  assert.equal(layer.vcpus()[2]?.activity, 'halted');
});
test('T-AE pause twice is one stop', () => {
  const { layer } = four();
  layer.runSlice(10);
  layer.pause();
  layer.pause();
  const record = untilStop(layer);
  assert.equal(record.kind, 'pause');
  layer.pause();
  assert.equal(untilStop(layer).sequence, record.sequence);
  noStop(layer, 100);
});
test('T-AF a watch on one vCPU and a step on another: the first is reported, the other is not lost', () => {
  const { layer, machine } = four(
    {},
    { vcpus: 2, code: (vcpu) => (vcpu === 1 ? { store: { linear: 0x1000n, size: 8, value: 7n } } : {}) },
  );
  layer.attach();
  const id = idOf(layer.set({ kind: 'data', linear: 0x1000n, size: 8, access: 'write' }));
  const first = step(layer, 0);
  assert.deepEqual([first.vcpu, first.kind, first.pc], [0, 'step', 1n]);
  const second = next(layer);
  assert.deepEqual([second.vcpu, second.kind, second.pc, second.causePc], [1, 'watch', 1n, 0n]);
  assert.deepEqual(second.causes[0]?.ownerIds, [id]);
  assert.equal(second.causes[0]?.access?.value, 7n);
  assert.match(stopSentence(second), /^vCPU 1 at 0x0 wrote 8 bytes at 0x1000: 0x0 -> 0x7 \(H0\); it is now at 0x1\.$/);
  assert.equal(machine.executed, 2n);
});
test('T-B0 a breakpoint set between two slices is not passed', () => {
  const { layer, machine } = four();
  layer.runSlice(13);
  overlay(layer);
  assert.equal(untilStop(layer).pc, A);
  assert.equal(
    machine.trace.some(({ pc }) => pc === A),
    false,
  );
  assert.deepEqual(machine.dropped, [A]);
});
test('T-B1 a protocol client inserts twice and removes three times', () => {
  const { layer } = four();
  const request = { kind: 'execution', linear: A, client: 'gdb' } as const;
  const id = idOf(layer.set(request));
  assert.equal(idOf(layer.set(request)), id);
  for (let i = 0; i < 3; i++) layer.remove(id);
  noStop(layer, 200);
  assert.notEqual(idOf(layer.set(request)), id);
});
test('T-B2 the breakpoint a vCPU is parked on is removed: it runs on', () => {
  const { layer, machine } = four({}, { vcpus: 1 });
  const id = overlay(layer);
  untilStop(layer);
  layer.remove(id);
  noStop(layer, 100);
  assert.ok(machine.trace.some(({ pc }) => pc === A));
});
test('T-B3 a breakpoint inserted where a vCPU stands stops at the next visit', () => {
  const { layer, machine } = four({}, { vcpus: 1 });
  machine.setPc(0, A);
  layer.attach();
  overlay(layer);
  const record = next(layer);
  assert.deepEqual([record.pc, machine.executed], [A, 0x20n]);
});
test('T-B4 RIP set by hand onto a breakpoint: no stop there, one at the next visit', () => {
  const { layer, machine } = four({}, { vcpus: 1 });
  overlay(layer);
  layer.attach();
  machine.setPc(0, A);
  next(layer);
  assert.equal(machine.executed, 0x20n);
});
test('T-B6 attaching to a running machine is exactly one entry stop', () => {
  const { layer } = four();
  layer.runSlice(10);
  const record = layer.attach();
  assert.equal(record.kind, 'entry');
  assert.equal(layer.attach().sequence, record.sequence);
  noStop(layer, 100);
});
test('T-B7 a step that starts on a breakpoint executes it: one stop', () => {
  const { layer, machine } = four({}, { vcpus: 1 });
  const id = overlay(layer);
  untilStop(layer);
  const record = step(layer, 0);
  assert.deepEqual([record.kind, record.pc, record.causePc, record.dr6], ['step', A + 1n, A, 0xffff4ff0n]);
  assert.equal(machine.trace.at(-1)?.pc, A);
  assert.equal(layer.counts(id)?.hits, 1);
});
test('a step that ends on a breakpoint is a step, and the breakpoint is not reported again (4.6)', () => {
  const { layer, machine } = four({}, { vcpus: 1 });
  machine.setPc(0, A - 1n);
  layer.attach();
  overlay(layer);
  const record = step(layer, 0);
  assert.deepEqual([record.kind, record.pc], ['step', A]);
  next(layer);
  assert.equal(machine.executed, 0x21n);
});
test('a stop for another reason cancels the steps of all vCPUs and says so (STEP-8)', () => {
  const { layer, machine } = four({}, { vcpus: 2, quantum: 4 });
  overlay(layer);
  machine.setPc(0, A - 2n);
  layer.attach();
  const record = step(layer, 1);
  assert.deepEqual([record.vcpu, record.kind, record.stepCancelled], [0, 'bp', true]);
  assert.equal(machine.engine.vcpu(1).lease, 0);
});
test('a step of a machine that never ran starts at its first instruction; continue stops at a breakpoint there', () => {
  const { layer } = four({}, { vcpus: 1 });
  const record = step(layer, 0);
  assert.deepEqual([record.kind, record.pc], ['step', 1n]);
  const other = four({}, { vcpus: 1 });
  overlay(other.layer, 0n);
  assert.equal(next(other.layer).pc, 0n);
});
test('step alone moves one vCPU only', () => {
  const { layer, machine } = four();
  layer.attach();
  assert.deepEqual(layer.resume({ kind: 'stepAlone', vcpu: 2, mode: 'insn' }), { kind: 'running' });
  assert.deepEqual([untilStop(layer).vcpu, machine.trace], [2, [{ vcpu: 2, pc: 0n }]]);
});
test('STEP-5 a step of a vCPU that cannot run ends at once', () => {
  const { layer, machine } = four();
  layer.attach();
  machine.engine.vcpu(3).activity = 2;
  assert.equal(stopOf(layer.resume({ kind: 'step', vcpu: 3, mode: 'insn' })).kind, 'halted');
  machine.engine.vcpu(1).activity = 1;
  const held = stopOf(layer.resume({ kind: 'step', vcpu: 1, mode: 'insn', interrupts: 'hold' }));
  assert.deepEqual([held.kind, held.vcpu, held.activity], ['halted', 1, 'halted']);
  noStop(layer, 10);
});
test('filters are asked inside the machine, once per visit; what they let pass is in the ledger', () => {
  const { layer, machine, hits } = four({}, { vcpus: 2 });
  let asked = 0;
  const id = idOf(layer.set({ kind: 'execution', linear: A, filter: () => (++asked % 5 === 0 ? 'stop' : 'continue') }));
  const record = untilStop(layer);
  // The fifth visit is vCPU 0's third; vCPU 1 stood there too, and its visit was the sixth.
  assert.deepEqual([record.vcpu, record.causes[0]?.ownerIds, asked, record.alsoPending], [0, [id], 6, []]);
  layer.resume({ kind: 'continue' });
  layer.runSlice(2);
  assert.deepEqual([asked, hits()], [6, 6]);
  assert.equal(layer.ledger(0, 100).filter((row) => row.disposition === 'continued').length, 5);
  assert.ok(machine.executed > 0n);
});
test('a filter that throws stops with a sentence; the breakpoints beside it and the queued events are not lost', () => {
  const { layer } = four({}, { vcpus: 2 });
  const broken = idOf(
    layer.set({
      kind: 'execution',
      linear: A,
      filter: () => {
        throw new TypeError('reading a table that is gone');
      },
    }),
  );
  const beside = overlay(layer);
  const first = untilStop(layer);
  assert.deepEqual(first.causes, [
    {
      cause: 'bp',
      owner: 'host',
      ownerIds: [broken, beside],
      undecided: [{ id: broken, reason: 'reading a table that is gone' }],
    },
  ]);
  assert.match(stopSentence(first), /Breakpoint 1 could not decide, so it stops: reading a table that is gone\.$/);
  const second = next(layer);
  assert.deepEqual([second.vcpu, layer.stoppers(second), layer.undecided(second).length], [1, [broken, beside], 1]);
  assert.deepEqual([layer.counts(broken)?.hits, layer.counts(beside)?.hits], [0, 2]);
  layer.remove(broken);
  const third = next(layer);
  assert.deepEqual([third.vcpu, third.pc, layer.stoppers(third), layer.undecided(third)], [0, A, [beside], []]);
});
test('a filter of a watch that throws stops behind the access', () => {
  const { layer } = four({}, { vcpus: 1, code: () => ({ store: { linear: 0x1000n, size: 8, value: 7n } }) });
  const filter = (): never => {
    throw new Error('no');
  };
  const id = idOf(layer.set({ kind: 'data', linear: 0x1000n, size: 8, access: 'write', filter }));
  const record = untilStop(layer);
  assert.deepEqual([record.kind, record.causes[0]?.undecided], ['watch', [{ id, reason: 'no' }]]);
});
test('a breakpoint that a step led to, or that was set afterwards, is asked late and once', () => {
  const { layer, machine } = four({}, { vcpus: 1 });
  machine.setPc(0, A - 1n);
  layer.attach();
  const numbers: number[] = [];
  const counting = ({ number }: { number: number }): 'stop' => (numbers.push(number), 'stop');
  const id = idOf(layer.set({ kind: 'execution', linear: A, filter: counting }));
  const own = idOf(layer.set({ kind: 'execution', linear: A, owner: 'step' }));
  const record = step(layer, 0);
  assert.deepEqual([record.kind, layer.stoppers(record)], ['step', []]);
  assert.deepEqual([layer.visit(0, 'users'), layer.visit(0, 'users')], [[id], [id]]);
  assert.deepEqual([layer.visit(0, 'all'), layer.stoppers(record), numbers], [[id, own], [id, own], [1]]);
  const late = overlay(layer);
  assert.deepEqual(layer.visit(0, 'users'), [id, own, late]);
  const again = next(layer);
  assert.deepEqual([again.pc, layer.stoppers(again), numbers], [A, [id, own, late], [1, 2]]);
  assert.deepEqual([layer.visit(0, 'all'), numbers], [[], [1, 2]]);
});
test('two breakpoints at one address are both named, and removing one leaves the other', () => {
  const { layer } = four({}, { vcpus: 1 });
  const [one, two] = [overlay(layer), overlay(layer)];
  assert.deepEqual(untilStop(layer).causes[0]?.ownerIds, [one, two]);
  layer.remove(one);
  assert.deepEqual(next(layer).causes[0]?.ownerIds, [two]);
});
test('scopes: another address space or vCPU passes', () => {
  const { layer, machine } = four({}, { vcpus: 2 });
  idOf(layer.set({ kind: 'execution', linear: A, cr3: 0x5000n }));
  idOf(layer.set({ kind: 'execution', linear: A + 2n, vcpus: [1] }));
  machine.engine.vcpu(0).cr3 = 0x5018n;
  assert.deepEqual(
    [untilStop(layer), next(layer)].map((r) => [r.vcpu, r.pc]),
    [
      [0, A],
      [1, A + 2n],
    ],
  );
});
test('T-C0 T-C2 T-C3 detach leaves nothing behind, twice is once, and may leave the world stopped', () => {
  const { layer, machine } = four();
  overlay(layer);
  for (let i = 0; i < 4; i++)
    idOf(layer.set({ kind: 'data', linear: 0x1000n + 8n * BigInt(i), size: 8, access: 'write' }));
  layer.setCatch({ bp: 'both', db: true });
  assert.equal(
    layer.setGuestDebug(0, {
      control: P.CONTROL_ENABLE | P.CONTROL_SINGLE_STEP | P.CONTROL_BLOCK_INTERRUPTS,
      pad: 0,
      debugreg: Array.from({ length: 8 }, () => 0n),
    }),
    'OK',
  );
  untilStop(layer);
  machine.engine.vcpu(1).pendingDebug = 0x4000;
  layer.detach(true);
  for (let vcpu = 0; vcpu < 4; vcpu++) {
    const {
      lease,
      leaseDone,
      passToken,
      catch: caught,
      blockIrq,
      pendingHost,
      observed,
      caughtPass,
    } = machine.engine.vcpu(vcpu);
    assert.deepEqual([lease, leaseDone, passToken, caught, blockIrq], [0, 0, 0, 0, 0]);
    assert.deepEqual([pendingHost, observed, caughtPass], [0, 0, 0]);
    assert.deepEqual([machine.engine.vcpu(vcpu).hDr7, machine.engine.vcpu(vcpu).observeVectors], [0x400, 0]);
    assert.equal(layer.slots(vcpu).filter((row) => row.owner === 'free').length, 4);
  }
  assert.equal(machine.engine.vcpu(1).pendingDebug, 0x4000);
  assert.equal(machine.observer, undefined);
  assert.deepEqual([layer.stopped, layer.reporter, layer.runSlice(10).kind], [true, undefined, 'idle']);
  layer.detach(false);
  assert.equal(layer.stopped, true);
  assert.deepEqual(layer.set({ kind: 'execution', linear: A }), { verified: false, refusal: { kind: 'detached' } });
});
test('T-4F a #DB that no rule claims stops the world once; the emulator lives', () => {
  const { layer, machine } = four({}, { vcpus: 1 });
  layer.runSlice(3);
  const stray = { vcpu: 0, vector: 1, kind: 'exception', rip: 3n, dr6: 0xffff0ff0n } as const;
  machine.deliver(stray);
  machine.deliver(stray);
  const record = untilStop(layer);
  assert.deepEqual([record.kind, record.pc], ['internalError', 3n]);
  assert.match(stopSentence(record), /vector 1 at 0x3 belongs to no rule/);
  const report = layer.internalErrorReport;
  assert.deepEqual(report?.fault, { code: 'unattributed', vcpu: 0, vector: 1, rip: 3n });
  assert.match(dumpLines(report.dump)[0] ?? '', /^vCPU 0 at 0x3: /);
  assert.ok(dumpLines(report.dump).length >= 4);
  noStop(layer, 100);
});
