// Operands of MMX instructions: registers that are the significands of an x87 unit in any state.
import type { OpcodeRow } from '../../../src/core/opcodes/index.ts';
import { mmxRows } from '../../../src/core/opcodes/mmx.ts';
import { pick, type Random } from '../../harness/random.ts';
import type { X87State } from './protocol.ts';
import { random64, value64, type ValueSource } from './values.ts';

/** Where words and the bytes in them saturate, overflow and change their sign. */
const WORDS = [
  0n,
  1n,
  2n,
  0xfn,
  0x10n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7f80n,
  0x7fffn,
  0x8000n,
  0x8001n,
  0x80ffn,
  0xffffn,
];

function packed(random: Random): bigint {
  const kind = random(4);
  if (kind === 0) return random64(random);
  if (kind === 1) return value64(random);
  let value = 0n;
  for (let i = 0; i < 4; i++) value = (value << 16n) | pick(random, WORDS);
  return value;
}
function state(random: Random): X87State {
  const registers = new Uint8Array(128);
  const view = new DataView(registers.buffer);
  for (let i = 0; i < 8; i++) {
    view.setBigUint64(i * 16, packed(random), true);
    view.setUint16(i * 16 + 8, random(3) === 0 ? 0xffff : random(0x10000), true);
  }
  const pending = random(32) === 0;
  const control = pending ? 0x37e : pick(random, [0x37f, 0x27f, 0xf7f]);
  // sticky flags and condition codes stay as they are
  const flags = pending ? 0x8081 : (random(4) === 0 ? random(64) : 0) | (random(8) << 8) | (random(2) << 14);
  const status = flags | (random(8) << 11);
  return { control, status, tags: random(256), opcode: 0, instruction: 0n, operand: 0n, registers };
}
function memory(random: Random): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const at of [0, 8]) view.setBigUint64(at, packed(random), true);
  return bytes;
}

const ofMmx = new Set<OpcodeRow>(mmxRows);
export const mmxSource: readonly [(row: OpcodeRow) => boolean, Partial<ValueSource>] = [
  (row) => ofMmx.has(row),
  { memory, x87: state },
];
