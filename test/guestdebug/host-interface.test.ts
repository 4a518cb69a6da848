// guest-debug-spec 6.2: the host interface on the real core and machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RAX, RBX, RDX } from '../core/code.ts';
import { B1, BS, DATA, I6, I7, IF, POPF_SETTING_TF } from '../core/machine.ts';
import { APIC_ON, bench, type Bench } from './bench.ts';
import { controlMessage, idOf, next, noStop, step, stopOf, untilStop } from './layer.ts';

const HW = 0x20001;
const STEP = 0x2;
const BLOCKIRQ = 0x100000;
function call(
  { layer }: Bench,
  control: number,
  bank: { readonly addresses?: readonly bigint[]; readonly dr6?: bigint; readonly dr7?: bigint } = {},
): void {
  const debugreg = [0, 1, 2, 3].map((i) => bank.addresses?.[i] ?? 0n).concat([0n, 0n, bank.dr6 ?? 0n, bank.dr7 ?? 0n]);
  assert.equal(layer.setGuestDebug(0, { control, pad: 0, debugreg }), 'OK', controlMessage(layer));
}

test('T-20 an overlay stops in front of its instruction and leaves the byte alone', () => {
  const { layer, pc, A } = bench((c) => c.raw('90').at('A').raw('90'));
  const id = idOf(layer.set({ kind: 'execution', linear: A }));
  const record = untilStop(layer);
  assert.deepEqual(
    [record.kind, record.exception, record.pc, record.faultLike, record.instructionLength, record.dr6],
    ['bp', 3, A, true, 1, I6],
  );
  assert.deepEqual(record.causes, [{ cause: 'bp', owner: 'host', ownerIds: [id] }]);
  assert.deepEqual([...pc.readLinear(0, A, 1)], [0x90]);
  noStop(layer, 10_000);
});
test('T-22 T-23 T-24 T-25 the four slots in turn at one instruction, without the guest moving', () => {
  const b = bench((c) => c.at('A').raw('90 90'));
  const { layer, A, pc } = b;
  layer.attach();
  for (let i = 0; i < 4; i++) {
    call(b, HW, { addresses: [0, 1, 2, 3].map((n) => (n === i ? A : 0n)), dr7: I7 | (2n << BigInt(2 * i)) });
    layer.resume({ kind: 'continue', suppressOnce: false });
    const record = untilStop(layer);
    assert.deepEqual([record.kind, record.exception, record.pc, record.dr6], ['hwx', 1, A, I6 | (1n << BigInt(i))]);
    assert.equal(pc.instructions, 0n);
  }
  noStop(layer, 10_000);
});
test('T-26 T-27 T-28 T-29 each slot as a 4-byte write watch of an 8-byte store', () => {
  const b = bench((c) => c.load(RBX, DATA).load(RAX, 0x55).at('A').raw('48 C7 03 11 00 00 00').at('B').raw('90'));
  const { layer, A, tables } = b;
  layer.attach();
  for (const [i, dr7] of [0x000d0402n, 0x00d00408n, 0x0d000420n, 0xd0000480n].entries()) {
    tables.write64(DATA, 0n);
    call(b, HW, { addresses: [0, 1, 2, 3].map((n) => (n === i ? BigInt(DATA) : 0n)), dr7 });
    const record = next(layer);
    assert.deepEqual(
      [record.kind, record.pc, record.dr6, record.causePc],
      ['watch', A + 7n, I6 | (1n << BigInt(i)), A],
    );
    assert.equal(tables.read64(DATA), 0x11n);
    tables.rip = A;
  }
});
test('T-30 T-31 T-32 T-33 T-34 T-35 T-37 steps with interrupts held, over fast paths too', () => {
  // x2APIC on, spurious vector with software enable, a self-IPI of vector 0x40; then the stepped instructions.
  const b = bench((c) => {
    c.raw('B9 1B 00 00 00 0F 32 0D 00 0C 00 00 0F 30'); // IA32_APIC_BASE |= EXTD | EN
    c.raw('B9 0F 08 00 00 B8 FF 01 00 00 31 D2 0F 30'); // SVR
    c.raw('FA B9 3F 08 00 00 B8 40 00 00 00 0F 30'); // cli; SELF IPI
    c.raw('B9 E0 06 00 00 31 C0 31 D2'); // ecx = TSC_DEADLINE
    c.at('A').raw('FB 31 C0 0F A2 B8 01 00 00 00').raw('90').at('end0').raw('90');
  });
  const { layer, A, tables } = b;
  idOf(layer.set({ kind: 'execution', linear: A }));
  assert.equal(untilStop(layer).pc, A);
  call(b, 0x10001 | STEP | BLOCKIRQ);
  const first = next(layer);
  assert.deepEqual(
    [first.kind, first.pc, first.dr6, first.heldEvents.interrupt, first.shadow],
    ['step', A + 1n, I6 + BS, true, 'sti'],
  );
  assert.notEqual(tables.flags & IF, 0n);
  for (const offset of [3n, 5n, 10n]) {
    const record = next(layer);
    assert.deepEqual([record.pc, record.heldEvents.interrupt], [A + offset, true]);
  }
  assert.deepEqual(tables.log, []);
  call(b, 0);
  noStop(layer, 10_000);
  assert.deepEqual(
    tables.log.map(({ vector, rip }) => [vector, rip]),
    [[0x40, A + 10n]],
  );
});
test('T-30 T-31 T-32 T-33 T-34 T-35 an interrupt is held over STI, CPUID, a write of TSC_DEADLINE and CLI, all in one go', () => {
  const b = bench((c) => {
    c.raw(APIC_ON, 'FA B9 3F 08 00 00 B8 40 00 00 00 0F 30'); // cli; SELF IPI 40h
    // sti; xor eax, eax; cpuid; mov ecx, IA32_TSC_DEADLINE; wrmsr; cli; nop
    c.at('A').raw('FB 31 C0 0F A2 B9 E0 06 00 00 0F 30 FA').at('end').raw('90 90');
  });
  const { layer, A, tables } = b;
  idOf(layer.set({ kind: 'execution', linear: A }));
  assert.equal(untilStop(layer).pc, A);
  call(b, 0x10001 | STEP | BLOCKIRQ);
  const seen = Array.from({ length: 6 }, () => {
    const { kind, pc, dr6, heldEvents, shadow } = next(layer);
    return [kind, pc - A, dr6, heldEvents.interrupt, shadow, (tables.flags & IF) !== 0n];
  });
  assert.deepEqual(seen, [
    ['step', 1n, I6 + BS, true, 'sti', true],
    ['step', 3n, I6 + BS, true, 'none', true],
    ['step', 5n, I6 + BS, true, 'none', true],
    ['step', 10n, I6 + BS, true, 'none', true],
    ['step', 12n, I6 + BS, true, 'none', true],
    ['step', 13n, I6 + BS, true, 'none', false],
  ]);
  assert.deepEqual(tables.log, []);
  call(b, 0);
  noStop(layer, 10_000);
  assert.deepEqual(tables.log, [], 'the guest has interrupts off');
});
test('T-3B T-3C an injection while a guest exception is pending is EBUSY, whichever of the two', () => {
  const injections = [0x40001, 0x80001];
  const refused = (b: Bench): void => {
    for (const control of injections) {
      const debugreg = Array.from({ length: 8 }, () => 0n);
      const answer = b.layer.setGuestDebug(0, { control, pad: 0, debugreg, insnLength: 1 });
      assert.equal(answer, 'EBUSY', control.toString(16));
      assert.match(controlMessage(b.layer), /an exception is already pending/);
    }
  };
  // A single-step trap of the guest's own waits behind the instruction that was stepped.
  const stepped = bench((c) => c.raw(POPF_SETTING_TF).at('A').raw('90 90'));
  const id = idOf(stepped.layer.set({ kind: 'execution', linear: stepped.A }));
  untilStop(stepped.layer);
  stepped.layer.remove(id);
  assert.notEqual(step(stepped.layer, 0).guestPending & 0x4000, 0);
  refused(stepped);
  noStop(stepped.layer, 100);
  assert.deepEqual(stepped.tables.debugLog[0], [stepped.A + 1n, I6 + BS]);
});
test('T-34 T-35 a write of TSC_DEADLINE and CLI do not skip the lease', () => {
  const { layer, A, tables } = bench((c) => {
    c.raw('FB B9 E0 06 00 00 31 C0 31 D2').at('A').raw('0F 30 FA').at('B').raw('90');
  });
  idOf(layer.set({ kind: 'execution', linear: A }));
  untilStop(layer);
  assert.equal(step(layer, 0).pc, A + 2n);
  assert.equal(step(layer, 0).pc, A + 3n);
  assert.equal(tables.flags & IF, 0n);
});
test('T-36 host general detect stops in front of MOV DR and leaves the guest alone', () => {
  const b = bench((c) => c.at('A').raw('0F 21 C0').at('B').raw('90'));
  const { layer, A, tables } = b;
  layer.attach();
  call(b, HW, { dr7: I7 | 0x2000n });
  const record = next(layer);
  assert.deepEqual(
    [record.kind, record.exception, record.faultLike, record.pc, record.dr6],
    ['bd', 1, true, A, I6 + 0x2000n],
  );
  assert.equal(tables.dr6, I6);
  noStop(layer, 10_000);
});
test('T-3D INJECT_DB: the guest gets its causes at the current RIP', () => {
  const b = bench((c) => c.at('A').raw('90 90'));
  const { layer, A, tables } = b;
  layer.attach();
  call(b, 0x40001, { dr6: BS | B1 });
  noStop(layer, 10_000);
  assert.deepEqual(tables.debugLog, [[A, I6 + B1 + BS]]);
  assert.deepEqual(
    layer.ledger(0, 10).map((row) => [row.rule, row.owner, row.disposition]),
    [['injected', 'guest', 'reinjected']],
  );
});
test('T-3E INJECT_BP after a caught CD 03 takes its length', () => {
  const b = bench((c) => c.at('A').raw('CD 03 90'));
  const { layer, A, tables } = b;
  layer.setCatch({ bp: 'both', db: false });
  assert.deepEqual([untilStop(layer).pc, stopOf(layer.runSlice(1)).instructionLength], [A, 2]);
  call(b, 0x80001);
  layer.setCatch({ bp: 'off', db: false });
  noStop(layer, 10_000);
  assert.deepEqual(tables.log[0]?.rip, A + 2n);
  assert.deepEqual([tables.log.length, tables.log[0]?.vector], [1, 3]);
});
test('T-3F a request on a running vCPU is EBUSY', () => {
  const { layer } = bench((c) => c.at('A').raw('EB FE'));
  layer.runSlice(100);
  const debugreg = Array.from({ length: 8 }, () => 0n);
  assert.equal(layer.setGuestDebug(0, { control: 1, pad: 0, debugreg }), 'EBUSY');
});
test('T-70a a host I/O slot needs no CR4.DE and stops behind the OUT', () => {
  const b = bench((c) => c.load(RDX, 0xe9).load(RAX, 0x41).at('A').raw('EE').at('B').raw('90'));
  const { layer, A, pc } = b;
  const sent: number[] = [];
  pc.onDebugConsole = (bytes) => void sent.push(...bytes);
  layer.attach();
  call(b, HW, { addresses: [0xe9n], dr7: 0x20402n });
  const record = next(layer);
  assert.deepEqual([record.kind, record.pc, record.dr6], ['io', A + 1n, I6 + 1n]);
  assert.deepEqual([record.causes[0]?.access?.kind, record.causes[0]?.access?.linear], ['ioW', 0xe9n]);
  noStop(layer, 1000);
  assert.deepEqual(sent, [0x41]);
});
