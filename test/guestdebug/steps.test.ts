// guest-debug-spec 6.4 through the whole layer: what a step's stop record says; on the real core and machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StopRecord } from '../../src/guestdebug/api.ts';
import type { Code } from '../core/code.ts';
import { Code as Assembler, RAX, RBX, RCX, RDI, RSI } from '../core/code.ts';
import type { Machine as Tables } from '../core/machine.ts';
import { BS, CODE, DATA, I6, PAGE_TABLE, RF, TF, USER_CODE, USER_DATA, USER_STACK } from '../core/machine.ts';
import type { Bench } from './bench.ts';
import { bench } from './bench.ts';
import { idOf, step, stopOf, untilStop } from './layer.ts';
import { stopSentence } from '../../src/words/stops.ts';

/** A bench that stands at place A. */
function at(build: (code: Code) => void, prepare?: (tables: Tables, code: Code) => void): Bench {
  const b = bench(build, prepare === undefined ? {} : { prepare });
  const id = idOf(b.layer.set({ kind: 'execution', linear: b.A }));
  assert.equal(untilStop(b.layer).pc, b.A);
  b.layer.remove(id);
  return b;
}
const summary = (record: StopRecord): unknown[] => [record.kind, record.pc, record.delivery?.vector];

test('T-50 PUSHF shows no TF', () => {
  const { layer, A, tables } = at((c) => c.at('A').raw('9C 58'));
  assert.deepEqual(summary(step(layer, 0)), ['step', A + 1n, undefined]);
  step(layer, 0);
  assert.equal(tables.register(RAX) & TF, 0n);
});
test('T-51 T-52 POPF that sets and that clears TF', () => {
  const { layer, A } = at((c) => c.raw('9C 58 48 0D 00 01 00 00 50').at('A').raw('9D'));
  const sets = step(layer, 0);
  assert.deepEqual([sets.pc, sets.guestPending], [A + 1n, 0]);
  const clearing = at((c) => c.raw('9C').at('A').raw('9D 90'));
  clearing.tables.flags |= TF;
  const clears = step(clearing.layer, 0);
  assert.deepEqual([clears.pc, clears.guestPending & 0x4000], [clearing.A + 1n, 0x4000]);
});
test('T-53 T-56 returns to user mode with TF set', () => {
  const target = BigInt(CODE + 0x800);
  const iret = at((c) => {
    c.raw(0x6a, USER_DATA, 0x68).value(USER_STACK, 4).raw('68 02 01 00 00', 0x6a, USER_CODE, 0x68);
    c.value(target, 4).at('A').raw('48 CF');
  });
  const first = step(iret.layer, 0);
  assert.deepEqual([first.pc, first.guestPending, iret.layer.vcpus()[0]?.cpl], [target, 0, 3]);
  const sysret = at((c) => c.load(RCX, target).load(11, 0x102).at('A').raw('48 0F 07'));
  const second = step(sysret.layer, 0);
  assert.deepEqual([second.pc, second.guestPending & 0x4000, sysret.layer.vcpus()[0]?.cpl], [target, 0x4000, 3]);
});
test('T-67 T-69 T-6A I/O, MOV CR8, a locked split exchange: one step each', () => {
  const all = ['E4 E9', 'E6 80', '44 0F 22 C0', 'F0 0F C7 4B 3C', 'F0 48 0F C7 0B', '0F A2', '0F 31', '0F AE F8'];
  for (const bytes of all) {
    const { layer, A } = at((c) => c.load(RBX, DATA).load(RAX, 0).at('A').raw(bytes, '90'));
    const length = BigInt(bytes.split(' ').length);
    assert.deepEqual(summary(step(layer, 0)), ['step', A + length, undefined], bytes);
  }
});
test("T-54 T-55 SYSCALL ends at LSTAR; the guest's trap is pending only when the mask leaves TF", () => {
  for (const [mask, pending] of [
    [TF, 0],
    [0n, 0x4000],
  ] as const) {
    const { layer, tables } = at((c) => c.at('A').raw('0F 05'));
    tables.engine.vcpu().msrLstar = BigInt(CODE + 0x800);
    tables.engine.vcpu().msrSfmask = mask;
    tables.flags |= TF;
    const record = step(layer, 0);
    assert.deepEqual([record.pc, record.guestPending & 0x4000], [BigInt(CODE + 0x800), pending]);
    assert.notEqual(tables.register(11) & TF, 0n);
  }
});
test('T-58 T-59 T-5A INT n, INT3 and INT1 end at their handlers', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['CD 80', 0x80],
    ['CC', 3],
    ['F1', 1],
  ];
  for (const [bytes, vector] of cases) {
    const { layer, tables } = at((c) => c.at('A').raw(bytes));
    const record = step(layer, 0);
    assert.deepEqual(summary(record), ['step', tables.handler(vector), vector]);
    assert.equal(record.guestDr6, I6);
    assert.match(stopSentence(record), new RegExp(`stepped into the handler of vector ${vector} `));
  }
});
test('T-5B T-5C HLT ends the step; another one with interrupts held answers at once', () => {
  const { layer, A } = at((c) => c.raw('FB').at('A').raw('F4 90'));
  const record = step(layer, 0);
  assert.deepEqual([record.kind, record.pc, record.activity], ['step', A + 1n, 'halted']);
  const again = stopOf(layer.resume({ kind: 'step', vcpu: 0, mode: 'insn', interrupts: 'hold' }));
  assert.deepEqual([again.kind, again.pc], ['halted', A + 1n]);
});
test('T-5D CLI and STI', () => {
  const { layer, A } = at((c) => c.at('A').raw('FA FB'));
  assert.deepEqual([step(layer, 0).shadow, layer.reporter?.pc], ['none', A + 1n]);
  assert.deepEqual([step(layer, 0).shadow, layer.reporter?.pc], ['sti', A + 2n]);
});
test('T-5E T-5F MOV SS and INT3 in its shadow', () => {
  const { layer, tables } = at((c) => c.raw('8C D0').at('A').raw('8E D0 CC'));
  assert.equal(step(layer, 0).shadow, 'movss');
  assert.deepEqual(summary(step(layer, 0)), ['step', tables.handler(3), 3]);
});
test('T-60 T-61 T-62 faults end the step at their handlers', () => {
  const cases: readonly (readonly [(c: Code) => Code, number, number | undefined])[] = [
    [(c) => c.load(RBX, 0x40000000).at('A').raw('48 8B 03'), 14, 0],
    [
      (c) =>
        c
          .load(RBX, 1n << 62n)
          .at('A')
          .raw('0F 22 DB'),
      13,
      0,
    ],
    [(c) => c.at('A').raw('0F 0B'), 6, undefined],
  ];
  for (const [build, vector, errorCode] of cases) {
    const { layer, tables, A } = at(build);
    const record = step(layer, 0);
    assert.deepEqual(summary(record), ['step', tables.handler(vector), vector]);
    assert.deepEqual([record.delivery?.fromPc, record.delivery?.errorCode, record.guestPending], [A, errorCode, 0]);
    tables.resumeAt(vector, tables.rip);
    for (let i = 0; i < 40 && tables.log.length === 0; i++) step(layer, 0);
    layer.resume({ kind: 'continue' });
    layer.runSlice(60);
    assert.notEqual((tables.log[0]?.flags ?? 0n) & RF, 0n);
  }
});
test('T-63 a fault while delivering a fault is #DF; a third is a shutdown, no hang', () => {
  // A reserved CR3 bit is #GP, its gate has no selector: #GP again, which makes a double fault.
  const bad = (c: Code): Code =>
    c
      .load(RBX, 1n << 62n)
      .at('A')
      .raw('0F 22 DB');
  const double = at(bad, (m) => m.setGate(13, 0n, 0, 0, 0));
  assert.deepEqual(summary(step(double.layer, 0)), ['step', double.tables.handler(8), 8]);
  const dead = at(bad, (m) => {
    m.setGate(8, 0n, 0, 0, 0);
    m.setGate(13, 0n, 0, 0, 0);
  });
  const record = step(dead.layer, 0);
  assert.deepEqual([record.kind, record.activity], ['shutdown', 'shutdown']);
  const end = dead.layer.resume({ kind: 'continue' });
  assert.deepEqual([end.kind, end.kind === 'ended' && end.status], ['ended', 4]);
  assert.equal(dead.layer.runSlice(10).kind, 'ended');
});
test('T-64 T-65 T-66 a string instruction by iterations, whole, and with nothing to do', () => {
  const rep = (count: number) => (c: Code) =>
    c
      .load(RCX, count)
      .load(RSI, DATA)
      .load(RDI, DATA + 64)
      .at('A')
      .raw('F3 A4')
      .at('B')
      .raw('90');
  const one = at(rep(3));
  const seen = [0, 1, 2].map(() => [step(one.layer, 0).pc, one.tables.register(RCX)]);
  assert.deepEqual(seen, [
    [one.A, 2n],
    [one.A, 1n],
    [one.A + 2n, 0n],
  ]);
  const whole = at(rep(3));
  assert.deepEqual([step(whole.layer, 0, 'insn-whole').pc, whole.tables.register(RCX)], [whole.A + 2n, 0n]);
  const none = at(rep(0));
  assert.equal(step(none.layer, 0).pc, none.A + 2n);
});
test('T-68 an MMIO read ends the step behind it', () => {
  const { layer, A } = at(
    (c) => c.load(RBX, 0x10_0000).at('A').raw('48 8B 03 90'),
    (m) => {
      m.mapPage(0x10_0000, 0xfee00000n | 3n);
    },
  );
  assert.deepEqual(summary(step(layer, 0)), ['step', A + 3n, undefined]);
});
test('T-6E T-6F a branch step ends at the target of a taken jump only', () => {
  const { layer, code } = at((c) =>
    c
      .at('A')
      .raw('31 C0 FF C0 31 C9')
      .relative('75', 'no', 1)
      .raw('85 C0')
      .relative('75', 'there', 1)
      .at('no')
      .raw('90')
      .at('there')
      .raw('90'),
  );
  const record = step(layer, 0, 'branch');
  assert.deepEqual([record.kind, record.pc, record.dr6], ['branchStep', code.place('there'), I6 + BS]);
});
test('a branch step goes on behind a log point on its way', () => {
  const { layer, A, code } = at((c) =>
    c.at('A').raw('90 90 90').relative('EB', 'there', 1).raw('90').at('there').raw('90'),
  );
  let seen = 0;
  idOf(
    layer.set({
      kind: 'execution',
      linear: A + 2n,
      filter: () => {
        seen++;
        return 'continue';
      },
    }),
  );
  const record = step(layer, 0, 'branch');
  assert.deepEqual([record.kind, record.pc, seen], ['branchStep', code.place('there'), 1]);
});

/** x2APIC on, a self-IPI of vector 0x40 pending behind CLI; A is the instruction behind the shadow of STI. */
const pendingInterrupt = (c: Code): void => {
  c.raw('B9 1B 00 00 00 0F 32 0D 00 0C 00 00 0F 30');
  c.raw('B9 0F 08 00 00 B8 FF 01 00 00 31 D2 0F 30');
  c.raw('FA B9 3F 08 00 00 B8 40 00 00 00 0F 30');
  c.raw('FB').at('S').raw('90').at('A').raw('90').at('B').raw('90');
};
function atA(interrupts: 'through' | 'enter' | 'hold'): Bench {
  const b = bench(pendingInterrupt, { stepIrq: interrupts });
  idOf(b.layer.set({ kind: 'execution', linear: b.code.place('S') }));
  untilStop(b.layer);
  // One step over the shadow: the interrupt waits at A.
  assert.equal(step(b.layer, 0).pc, b.A);
  assert.deepEqual(b.tables.log, []);
  return b;
}
test("STEP-7 enter: the step ends at the first instruction of the interrupt's handler", () => {
  const { layer, tables, A } = atA('enter');
  const record = step(layer, 0);
  assert.deepEqual(summary(record), ['step', tables.handler(0x40), 0x40]);
  assert.equal(record.delivery?.fromPc, A);
});
test('STEP-7 through: the handler runs unseen and the step ends in the interrupted flow', () => {
  const { layer, tables, A } = atA('through');
  const record = step(layer, 0);
  assert.deepEqual(summary(record), ['step', A + 1n, undefined]);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[0x40, A]],
  );
});
test('STEP-7 through: a breakpoint in the handler still stops', () => {
  const { layer, tables } = atA('through');
  idOf(layer.set({ kind: 'execution', linear: tables.handler(0x40) + 2n }));
  const record = step(layer, 0);
  assert.deepEqual([record.kind, record.stepCancelled], ['bp', true]);
});
test('STEP-7 hold: the instruction runs, the interrupt comes afterwards', () => {
  const { layer, tables, A } = atA('hold');
  const record = step(layer, 0);
  assert.deepEqual([...summary(record), tables.log.length], ['step', A + 1n, undefined, 0]);
  layer.resume({ kind: 'continue' });
  layer.runSlice(10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[0x40, A + 1n]],
  );
});
test('T-A6 an interrupt pending at a resume: the breakpoint is shown once, with progress', () => {
  const b = bench(pendingInterrupt);
  const id = idOf(b.layer.set({ kind: 'execution', linear: b.code.place('B') }));
  untilStop(b.layer);
  assert.equal(b.tables.log.length, 1);
  assert.equal(b.layer.resume({ kind: 'continue' }).kind, 'running');
  assert.equal(b.layer.runSlice(10_000).kind, 'idle');
  assert.deepEqual([b.layer.counts(id)?.hits, b.layer.holdsApplied], [1, 0]);
});
test('T-A7 the instruction under a breakpoint page-faults: handler, back, one stop', () => {
  const linear = DATA + 0x1000;
  const mapper = CODE + 0x900;
  const b = bench((c) => c.load(RBX, linear).raw('90').at('A').raw('48 8B 03 90'), {
    prepare: (m) => {
      m.mapPage(linear, 0n);
      // A #PF handler that maps the page: push rax; mov eax, entry; mov [pte], rax; pop rax; add rsp, 8; iretq.
      const handler = new Assembler(mapper).raw(0x50, 0xb8).value(linear | 7, 4);
      handler
        .raw('48 89 04 25')
        .value(PAGE_TABLE + (linear >> 12) * 8, 4)
        .raw('58 48 83 C4 08 48 CF');
      m.write(mapper, handler.finish());
      m.setGate(14, BigInt(mapper));
    },
  });
  const id = idOf(b.layer.set({ kind: 'execution', linear: b.A }));
  untilStop(b.layer);
  const before = b.pc.instructions;
  b.layer.resume({ kind: 'continue' });
  assert.equal(b.layer.runSlice(10_000).kind, 'idle');
  assert.equal(b.layer.counts(id)?.hits, 1);
  assert.ok(b.pc.instructions - before > 8n, 'the handler ran');
});
