// XSAVE, XRSTOR, XGETBV, XSETBV (SDM 1 chapter 13) for the x87 and SSE state in the standard format: a legacy region as
// FXSAVE has it, then a header of 64 bytes. Compaction, XSAVEOPT and supervisor states are not there, and CPUID says
// so.
import * as L from '../../../layout';
import {
  isX87Initial, restoreMxcsr, restoreX87, restoreXmm, saveMxcsr, saveX87, saveXmm, xmmCount,
} from './floating-point';
import { probeOperand } from '../memory/mmu';
import { cpl } from '../state/operand-size';
import { operandLinear, readMemory, writeMemory } from '../memory/operands';
import { fault } from '../raise/raise';
import { GP, NM, UD } from '../state/vectors';
import { initialise } from './x87-environment';

const TS: u64 = 8;
export const OSXSAVE: u64 = 0x40000;
/** State components that XCR0 may enable. */
const X87_STATE: u64 = 1, SSE_STATE: u64 = 2;
export const XCR0_DEFINED: u64 = X87_STATE | SSE_STATE;
const HEADER: u64 = 512;
/** Legacy region and header. */
export const XSAVE_SIZE: u32 = 576;

function checkAvailable(): void {
  if (!(load<u64>(L.CR4) & OSXSAVE)) fault(UD, -1);
  if (load<u64>(L.CR0) & TS) fault(NM, -1);
}
@inline function pair(): u64 { return <u64>load<u32>(L.RAX) | <u64>load<u32>(L.RDX) << 32; }
/** The requested-feature bitmap. */
@inline function requested(): u64 { return load<u64>(L.XCR0) & pair(); }
function areaOf(r: usize, write: u32): u64 {
  let a = operandLinear(r, XSAVE_SIZE, write);
  if (a & 63) fault(GP, 0);
  return a;
}
/**
 * XINUSE (SDM 1 13.6): a component is in use when it is not in its initial configuration. MXCSR is no part of the SSE
 * state.
 */
function inUse(): u64 {
  let v: u64 = isX87Initial() ? 0 : X87_STATE;
  for (let i: u32 = 0; i < xmmCount() << 1; i++) if (load<u64>(L.XMM + (<usize>i << 3))) return v | SSE_STATE;
  return v;
}

/** Everything is asked for before the first byte is written. */
export function saveState(r: usize): void {
  checkAvailable();
  let a = areaOf(r, 1), components = requested();
  probeOperand(a, XSAVE_SIZE, true);
  let old = readMemory(r, a + HEADER, 8);
  if (components & X87_STATE) saveX87(r, a);
  if (components & SSE_STATE) { saveMxcsr(r, a); saveXmm(r, a); }
  writeMemory(r, a + HEADER, 8, (old & ~components) | (inUse() & components));
}
/** The header's XSTATE_BV says what is in the area; the rest of what is requested gets its initial configuration. */
export function restoreState(r: usize): void {
  checkAvailable();
  let a = areaOf(r, 0), components = requested();
  probeOperand(a, XSAVE_SIZE, false);
  let present = readMemory(r, a + HEADER, 8);
  // XCOMP_BV and the eight bytes behind it have to be 0 in the standard format (SDM 1 13.8.1)
  if (present & ~load<u64>(L.XCR0) || readMemory(r, a + HEADER + 8, 8) || readMemory(r, a + HEADER + 16, 8))
    fault(GP, 0);
  // MXCSR comes from memory whatever XSTATE_BV says; it is looked at first, because it may be refused
  if (components & SSE_STATE) restoreMxcsr(r, a);
  if (components & X87_STATE) { if (present & X87_STATE) restoreX87(r, a); else initialiseX87State(); }
  if (!(components & SSE_STATE)) return;
  if (present & SSE_STATE) restoreXmm(r, a); else memory.fill(L.XMM, 0, xmmCount() << 4);
}
/** FNINIT, and the registers are 0. */
function initialiseX87State(): void {
  initialise();
  memory.fill(L.X87, 0, 128);
}

export function readExtendedControl(): void {
  if (!(load<u64>(L.CR4) & OSXSAVE)) fault(UD, -1);
  if (load<u32>(L.RCX)) fault(GP, 0);
  let value = load<u64>(L.XCR0);
  store<u64>(L.RAX, value & 0xffffffff);
  store<u64>(L.RDX, value >> 32);
}
/** The x87 state cannot be disabled. */
export function writeExtendedControl(): void {
  if (!(load<u64>(L.CR4) & OSXSAVE)) fault(UD, -1);
  let value = pair();
  if (cpl() || load<u32>(L.RCX) || value & ~XCR0_DEFINED || !(value & X87_STATE)) fault(GP, 0);
  store<u64>(L.XCR0, value);
}
