// MONITOR and MWAIT: who ends the wait, and that an armed line costs its page no more than that (SDM 3A 9.10.4).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RAX, RBX } from './code.ts';
import { CODE, DATA, IF, Machine, STACK } from './machine.ts';

const LINE = DATA + 0x40;
const MONITOR = '0F 01 C8';
const MWAIT = '0F 01 C9';
const ACTIVE = 0;
const HALTED = 1;

/** vCPU 0 waits for LINE; vCPU 1, in the same state, is about to run other code. */
function waiting(flags = 2n): Machine {
  const machine = new Machine({ vcpus: 2 });
  const { engine } = machine;
  const copy = engine.raw.slice(L.STATE, L.STATE_GUEST_END);
  machine.flags = flags;
  machine.program((c) => c.load(RAX, LINE).raw('31 C9 31 D2', MONITOR, '31 C0', MWAIT).at('woken').raw('48 FF C3'));
  assert.equal(machine.run(), L.RUN_HALTED);
  assert.equal(machine.register(RBX), 0n);
  engine.select(1);
  engine.raw.set(copy, L.STATE);
  engine.vcpu().rsp = BigInt(STACK - 0x4000);
  engine.vcpu().rip = BigInt(CODE + 0x800);
  engine.system.updateMode();
  return machine;
}
/** Lets vCPU 1 execute bytes, ended by HLT. */
function runOther(machine: Machine, ...bytes: (string | number)[]): void {
  const { engine } = machine;
  engine.select(1);
  engine.vcpu().activity = ACTIVE;
  engine.vcpu().rip = BigInt(CODE + 0x800);
  engine.attend(1, L.ATTENTION_EVENT);
  const text = bytes.map((part) => (typeof part === 'number' ? part.toString(16).padStart(2, '0') : part)).join(' ');
  machine.write(CODE + 0x800, Buffer.from(`${text} F4`.replaceAll(' ', ''), 'hex'));
  assert.equal(machine.run(), L.RUN_HALTED);
}
const storeAt = (address: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(address);
  return `C6 04 25 ${bytes.toString('hex')} 01`; // mov byte [address], 1
};
const activityOf = (machine: Machine): number => machine.engine.vcpu(0).activity;

describe('MONITOR and MWAIT', () => {
  it('a store of another processor to the line ends the wait; one beside it does not', () => {
    const machine = waiting();
    for (const address of [LINE - 1, LINE + 64]) {
      runOther(machine, storeAt(address), storeAt(address));
      assert.equal(activityOf(machine), HALTED);
    }
    runOther(machine, storeAt(LINE + 63));
    assert.equal(activityOf(machine), ACTIVE);
    machine.engine.select(0);
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.register(RBX), 1n);
  });
  it('so does a locked one, one that crosses into the line, and DMA', () => {
    for (const bytes of ['F0 80 04 25 40 00 04 00 01', '48 C7 04 25 3A 00 04 00 00 00 00 00']) {
      const machine = waiting();
      runOther(machine, bytes);
      assert.equal(activityOf(machine), ACTIVE, bytes);
    }
    const machine = waiting();
    machine.write(LINE, Uint8Array.of(1));
    assert.equal(activityOf(machine), ACTIVE);
  });
  it('the line stays armed when tags and blocks are thrown away, and after a restore', () => {
    const machine = waiting();
    const { engine } = machine;
    engine.select(0);
    engine.flushBlocks();
    engine.system.resetTags();
    engine.system.rearmMonitor();
    runOther(machine, storeAt(LINE));
    assert.equal(activityOf(machine), ACTIVE);
  });
  it('an interrupt ends it, and the armed line is forgotten', () => {
    const machine = waiting(IF | 2n);
    machine.engine.select(0);
    machine.engine.vcpu().events = 1;
    machine.attend();
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.register(RBX), 1n);
    assert.equal(machine.engine.vcpu().monitorArmed, 0);
  });
  it('a write between MONITOR and MWAIT is not lost', () => {
    const machine = new Machine();
    machine.program((c) => c.load(RAX, LINE).raw('31 C9 31 D2', MONITOR, storeAt(LINE), MWAIT, '48 FF C3'));
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.register(RBX), 1n);
  });
  it('#UD above CPL 0 and without the feature, #GP for extensions', () => {
    const vectorOf = (machine: Machine, ...bytes: string[]): number | undefined => {
      const code = machine.program((c) => c.raw(...bytes));
      for (const vector of [6, 13]) machine.resumeAt(vector, code.place('end'));
      assert.equal(machine.run(), L.RUN_HALTED);
      return machine.log[0]?.vector;
    };
    assert.equal(vectorOf(new Machine({ user: true }), '31 C9', MONITOR), 6);
    assert.equal(vectorOf(new Machine(), 'B1 01', MWAIT), 13);
    const without = new Machine();
    without.engine.vcpu().msrMiscEnable = 1n;
    assert.equal(vectorOf(without, '31 C9', MONITOR), 6);
  });
});
