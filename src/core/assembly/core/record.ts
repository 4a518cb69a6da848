// Access to a decoded record. A handler sees operands only as pointers (to a register slot, or to the immediate inside
// the record itself), so that the interpreter loads a pointer and the partial evaluator folds it.
import * as L from '../../layout';

@inline export function handlerOf(r: usize): u32 { return load<u16>(r, L.R_HANDLER); }
@inline export function lengthOf(r: usize): u32 { return load<u8>(r, L.R_LENGTH); }
@inline export function parameterOf(r: usize): u32 { return load<u8>(r, L.R_PARAMETER); }
@inline export function dstPointer(r: usize): usize { return load<u32>(r, L.R_DST); }
@inline export function srcPointer(r: usize): usize { return load<u32>(r, L.R_SRC); }
@inline export function src2Pointer(r: usize): usize { return load<u32>(r, L.R_SRC2); }
@inline export function immOf(r: usize): u64 { return load<u64>(r, L.R_IMM); }
@inline export function nextOf(r: usize): u64 { return load<u64>(r, L.R_NEXT); }
@inline export function flagsOf(r: usize): u32 { return load<u8>(r, L.R_FLAGS); }
@inline export function maskOf(r: usize): u64 { return load<u64>(r, L.R_MASK); }
@inline export function stackMask(r: usize): u64 { return load<u64>(load<u32>(r, L.R_STACK)); }
@inline export function stackKeep(r: usize): u64 { return load<u64>(load<u32>(r, L.R_STACK), 8); }

@inline export function dst<T>(r: usize): T { return load<T>(dstPointer(r)); }
@inline export function src<T>(r: usize): T { return load<T>(srcPointer(r)); }
@inline export function src2<T>(r: usize): T { return load<T>(src2Pointer(r)); }
/** Writes a register slot; a 32-bit write clears the upper half (SDM 1 3.4.1.1). */
@inline export function setRegister<T>(slot: usize, v: T): void {
  if (sizeof<T>() == 4) store<u64>(slot, <u64><u32>v); else store<T>(slot, v);
}
@inline export function setDst<T>(r: usize, v: T): void { setRegister<T>(dstPointer(r), v); }

/** Offset of the memory operand within its segment. */
@inline export function offsetOf(r: usize): u64 {
  let base = load<u64>(L.REGS + <usize>load<u8>(r, L.R_BASE));
  let index = load<u64>(L.REGS + <usize>load<u8>(r, L.R_INDEX));
  return (base + (index << load<u8>(r, L.R_SCALE)) + load<u64>(r, L.R_DISP)) & maskOf(r);
}
/** Storing RIP is the jump. */
@inline export function setRip(v: u64): void { store<u64>(L.RIP, v); }
