// guest-debug-spec 2.1 and 6.2: the raw control call, on the small model of the machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { GuestDebug } from '../../src/guestdebug/guest-debug.ts';
import * as P from '../../src/guestdebug/policy.ts';
import { FakeMachine } from './fake-machine.ts';
import { controlMessage, next, stopOf, untilStop } from './layer.ts';

interface Bank {
  readonly addresses?: readonly bigint[];
  readonly dr6?: bigint;
  readonly dr7?: bigint;
  readonly dr4?: bigint;
}
function debugreg({ addresses = [], dr4 = 0n, dr6 = 0n, dr7 = 0n }: Bank = {}): bigint[] {
  return [0, 1, 2, 3].map((i) => addresses[i] ?? 0n).concat([dr4, 0n, dr6, dr7]);
}
function stoppedLayer(): { layer: GuestDebug; machine: FakeMachine; call: (control: number, bank?: Bank) => string } {
  const machine = new FakeMachine({ vcpus: 2 });
  const layer = new GuestDebug(machine, { stepIrq: 'enter' });
  layer.attach();
  const call = (control: number, bank?: Bank): string =>
    layer.setGuestDebug(0, { control, pad: 0, debugreg: debugreg(bank) });
  return { layer, machine, call };
}
/** All observer state of a vCPU. */
function observerState(machine: FakeMachine, vcpu: number): string {
  const words: string[] = [];
  const { view } = machine.engine.vcpu(vcpu);
  for (let slot = L.H_DR0; slot < L.BLOCK_TICKS; slot += 4) words.push(view.getUint32(slot, true).toString(16));
  return words.join(' ');
}
/** A lease, breakpoints of both kinds, and no interrupts. */
const EVERY_HOLD =
  P.CONTROL_ENABLE |
  P.CONTROL_SINGLE_STEP |
  P.CONTROL_SOFTWARE_BREAKPOINTS |
  P.CONTROL_HARDWARE_BREAKPOINTS |
  P.CONTROL_BLOCK_INTERRUPTS;
const HW = P.CONTROL_ENABLE | P.CONTROL_HARDWARE_BREAKPOINTS;

test('T-38 an unknown bit is EINVAL and the previous setting stays', () => {
  const { layer, machine, call } = stoppedLayer();
  assert.equal(call(HW, { addresses: [0x1000n], dr7: 0x402n }), 'OK');
  const before = observerState(machine, 0);
  assert.equal(call(0x401), 'EINVAL');
  assert.match(controlMessage(layer), /unknown bits 0x400/);
  assert.equal(observerState(machine, 0), before);
});
test('T-39 each malformed request is EINVAL, and the message names the slot', () => {
  const { layer, call } = stoppedLayer();
  const refused = (bank: Bank): string => {
    assert.equal(call(HW, bank), 'EINVAL');
    return controlMessage(layer);
  };
  assert.equal(layer.setGuestDebug(0, { control: 1, pad: 1, debugreg: debugreg() }), 'EINVAL');
  assert.match(controlMessage(layer), /pad/);
  assert.match(refused({ dr4: 1n }), /debugreg\[4\]/);
  assert.match(refused({ dr7: 1n << 40n }), /bits 63:32/);
  assert.match(refused({ dr7: 0xc00408n }), /slot 1: type execute needs length 1/);
  assert.match(refused({ addresses: [0n, 0n, 0x1002n], dr7: 0x0d000420n }), /slot 2: address 0x1002 is not aligned/);
  assert.match(refused({ addresses: [1n << 47n], dr7: 0x402n }), /slot 0: .* not canonical/);
  assert.match(refused({ addresses: [0x10000n], dr7: 0x20402n }), /slot 0: port 0x10000/);
  assert.match(refused({ dr6: 1n }), /debugreg\[6\]/);
});
test('T-3A both injections at once are EINVAL', () => {
  const { call } = stoppedLayer();
  assert.equal(call(P.CONTROL_ENABLE | P.CONTROL_INJECT_DB | P.CONTROL_INJECT_BP), 'EINVAL');
});
test('T-3B T-3C an injection while an exception is pending or half delivered is EBUSY', () => {
  const { machine, call } = stoppedLayer();
  machine.engine.vcpu(0).delivering = 15;
  assert.equal(call(P.CONTROL_ENABLE | P.CONTROL_INJECT_DB), 'EBUSY');
  machine.engine.vcpu(0).delivering = 0;
  machine.engine.vcpu(0).pendingDebug = 0x4000;
  assert.equal(call(P.CONTROL_ENABLE | P.CONTROL_INJECT_DB), 'EBUSY');
});
test('T-3F a request on a running vCPU is EBUSY, before the start it is not', () => {
  const machine = new FakeMachine();
  const layer = new GuestDebug(machine);
  const call = (): string => layer.setGuestDebug(0, { control: 1, pad: 0, debugreg: debugreg() });
  assert.equal(call(), 'OK');
  layer.runSlice(1);
  assert.equal(call(), 'EBUSY');
  layer.pause();
  untilStop(layer);
  assert.equal(call(), 'OK');
});
test('CTL-5 CTL-6 an injected #DB is one-shot and carries its causes', () => {
  const { machine, call } = stoppedLayer();
  assert.equal(call(P.CONTROL_ENABLE | P.CONTROL_INJECT_DB, { dr6: 0x4002n }), 'OK');
  assert.equal(machine.engine.vcpu(0).pendingDebug, 0x4012);
  machine.engine.vcpu(0).pendingDebug = 0;
  assert.equal(call(P.CONTROL_ENABLE), 'OK');
  assert.equal(machine.engine.vcpu(0).pendingDebug, 0);
});
test('CTL-7 INJECT_BP without a #BP stop at this RIP needs a length', () => {
  const { layer, call } = stoppedLayer();
  assert.equal(call(P.CONTROL_ENABLE | P.CONTROL_INJECT_BP), 'EINVAL');
  assert.match(controlMessage(layer), /pass insnLength/);
});
test('CTL-12 the same request twice leaves the same state', () => {
  const { machine, call } = stoppedLayer();
  const bank = { addresses: [0x1000n, 0x2000n], dr7: 0xd00409n };
  assert.equal(call(EVERY_HOLD, bank), 'OK');
  const once = observerState(machine, 0);
  assert.equal(call(EVERY_HOLD, bank), 'OK');
  assert.equal(observerState(machine, 0), once);
});
test('CTL-13 every bit 0 -> 1 -> 0 leaves the state that was there before', () => {
  const { layer, machine, call } = stoppedLayer();
  for (let bit = 0; bit < 32; bit++) {
    const word = ((1 << bit) >>> 0) | 1;
    if ((word & ~layer.capabilities().control) !== 0 || (word & P.CONTROL_INJECT) !== 0) continue;
    assert.equal(call(1), 'OK');
    const before = observerState(machine, 0);
    assert.equal(call(word >>> 0, { addresses: [0x1000n], dr7: (word & HW) === HW ? 0x2402n : 0n }), 'OK');
    assert.equal(call(1), 'OK');
    assert.equal(observerState(machine, 0), before, `bit ${bit}`);
  }
  assert.equal(call(0), 'OK');
});
test('CTL-15 T-22..T-25 raw runs hit the breakpoint where the vCPU stands again, in each slot in turn', () => {
  const { layer, machine, call } = stoppedLayer();
  machine.engine.vcpu(1).activity = 1;
  for (let i = 0; i < 4; i++) {
    const addresses = [0n, 0n, 0n, 0n].map((_, index) => (index === i ? 0x20n : 0n));
    machine.setPc(0, 0x20n);
    assert.equal(call(HW, { addresses, dr7: 0x400n | (2n << BigInt(2 * i)) }), 'OK');
    assert.deepEqual(layer.resume({ kind: 'continue', suppressOnce: false }), { kind: 'running' });
    const record = untilStop(layer);
    assert.deepEqual(
      [record.kind, record.exception, record.pc, record.dr6, record.faultLike],
      ['hwx', 1, 0x20n, 0xffff0ff0n | (1n << BigInt(i)), true],
    );
    assert.equal(machine.executed, 0n);
  }
  layer.resume({ kind: 'continue' });
  layer.runSlice(1);
  assert.equal(machine.executed, 1n);
});
test('SINGLESTEP is renewed by each resume until it is cleared (STEP-8)', () => {
  const { layer, call } = stoppedLayer();
  assert.equal(call(P.CONTROL_ENABLE | P.CONTROL_SINGLE_STEP), 'OK');
  assert.deepEqual(
    [next(layer), next(layer)].map((record) => [record.kind, record.pc]),
    [
      ['step', 1n],
      ['step', 2n],
    ],
  );
  assert.equal(call(P.CONTROL_ENABLE), 'OK');
  layer.resume({ kind: 'continue' });
  assert.equal(layer.runSlice(100).kind, 'running');
});
test("USE_SW_BP clear: an enabled raw client passes overlays; ENABLE clear: they are the manager's again", () => {
  const { layer, call } = stoppedLayer();
  layer.set({ kind: 'execution', linear: 5n, vcpus: [0] });
  layer.set({ kind: 'execution', linear: 9n, vcpus: [0] });
  assert.equal(call(P.CONTROL_ENABLE), 'OK');
  layer.resume({ kind: 'continue' });
  assert.equal(layer.runSlice(13).kind, 'running');
  layer.pause();
  untilStop(layer);
  assert.equal(call(0), 'OK');
  assert.equal(
    stopOf(layer.resume({ kind: 'continue' }).kind === 'running' ? layer.runSlice(100) : layer.runSlice(1)).pc,
    9n,
  );
});
