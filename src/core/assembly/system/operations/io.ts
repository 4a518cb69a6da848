// Port input and output (SDM 1 chapter 19): IOPL and the TSS's permission map, IN OUT INS OUTS. One iteration of a
// repeated string instruction is one call, one tick and one boundary.
import * as L from '../../../layout';
import { dstPointer, flagsOf, maskOf, nextOf, srcPointer } from '../../core/record';
import { noteIo } from '../memory/debug';
import { FLAG_DF } from '../state/flags';
import { portRead, portWrite } from '../state/host';
import { probeOperand, readLinear } from '../memory/mmu';
import { operandSize, setSlot, truncate } from '../state/operand-size';
import { readMemory, writeMemory } from '../memory/operands';
import { fault, startOf } from '../raise/raise';
import { attributesOf, baseOf, limitOf, linear, protectedMode, virtual8086 } from '../memory/segments';
import { GP } from '../state/vectors';
import { longMode } from '../memory/walk';

const KIND_IN: u32 = 4, KIND_OUT: u32 = 8;

/** #GP(0) unless the running code may use the ports. SDM 1 19.5.2 */
function checkPermission(port: u32, size: u32): void {
  // virtual-8086 mode always asks the map (SDM 3A 21.2.8.1)
  if (!virtual8086() && (!protectedMode() || load<u32>(L.CPL) <= (<u32>(load<u64>(L.RFLAGS) >> 12) & 3))) return;
  let type = attributesOf(L.TR) & 15, limit = limitOf(L.TR);
  if ((type != 9 && type != 11) || limit < 0x67) fault(GP, 0);
  let at = <u32>readLinear(tss(0x66), 2, 0) + (port >> 3);
  if (at + 1 > limit) fault(GP, 0);
  let bits = <u32>readLinear(tss(at), 2, 0) >> (port & 7);
  if (bits & ((1 << size) - 1)) fault(GP, 0);
}
function tss(offset: u32): u64 {
  let a = baseOf(L.TR) + offset;
  return longMode() ? a : a & 0xffffffff;
}
function input(port: u32, size: u32): u64 {
  let value = truncate(portRead(port, size), size);
  noteIo(port, size, KIND_IN, value);
  return value;
}
function output(port: u32, size: u32, value: u64): void {
  portWrite(port, size, <u32>truncate(value, size));
  noteIo(port, size, KIND_OUT, truncate(value, size));
}
@inline function sizeOf(r: usize): u32 { let size = operandSize(r); return size == 8 ? 4 : size; }
/** The port operand is an immediate byte or DX; the other one is the accumulator. */
function portOf(r: usize): u32 {
  let p = srcPointer(r);
  if (p == L.RAX) p = dstPointer(r);
  return p == L.RDX ? load<u16>(L.RDX) : load<u8>(p);
}
export function inPort(r: usize): void {
  let port = portOf(r), size = sizeOf(r);
  checkPermission(port, size);
  setSlot(L.RAX, size, input(port, size));
}
export function outPort(r: usize): void {
  let port = portOf(r), size = sizeOf(r);
  checkPermission(port, size);
  output(port, size, load<u64>(L.RAX));
}

// ---- strings --------------------------------------------------------------------------------------------------------
function addIndex(slot: usize, mask: u64, by: u64): void {
  let v = (load<u64>(slot) + by) & mask;
  if (mask == 0xffff) store<u16>(slot, <u16>v); else store<u64>(slot, v);
}
@inline function step(size: u32): u64 { return load<u64>(L.RFLAGS) & FLAG_DF ? -(<u64>size) : <u64>size; }
@inline function isRepeated(r: usize): bool { return (flagsOf(r) & (L.R_FLAG_REP | L.R_FLAG_REPNE)) != 0; }
/** True when a repeated instruction has nothing (more) to do. */
function exhausted(r: usize): bool {
  if (!isRepeated(r) || load<u64>(L.RCX) & maskOf(r)) return false;
  store<u32>(L.REP_ACTIVE, 0);
  store<u64>(L.RIP, nextOf(r));
  return true;
}
function finish(r: usize): void {
  let again: u32 = 0;
  if (isRepeated(r)) {
    addIndex(L.RCX, maskOf(r), -1);
    again = load<u64>(L.RCX) & maskOf(r) ? 1 : 0;
    store<u32>(L.REP_ACTIVE, again);
  }
  // RIP is left alone when the decoder lets a single one run inside a block
  if (load<u16>(r, L.R_ATTRIBUTES) & L.A_ENDS_BLOCK) store<u64>(L.RIP, again ? startOf(r) : nextOf(r));
}
export function inString(r: usize): void {
  if (exhausted(r)) return;
  let size = sizeOf(r), port = <u32>load<u16>(L.RDX), at = load<u64>(L.RDI) & maskOf(r);
  checkPermission(port, size);
  if (flagsOf(r) & L.R_FLAG_CHECKED) at = linear(r, L.ES, at, size, 1);
  probeOperand(at, size, true, size); // what faults does so before the port is read
  writeMemory(r, at, size, input(port, size));
  addIndex(L.RDI, maskOf(r), step(size));
  finish(r);
}
export function outString(r: usize): void {
  if (exhausted(r)) return;
  let size = sizeOf(r), port = <u32>load<u16>(L.RDX), at = load<u64>(L.RSI) & maskOf(r);
  let segment = load<u32>(r, L.R_SEGMENT);
  checkPermission(port, size);
  at = flagsOf(r) & L.R_FLAG_CHECKED ? linear(r, segment, at, size, 0) : at + load<u64>(segment);
  output(port, size, readMemory(r, at, size));
  addIndex(L.RSI, maskOf(r), step(size));
  finish(r);
}
