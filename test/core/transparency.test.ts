// A guest must not notice the observer: the same program plain, with breakpoints and watches, stepped at random, in slices of
// random length, with tags and blocks thrown away, ends in the same state after the same number of ticks.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RBX, RCX, RDI, RSI, type Code } from './code.ts';
import { randomOf } from '../harness/random.ts';
import { AND_CLEARING_TF, DATA, Machine, POPF_SETTING_TF } from './machine.ts';

/** Traps of every kind in a loop. */
function guest(code: Code): Code {
  code
    .load(RBX, DATA)
    .load(1 + 8, 12)
    .at('loop');
  code.raw('CC CD 80 F1', POPF_SETTING_TF, '8E D2 48 FF 03', AND_CLEARING_TF, '50 9D');
  code
    .load(RCX, 9)
    .load(RSI, DATA)
    .load(RDI, DATA + 0xff0)
    .raw('F3 A4 0F 0B FB 90 FA 48 01 4B 10 48 87 43 20');
  code.raw('41 FF C9').relative('0F 85', 'loop', 4);
  return code;
}
function machineOf(arenaSize?: number): { machine: Machine; code: Code } {
  const machine = new Machine(arenaSize === undefined ? {} : { arenaSize });
  machine.setRegister(2, 0x10n);
  const code = machine.program(guest);
  machine.setGuestSlot(2, BigInt(DATA), 1, 8);
  return { machine, code };
}
/** #UD goes on behind its two bytes: all of them are in one place. */
function resumeBehindUd(machine: Machine, code: Code): void {
  const start = Number(code.place('loop'));
  for (let at = start; at < start + 0x100; at++) {
    if (machine.read8(at) === 0x0f && machine.read8(at + 1) === 0x0b) return machine.resumeAt(6, BigInt(at + 2));
  }
}
/** Ticks at which a device raises the interrupt line, as a scheduler would: between two runs. */
const INTERRUPTS = [150, 151, 152, 400, 733, 1200];
function runToEnd(machine: Machine, turn: () => number): void {
  for (let turns = 0; ; turns++) {
    assert.ok(turns < 100_000, 'ends');
    const next = INTERRUPTS.find((tick) => tick > machine.ticks) ?? Number.MAX_SAFE_INTEGER;
    if (INTERRUPTS.includes(machine.ticks) && raised.get(machine) !== machine.ticks) {
      raised.set(machine, machine.ticks);
      machine.engine.vcpu().events = 1;
      machine.attend();
    }
    if (machine.run(Math.min(turn(), next - machine.ticks)) === L.RUN_HALTED) return;
  }
}
/** The tick at which a machine last had its interrupt. */
const raised = new WeakMap<Machine, number>();
function state(machine: Machine): string {
  const { engine } = machine;
  engine.system.canonicaliseFlags();
  const registers = Buffer.from(engine.raw.subarray(L.STATE, L.RETIRED)).toString('hex');
  const ram = Buffer.from(engine.ramView(0, 0x100000));
  let sum = 0n;
  for (let i = 0; i < ram.length; i += 8) sum = BigInt.asUintN(64, sum * 31n + ram.readBigUInt64LE(i));
  return `${machine.ticks} ${sum} ${registers}`;
}

describe('transparency', () => {
  const plain = machineOf();
  resumeBehindUd(plain.machine, plain.code);
  runToEnd(plain.machine, () => 1_000_000);
  const expected = state(plain.machine);

  it('the program does what it should', () => {
    const vectors = new Set(plain.machine.log.map(({ vector }) => vector));
    assert.deepEqual(
      [...vectors].sort((a, b) => a - b),
      [1, 3, 6, 0x40, 0x80],
    );
    assert.ok(plain.machine.ticks > 1000);
  });
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    it(`perturbed, seed ${seed}`, () => {
      const random = randomOf(seed, 'transparency');
      const { machine, code } = machineOf(seed % 2 === 0 ? 1 << 16 : undefined);
      resumeBehindUd(machine, code);
      const start = Number(code.place('loop'));
      for (let i = 0; i < 8; i++) machine.addBreakpoint(BigInt(start + random(0x60)));
      for (const vector of [1, 3, 6, 0x80]) if (random(2)) machine.addBreakpoint(machine.handler(vector));
      machine.setHostSlot(0, BigInt(DATA), 3, 8);
      machine.setHostSlot(1, BigInt(DATA + 0xff0), 1, 4);
      machine.setHostSlot(2, BigInt(start), 0, 1);
      runToEnd(machine, () => {
        if (random(3) === 0) machine.engine.system.flushTags();
        if (random(20) === 0) machine.engine.flushBlocks();
        if (random(2)) {
          machine.engine.vcpu().lease = 1 + random(3);
          machine.attend();
        }
        if (machine.observed) machine.armToken();
        return 1 + random(50);
      });
      assert.equal(state(machine), expected, `seed ${seed}`);
      assert.equal(machine.engine.vcpu().holdsApplied, 0, 'with a frozen clock nothing is ever held');
    });
  }
});
