// Random code around task switches, virtual-8086 mode and SMM: it ends in guest faults, never in a trap of the host or a hang.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { CODE, DATA, type Machine, STACK, TSS } from './machine.ts';
import { addTask, gate32, protectedMode } from './protected-machine.ts';

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
  '0F AA',
  'EA 00 00 00 00 78 00',
  '9A 00 00 00 00 78 00',
  '9A 00 00 00 00 80 00',
  '66 0F 38 82 01',
  '0F 01 C8',
  '0F 01 C9',
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

/** 32-bit protected mode with a second task; some vectors are task gates, others go nowhere. */
function protectedGuest(random: (below: number) => number, virtual: boolean): Machine {
  const machine = protectedMode();
  addTask(machine, random(2) ? 2 : 0x20002, random(2) === 1);
  machine.setSegment(L.TR, 0x30, BigInt(TSS), 0x167, 0x8b);
  for (let vector = 0; vector < 64; vector++) {
    if (random(4) === 0) machine.write64(0x7000 + vector * 8, 0x0000e50000780000n);
    else if (random(4) > 0) gate32(machine, vector, CODE + random(0x400), 3);
  }
  if (!virtual) return machine;
  const { engine } = machine;
  engine.set64(L.CR4, BigInt(random(4)));
  engine.set32(L.CPL, 3);
  machine.flags = 0x20002n | (BigInt(random(4)) << 12n) | (BigInt(random(4)) << 19n);
  for (const slot of [L.ES, L.CS, L.SS, L.DS, L.FS, L.GS]) {
    machine.setSegment(slot, CODE >> 4, BigInt(CODE), 0xffff, 0xf3);
  }
  engine.set64(L.RSP, BigInt(STACK & 0xffff));
  engine.system.updateMode();
  return machine;
}
describe('hostile tasks', () => {
  for (const mode of ['protected', 'virtual'] as const) {
    for (let seed = 1; seed <= 3; seed++) {
      it(`random code, ${mode}, seed ${seed}`, () => {
        const random = randomOf(seed * 104729 + mode.length);
        for (let round = 0; round < 15; round++) {
          const machine = protectedGuest(random, mode === 'virtual');
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
            if (random(2)) machine.rip = mode === 'virtual' ? BigInt(random(0x400)) : BigInt(CODE + random(0x400));
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
