// Sizes: of the running code, of the operands of its records, and of what is written to a general register.
import * as L from '../../../layout';
import { flagsOf } from '../../core/record';

/** Operand size in bytes: 1, 2, 4 or 8. */
@inline export function operandSize(r: usize): u32 { return <u32>1 << (flagsOf(r) & L.R_FLAG_SIZE); }
@inline export function isMemory(r: usize): bool { return (flagsOf(r) & L.R_FLAG_MEMORY) != 0; }
@inline export function code64(): bool { return (load<u32>(L.MODE) & L.MODE_CODE) == 2; }
@inline export function realMode(): bool { return (load<u32>(L.MODE) & L.MODE_REAL) != 0; }
@inline export function cpl(): u32 { return load<u32>(L.CPL); }

@inline export function truncate(v: u64, size: u32): u64 { return size >= 8 ? v : v & ((<u64>1 << (size << 3)) - 1); }
/** Writes a general register slot as an instruction of this operand size does (SDM 1 3.4.1.1). */
export function setSlot(slot: usize, size: u32, value: u64): void {
  if (size == 8) store<u64>(slot, value);
  else if (size == 4) store<u64>(slot, value & 0xffffffff);
  else if (size == 2) store<u16>(slot, <u16>value);
  else store<u8>(slot, <u8>value);
}
