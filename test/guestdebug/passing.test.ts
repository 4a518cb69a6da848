// guest-debug-spec 4.6: how a vCPU passes an execution breakpoint on resume: once, with progress, and without missing a new
// visit, whatever interrupts, faults or calls come between. On the real core and machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Code, RAX, RBX, RCX, RDI, RSI } from '../core/code.ts';
import { CODE, DATA, RF } from '../core/machine.ts';
import { APIC_ON, bench, interrupt } from './bench.ts';
import { idOf, next, noStop, untilStop } from './layer.ts';

const VECTOR = 0x40;
const HANDLER = CODE + 0x900;

test('T-A6 an interrupt becomes pending at the resume: one instruction, then its handler, and the breakpoint once', () => {
  const { layer, pc, tables, A } = bench((c) => c.raw(APIC_ON, 'FB 90').at('A').raw('90').at('B').raw('90'));
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  assert.equal(untilStop(layer).pc, A);
  interrupt(pc, 0, VECTOR);
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[VECTOR, A + 1n]],
  );
  assert.equal(layer.holdsApplied, 1);
  assert.equal(layer.counts(id)?.hits, 1);
});
test('T-A6 an interrupt in front of a breakpoint that a queued vCPU passes leaves its permission alone', () => {
  const { layer, pc, tables, A } = bench((c) => c.raw(APIC_ON, 'FB 90').at('A').raw('90').at('B').raw('90'), {
    vcpus: 2,
    quantum: 1,
  });
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  const first = untilStop(layer);
  const [queued] = first.alsoPending;
  assert.ok(queued !== undefined);
  // It comes after the boundary of the queued vCPU was looked at, so it is taken in front of A.
  interrupt(pc, queued.vcpu, VECTOR);
  assert.equal(next(layer).vcpu, queued.vcpu);
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[VECTOR, A]],
  );
  assert.deepEqual([layer.counts(id)?.hits, layer.discardedEvents], [2, 0]);
});
test('T-A8 the permission to pass is for one frame: an interrupt that calls the same function is a new visit', () => {
  const { layer, pc, A, tables } = bench(
    (c) =>
      c.raw(APIC_ON, 'FB').relative('E8', 'A', 4).relative('EB', 'out', 1).at('A').raw('90 C3').at('out').raw('90'),
    {
      vcpus: 2,
      quantum: 1,
      prepare: (m, code) => {
        // push rax; mov rax, A; call rax; pop rax; iretq
        m.write(HANDLER, new Code(HANDLER).raw('50').load(RAX, code.place('A')).raw('FF D0 58 48 CF').finish());
        m.setGate(VECTOR, BigInt(HANDLER));
      },
    },
  );
  idOf(layer.set({ kind: 'execution', linear: A }));
  const first = untilStop(layer);
  const [queued] = first.alsoPending;
  assert.ok(queued !== undefined);
  interrupt(pc, queued.vcpu, VECTOR);
  assert.deepEqual([next(layer).vcpu, layer.reporter?.pc], [queued.vcpu, A]);
  const outer = tables.engine.vcpu(queued.vcpu).rsp;
  const inner = next(layer);
  assert.deepEqual([inner.vcpu, inner.pc], [queued.vcpu, A]);
  assert.ok(tables.engine.vcpu(queued.vcpu).rsp < outer, 'the call of the handler was missed');
});
test('T-64 T-65 a breakpoint on a string instruction stops once, and the string is copied whole', () => {
  const { layer, A, tables } = bench(
    (c) =>
      c
        .load(RCX, 5)
        .load(RSI, DATA)
        .load(RDI, DATA + 64)
        .raw('90')
        .at('A')
        .raw('F3 A4')
        .at('B')
        .raw('90'),
    { prepare: (m) => m.write(DATA, Uint8Array.of(1, 2, 3, 4, 5)) },
  );
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  assert.equal(untilStop(layer).pc, A);
  noStop(layer, 10_000);
  assert.deepEqual([layer.counts(id)?.hits, tables.register(RCX), tables.read8(DATA + 68)], [1, 0n, 5]);
});
test('T-A6 an interrupt between two iterations of a string instruction that is passed: it goes on where it was', () => {
  const { layer, pc, A, tables } = bench((c) =>
    c
      .raw(APIC_ON, 'FB')
      .load(RCX, 5)
      .load(RSI, DATA)
      .load(RDI, DATA + 64)
      .at('A')
      .raw('F3 A4')
      .at('B')
      .raw('90'),
  );
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  untilStop(layer);
  interrupt(pc, 0, VECTOR);
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip, flags }) => [vector, rip, flags & RF]),
    [[VECTOR, A, RF]],
  );
  assert.deepEqual([layer.counts(id)?.hits, tables.register(RCX)], [1, 0n]);
});
test('T-A8 a handler that runs into the function again on its own stack is a new visit', () => {
  const missing = DATA + 0x1000;
  const { layer, A } = bench(
    (c) => c.load(RBX, missing).raw('90').at('A').raw('48 8B 03 90').raw('EB 30').raw('90'.repeat(64)),
    {
      prepare: (m, code) => {
        m.mapPage(missing, 0n);
        // It stays on the stack of the fault, makes the memory operand good and jumps to the function: RF is clear.
        m.write(HANDLER, new Code(HANDLER).load(RBX, DATA).load(RAX, code.place('A')).raw('FF E0').finish());
        m.setGate(14, BigInt(HANDLER));
      },
    },
  );
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  assert.deepEqual([untilStop(layer).pc, next(layer).pc], [A, A]);
  assert.equal(layer.counts(id)?.hits, 2);
});
test('a function that calls itself is hit at every depth', () => {
  const { layer, A } = bench((c) =>
    c
      .load(RCX, 3)
      .relative('E8', 'A', 4)
      .relative('EB', 'end', 1)
      .at('A')
      .raw('FF C9')
      .relative('74', 'out', 1)
      .relative('E8', 'A', 4)
      .at('out')
      .raw('C3')
      .at('end')
      .raw('90'),
  );
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  assert.deepEqual([untilStop(layer).pc, next(layer).pc, next(layer).pc], [A, A, A]);
  noStop(layer, 10_000);
  assert.equal(layer.counts(id)?.hits, 3);
});
test('T-B3 T-B4 RIP set by hand onto a breakpoint: it executes that instruction, and stops at the next visit', () => {
  const { layer, A, tables, code } = bench((c) =>
    c.load(RCX, 3).at('A').raw('90').relative('E2', 'A', 1).at('B').raw('90'),
  );
  layer.attach();
  idOf(layer.set({ kind: 'execution', linear: A }));
  tables.setRegister(RCX, 3n);
  tables.rip = A;
  assert.equal(next(layer).pc, A);
  assert.equal(tables.register(RCX), 2n);
  assert.equal(tables.flags & RF, 0n);
  assert.ok(code.place('B') > A);
});
