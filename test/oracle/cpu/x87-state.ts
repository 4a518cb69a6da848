// The x87 unit in the engine's state area, seen as FXSAVE stores it: registers from the top of the stack on, one tag bit each.
import * as L from '../../../src/core/layout.ts';
import type { X87State } from './protocol.ts';

const EMPTY = 3;
const topOf = (status: number): number => (status >> 11) & 7;

/** SDM 1 table 10-2: the full tag of a register that is not empty. */
function tagOf(mantissa: bigint, exponent: number): number {
  const magnitude = exponent & 0x7fff;
  if (magnitude === 0 && mantissa === 0n) return 1;
  return magnitude === 0x7fff || mantissa >> 63n === 0n ? 2 : 0;
}

export function writeX87(view: DataView, state: X87State): void {
  const registers = new DataView(state.registers.buffer, state.registers.byteOffset, state.registers.length);
  const top = topOf(state.status);
  let tags = 0;
  for (let i = 0; i < 8; i++) {
    const physical = (top + i) & 7;
    const mantissa = registers.getBigUint64(i * 16, true);
    const exponent = registers.getUint16(i * 16 + 8, true);
    view.setBigUint64(L.X87 + physical * 16, mantissa, true);
    view.setBigUint64(L.X87 + physical * 16 + 8, BigInt(exponent), true);
    tags |= ((state.tags >> physical) & 1 ? tagOf(mantissa, exponent) : EMPTY) << (physical * 2);
  }
  view.setUint16(L.FCW, state.control, true);
  view.setUint16(L.FSW, state.status, true);
  view.setUint16(L.FTW, tags, true);
  view.setUint16(L.FOP, state.opcode, true);
  view.setBigUint64(L.FIP, state.instruction, true);
  view.setBigUint64(L.FDP, state.operand, true);
}

export function readX87(view: DataView): X87State {
  const status = view.getUint16(L.FSW, true);
  const full = view.getUint16(L.FTW, true);
  const registers = new Uint8Array(128);
  let tags = 0;
  for (let i = 0; i < 8; i++) {
    const at = L.X87 + ((topOf(status) + i) & 7) * 16;
    for (let n = 0; n < 10; n++) registers[i * 16 + n] = view.getUint8(at + n);
    if (((full >> (i * 2)) & 3) !== EMPTY) tags |= 1 << i;
  }
  return {
    control: view.getUint16(L.FCW, true),
    status,
    tags,
    opcode: view.getUint16(L.FOP, true),
    instruction: view.getBigUint64(L.FIP, true),
    operand: view.getBigUint64(L.FDP, true),
    registers,
  };
}
