// What all MMX handlers share. MMn is the low 64 bits of the physical x87 register n, whatever TOP is; an instruction
// that uses MMX registers leaves TOP 0 and every register in use, and one that writes a register sets the exponent and
// sign above it to ones (SDM 1 9.5.1, 3A table 13-2).
import * as L from '../../../layout';
import { floatError, raise } from '../imports';
import { enterMmx } from '../mmx-unit';
import { dstPointer, srcPointer } from '../record';

const CR0_EM: u64 = 4, CR0_TS: u64 = 8, CR4_OSFXSR: u64 = 0x200;
const ERROR_SUMMARY: u16 = 0x80;

/**
 * #UD with CR0.EM, #NM with CR0.TS, then the x87 exception that is pending (SDM 3A 13.1, 13.5). At the head of every
 * handler.
 */
@inline export function mmxAvailable(r: usize): void {
  if (load<u64>(L.CR0) & CR0_EM) raise(r, 6, -1);
  if (load<u64>(L.CR0) & CR0_TS) raise(r, 7, -1);
  if (load<u16>(L.FSW) & ERROR_SUMMARY) floatError(r);
}
/** The same for instructions that use XMM registers too: #UD without CR4.OSFXSR (SDM 3B 24.25.3). */
@inline export function mmxAndSseAvailable(r: usize): void {
  if (!(load<u64>(L.CR4) & CR4_OSFXSR)) raise(r, 6, -1);
  mmxAvailable(r);
}

@inline export function dstMmx(r: usize): u64 { return load<u64>(dstPointer(r)); }
@inline export function srcMmx(r: usize): u64 { return load<u64>(srcPointer(r)); }
/** The end of an instruction whose destination is an MMX register. */
@inline export function setDstMmx(r: usize, v: u64): void {
  let p = dstPointer(r);
  enterMmx();
  store<u64>(p, v);
  store<u16>(p, 0xffff, 8);
}
