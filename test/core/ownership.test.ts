// Host and guest at the same place: guest-debug-spec 6.3, as far as the core decides it (owners and queues live above).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RBX, type Code } from './code.ts';
import { B1, B2, BD, BS, CODE, DATA, I6, I7, Machine, POPF_SETTING_TF, AND_CLEARING_TF, RF } from './machine.ts';

/** A machine with a program, before it runs. */
function prepared(build: (code: Code) => void, options: { user?: boolean } = {}): { machine: Machine; code: Code } {
  const machine = new Machine(options);
  return { machine, code: machine.program(build) };
}
function stopsWith(machine: Machine, code: number, causes: number, rip: bigint): void {
  assert.equal(code, L.RUN_OBSERVED);
  assert.equal(machine.observed, causes);
  assert.equal(machine.rip, rip);
}

describe('INT3 of the guest', () => {
  it("T-40 without a host entry it is the guest's alone", () => {
    const { machine, code } = prepared((c) => c.at('A').raw('CC'));
    machine.addBreakpoint(BigInt(CODE) + 0x100n);
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(
      machine.log.map(({ vector, rip }) => [vector, rip]),
      [[3, code.place('A') + 1n]],
    );
  });
  it('T-41 an overlay on it: the host first, then the guest gets everything', () => {
    const { machine, code } = prepared((c) => c.raw('90').at('A').raw('CC'));
    machine.addBreakpoint(code.place('A'));
    stopsWith(machine, machine.run(), L.OBSERVED_BREAKPOINT, code.place('A'));
    assert.equal(machine.read8(Number(code.place('A'))), 0xcc);
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.deepEqual(
      machine.log.map(({ vector, rip }) => [vector, rip]),
      [[3, code.place('A') + 1n]],
    );
  });
  it('T-43 CD 03 is not what the filter for breakpoint exceptions catches', () => {
    const { machine, code } = prepared((c) => c.at('A').raw('CD 03'));
    machine.engine.vcpu().catch = L.CATCH_BP;
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.log[0]?.rip, code.place('A') + 2n);
  });
  for (const [bytes, filter] of [
    ['CD 03', L.CATCH_BP | L.CATCH_BP_SOFTWARE_INTERRUPT],
    ['66 F3 CC', L.CATCH_BP],
  ] as const) {
    it(`T-44 T-46 caught ${bytes} stops in front, then is delivered`, () => {
      const { machine, code } = prepared((c) => c.raw('90').at('A').raw(bytes).at('B'));
      machine.engine.vcpu().catch = filter;
      const before = machine.ticks;
      stopsWith(machine, machine.run(), L.OBSERVED_CAUGHT_BP, code.place('A'));
      assert.equal(machine.ticks - before, 1, 'only the NOP has run');
      machine.engine.vcpu().caughtPass = 1;
      assert.equal(machine.resume(), L.RUN_HALTED);
      assert.deepEqual(
        machine.log.map(({ vector, rip }) => [vector, rip]),
        [[3, code.place('B')]],
      );
    });
  }
  it('T-45 a gate that CPL 3 may not use', () => {
    const { machine, code } = prepared((c) => c.at('A').raw('CC'), { user: true });
    machine.setGate(3, machine.handler(3), 0);
    machine.resumeAt(13, code.place('end'));
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(
      machine.log.map(({ vector, rip, error }) => [vector, rip, error]),
      [[13, code.place('A'), 0x1an]],
    );
  });
});

describe('both banks at one place', () => {
  it('T-47 execution slots: host stop, guest #DB with RF, then the instruction', () => {
    const { machine, code } = prepared((c) => c.raw('90').at('A').raw('48 FF C3'));
    machine.setHostSlot(2, code.place('A'), 0, 1);
    machine.setGuestSlot(1, code.place('A'), 0, 1);
    machine.setFlagsOnReturn(1, RF);
    stopsWith(machine, machine.run(), L.OBSERVED_SLOT_X, code.place('A'));
    assert.equal(machine.engine.vcpu().pendingHost & 15, 4);
    assert.equal(machine.dr6, I6, 'the guest saw nothing yet');
    assert.equal(machine.resume(), L.RUN_HALTED, 'the token matched again after the fault');
    assert.deepEqual(machine.debugLog, [[code.place('A'), I6 + B1]]);
    assert.equal(machine.register(RBX), 1n);
  });
  it('T-48 a handler that clears its slot instead: the host breakpoint is seen again, never missed', () => {
    const { machine, code } = prepared((c) => c.raw('90').at('A').raw('48 FF C3'));
    machine.setHostSlot(2, code.place('A'), 0, 1);
    machine.setGuestSlot(1, code.place('A'), 0, 1);
    machine.clearSlotsIn(1);
    stopsWith(machine, machine.run(), L.OBSERVED_SLOT_X, code.place('A'));
    stopsWith(machine, machine.resume(), L.OBSERVED_SLOT_X, code.place('A'));
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.deepEqual([machine.debugLog.length, machine.register(RBX)], [1, 1n]);
  });
  it('T-49 write slots: each bank has its own causes', () => {
    const { machine, code } = prepared((c) => c.load(RBX, DATA).raw('48 89 1B').at('B'));
    machine.setHostSlot(0, BigInt(DATA), 1, 4);
    machine.setGuestSlot(1, BigInt(DATA), 1, 4);
    stopsWith(machine, machine.run(), L.OBSERVED_WATCH, code.place('B'));
    assert.equal(machine.engine.vcpu().pendingHost & 15, 1);
    assert.equal(machine.engine.vcpu().pendingDebug & 15, 2);
    assert.equal(machine.dr6, I6);
    assert.deepEqual(
      machine.hits.map(({ linear, size, old, value }) => [linear, size, old, value]),
      [[BigInt(DATA), 8, 0n, BigInt(DATA)]],
    );
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.deepEqual(machine.debugLog, [[code.place('B'), I6 + B1]]);
  });
  it("T-4A T-4B a host step with the guest's TF set: neither is lost", () => {
    const { machine, code } = prepared((c) =>
      c.raw(POPF_SETTING_TF).at('A').raw('90').at('B').raw(AND_CLEARING_TF, '50 9D'),
    );
    machine.addBreakpoint(code.place('A'));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    stopsWith(machine, machine.step(1, true), L.OBSERVED_STEP, code.place('B'));
    assert.equal(machine.engine.vcpu().pendingDebug, Number(BS));
    const before = machine.ticks;
    stopsWith(machine, machine.step(), L.OBSERVED_STEP, machine.handler(1));
    assert.equal(machine.engine.vcpu().delivered, 0x101);
    assert.equal(machine.ticks - before, 1, 'the delivery, no instruction');
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(machine.debugLog[0], [code.place('B'), I6 + BS]);
  });
  it('T-4C T-4D the guest sees and changes its own registers only', () => {
    const { machine } = prepared((c) =>
      c.raw('0F 21 C0 48 89 03 0F 21 F8 48 89 43 08 B8 01 04 00 00 0F 23 F8 31 C0 0F 23 F8'),
    );
    machine.setRegister(RBX, BigInt(DATA));
    machine.setHostSlot(0, 0x123456n, 1, 4);
    const host = machine.engine.vcpu().hDr7;
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual([machine.read64(DATA), machine.read64(DATA + 8)], [0n, I7]);
    assert.equal(machine.engine.vcpu().hDr7, host);
  });
  it('T-4E host stops of all kinds leave DR6 alone', () => {
    const { machine, code } = prepared((c) => c.load(RBX, DATA).at('A').raw('48 89 1B 90').at('B').raw('90'));
    machine.setHostSlot(0, BigInt(DATA), 1, 8);
    machine.setHostSlot(1, code.place('B'), 0, 1);
    machine.addBreakpoint(code.place('A'));
    let stops = 0;
    let result = machine.run();
    for (; result === L.RUN_OBSERVED && stops < 20; stops++) result = machine.step(1, true);
    assert.ok(stops > 4);
    assert.equal(machine.dr6, I6);
  });
  it('T-36 host general detect stops in front of MOV DR; the token lets it pass', () => {
    const { machine, code } = prepared((c) => c.raw('90').at('A').raw('0F 21 C0').at('B'));
    machine.engine.vcpu().hDr7 = 0x2000;
    stopsWith(machine, machine.run(), L.OBSERVED_GENERAL_DETECT, code.place('A'));
    assert.equal(machine.dr6, I6);
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.deepEqual(machine.log, []);
  });
  it("both general detects: host first, then the guest's #DB", () => {
    const { machine, code } = prepared((c) => c.raw('90').at('A').raw('0F 21 C0').at('B'));
    machine.engine.vcpu().hDr7 = 0x2000;
    machine.setDebug(7, I7 | 0x2000n);
    stopsWith(machine, machine.run(), L.OBSERVED_GENERAL_DETECT, code.place('A'));
    machine.engine.vcpu().hDr7 = 0;
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.deepEqual(machine.debugLog, [[code.place('A'), I6 + BD]]);
  });
  it('caught guest #DB: DR6 changes only when it is delivered', () => {
    const { machine, code } = prepared((c) => c.load(RBX, DATA).raw('48 89 1B').at('B'));
    machine.setGuestSlot(2, BigInt(DATA), 1, 8);
    machine.engine.vcpu().catch = L.CATCH_DB;
    stopsWith(machine, machine.run(), L.OBSERVED_CAUGHT_DB, code.place('B'));
    assert.deepEqual([machine.engine.vcpu().faultError, machine.dr6], [Number(B2), I6]);
    machine.engine.vcpu().caughtPass = 1;
    machine.attend();
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(machine.debugLog, [[code.place('B'), I6 + B2]]);
  });
  it('SAME-5 a breakpoint on a handler: delivered first, then the stop', () => {
    const { machine, code } = prepared((c) => c.at('A').raw('CC'));
    machine.addBreakpoint(machine.handler(3));
    stopsWith(machine, machine.run(), L.OBSERVED_BREAKPOINT, machine.handler(3));
    assert.equal(machine.engine.vcpu().delivered, 0x103);
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.equal(machine.log[0]?.rip, code.place('A') + 1n);
  });
  it('raw run without the token hits the same breakpoint again', () => {
    const { machine, code } = prepared((c) => c.raw('90').at('A').raw('90'));
    for (let i = 0; i < 4; i++) {
      machine.engine.vcpu().hDr7 = 0;
      machine.setHostSlot(i, code.place('A'), 0, 1);
      stopsWith(machine, machine.run(), L.OBSERVED_SLOT_X, code.place('A'));
      assert.equal(machine.engine.vcpu().pendingHost & 15, 1 << i);
    }
    assert.equal(machine.resume(), L.RUN_HALTED);
  });
  it('a #PF under the token: handler, back, one instruction, one stop', () => {
    const { machine, code } = prepared((c) => c.load(RBX, DATA).at('A').raw('48 8B 03').at('B'));
    machine.addBreakpoint(code.place('A'));
    machine.mapPage(DATA, 0n);
    stopsWith(machine, machine.run(), L.OBSERVED_BREAKPOINT, code.place('A'));
    // the handler of #PF cannot map the page by itself: it is mapped while a breakpoint holds the handler
    machine.addBreakpoint(machine.handler(14));
    stopsWith(machine, machine.resume(), L.OBSERVED_BREAKPOINT, machine.handler(14));
    machine.mapPage(DATA, BigInt(DATA) | 7n);
    machine.breakpoints.delete(machine.handler(14));
    machine.engine.system.dropBlocksAt(machine.handler(14));
    machine.engine.system.observerChanged();
    assert.equal(machine.run(), L.RUN_HALTED, 'no second stop at A: RF was set in the frame');
    assert.deepEqual(
      machine.log.map(({ vector, rip }) => [vector, rip]),
      [[14, code.place('A')]],
    );
    assert.notEqual((machine.log[0]?.flags ?? 0n) & RF, 0n);
  });
});
