// SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS (SDM 2B, 3A 5.8.7, 5.8.8).
import * as L from '../../../layout';
import { nextOf } from '../../core/record';
import { FLAG_IF, FLAG_RF, FLAG_TF, FLAG_VM, rflags, setRflags } from '../state/flags';
import { code64, operandSize } from '../state/operand-size';
import { fault } from '../raise/raise';
import { DPL_SHIFT, baseOf, protectedMode, protectionEnabled, setSegment, updateMode } from '../memory/segments';
import { GP, UD } from '../state/vectors';
import { isCanonical, longMode } from '../memory/walk';

const R11: usize = L.REGS + 11 * 8;
const EFER_SCE: u64 = 1;
// attributes of the segments that these instructions load without looking at a descriptor
const CODE64: u32 = 0xa09b, CODE32: u32 = 0xc09b, DATA: u32 = 0xc093;

function setFlat(segment: usize, selector: u32, attributes: u32, level: u32): void {
  setSegment(segment, selector, 0, 0xffffffff, attributes | level << DPL_SHIFT);
}
/** Loads CS and SS; the level is that of the new code. */
function enter(code: u32, codeAttributes: u32, stack: u32, level: u32): void {
  setFlat(L.CS, code & 0xfffc | level, codeAttributes, level);
  setFlat(L.SS, stack & 0xfffc | level, DATA, level);
  store<u32>(L.CPL, level);
  updateMode();
}
/** SYSCALL and SYSRET: the single-step trap is decided by TF when they end (guest-debug-spec 2.7 "TF"). */
function sampleTrapFlag(): void {
  let tf: u32 = load<u64>(L.RFLAGS) & FLAG_TF ? 1 : 0;
  store<u32>(L.TF_AT_START, tf);
  if (tf) store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_RETIRE);
}

export function syscall(r: usize): void {
  let amd = load<u32>(L.CONFIG_PROFILE) != 0;
  if (!(load<u64>(L.EFER) & EFER_SCE) || !protectedMode() || (!amd && !code64())) fault(UD, -1);
  let star = <u32>(load<u64>(L.MSR_STAR) >> 32), flags = rflags() & ~FLAG_RF;
  if (longMode()) {
    let target = code64() ? load<u64>(L.MSR_LSTAR) : load<u64>(L.MSR_CSTAR);
    store<u64>(L.RCX, nextOf(r));
    store<u64>(R11, flags);
    enter(star & 0xffff, CODE64, (star & 0xffff) + 8, 0);
    setRflags(flags & ~(load<u64>(L.MSR_SFMASK) & 0xffffffff) & ~FLAG_RF);
    store<u64>(L.RIP, target);
  } else { // AMD, legacy mode (APM 3 SYSCALL)
    store<u64>(L.RCX, nextOf(r));
    enter(star & 0xffff, CODE32, (star & 0xffff) + 8, 0);
    setRflags(flags & ~(FLAG_IF | FLAG_VM));
    store<u64>(L.RIP, load<u64>(L.MSR_STAR) & 0xffffffff);
  }
  sampleTrapFlag();
}
export function sysret(r: usize): void {
  let amd = load<u32>(L.CONFIG_PROFILE) != 0;
  if (!(load<u64>(L.EFER) & EFER_SCE) || !protectedMode() || (!amd && !code64())) fault(UD, -1);
  if (load<u32>(L.CPL)) fault(GP, 0);
  let star = <u32>(load<u64>(L.MSR_STAR) >> 48), target = load<u64>(L.RCX);
  if (operandSize(r) == 8) {
    if (!isCanonical(target)) fault(GP, 0);
    enter(star + 16, CODE64, star + 8, 3);
  } else {
    target &= 0xffffffff;
    enter(star, CODE32, star + 8, 3);
  }
  if (longMode()) setRflags(load<u64>(R11) & ~(FLAG_RF | FLAG_VM));
  else setRflags(rflags() | FLAG_IF);
  store<u64>(L.RIP, target);
  sampleTrapFlag();
}
export function sysenter(r: usize): void {
  let selector = <u32>load<u64>(L.MSR_SYSENTER_CS);
  if (!protectionEnabled() || !(selector & 0xfffc)) fault(GP, 0); // virtual-8086 mode may
  if (load<u32>(L.CONFIG_PROFILE) && longMode()) fault(UD, -1);
  let long = longMode();
  setRflags(rflags() & ~(FLAG_IF | FLAG_RF | FLAG_VM));
  enter(selector, long ? CODE64 : CODE32, selector + 8, 0);
  store<u64>(L.RSP, long ? load<u64>(L.MSR_SYSENTER_ESP) : load<u64>(L.MSR_SYSENTER_ESP) & 0xffffffff);
  store<u64>(L.RIP, long ? load<u64>(L.MSR_SYSENTER_EIP) : load<u64>(L.MSR_SYSENTER_EIP) & 0xffffffff);
}
export function sysexit(r: usize): void {
  let selector = <u32>load<u64>(L.MSR_SYSENTER_CS);
  if (!protectedMode() || !(selector & 0xfffc) || load<u32>(L.CPL)) fault(GP, 0);
  if (load<u32>(L.CONFIG_PROFILE) && longMode()) fault(UD, -1);
  let wide = operandSize(r) == 8, rip = load<u64>(L.RDX), sp = load<u64>(L.RCX);
  if (wide) {
    if (!isCanonical(rip) || !isCanonical(sp)) fault(GP, 0);
    enter(selector + 32, CODE64, selector + 40, 3);
  } else {
    rip &= 0xffffffff; sp &= 0xffffffff;
    enter(selector + 16, CODE32, selector + 24, 3);
  }
  store<u64>(L.RSP, sp);
  store<u64>(L.RIP, rip);
}
export function swapGs(r: usize): void {
  if (load<u32>(L.CPL)) fault(GP, 0);
  let base = baseOf(L.GS);
  store<u64>(L.GS, load<u64>(L.MSR_KERNEL_GS_BASE));
  store<u64>(L.MSR_KERNEL_GS_BASE, base);
}
