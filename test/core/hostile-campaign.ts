// Random programs of a mode, in one of the engines: they end in guest faults, never in a trap of the host, a hang, or a
// change of memory that is not the guest's.
import assert from 'node:assert/strict';
import * as L from '../../src/core/layout.ts';
import { HostileMachine, type HostileMode } from './hostile-machine.ts';
import { CODE, DATA } from './machine.ts';

type Random = (below: number) => number;
export function randomOf(seed: number): Random {
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

function program(random: Random): Uint8Array {
  const bytes: number[] = [];
  while (bytes.length < 0x400) {
    if (random(3) === 0) bytes.push(...bytesOf(SEEDS[random(SEEDS.length)] ?? '90'));
    else for (let n = 1 + random(6); n > 0; n--) bytes.push(random(256));
  }
  return Uint8Array.from(bytes);
}
function value(random: Random): bigint {
  const choice = random(4);
  if (choice === 0) return BigInt(random(1 << 30));
  if (choice === 1) return BigInt(DATA + random(0x2000));
  return choice === 2 ? -1n << BigInt(random(64)) : BigInt(CODE + random(0x400));
}

const TURNS = 40;
const TICKS = 200;

/**
 * Runs that many programs; compiled: with the JIT, which compiles at once.
 * @returns what each did: ticks and a hash of its registers and memory, the same in both engines.
 */
export function runHostile(mode: HostileMode, compiled: boolean, programs: number, seed: number): string[] {
  const ends: string[] = [];
  for (let round = 0; round < programs; round++) {
    const random = randomOf(seed + round * 0x9e37);
    const machine = new HostileMachine(mode, random(2) ? 'intel' : 'amd', compiled);
    const { engine, start } = machine;
    machine.write(CODE, program(random));
    for (let i = 0; i < 16; i++) machine.setRegister(i, BigInt.asUintN(64, value(random)));
    for (let i = 0; i < 4; i++) if (random(4) === 0) machine.setGuestSlot(i, BigInt(DATA + random(64)), random(4), 8);
    if (random(4) === 0) machine.setHostSlot(0, BigInt(DATA + 8), 3, 8);
    if (random(4) === 0) machine.flags |= 0x100n;
    if (random(4) === 0) machine.flags |= 0x40000n; // AC
    for (let turn = 0; turn < TURNS; turn++) {
      if (random(3) === 0) engine.set32(L.EVENTS, 1 << random(5));
      if (random(2)) machine.rip = start + BigInt(random(0x400));
      engine.set32(L.ACTIVITY, 0);
      if (random(6) === 0) engine.set32(L.LEASE, 1 + random(3));
      machine.attend();
      const before = machine.ticks;
      const result = machine.run(TICKS);
      assert.ok(result >= L.RUN_SPENT && result <= L.RUN_STOP, `run() answered ${result}`);
      assert.ok(machine.ticks - before <= TICKS, 'never more ticks than it was given');
      // the next turn would start at a RIP that the mode does not have
      if (engine.get32(L.ACTIVITY) === 3) break;
      if (random(2) === 0) machine.check();
    }
    machine.check();
    ends.push(`${machine.ticks} ticks, ${machine.digest()}`);
  }
  return ends;
}
