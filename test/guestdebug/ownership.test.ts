// guest-debug-spec 6.3: whose trap it is, and both at the same place; on the real core and machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code } from '../core/code.ts';
import { RAX, RBX } from '../core/code.ts';
import type { Machine as Tables } from '../core/machine.ts';
import { B0, B1, BS, CODE, DATA, I6, RF, TF } from '../core/machine.ts';
import { bench, undebugged } from './bench.ts';
import { idOf, next, noStop, step, untilStop } from './layer.ts';
import { dispositionText, ruleText } from '../../src/words/ledger.ts';

const rows = (layer: ReturnType<typeof bench>['layer']): string[] =>
  layer
    .ledger(0, 100)
    .map((row) => `${row.vector} ${row.owner} ${dispositionText(row.disposition)}: ${ruleText(row.rule)}`);

test("T-40 the guest's own CC is re-injected without a stop", () => {
  const { layer, tables, A } = bench((c) => c.at('A').raw('CC'));
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip, dr6 }) => [vector, rip, dr6]),
    [[3, A + 1n, I6]],
  );
  assert.deepEqual(rows(layer), ['3 guest re-injected: 2.4 CC, not planted']);
});
test("T-41 an overlay on the guest's own CC: host first, then the guest, once each", () => {
  const { layer, tables, A } = bench((c) => c.raw('90').at('A').raw('CC'));
  idOf(layer.set({ kind: 'execution', linear: A }));
  const record = untilStop(layer);
  assert.deepEqual([record.kind, record.pc, record.causes[0]?.owner], ['bp', A, 'host']);
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[3, A + 1n]],
  );
  assert.deepEqual(rows(layer), ['3 host stopped: 2.4 overlay at RIP', '3 guest re-injected: 2.4 CC, not planted']);
});
test('T-43 CD 03 is no software exception: not caught', () => {
  const { layer, tables, A } = bench((c) => c.at('A').raw('CD 03'));
  layer.setCatch({ bp: 'exception', db: false });
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[3, A + 2n]],
  );
  assert.deepEqual(rows(layer), ['3 guest re-injected: 2.4 CD 03']);
});
test('T-44 CD 03 with both caught: stop in front, then delivered', () => {
  const { layer, tables, A } = bench((c) => c.at('A').raw('CD 03'));
  layer.setCatch({ bp: 'both', db: false });
  const record = untilStop(layer);
  assert.deepEqual(
    [record.kind, record.causes[0]?.owner, record.pc, record.instructionLength, record.faultLike],
    ['guestBp', 'guest', A, 2, true],
  );
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[3, A + 2n]],
  );
  assert.deepEqual(rows(layer), ['3 guest stopped: 2.4 CD 03', '3 guest caught, then delivered: 2.4 CD 03']);
});
test('T-45 CC at CPL 3 with a gate of DPL 0 is #GP(1Ah)', () => {
  const { layer, tables, A } = bench((c) => c.at('A').raw('CC'), {
    user: true,
    prepare: (m) => {
      m.setGate(3, m.handler(3), 0);
      m.resumeAt(13, BigInt(CODE) + 1n);
    },
  });
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, error, rip }) => [vector, error, rip]),
    [[13, 0x1an, A]],
  );
});
test('T-46 66 F3 CC is three bytes long when it is given to the guest', () => {
  const { layer, tables, A } = bench((c) => c.at('A').raw('66 F3 CC'));
  layer.setCatch({ bp: 'exception', db: false });
  assert.equal(untilStop(layer).instructionLength, 3);
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[3, A + 3n]],
  );
});
test('T-47 host and guest execution slots at one instruction: each once', () => {
  const { layer, tables, A } = bench((c) => c.raw('90').at('A').raw('90'), {
    prepare: (m, code) => {
      m.setGuestSlot(1, code.place('A'), 0, 1);
      m.setFlagsOnReturn(1, RF);
    },
  });
  const id = idOf(layer.set({ kind: 'execution', mode: 'hardware', linear: A }));
  const record = untilStop(layer);
  assert.deepEqual([record.kind, record.pc, record.dr6], ['hwx', A, I6 + B0]);
  noStop(layer, 10_000);
  assert.deepEqual(tables.debugLog, [[A, I6 + B1]]);
  assert.deepEqual([layer.counts(id)?.hits, layer.slots(0)[1]?.hits, layer.slots(0)[4]?.hits], [1, 1, 1]);
});
test('T-48 the same when the handler clears its slot instead: never zero stops', () => {
  const { layer, A } = bench((c) => c.raw('90').at('A').raw('90'), {
    prepare: (m, code) => {
      m.setGuestSlot(1, code.place('A'), 0, 1);
      m.clearSlotsIn(1);
    },
  });
  const id = idOf(layer.set({ kind: 'execution', mode: 'hardware', linear: A }));
  untilStop(layer);
  for (let i = 0; i < 2 && layer.resume({ kind: 'continue' }).kind === 'running'; i++) layer.runSlice(10_000);
  const hits = layer.counts(id)?.hits ?? 0;
  assert.ok(hits >= 1 && hits <= 2, `${hits} hits`);
});
test('T-49 host and guest watches of the same bytes: both, and no bit shared', () => {
  const { layer, tables, A } = bench((c) => c.load(RBX, DATA).at('A').raw('48 89 03').at('B').raw('90'), {
    prepare: (m) => m.setGuestSlot(1, BigInt(DATA), 1, 8),
  });
  idOf(layer.set({ kind: 'data', linear: BigInt(DATA), size: 8, access: 'write' }));
  const record = untilStop(layer);
  assert.deepEqual([record.kind, record.pc, record.dr6, record.guestPending & 15], ['watch', A + 3n, I6 + B0, 2]);
  noStop(layer, 10_000);
  assert.deepEqual(tables.debugLog, [[A + 3n, I6 + B1]]);
});
const tfProgram = (c: Code): void => {
  c.raw('90').at('A').raw('90').at('B').raw('90');
};
test("T-4A a host step with the guest's TF: host first, then the guest at the same place", () => {
  const { layer, tables, A, code } = bench(tfProgram);
  idOf(layer.set({ kind: 'execution', linear: A }));
  untilStop(layer);
  tables.flags |= TF;
  const record = step(layer, 0);
  assert.deepEqual(
    [record.kind, record.pc, record.dr6, record.guestPending & 0x4000],
    ['step', A + 1n, I6 + BS, 0x4000],
  );
  layer.resume({ kind: 'continue' });
  layer.runSlice(30);
  assert.deepEqual(tables.debugLog[0], [code.place('B'), I6 + BS]);
});
test('T-4B the same, stepped again: at the first handler instruction, nothing retired', () => {
  const { layer, tables, A } = bench(tfProgram);
  idOf(layer.set({ kind: 'execution', linear: A }));
  untilStop(layer);
  tables.flags |= TF;
  step(layer, 0);
  const record = step(layer, 0);
  assert.deepEqual([record.kind, record.pc, record.delivery?.vector], ['step', tables.handler(1), 1]);
});
test('T-4C T-4D the guest reads and rewrites its own registers while the host bank is full', () => {
  const { layer, tables } = bench((c) => {
    c.raw('0F 21 C0 0F 21 FB'); // mov rax, dr0; mov rbx, dr7
    c.load(1, DATA).raw('0F 23 C1').load(1, 0x000d0402n).raw('0F 23 F9'); // dr0, dr7
    c.load(6, DATA).raw('48 89 06'); // mov [rsi], rax
  });
  for (let i = 0; i < 4; i++) {
    idOf(layer.set({ kind: 'data', linear: BigInt(DATA + 64 + 8 * i), size: 8, access: 'write' }));
  }
  noStop(layer, 10_000);
  assert.deepEqual([tables.register(RAX), tables.register(RBX)], [0n, 0x400n]);
  assert.equal(tables.debugLog.length, 1);
  assert.deepEqual(
    layer
      .slots(0)
      .slice(4)
      .map((row) => row.address),
    [64, 72, 80, 88].map((offset) => BigInt(DATA + offset)),
  );
});
test('T-4E guest DR6 after host stops of all kinds is untouched', () => {
  const { layer, tables, A, code } = bench((c) =>
    c.load(RBX, DATA).at('A').raw('48 89 03 90 90').at('B').raw('0F 21 C0 90'),
  );
  idOf(layer.set({ kind: 'execution', linear: A }));
  idOf(layer.set({ kind: 'execution', mode: 'hardware', linear: code.place('B') }));
  idOf(layer.set({ kind: 'data', linear: BigInt(DATA), size: 8, access: 'write' }));
  const kinds = [untilStop(layer), next(layer), step(layer, 0), next(layer), step(layer, 0)].map(({ kind }) => kind);
  assert.deepEqual(kinds, ['bp', 'watch', 'step', 'hwx', 'step']);
  assert.equal(tables.dr6, I6);
});
test('caught #DB: stop first, DR6 unchanged, then delivered', () => {
  const { layer, tables, A } = bench((c) => c.load(RBX, DATA).at('A').raw('48 89 03').at('B').raw('F1 90'), {
    prepare: (m) => m.setGuestSlot(1, BigInt(DATA), 1, 8),
  });
  layer.setCatch({ bp: 'off', db: true });
  const record = untilStop(layer);
  assert.deepEqual([record.kind, record.pc, record.guestPending & 15, record.guestDr6], ['guestDb', A + 3n, 2, I6]);
  const icebp = next(layer);
  assert.deepEqual([icebp.kind, icebp.pc], ['icebp', A + 3n]);
  noStop(layer, 10_000);
  assert.deepEqual(tables.debugLog, [
    [A + 3n, I6 + B1],
    [A + 4n, I6],
  ]);
  assert.deepEqual(
    rows(layer).filter((row) => row.includes('delivered')),
    ['1 guest caught, then delivered: 2.4 G-bank W/RW', '1 guest caught, then delivered: 2.4 ICEBP'],
  );
});
test('SAME-5 a breakpoint on the first instruction of a handler says which event led there', () => {
  const { layer, tables, A } = bench((c) => c.load(RBX, 0x40000000).at('A').raw('48 8B 03'));
  idOf(layer.set({ kind: 'execution', linear: tables.handler(14) }));
  const record = untilStop(layer);
  assert.deepEqual([record.kind, record.delivery], ['bp', { vector: 14, errorCode: 0, fromPc: A }]);
});
test('SAME-6 a breakpoint behind MOV SS stops with the shadow in force, and it stays in force', () => {
  const program = (c: Code): void => {
    c.raw('8C D0 8E D0').at('A').raw('90').at('B').raw('90');
  };
  const { layer, A, pc } = bench(program);
  idOf(layer.set({ kind: 'execution', linear: A }));
  assert.deepEqual([untilStop(layer).shadow, layer.reporter?.pc], ['movss', A]);
  noStop(layer, 10_000);
  layer.detach(false);
  assert.equal(pc.digest(), undebugged(program));
});
test('T-C4 a snapshot at a boundary with a pending trap and a shadow gives the same #DB', () => {
  const program = (c: Code): void => {
    c.load(RBX, DATA).raw('8E 13').at('A').raw('90').at('B').raw('90');
  };
  const prepare = (m: Tables): void => {
    m.write64(DATA, 0x10n);
    m.setGuestSlot(1, BigInt(DATA), 3, 4);
  };
  const { layer, A, pc, tables, code } = bench(program, { prepare });
  idOf(layer.set({ kind: 'execution', linear: A }));
  const record = untilStop(layer);
  assert.deepEqual([record.shadow, record.guestPending & 15], ['movss', 2]);
  const snapshot = pc.save();
  noStop(layer, 10_000);
  const expected: [bigint, bigint][] = [[code.place('B'), I6 + B1]];
  assert.deepEqual(tables.debugLog, expected);
  pc.restore(snapshot);
  assert.deepEqual([tables.debugLog, pc.engine.vcpu().shadow], [[], 2]);
  layer.detach(false);
  pc.run(10_000);
  assert.deepEqual(tables.debugLog, expected);
});
