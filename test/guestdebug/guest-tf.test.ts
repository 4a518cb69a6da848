// guest-debug-spec 6.4, the column "guest TF": the guest single-steps itself over every awkward instruction while the layer
// watches and stops nothing. On the real core and machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOG_DEBUG_REGISTER } from '../../src/core/state-values.ts';
import type { Code } from '../core/code.ts';
import { RAX, RBX, RCX, RDI, RSI } from '../core/code.ts';
import type { Machine as Tables } from '../core/machine.ts';
import { AND_CLEARING_TF, BS, DATA, I6, POPF_SETTING_TF, RF, TF } from '../core/machine.ts';
import type { Bench } from './bench.ts';
import { APIC_ON, bench } from './bench.ts';
import { noStop } from './layer.ts';

/** Sets TF, executes `bytes` at A, and clears TF again: and rax; push rax; popfq. */
function traced(bytes: string, before?: (c: Code) => Code, prepare?: (tables: Tables) => void): Bench {
  const b = bench(
    (c) => {
      before?.(c);
      c.raw(POPF_SETTING_TF).at('A').raw(bytes).at('B').raw('9C 58', AND_CLEARING_TF, '50 9D').at('out').raw('90');
    },
    prepare === undefined ? {} : { prepare },
  );
  noStop(b.layer, 10_000);
  return b;
}
/** RIP and DR6 of the first #DBs that the guest's own handler saw. */
const first = ({ tables }: Bench, count: number): unknown => tables.debugLog.slice(0, count);

const simple: readonly (readonly [string, string, string])[] = [
  ['T-50', 'PUSHF, whose image has TF', '9C'],
  ['T-5D', 'CLI', 'FA'],
  ['T-5D', 'STI, whose shadow holds no debug trap', 'FB'],
  ['T-67', 'IN', 'E4 E9'],
  ['T-67', 'OUT', 'E6 80'],
  ['T-68', 'an MMIO read', '48 8B 03'],
  ['T-69', 'MOV CR8', '44 0F 22 C1'],
  ['T-6A', 'a locked CMPXCHG8B that splits a line', 'F0 0F C7 4E 3C'],
  ['T-66', 'REP MOVSB with nothing to do', 'F3 A4'],
];
for (const [id, name, bytes] of simple) {
  test(`${id} guest TF over ${name}: one trap, behind it`, () => {
    const b = traced(
      bytes,
      (c) => c.load(RBX, 0x10_0000).load(RCX, 0).load(RSI, DATA).load(RDI, DATA),
      (m) => m.mapPage(0x10_0000, 0xfee00000n | 3n),
    );
    assert.deepEqual(first(b, 1), [[b.code.place('B'), I6 + BS]]);
  });
}
test('T-5B guest TF over HLT with interrupts on: the trap wakes the processor, and the machine runs on', () => {
  const b = traced('F4', (c) => c.raw('FB'));
  assert.deepEqual(first(b, 1), [[b.code.place('B'), I6 + BS]]);
  assert.equal(b.tables.debugLog.at(-1)?.[0], b.code.place('out'));
});
test('T-5E guest TF over MOV SS: nothing; the next instruction traps', () => {
  const b = traced('8E D1 90', (c) => c.raw('8C D1'));
  assert.deepEqual(first(b, 1), [[b.code.place('B'), I6 + BS]]);
});
test('T-5F guest TF, INT3 in the shadow of a POP SS of another mode: MOV SS here; #BP without a trap before it', () => {
  const b = traced('8E D1 CC', (c) => c.raw('8C D1'));
  assert.deepEqual(
    b.tables.log.slice(0, 1).map(({ vector, rip }) => [vector, rip]),
    [[3, b.A + 3n]],
  );
});
test('T-58 T-59 guest TF over INT n and INT3: no trap for them; the frame has TF, and the next instruction traps', () => {
  for (const [bytes, vector] of [
    ['CD 80', 0x80],
    ['CC', 3],
  ] as const) {
    const b = traced(bytes);
    const [event, trap] = b.tables.log;
    assert.deepEqual([event?.vector, event?.rip, (event?.flags ?? 0n) & TF], [vector, b.code.place('B'), TF]);
    assert.deepEqual([trap?.vector, trap?.rip], [1, b.code.place('B') + 1n]);
  }
});
test('T-60 T-61 T-62 guest TF over a faulting instruction: the fault comes with RF and no trap of the faulted try', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['48 8B 03', 14],
    ['0F 22 D9', 13],
    ['0F 0B', 6],
  ];
  for (const [bytes, vector] of cases) {
    const b = bench(
      (c) =>
        c
          .load(RBX, 0x40000000)
          .load(RCX, 1n << 62n)
          .raw(POPF_SETTING_TF)
          .at('A')
          .raw(bytes)
          .at('B')
          .raw('9C 58', AND_CLEARING_TF, '50 9D 90'),
      { prepare: (m, code) => m.resumeAt(vector, code.place('B')) },
    );
    noStop(b.layer, 10_000);
    const [fault, trap] = b.tables.log;
    assert.deepEqual([fault?.vector, fault?.rip, (fault?.flags ?? 0n) & RF], [vector, b.A, RF], bytes);
    // Behind the PUSHF at B: RF in the frame does not hold the single-step trap back.
    assert.deepEqual([trap?.vector, trap?.rip], [1, b.code.place('B') + 1n]);
  }
});
test('T-64 guest TF over REP MOVSB: a trap behind each iteration, with RF in the frame between two', () => {
  const b = traced('F3 A4', (c) =>
    c
      .load(RCX, 3)
      .load(RSI, DATA)
      .load(RDI, DATA + 64),
  );
  const B = b.code.place('B');
  assert.deepEqual(first(b, 3), [
    [b.A, I6 + BS],
    [b.A, I6 + BS],
    [B, I6 + BS],
  ]);
  assert.deepEqual(
    b.tables.log.slice(0, 3).map(({ flags }) => flags & RF),
    [RF, RF, 0n],
  );
});
test('T-69 guest TF over MOV CR8 that lets a pending interrupt in: the trap first, then the interrupt', () => {
  const b = bench((c) => {
    // TPR 15; an interrupt of vector 40h to itself; interrupts on
    c.raw(APIC_ON, 'B8 0F 00 00 00 44 0F 22 C0 B9 3F 08 00 00 B8 40 00 00 00 31 D2 0F 30 FB').load(RCX, 0);
    c.raw(POPF_SETTING_TF).at('A').raw('44 0F 22 C1').at('B').raw('9C 58', AND_CLEARING_TF, '50 9D 90');
  });
  noStop(b.layer, 10_000);
  const B = b.code.place('B');
  assert.deepEqual(
    b.tables.log.slice(0, 2).map(({ vector, rip }) => [vector, rip]),
    [
      [1, B],
      [0x40, B],
    ],
  );
});
test('T-14 guest TF over HLT with the local APIC timer armed: five traps, and the machine does not hang', () => {
  const b = bench((c) => {
    // Timer: vector 50h, one-shot, divide by 1, 100,000 counts; then IF = 0, TF by POPF, STI, and at S: HLT AND PUSH POPF.
    c.raw(APIC_ON, 'FA B9 32 08 00 00 B8 50 00 00 00 31 D2 0F 30 B9 3E 08 00 00 B8 0B 00 00 00 0F 30');
    c.raw('B9 38 08 00 00 B8 A0 86 01 00 0F 30');
    c.raw('9C 58 25 FF FD FF FF 48 0D 00 01 00 00 50 9D FB')
      .at('S')
      .raw('F4', AND_CLEARING_TF, '50 9D')
      .at('out')
      .raw('90');
  });
  noStop(b.layer, 100_000);
  const S = b.code.place('S');
  assert.deepEqual(
    b.tables.debugLog,
    [0n, 1n, 7n, 8n, 9n].map((offset) => [S + offset, I6 + BS]),
  );
});
test('T-70b a guest I/O slot while CR4.DE is clear never matches, and the engine says so', () => {
  const said: unknown[] = [];
  const b = bench(
    (c) => {
      // dr0 = 80h; dr7 = L0, type I/O; out 80h, al
      c.load(RAX, 0x80).raw('0F 23 C0').load(RAX, 0x20402).raw('0F 23 F8').at('A').raw('E6 80 90');
    },
    { onLog: (code, vcpu, a, index) => void said.push([code, vcpu, a, index]) },
  );
  noStop(b.layer, 10_000);
  assert.deepEqual(b.tables.debugLog, []);
  assert.deepEqual(said, [[LOG_DEBUG_REGISTER, 0, 0x20402n, 0n]]);
});
