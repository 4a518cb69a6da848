// Random code and register contents for the tests with hostile programs.
import { bytesOf } from '../harness/bytes.ts';
import type { Random } from '../harness/random.ts';
import { CODE, DATA } from './machine.ts';

/** Byte sequences that random bytes seldom make: system instructions that change mode, tables, debug registers. */
export const SYSTEM_SEQUENCES: readonly string[] = [
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
/** Bytes of a program's code. */
export const CODE_SIZE = 0x400;

/** Random code, a third of it out of `sequences`. */
export function hostileCode(random: Random, sequences: readonly string[] = SYSTEM_SEQUENCES): Uint8Array {
  const bytes: number[] = [];
  while (bytes.length < CODE_SIZE) {
    if (random(3) === 0) bytes.push(...bytesOf(sequences[random(sequences.length)] ?? '90'));
    else for (let n = 1 + random(6); n > 0; n--) bytes.push(random(256));
  }
  return Uint8Array.from(bytes);
}
/** What a register may hold: a number, an address of data or code, a run of ones. */
export function hostileValue(random: Random): bigint {
  const choice = random(4);
  if (choice === 0) return BigInt(random(1 << 30));
  if (choice === 1) return BigInt(DATA + random(0x2000));
  return choice === 2 ? BigInt.asUintN(64, -1n << BigInt(random(64))) : BigInt(CODE + random(CODE_SIZE));
}
