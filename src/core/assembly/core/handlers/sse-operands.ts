// What all SSE handlers share: whether the extension is enabled, XMM slots and 16-byte memory operands.
import * as L from '../../../layout';
import { dstPointer, srcPointer } from '../record';
import { address, ldv, stv } from '../memory';
import { raise } from '../imports';

const CR0_EM: u64 = 4, CR0_TS: u64 = 8, CR4_OSFXSR: u64 = 0x200;

/** #UD with CR0.EM or without CR4.OSFXSR, #NM with CR0.TS (SDM 3A 2.5, 14.1). At the head of every handler. */
@inline export function sseAvailable(r: usize): void {
  if (load<u64>(L.CR0) & CR0_EM || !(load<u64>(L.CR4) & CR4_OSFXSR)) raise(r, 6, -1);
  if (load<u64>(L.CR0) & CR0_TS) raise(r, 7, -1);
}
@inline export function dstVector(r: usize): v128 { return v128.load(dstPointer(r)); }
@inline export function srcVector(r: usize): v128 { return v128.load(srcPointer(r)); }
@inline export function setDstVector(r: usize, v: v128): void { v128.store(dstPointer(r), v); }
/** Linear address of a 16-byte operand that has to be aligned: otherwise #GP(0), whatever the segment (SDM 1 4.1.1). */
@inline export function alignedAddress(r: usize, write: u32): u64 {
  let a = address(r, 16, write);
  if (a & 15) raise(r, 13, 0);
  return a;
}
@inline export function ldAligned(r: usize): v128 { return ldv(r, alignedAddress(r, 0)); }
@inline export function stAligned(r: usize, v: v128): void { stv(r, alignedAddress(r, 1), v); }
