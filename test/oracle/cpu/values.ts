// Integers for operands, and what a source of operands is.
import { pick, type Random } from '../../harness/random.ts';
import type { X87State } from './protocol.ts';

/** Makes the operands of one case. Each function is called once a case; what a source leaves out comes from `integers`. */
export interface ValueSource {
  /** The sixteen XMM registers, 256 bytes. */
  readonly xmm: (random: Random) => Uint8Array;
  /** What is at the memory operand: up to 1,024 bytes. */
  readonly memory: (random: Random) => Uint8Array;
  readonly mxcsr: (random: Random) => number;
  readonly x87: (random: Random) => X87State;
}

const EDGES = [
  0n,
  1n,
  2n,
  0x0fn,
  0x10n,
  0x1fn,
  0x20n,
  0x3fn,
  0x40n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
];

export function random64(random: Random): bigint {
  return (BigInt(random(0x100000000)) << 32n) | BigInt(random(0x100000000));
}
/** An edge, one beside it, or anything. */
export function value64(random: Random): bigint {
  const kind = random(4);
  if (kind === 0) return random64(random);
  const edge = pick(random, EDGES);
  return BigInt.asUintN(64, kind === 1 ? edge + BigInt(random(5)) - 2n : random(3) === 0 ? -edge : edge);
}
/** Quadwords of value64. */
export function bytesOfValues(random: Random, count: number): Uint8Array {
  const bytes = new Uint8Array(count * 8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) view.setBigUint64(i * 8, value64(random), true);
  return bytes;
}
