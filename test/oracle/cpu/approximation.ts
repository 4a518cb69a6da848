// RCPPS, RCPSS, RSQRTPS and RSQRTSS: the manual bounds the relative error by 1.5 * 2^-12 and leaves the digits to the
// processor (SDM 2B RCPPS, RSQRTPS), so two processors may be twice that apart. What is not a rounded number has to be equal.
import type { Decoded } from '../../../src/core/disassembler/instruction.ts';

const BOUND = 2 * 1.5 * 2 ** -12;

/** Results of this size may count as tiny and become zeros, or not. */
const SMALLEST_NORMAL = 2 ** -126;

function near(a: number, b: number): boolean {
  if (Math.max(Math.abs(a), Math.abs(b)) <= SMALLEST_NORMAL) return Math.sign(1 / a) === Math.sign(1 / b);
  return Number.isFinite(a) && Number.isFinite(b) && b !== 0 && Math.abs(a - b) <= BOUND * Math.abs(b);
}

/** The processor's XMM registers, with the engine's approximations in place of its own where both are good. */
export function withApproximations(decoded: Decoded, processor: Uint8Array, engine: Uint8Array): Uint8Array {
  if (!/^R(CP|SQRT)[PS]S$/.test(decoded.row.mnemonic)) return processor;
  const adjusted = processor.slice();
  const [a, b] = [adjusted, engine].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  if (a === undefined || b === undefined) return processor;
  for (let at = decoded.reg * 16; at < decoded.reg * 16 + 16; at += 4)
    if (near(a.getFloat32(at, true), b.getFloat32(at, true))) a.setUint32(at, b.getUint32(at, true), true);
  return adjusted;
}
