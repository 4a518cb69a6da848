// Random code around task switches, virtual-8086 mode and SMM: it ends in guest faults, never in a trap of the host or a hang.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { type Random, randomOf } from '../harness/random.ts';
import { CODE_SIZE, hostileCode, hostileValue, SYSTEM_SEQUENCES } from './hostile-code.ts';
import { CODE, DATA, type Machine, STACK, TSS } from './machine.ts';
import { addTask, gate32, protectedMode } from './protected-machine.ts';

/** Those of all programs, and far transfers to tasks, INVPCID, MONITOR and RSM. */
const SEQUENCES = [
  ...SYSTEM_SEQUENCES,
  '0F AA',
  'EA 00 00 00 00 78 00',
  '9A 00 00 00 00 78 00',
  '9A 00 00 00 00 80 00',
  '66 0F 38 82 01',
  '0F 01 C8',
  '0F 01 C9',
];

/** 32-bit protected mode with a second task; some vectors are task gates, others go nowhere. */
function protectedGuest(random: Random, virtual: boolean): Machine {
  const machine = protectedMode();
  addTask(machine, random(2) ? 2 : 0x20002, random(2) === 1);
  machine.setSegment(L.TR, 0x30, BigInt(TSS), 0x167, 0x8b);
  for (let vector = 0; vector < 64; vector++) {
    if (random(4) === 0) machine.write64(0x7000 + vector * 8, 0x0000e50000780000n);
    else if (random(4) > 0) gate32(machine, vector, CODE + random(CODE_SIZE), 3);
  }
  if (!virtual) return machine;
  const { engine } = machine;
  engine.vcpu().cr4 = BigInt(random(4));
  engine.vcpu().cpl = 3;
  machine.flags = 0x20002n | (BigInt(random(4)) << 12n) | (BigInt(random(4)) << 19n);
  for (const slot of [L.ES, L.CS, L.SS, L.DS, L.FS, L.GS]) {
    machine.setSegment(slot, CODE >> 4, BigInt(CODE), 0xffff, 0xf3);
  }
  engine.vcpu().rsp = BigInt(STACK & 0xffff);
  engine.system.updateMode();
  return machine;
}
describe('hostile tasks', () => {
  for (const mode of ['protected', 'virtual'] as const) {
    for (let seed = 1; seed <= 3; seed++) {
      it(`random code, ${mode}, seed ${seed}`, () => {
        const random = randomOf(seed, mode);
        for (let round = 0; round < 15; round++) {
          const machine = protectedGuest(random, mode === 'virtual');
          machine.write(CODE, hostileCode(random, SEQUENCES));
          for (let i = 0; i < 16; i++) machine.setRegister(i, hostileValue(random));
          for (let i = 0; i < 4; i++) if (random(2)) machine.setGuestSlot(i, BigInt(DATA + random(64)), random(4), 8);
          if (random(2)) machine.setHostSlot(0, BigInt(DATA + 8), 3, 8);
          if (random(2)) machine.flags |= 0x100n;
          for (let turn = 0; turn < 40; turn++) {
            if (random(3) === 0) machine.engine.vcpu().events = 1 << random(5);
            if (random(2))
              machine.rip = mode === 'virtual' ? BigInt(random(CODE_SIZE)) : BigInt(CODE + random(CODE_SIZE));
            machine.engine.vcpu().activity = 0;
            if (random(3) === 0) machine.engine.vcpu().lease = 1 + random(3);
            machine.attend();
            const before = machine.ticks;
            const result = machine.run(200);
            assert.ok(result >= L.RUN_SPENT && result <= L.RUN_STOP);
            assert.ok(machine.ticks - before <= 200, 'never more ticks than it was given');
          }
        }
      });
    }
  }
});
