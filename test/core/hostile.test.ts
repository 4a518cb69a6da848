// A guest may run anything: random bytes in every mode and ring end in guest faults, never in a trap of the host or a hang.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { CODE, DATA, Machine } from './machine.ts';

function randomOf(seed: number): (below: number) => number {
  let bits = seed;
  return (below) => {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    return (bits >>> 0) % below;
  };
}
/** Byte sequences that random bytes seldom make: system instructions that change mode, tables, debug registers. */
const SEEDS = [
  '0F 22 C0',
  '0F 22 D8',
  '0F 22 E0',
  '0F 23 C0',
  '0F 23 F8',
  '0F 30',
  '0F 32',
  '0F 01 10',
  '0F 01 18',
  '0F 00 D8',
  '0F 00 D0',
  '8E D0',
  '8E D8',
  '17',
  '9D',
  'CF',
  '48 CF',
  'CB',
  '0F 05',
  '48 0F 07',
  '0F 34',
  '0F 35',
  'CC',
  'CD 80',
  'F1',
  'F4',
  'FB',
  'FA',
  'F3 A4',
  'F3 A5',
  'F3 6C',
  'F3 6E',
  '0F AE 00',
  '0F AE 08',
  'C8 10 00 1F',
  '60',
  '61',
  '48 F7 F9',
  'F7 F8',
  'F6 F1',
  '0F 01 F8',
  'FF 18',
  'FF 28',
  '0F B2 00',
  '0F C7 08',
  'F0 48 0F B1 0B',
  '0F A2',
  '0F 31',
  'EC',
  'EE',
  '0F 01 CB',
  '0F 01 CA',
  'E8 00 00 00 00',
];
const bytesOf = (text: string): number[] => text.split(' ').map((pair) => Number.parseInt(pair, 16));

function program(random: (below: number) => number): Uint8Array {
  const bytes: number[] = [];
  while (bytes.length < 0x400) {
    if (random(3) === 0) bytes.push(...bytesOf(SEEDS[random(SEEDS.length)] ?? '90'));
    else for (let n = 1 + random(6); n > 0; n--) bytes.push(random(256));
  }
  return Uint8Array.from(bytes);
}

describe('hostile guests', () => {
  for (const mode of ['real', 'kernel', 'user'] as const) {
    for (let seed = 1; seed <= 3; seed++) {
      it(`random code, ${mode}, seed ${seed}`, () => {
        const random = randomOf(seed * 104729 + mode.length);
        for (let round = 0; round < 15; round++) {
          const machine = new Machine({
            user: mode === 'user',
            profile: random(2) ? 'intel' : 'amd',
            arenaSize: 1 << 18,
          });
          if (mode === 'real') {
            machine.engine.system.reset(1);
            machine.engine.system.loadSegmentReal(1, CODE >> 4);
            machine.rip = 0n;
          }
          machine.write(CODE, program(random));
          for (let i = 0; i < 16; i++) {
            const choice = random(4);
            const value =
              choice === 0
                ? BigInt(random(1 << 30))
                : choice === 1
                  ? BigInt(DATA + random(0x2000))
                  : choice === 2
                    ? -1n << BigInt(random(64))
                    : BigInt(CODE + random(0x400));
            machine.setRegister(i, BigInt.asUintN(64, value));
          }
          for (let i = 0; i < 4; i++) if (random(2)) machine.setGuestSlot(i, BigInt(DATA + random(64)), random(4), 8);
          if (random(2)) machine.setHostSlot(0, BigInt(DATA + 8), 3, 8);
          if (random(2)) machine.flags |= 0x100n;
          for (let turn = 0; turn < 40; turn++) {
            if (random(3) === 0) machine.engine.set32(L.EVENTS, 1 << random(5));
            if (random(2)) machine.rip = mode === 'real' ? BigInt(random(0x400)) : BigInt(CODE + random(0x400));
            machine.engine.set32(L.ACTIVITY, 0);
            if (random(3) === 0) machine.engine.set32(L.LEASE, 1 + random(3));
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
