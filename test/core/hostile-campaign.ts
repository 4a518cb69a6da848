// Random programs of a mode, in one of the engines: they end in guest faults, never in a trap of the host, a hang, or a
// change of memory that is not the guest's.
import assert from 'node:assert/strict';
import * as L from '../../src/core/layout.ts';
import { randomOf } from '../harness/random.ts';
import { CODE_SIZE, hostileCode, hostileValue } from './hostile-code.ts';
import { HostileMachine, type HostileMode } from './hostile-machine.ts';
import { CODE, DATA } from './machine.ts';

const TURNS = 40;
const TICKS = 200;

/**
 * Runs that many programs; compiled: with the JIT, which compiles at once.
 * @returns what each did: ticks and a hash of its registers and memory, the same in both engines.
 */
export function runHostile(mode: HostileMode, compiled: boolean, programs: number, seed: number): string[] {
  const ends: string[] = [];
  for (let round = 0; round < programs; round++) {
    const random = randomOf(seed, mode, round);
    const machine = new HostileMachine(mode, random(2) ? 'intel' : 'amd', compiled);
    const { engine, start } = machine;
    machine.write(CODE, hostileCode(random));
    for (let i = 0; i < 16; i++) machine.setRegister(i, hostileValue(random));
    for (let i = 0; i < 4; i++) if (random(4) === 0) machine.setGuestSlot(i, BigInt(DATA + random(64)), random(4), 8);
    if (random(4) === 0) machine.setHostSlot(0, BigInt(DATA + 8), 3, 8);
    if (random(4) === 0) machine.flags |= 0x100n;
    if (random(4) === 0) machine.flags |= 0x40000n; // AC
    for (let turn = 0; turn < TURNS; turn++) {
      if (random(3) === 0) engine.vcpu().events = 1 << random(5);
      if (random(2)) machine.rip = start + BigInt(random(CODE_SIZE));
      engine.vcpu().activity = 0;
      if (random(6) === 0) engine.vcpu().lease = 1 + random(3);
      machine.attend();
      const before = machine.ticks;
      const result = machine.run(TICKS);
      assert.ok(result >= L.RUN_SPENT && result <= L.RUN_STOP, `run() answered ${result}`);
      assert.ok(machine.ticks - before <= TICKS, 'never more ticks than it was given');
      // the next turn would start at a RIP that the mode does not have
      if (engine.vcpu().activity === 3) break;
      if (random(2) === 0) machine.check();
    }
    machine.check();
    ends.push(`${machine.ticks} ticks, ${machine.digest()}`);
  }
  return ends;
}
