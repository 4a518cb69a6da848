// Control instructions of the x87 (SDM 1 8.3.11): they are not remembered as the last instruction. Those whose name
// begins with FN do not wait for a pending exception.
import * as L from '../../../layout';
import { ldOperand, stOperand } from '../memory';
import { floatError, raise } from '../imports';
import { BUSY, C1, controlWord, ERROR_SUMMARY, EXCEPTIONS, moveTop, operandIndex, pop, setEmpty, statusWord,
  x87Available,
  x87Present } from './x87-stack';

const CR0_MP_TS: u64 = 10;

@inline export function fninit(r: usize): void {
  x87Present(r);
  store<u16>(L.FCW, 0x37f); store<u16>(L.FSW, 0); store<u16>(L.FTW, 0xffff);
  store<u64>(L.FIP, 0); store<u64>(L.FDP, 0);
  store<u16>(L.FOP, 0); store<u16>(L.FCS, 0); store<u16>(L.FDS, 0);
  store<u32>(L.IGNNE, 0);
}
@inline export function fnclex(r: usize): void {
  x87Present(r);
  store<u16>(L.FSW, load<u16>(L.FSW) & 0x7f00);
  store<u32>(L.IGNNE, 0);
}
@inline export function fnstcw_m<T>(r: usize): void { x87Present(r); stOperand<u16>(r, load<u16>(L.FCW)); }
@inline export function fnstsw_m<T>(r: usize): void { x87Present(r); stOperand<u16>(r, load<u16>(L.FSW)); }
@inline export function fnstsw_r<T>(r: usize): void { x87Present(r); store<u16>(L.RAX, load<u16>(L.FSW)); }
/**
 * Bit 6 is always 1, bits 7 and 13 to 15 are 0. A mask that is taken away makes a flag that is set pending (SDM 1 8.6).
 */
@inline export function fldcw_m<T>(r: usize): void {
  x87Available(r);
  let control = (<u32>ldOperand<u16>(r) & 0x1f3f) | 0x40;
  store<u16>(L.FCW, <u16>control);
  summarise();
}
/** Sets ES and B as the flags and masks say. Without ES FERR# falls, and IGNNE# with it. */
@inline function summarise(): void {
  let status = statusWord() & ~(ERROR_SUMMARY | BUSY), pending = (status & ~controlWord() & EXCEPTIONS) != 0;
  store<u16>(L.FSW, <u16>(pending ? status | ERROR_SUMMARY | BUSY : status));
  if (!pending) store<u32>(L.IGNNE, 0);
}
/** FINCSTP, FDECSTP: by 1 or 7; the tags stay. */
@inline export function rotate(by: u32, r: usize): void {
  x87Available(r);
  store<u16>(L.FSW, <u16>(statusWord() & ~C1));
  moveTop(by);
}
@inline export function ffree(pops: u32, r: usize): void {
  x87Available(r);
  setEmpty(operandIndex(r));
  store<u16>(L.FSW, <u16>(statusWord() & ~C1)); // undefined, but so do processors
  if (pops) pop();
}
@inline export function fnop(r: usize): void { x87Available(r); }
/** FENI, FDISI and FSETPM of the 8087 and 80287: they do nothing, and wait for nothing (SDM 3B 23.18.9). */
@inline export function fnop_without_wait(r: usize): void { x87Present(r); }
/** WAIT looks at CR0.MP rather than at CR0.EM (SDM 3A 2.5). */
@inline export function wait(r: usize): void {
  if ((load<u64>(L.CR0) & CR0_MP_TS) == CR0_MP_TS) raise(r, 7, -1);
  if (load<u16>(L.FSW) & ERROR_SUMMARY) floatError(r);
}
