// Data and I/O watches of both banks: guest-debug-spec 6.5, as far as the core decides it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RAX, RBX, RCX, RDI, RDX, RSI, type Code } from './code.ts';
import { B0, B1, DATA, I6, Machine, PAGE_TABLE, RF, STACK } from './machine.ts';

const WRITE = 1;
const IO = 2;
const READ_WRITE = 3;

function prepared(build: (code: Code) => void): { machine: Machine; code: Code } {
  const machine = new Machine();
  return { machine, code: machine.program(build) };
}
function watches(machine: Machine, rip: bigint): void {
  assert.equal(machine.run(), L.RUN_OBSERVED);
  assert.equal(machine.observed, L.OBSERVED_WATCH);
  assert.equal(machine.rip, rip);
}

describe('data watches', () => {
  const fill = (c: Code): Code =>
    c
      .load(RCX, 5)
      .load(RSI, DATA + 0x100)
      .load(RDI, DATA)
      .at('A')
      .raw('F3 48 A5')
      .at('B');
  it('T-70 a string instruction stops behind the iteration that hit, once', () => {
    const { machine, code } = prepared(fill);
    machine.setHostSlot(0, BigInt(DATA + 17), WRITE, 1);
    watches(machine, code.place('A'));
    assert.equal(machine.register(RCX), 2n);
    assert.deepEqual(
      machine.hits.map(({ linear, size }) => [linear, size]),
      [[BigInt(DATA + 16), 8]],
    );
    assert.equal(machine.run(), L.RUN_HALTED);
  });
  it('T-71 the same by a guest slot', () => {
    const { machine, code } = prepared(fill);
    machine.setGuestSlot(1, BigInt(DATA + 17), WRITE, 1);
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(machine.debugLog, [[code.place('A'), I6 + B1]]);
    assert.notEqual((machine.log[0]?.flags ?? 0n) & RF, 0n);
    assert.equal(machine.register(RCX), 0n);
  });
  const crossing = (c: Code): Code =>
    c
      .load(RBX, DATA + 0xffc)
      .load(RAX, 0x1122334455667788n)
      .at('A')
      .raw('48 89 03')
      .at('B');
  it('T-72 a store across a page boundary', () => {
    const { machine, code } = prepared(crossing);
    machine.setHostSlot(0, BigInt(DATA + 0x1000), WRITE, 2);
    watches(machine, code.place('B'));
    assert.deepEqual(
      machine.hits.map(({ linear, value }) => [linear, value]),
      [[BigInt(DATA + 0xffc), 0x1122334455667788n]],
    );
  });
  it('T-73 with the second page missing: #PF first, no hit, nothing written', () => {
    const { machine, code } = prepared(crossing);
    machine.setHostSlot(0, BigInt(DATA + 0xffc), WRITE, 2);
    machine.mapPage(DATA + 0x1000, 0n);
    machine.addBreakpoint(machine.handler(14));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    assert.deepEqual([machine.observed, machine.engine.vcpu().cr2], [L.OBSERVED_BREAKPOINT, BigInt(DATA + 0x1000)]);
    assert.equal(machine.read64(DATA + 0xff8), 0n);
    machine.mapPage(DATA + 0x1000, BigInt(DATA + 0x1000) | 7n);
    machine.armToken();
    watches(machine, code.place('B'));
    assert.equal(machine.hits.length, 1);
  });
  it('T-76 a compare-exchange that fails still writes', () => {
    const { machine, code } = prepared((c) => c.load(RBX, DATA).load(RAX, 1).load(RCX, 2).raw('48 0F B1 0B').at('B'));
    machine.setHostSlot(0, BigInt(DATA), WRITE, 8);
    watches(machine, code.place('B'));
    assert.deepEqual(
      machine.hits.map(({ old, value }) => [old, value]),
      [[0n, 0n]],
    );
  });
  it('T-77 reads match RW slots only', () => {
    const program = (c: Code): Code => c.load(RBX, DATA).raw('48 8B 03').at('B').raw('48 89 03').at('C');
    const writes = prepared(program);
    writes.machine.setHostSlot(0, BigInt(DATA), WRITE, 8);
    watches(writes.machine, writes.code.place('C'));
    const both = prepared(program);
    both.machine.setHostSlot(0, BigInt(DATA), READ_WRITE, 8);
    watches(both.machine, both.code.place('B'));
    watches(both.machine, both.code.place('C'));
  });
  for (const [bytes, name] of [
    ['50', 'PUSH'],
    ['C8 10 00 00', 'ENTER'],
    ['0F AE 44 24 C0', 'FXSAVE'],
    ['9C', 'PUSHF'],
  ] as const) {
    it(`T-79 ${name} onto a watched byte`, () => {
      const { machine, code } = prepared((c) => c.raw(bytes).at('B'));
      // FXSAVE [rsp - 64] writes from there upwards, so the same byte is its 57th
      machine.setHostSlot(0, BigInt(STACK - 8), WRITE, 1);
      watches(machine, code.place('B'));
      assert.equal(machine.hits.length, 1);
    });
  }
  it('T-7A BTS reaches the byte that the bit index names', () => {
    const { machine, code } = prepared((c) =>
      c
        .load(RBX, DATA)
        .load(RCX, 8 * 100 + 3)
        .raw('48 0F AB 0B')
        .at('B'),
    );
    machine.setHostSlot(0, BigInt(DATA + 100), WRITE, 1);
    watches(machine, code.place('B'));
    assert.equal(machine.read8(DATA + 100), 8);
  });
  it('T-7B the pushes of an event delivery', () => {
    const { machine } = prepared((c) => c.at('A').raw('CC'));
    machine.setHostSlot(0, BigInt(STACK - 8), WRITE, 8);
    watches(machine, machine.handler(3));
    assert.equal(machine.engine.vcpu().delivered, 0x103);
  });
  it('T-7C an instruction that hits and then faults has not hit', () => {
    const { machine, code } = prepared((c) =>
      c
        .load(RSI, DATA)
        .load(RDI, DATA + 0x1000)
        .at('A')
        .raw('A4')
        .at('B'),
    );
    machine.setHostSlot(0, BigInt(DATA), READ_WRITE, 1);
    machine.mapPage(DATA + 0x1000, 0n);
    machine.addBreakpoint(machine.handler(14));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    assert.equal(machine.observed, L.OBSERVED_BREAKPOINT);
    machine.mapPage(DATA + 0x1000, BigInt(DATA + 0x1000) | 7n);
    machine.armToken();
    watches(machine, code.place('B'));
  });
  it('T-7D a page walk that sets A in a watched entry is no linear access', () => {
    const { machine } = prepared((c) => c.load(RBX, DATA).raw('48 8B 03'));
    machine.setHostSlot(0, BigInt(PAGE_TABLE + (DATA >> 12) * 8), READ_WRITE, 8);
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.read64(PAGE_TABLE + (DATA >> 12) * 8) & 0x20n, 0x20n);
  });
  it('T-7F what the debugger writes never hits', () => {
    const { machine } = prepared((c) => c.raw('90'));
    machine.setHostSlot(0, BigInt(DATA), READ_WRITE, 8);
    machine.write64(DATA, 5n);
    assert.equal(machine.run(), L.RUN_HALTED);
  });
  it('T-70d an alias of the watched page does not match', () => {
    const { machine } = prepared((c) => c.load(RBX, DATA + 0x2000).raw('48 89 03'));
    machine.mapPage(DATA + 0x2000, BigInt(DATA) | 7n);
    machine.setHostSlot(0, BigInt(DATA), WRITE, 8);
    assert.equal(machine.run(), L.RUN_HALTED);
  });
  it('T-70e a disabled slot that matches too shows its bit, whatever the host watches', () => {
    for (const host of [false, true]) {
      const { machine, code } = prepared((c) =>
        c
          .load(RBX, DATA)
          .load(RSI, DATA + 0x2000)
          .raw('48 89 03')
          .at('B')
          .raw('FF 36')
          .at('C'),
      );
      machine.setDebug(0, BigInt(DATA));
      machine.setDebug(1, BigInt(DATA));
      machine.setDebug(2, BigInt(DATA + 0x2000));
      machine.setDebug(7, 0x03dd0402n); // slot 0 enabled; 1 and 2 have types, but are disabled
      if (host) machine.setHostSlot(3, BigInt(DATA + 0x2000), READ_WRITE, 8);
      let result = machine.run();
      while (result === L.RUN_OBSERVED) result = machine.run();
      assert.deepEqual(machine.debugLog, [[code.place('B'), I6 + B0 + B1]]);
    }
  });
  it('T-70f an unaligned slot matches its aligned block', () => {
    const { machine, code } = prepared((c) => c.load(RBX, DATA).raw('88 03').at('B'));
    machine.setGuestSlot(0, BigInt(DATA + 3), WRITE, 4);
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(machine.debugLog, [[code.place('B'), I6 + B0]]);
    assert.equal(machine.messages[0]?.code, L.LOG_DEBUG_REGISTER);
  });
});

describe('I/O watches', () => {
  const out = (c: Code): Code => c.load(RDX, 0x3f8).raw('B0 41 EE').at('B');
  it('T-70a a host port watch needs no CR4.DE', () => {
    const { machine, code } = prepared(out);
    machine.setHostSlot(0, 0x3f8n, IO, 1);
    watches(machine, code.place('B'));
    assert.deepEqual(machine.ports, [{ port: 0x3f8, size: 1, value: 0x41 }]);
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.ports.length, 1);
  });
  for (const enabled of [false, true]) {
    it(`T-70b a guest port slot with CR4.DE ${enabled ? 'set' : 'clear'}`, () => {
      const { machine, code } = prepared(out);
      if (enabled) machine.engine.vcpu().cr4 |= 8n;
      machine.setGuestSlot(0, 0x3f8n, IO, 1);
      assert.equal(machine.run(), L.RUN_HALTED);
      assert.deepEqual(machine.debugLog, enabled ? [[code.place('B'), I6 + B0]] : []);
    });
  }
  it('T-70c REP OUTSB stops at each iteration', () => {
    const { machine, code } = prepared((c) =>
      c.load(RDX, 0x3f8).load(RSI, DATA).load(RCX, 3).at('A').raw('F3 6E').at('B'),
    );
    machine.setHostSlot(0, 0x3f8n, IO, 1);
    for (const place of ['A', 'A', 'B']) watches(machine, code.place(place));
    assert.equal(machine.run(), L.RUN_HALTED);
  });
});
