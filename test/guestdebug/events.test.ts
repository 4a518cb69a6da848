// guest-debug-spec 6.8 and 6.9 where interrupts, INIT, start-up and snapshots meet the debugger; on the real core and machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as P from '../../src/guestdebug/policy.ts';
import { Code, RAX, RBX, RCX, RDX } from '../core/code.ts';
import { B1, CODE, DATA, I6, I7, PAGE_TABLE, PML4, STACK } from '../core/machine.ts';
import type { Bench } from './bench.ts';
import { APIC_ON, bench, interrupt, outside } from './bench.ts';
import { controlMessage, idOf, next, noStop, step, untilStop } from './layer.ts';
import { debugged, symbol } from './sample-guest.ts';

/** x2APIC on, software-enabled; then a write of the interrupt command register. */
function interruptCommand(c: Code, command: number): Code {
  c.raw(APIC_ON);
  return c.load(RCX, 0x830).load(RAX, command).load(RDX, 0).at('send').raw('0F 30');
}
const NMI_TO_0 = 0x4400;
const INIT_TO_0 = 0x4500;
function control({ layer }: Bench, word: number, dr7 = 0n): void {
  const debugreg = [BigInt(DATA), 0n, 0n, 0n, 0n, 0n, 0n, dr7];
  assert.equal(layer.setGuestDebug(0, { control: word, pad: 0, debugreg }), 'OK', controlMessage(layer));
}

test('T-A9 an NMI while stepping with BLOCKIRQ is held and comes afterwards', () => {
  const b = bench((c) => interruptCommand(c, NMI_TO_0).at('A').raw('90 90 90'));
  const { layer, tables, code } = b;
  idOf(layer.set({ kind: 'execution', linear: code.place('send') }));
  untilStop(layer);
  control(b, P.CONTROL_ENABLE | P.CONTROL_SINGLE_STEP | P.CONTROL_SOFTWARE_BREAKPOINTS | P.CONTROL_BLOCK_INTERRUPTS);
  const records = [next(layer), next(layer)];
  assert.deepEqual(
    records.map((r) => [r.pc, r.heldEvents.nmi]),
    [
      [b.A, true],
      [b.A + 1n, true],
    ],
  );
  control(b, 0);
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[2, b.A + 1n]],
  );
});
test('T-AB INIT during a step stops with kind reset', () => {
  const { layer, code, pc } = bench((c) => interruptCommand(c, INIT_TO_0).at('A').raw('90'));
  idOf(layer.set({ kind: 'execution', linear: code.place('send') }));
  untilStop(layer);
  const record = step(layer, 0);
  assert.deepEqual([record.kind, layer.vcpus()[0]?.mode, record.pc], ['reset', 'real', 0xfffffff0n]);
  assert.equal(pc.engine.vcpu(0).lease, 0);
});
test('T-AB an SMI while stepping with BLOCKIRQ is held and comes afterwards', () => {
  const SMI_TO_0 = 0x4200;
  /** SMBASE at reset is 30000h, the handler 8000h behind it (SDM 3C 31.4). */
  const SMI_HANDLER = 0x3_8000;
  const b = bench((c) => interruptCommand(c, SMI_TO_0).at('A').raw('90 90 90'), {
    prepare: (m) => m.write(SMI_HANDLER, Uint8Array.of(0x90, 0x0f, 0xaa)), // nop; rsm
  });
  const { layer, code } = b;
  idOf(layer.set({ kind: 'execution', linear: code.place('send') }));
  untilStop(layer);
  control(b, 0x100003 | 0x10000);
  const records = [next(layer), next(layer)];
  assert.deepEqual(
    records.map((r) => [r.pc, r.heldEvents.smi]),
    [
      [b.A, true],
      [b.A + 1n, true],
    ],
  );
  idOf(layer.set({ kind: 'execution', linear: BigInt(SMI_HANDLER) }));
  control(b, 0);
  const handler = next(layer);
  assert.deepEqual([handler.pc, handler.heldEvents.smi], [BigInt(SMI_HANDLER), false]);
  assert.deepEqual([step(layer, 0).pc, step(layer, 0).pc], [BigInt(SMI_HANDLER) + 1n, b.A + 1n]);
  noStop(layer, 10_000);
});
test('T-AC a processor that waits for SIPI is not started by continue; a SIPI while stopped starts it at its vector', () => {
  const STARTUP = 6;
  const b = bench((c) => c.raw(APIC_ON).at('A').raw('90').at('spin').raw('EB FE'), { vcpus: 2, quantum: 3 });
  const { layer, pc } = b;
  // The second processor has enabled its APIC and waits.
  pc.engine.vcpu(1).activity = 2;
  idOf(layer.set({ kind: 'execution', linear: b.A }));
  assert.equal(untilStop(layer).vcpu, 0);
  assert.equal(layer.vcpus()[1]?.state, 'offline');
  noStop(layer, 1000);
  assert.equal(layer.vcpus()[1]?.activity, 'waitSipi');
  layer.pause();
  untilStop(layer);
  const before = pc.instructions;
  outside(pc, 1, { delivery: STARTUP, vector: 0x34, level: false });
  assert.deepEqual([layer.runSlice(1000).kind, pc.instructions], ['stopped', before]);
  idOf(layer.set({ kind: 'execution', linear: 0x3_4000n, vcpus: [1] }));
  const started = next(layer);
  assert.deepEqual([started.vcpu, started.pc], [1, 0x3_4000n]);
});
test('T-AD a halted processor is halted after stop and continue, and wakes on its interrupt', () => {
  const b = bench((c) => c.raw(APIC_ON, 'FB').at('A').raw('F4').at('woken').raw('90'), { vcpus: 2, quantum: 1 });
  const { layer, pc, tables, code } = b;
  layer.runSlice(100);
  layer.pause();
  untilStop(layer);
  assert.deepEqual(
    layer.vcpus().map(({ activity }) => activity),
    ['halted', 'halted'],
  );
  noStop(layer, 100);
  assert.deepEqual(tables.log, []);
  idOf(layer.set({ kind: 'execution', linear: code.place('woken') }));
  interrupt(pc, 1, 0x40);
  const woken = untilStop(layer);
  assert.deepEqual([woken.vcpu, woken.pc, layer.vcpus()[0]?.activity], [1, code.place('woken'), 'halted']);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[0x40, code.place('woken')]],
  );
});
test("T-9F INIT resets the guest's bank and keeps the host's", () => {
  const b = bench((c) => interruptCommand(c, INIT_TO_0).at('A').raw('90'), {
    prepare: (m) => m.setGuestSlot(1, BigInt(DATA + 64), 1, 8),
  });
  const { layer } = b;
  idOf(layer.set({ kind: 'data', linear: BigInt(DATA), size: 8, access: 'write' }));
  idOf(layer.set({ kind: 'execution', linear: b.code.place('send') }));
  untilStop(layer);
  assert.equal(layer.slots(0)[1]?.enabled, true);
  step(layer, 0);
  assert.deepEqual([layer.slots(0)[1]?.enabled, layer.slots(0)[1]?.address], [false, 0n]);
  assert.deepEqual([b.pc.engine.vcpu(0).hDr0, b.pc.engine.vcpu(0).hDr7], [BigInt(DATA), 0x90402]);
});
test('T-CA an interrupt arriving with a watch hit: stop first, exactly behind the store; then the interrupt', () => {
  const { layer, tables, A } = bench((c) => {
    interruptCommand(c.raw('FA').load(RBX, DATA), 0x44040).raw('FB').at('A').raw('48 89 03').at('B').raw('90');
  });
  idOf(layer.set({ kind: 'data', linear: BigInt(DATA), size: 8, access: 'write' }));
  const record = untilStop(layer);
  assert.deepEqual([record.kind, record.pc, tables.log.length], ['watch', A + 3n, 0]);
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[0x40, A + 3n]],
  );
});
test('T-C5 a snapshot while BLOCKIRQ holds a vector restores it pending', () => {
  const b = bench((c) => interruptCommand(c.raw('FA'), 0x44040).raw('FB').at('A').raw('90 90 90'));
  const { layer, tables, A, pc } = b;
  idOf(layer.set({ kind: 'execution', linear: A }));
  untilStop(layer);
  control(b, P.CONTROL_ENABLE | P.CONTROL_SINGLE_STEP | P.CONTROL_SOFTWARE_BREAKPOINTS | P.CONTROL_BLOCK_INTERRUPTS);
  assert.equal(next(layer).heldEvents.interrupt, true);
  const snapshot = pc.save();
  layer.detach(true);
  pc.restore(snapshot);
  pc.run(10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[0x40, A + 1n]],
  );
});
test('T-CB the clock stands still while the world is stopped', () => {
  const { layer, A, pc } = bench((c) => c.raw('90').at('A').raw('90'));
  idOf(layer.set({ kind: 'execution', linear: A }));
  untilStop(layer);
  const { clock } = pc;
  for (let i = 0; i < 100; i++) layer.runSlice(10_000);
  assert.equal(pc.clock, clock);
});
test('T-C9 one instruction with TF and a data hit of the guest: one #DB, and progress', () => {
  const { layer, tables, A } = bench(
    (c) => c.load(RBX, DATA).raw('9C 58 48 0D 00 01 00 00 50 9D').at('A').raw('48 89 03').raw('90'),
    { prepare: (m) => m.setGuestSlot(1, BigInt(DATA), 1, 8) },
  );
  layer.runSlice(40);
  assert.deepEqual(tables.debugLog[0], [A + 3n, I6 + 0x4000n + B1]);
  assert.equal(tables.debugLog.filter(([rip]) => rip === A + 3n).length, 1);
});
/** A #PF handler at CODE + 900h. */
function faultHandler(build: (c: Code) => Code): { address: number; bytes: Uint8Array } {
  const address = CODE + 0x900;
  return { address, bytes: build(new Code(address)).finish() };
}
const MISSING = DATA + 0x1000;
test('T-A7 with a breakpoint in the handler too: each place once', () => {
  const handler = faultHandler((c) =>
    c
      .raw(0x50, 0xb8)
      .value(MISSING | 7, 4)
      .raw('48 89 04 25')
      .value(PAGE_TABLE + (MISSING >> 12) * 8, 4)
      .raw('58 48 83 C4 08 48 CF'),
  );
  const b = bench((c) => c.load(RBX, MISSING).raw('90').at('A').raw('48 8B 03 90'), {
    prepare: (m) => {
      m.mapPage(MISSING, 0n);
      m.write(handler.address, handler.bytes);
      m.setGate(14, BigInt(handler.address));
    },
  });
  const id = idOf(b.layer.set({ kind: 'execution', linear: b.A }));
  const inHandler = idOf(b.layer.set({ kind: 'execution', linear: BigInt(handler.address) }));
  assert.deepEqual([untilStop(b.layer).pc, next(b.layer).pc], [b.A, BigInt(handler.address)]);
  noStop(b.layer, 10_000);
  assert.deepEqual([b.layer.counts(id)?.hits, b.layer.counts(inHandler)?.hits], [1, 1]);
});
test('T-A8 the handler kills the thread and the function is called anew with the same RSP: a stop', () => {
  // mov rbx, DATA; mov rsp, STACK; jmp A: RF is clear on arrival.
  const b = bench(
    (c) => c.load(RBX, MISSING).raw('90').at('A').raw('48 8B 03 90').raw('EB 30').at('there').raw('90'.repeat(64)),
    {
      prepare: (m, code) => {
        const handler = faultHandler((c) => c.load(RBX, DATA).load(4, STACK).load(RAX, code.place('A')).raw('FF E0'));
        m.mapPage(MISSING, 0n);
        m.write(handler.address, handler.bytes);
        m.setGate(14, BigInt(handler.address));
      },
    },
  );
  const id = idOf(b.layer.set({ kind: 'execution', linear: b.A }));
  assert.equal(untilStop(b.layer).pc, b.A);
  assert.equal(next(b.layer).pc, b.A);
  noStop(b.layer, 10_000);
  assert.equal(b.layer.counts(id)?.hits, 2);
});
test('T-86 a breakpoint of one address space does not fire in another', () => {
  const other = 0x14000;
  const { layer, code, pc } = bench(
    (c) => {
      c.relative('E8', 'f', 4).load(RAX, other).raw('0F 22 D8').relative('E8', 'f', 4).relative('EB', 'out', 1);
      c.at('f').raw('90 C3').at('out').raw('90');
    },
    { prepare: (m) => m.write64(other, 0x11007n) },
  );
  const id = idOf(layer.set({ kind: 'execution', linear: code.place('f'), cr3: BigInt(other) }));
  assert.equal(untilStop(layer).pc, code.place('f'));
  assert.deepEqual([pc.engine.vcpu(0).cr3, BigInt(PML4) === BigInt(other)], [BigInt(other), false]);
  noStop(layer, 10_000);
  assert.equal(layer.counts(id)?.hits, 1);
});
test('T-86 a breakpoint of no address space fires in every one, and where the page was remapped', () => {
  const other = 0x14000;
  const { layer, code } = bench(
    (c) => {
      c.relative('E8', 'f', 4).load(RAX, other).raw('0F 22 D8').relative('E8', 'f', 4);
      // mov [pte of f's page], rax = the same frame, another entry; invlpg [rbx]
      c.load(RAX, CODE | 0x27)
        .raw('48 89 04 25')
        .value(PAGE_TABLE + (CODE >> 12) * 8, 4);
      c.load(RBX, CODE).raw('0F 01 3B').relative('E8', 'f', 4).relative('EB', 'out', 1);
      c.at('f').raw('90 C3').at('out').raw('90');
    },
    { prepare: (m) => m.write64(other, 0x11007n) },
  );
  const id = idOf(layer.set({ kind: 'execution', linear: code.place('f') }));
  const places = [untilStop(layer), next(layer), next(layer)].map(({ pc }) => pc);
  assert.deepEqual(places, [code.place('f'), code.place('f'), code.place('f')]);
  noStop(layer, 10_000);
  assert.equal(layer.counts(id)?.hits, 3);
});
test('T-89 an overlay on an instruction that crosses a page fires at its first byte', () => {
  const at = DATA + 0xffe;
  const { layer } = bench((c) => c.load(RBX, at).raw('FF E3'), {
    prepare: (m) => m.write(at, Uint8Array.of(0x48, 0xc7, 0xc0, 1, 0, 0, 0, 0xcd, 0x81)),
  });
  idOf(layer.set({ kind: 'execution', linear: BigInt(at) }));
  idOf(layer.set({ kind: 'execution', linear: BigInt(at + 2) }));
  const record = untilStop(layer);
  assert.deepEqual([record.pc, record.instructionLength], [BigInt(at), 7]);
  assert.equal(step(layer, 0).pc, BigInt(at + 7));
});
test('T-83 T-8A T-99 before any code is there: real-mode trampoline by linear address, slots on processors yet to come', () => {
  const TRAMPOLINE = 0x8000n;
  const { layer } = debugged();
  idOf(layer.set({ kind: 'execution', linear: TRAMPOLINE }));
  const id = idOf(layer.set({ kind: 'execution', mode: 'hardware', linear: symbol('smp_entry') }));
  const seen: string[] = [];
  for (let i = 0; i < 6; i++) {
    const record = i === 0 ? untilStop(layer, 50_000_000) : next(layer, 50_000_000);
    const { mode, pc } = layer.vcpus()[record.vcpu] ?? {};
    seen.push(`${record.vcpu} ${record.kind} ${mode} ${pc === TRAMPOLINE ? 'trampoline' : 'smp_entry'}`);
  }
  const want = [1, 2, 3].flatMap((v) => [`${v} bp real trampoline`, `${v} hwx long smp_entry`]);
  assert.deepEqual(seen.toSorted(), want.toSorted());
  assert.equal(layer.counts(id)?.hits, 3);
});
test('T-4E T-C0 raw slots, catch filters, BLOCKIRQ, a lease and a token: all gone after detach', () => {
  const b = bench((c) => c.load(RBX, DATA).at('A').raw('48 89 03 90 90 90'));
  const { layer, pc, tables } = b;
  layer.attach();
  control(
    b,
    P.CONTROL_ENABLE |
      P.CONTROL_SINGLE_STEP |
      P.CONTROL_SOFTWARE_BREAKPOINTS |
      P.CONTROL_HARDWARE_BREAKPOINTS |
      P.CONTROL_BLOCK_INTERRUPTS |
      P.CONTROL_CATCH_BP |
      P.CONTROL_CATCH_DB |
      P.CONTROL_CATCH_GENERAL_DETECT |
      P.CONTROL_CATCH_TASK_SWITCH,
    0x90402n | I7,
  );
  assert.equal(next(layer).kind, 'step');
  layer.resume({ kind: 'step', vcpu: 0, mode: 'insn' });
  layer.detach(false);
  const { lease, leaseDone, passToken, catch: caught, blockIrq, hDr7 } = pc.engine.vcpu(0);
  assert.deepEqual([lease, leaseDone, passToken, caught, blockIrq], [0, 0, 0, 0, 0]);
  assert.equal(hDr7, 0x400);
  assert.equal(pc.run(10_000).kind, 'idle');
  assert.equal(tables.dr6, I6);
});
