// Operands of rare instructions: memory through the segment checks and the mmu, registers through the record's
// pointers.
import * as L from '../../../layout';
import { flagsOf, offsetOf, srcPointer, dstPointer, stackMask, stackKeep } from '../../core/record';
import { readOwn, writeOwn } from './mmu';
import { isMemory, operandSize, setSlot, truncate } from '../state/operand-size';
import { linear } from './segments';

/** Linear address of the record's memory operand of size bytes; throws #GP or #SS by the segment. write: 0 or 1. */
export function operandLinear(r: usize, size: u32, write: u32): u64 {
  let segment = load<u32>(r, L.R_SEGMENT);
  if (flagsOf(r) & L.R_FLAG_CHECKED) return linear(r, segment, offsetOf(r), size, write);
  return offsetOf(r) + load<u64>(segment);
}
/** Reads size (1, 2, 4, 8) bytes with the rights of the running code. */
@inline export function readMemory(r: usize, at: u64, size: u32): u64 { return readOwn(at, size); }
@inline export function writeMemory(r: usize, at: u64, size: u32, value: u64): void { writeOwn(at, size, value); }

/** Value of the source operand: register, immediate, or memory of size bytes. */
export function readSource(r: usize, size: u32): u64 {
  if (isMemory(r)) return readMemory(r, operandLinear(r, size, 0), size);
  return truncate(load<u64>(srcPointer(r)), size);
}
/** Destination: memory of memorySize bytes, else the register with the record's operand size. */
export function writeDestination(r: usize, memorySize: u32, value: u64): void {
  if (isMemory(r)) writeMemory(r, operandLinear(r, memorySize, 1), memorySize, truncate(value, memorySize));
  else setSlot(dstPointer(r), operandSize(r), value);
}

/** Linear address of stack offset sp. */
@inline export function stackLinear(r: usize, sp: u64, size: u32, write: u32): u64 {
  if (flagsOf(r) & L.R_FLAG_CHECKED) return linear(r, L.SS, sp, size, write);
  return sp;
}
/** Pushes one value; the store comes before RSP changes. */
export function push(r: usize, size: u32, value: u64): void {
  let sp = (load<u64>(L.RSP) - size) & stackMask(r);
  writeMemory(r, stackLinear(r, sp, size, 1), size, truncate(value, size));
  setStackPointer(r, sp);
}
/** Value `skip` bytes above the top of the stack; RSP stays. */
export function peek(r: usize, size: u32, skip: u64): u64 {
  let sp = (load<u64>(L.RSP) + skip) & stackMask(r);
  return readMemory(r, stackLinear(r, sp, size, 0), size);
}
export function setStackPointer(r: usize, sp: u64): void {
  store<u64>(L.RSP, (load<u64>(L.RSP) & stackKeep(r)) | (sp & stackMask(r)));
}
