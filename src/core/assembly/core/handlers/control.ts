// Near jumps, calls and returns, LOOP, JCXZ, and the record that ends a block which does not jump.
import * as L from '../../../layout';
import { src, setRip, immOf, nextOf, maskOf, flagsOf } from '../record';
import { ldOperand, push, top, drop } from '../memory';
import { raise } from '../imports';
import { condition } from './flags';

/** #GP(0) unless a jump may go to this offset in CS: the limit, where there is one (SDM 2A JMP). */
@inline function checkLimit(r: usize, rip: u64): void {
  if (flagsOf(r) & L.R_FLAG_CHECKED && rip > <u64>load<u32>(L.CS, 8)) raise(r, 13, 0);
}
/** The same for a target that comes from a register or memory: in 64-bit mode it has to be canonical. */
@inline function checkTarget<T>(r: usize, rip: u64): void {
  if (sizeof<T>() == 8) {
    if (<i64>rip << 16 >> 16 != <i64>rip) raise(r, 13, 0);
  } else checkLimit(r, rip);
}

/** The same for a conditional jump to the immediate. */
@inline function checkBranch(r: usize, taken: bool): void {
  if (flagsOf(r) & L.R_FLAG_CHECKED) { if (taken) checkLimit(r, immOf(r)); }
}
@inline export function jcc(cc: u32, r: usize): void {
  checkBranch(r, condition(cc));
  setRip(condition(cc) ? immOf(r) : nextOf(r));
}

/** rCX by address size; a 16-bit one keeps the rest of the register. */
@inline function setCounter(r: usize, v: u64): void {
  if (maskOf(r) == 0xffff) store<u16>(L.RCX, <u16>v); else store<u64>(L.RCX, v & maskOf(r));
}
@inline function loopWhen(r: usize, more: bool): void {
  let count = (load<u64>(L.RCX) - 1) & maskOf(r), taken = (i32(count != 0) & i32(more)) != 0;
  checkBranch(r, taken);
  setCounter(r, count);
  setRip(taken ? immOf(r) : nextOf(r));
}
@inline export function loop_(r: usize): void { loopWhen(r, true); }
@inline export function loope(r: usize): void { loopWhen(r, load<i64>(L.F_ZERO) == 0); }
@inline export function loopne(r: usize): void { loopWhen(r, load<i64>(L.F_ZERO) != 0); }
@inline export function jcxz(r: usize): void {
  let taken = (load<u64>(L.RCX) & maskOf(r)) == 0;
  checkBranch(r, taken);
  setRip(taken ? immOf(r) : nextOf(r));
}

@inline export function jmp(r: usize): void {
  checkLimit(r, immOf(r));
  setRip(immOf(r));
}
@inline function jumpTo<T>(r: usize, target: T): void {
  checkTarget<T>(r, <u64>target);
  setRip(<u64>target);
}
@inline export function jmp_r<T>(r: usize): void { jumpTo<T>(r, src<T>(r)); }
@inline export function jmp_m<T>(r: usize): void { jumpTo<T>(r, ldOperand<T>(r)); }

@inline export function call<T>(r: usize): void {
  checkLimit(r, immOf(r));
  push<T>(r, <T>nextOf(r));
  setRip(immOf(r));
}
@inline function callTo<T>(r: usize, target: T): void {
  checkTarget<T>(r, <u64>target);
  push<T>(r, <T>nextOf(r));
  setRip(<u64>target);
}
@inline export function call_r<T>(r: usize): void { callTo<T>(r, src<T>(r)); }
@inline export function call_m<T>(r: usize): void { callTo<T>(r, ldOperand<T>(r)); }

/** The immediate, 0 without one, is released on top of the return address. */
@inline export function ret<T>(r: usize): void {
  let target = <u64>top<T>(r);
  checkTarget<T>(r, target);
  drop<T>(r, immOf(r));
  setRip(target);
}

/** Goes on behind a block whose last instruction does not store RIP; itself no instruction. */
function fall(r: usize): void { setRip(nextOf(r)); }
/** Index of fall in the function table. */
export function fallHandler(): u32 {
  let f = (r: usize): void => { fall(r); };
  return <u32>f.index;
}
