// State of the x87 and SSE units together: FXSAVE, FXRSTOR; MXCSR (SDM 1 10.5). X87 holds the physical registers R0-R7.
import * as L from '../../../layout';
import { code64, operandSize } from '../state/operand-size';
import { operandLinear, readMemory, writeMemory } from '../memory/operands';
import { fault } from '../raise/raise';
import { GP, NM, UD } from '../state/vectors';
import { checkX87, setControl, stackRegister, summarise } from './x87-environment';

const EM: u64 = 4, TS: u64 = 8, OSFXSR: u64 = 0x200;
const MXCSR_DEFINED: u32 = 0xffff;

/** #UD and #NM of SSE instructions. */
export function checkSse(): void {
  if (load<u64>(L.CR0) & EM || !(load<u64>(L.CR4) & OSFXSR)) fault(UD, -1);
  if (load<u64>(L.CR0) & TS) fault(NM, -1);
}
/** One bit per physical register, 1: not empty (SDM 1 10.5.1.1). */
function abridgedTags(): u32 {
  let tags = <u32>load<u16>(L.FTW), v: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) if (((tags >> (i << 1)) & 3) != 3) v |= 1 << i;
  return v;
}
function setAbridgedTags(v: u32): void {
  let tags: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) if (!(v >> i & 1)) tags |= 3 << (i << 1);
  store<u16>(L.FTW, <u16>tags);
}
/** Whether FIP and FDP have 64 bits, or 32 and a selector (SDM 1 tables 10-2, 10-3): with REX.W. */
@inline function longPointers(r: usize): bool { return operandSize(r) == 8; }
/** Registers that the running code's mode has. */
@inline export function xmmCount(): u32 { return code64() ? 16 : 8; }

export function saveExtended(r: usize): void {
  checkX87();
  let a = operandLinear(r, 512, 1);
  if (a & 15) fault(GP, 0);
  saveX87(r, a);
  saveMxcsr(r, a);
  saveXmm(r, a);
}
// The parts of the legacy region (SDM 1 table 10-2), which XSAVE writes and reads one by one. a: its linear address.

/** Bytes 0-23 and 32-159. */
export function saveX87(r: usize, a: u64): void {
  writeMemory(r, a, 4, <u64>load<u16>(L.FCW) | <u64>load<u16>(L.FSW) << 16);
  writeMemory(r, a + 4, 4, <u64>abridgedTags() | <u64>load<u16>(L.FOP) << 16);
  if (longPointers(r)) {
    writeMemory(r, a + 8, 8, load<u64>(L.FIP));
    writeMemory(r, a + 16, 8, load<u64>(L.FDP));
  } else {
    writeMemory(r, a + 8, 8, <u64>load<u32>(L.FIP) | <u64>load<u16>(L.FCS) << 32);
    writeMemory(r, a + 16, 8, <u64>load<u32>(L.FDP) | <u64>load<u16>(L.FDS) << 32);
  }
  for (let i: u32 = 0; i < 8; i++) {
    writeMemory(r, a + 32 + (i << 4), 8, load<u64>(stackRegister(i)));
    writeMemory(r, a + 40 + (i << 4), 8, <u64>load<u16>(stackRegister(i), 8));
  }
}
export function saveMxcsr(r: usize, a: u64): void {
  writeMemory(r, a + 24, 8, <u64>load<u32>(L.MXCSR) | <u64>MXCSR_DEFINED << 32);
}
export function saveXmm(r: usize, a: u64): void {
  for (let i: u32 = 0; i < xmmCount(); i++) {
    writeMemory(r, a + 160 + (i << 4), 8, load<u64>(L.XMM + (<usize>i << 4)));
    writeMemory(r, a + 168 + (i << 4), 8, load<u64>(L.XMM + (<usize>i << 4), 8));
  }
}
/** May fault in its middle: it then starts over, and what it has loaded is loaded again. */
export function restoreExtended(r: usize): void {
  checkX87();
  let a = operandLinear(r, 512, 0);
  if (a & 15) fault(GP, 0);
  readMemory(r, a + 504, 8);
  restoreMxcsr(r, a);
  restoreX87(r, a);
  restoreXmm(r, a);
}
export function restoreX87(r: usize, a: u64): void {
  let control = readMemory(r, a, 8);
  setControl(<u32>control & 0xffff);
  store<u16>(L.FSW, <u16>(control >> 16));
  store<u16>(L.FOP, <u16>(control >> 48) & 0x7ff);
  let ip = readMemory(r, a + 8, 8), dp = readMemory(r, a + 16, 8), wide = longPointers(r);
  store<u64>(L.FIP, wide ? ip : ip & 0xffffffff); store<u64>(L.FDP, wide ? dp : dp & 0xffffffff);
  store<u16>(L.FCS, wide ? 0 : <u16>(ip >> 32)); store<u16>(L.FDS, wide ? 0 : <u16>(dp >> 32));
  for (let i: u32 = 0; i < 8; i++) {
    store<u64>(stackRegister(i), readMemory(r, a + 32 + (i << 4), 8));
    store<u64>(stackRegister(i), readMemory(r, a + 40 + (i << 4), 2), 8);
  }
  setAbridgedTags(<u32>(control >> 32) & 0xff);
  summarise();
}
export function restoreMxcsr(r: usize, a: u64): void {
  let mxcsr = <u32>readMemory(r, a + 24, 4);
  if (mxcsr & ~MXCSR_DEFINED) fault(GP, 0);
  store<u32>(L.MXCSR, mxcsr);
}
export function restoreXmm(r: usize, a: u64): void {
  for (let i: u32 = 0; i < xmmCount(); i++) {
    store<u64>(L.XMM + (<usize>i << 4), readMemory(r, a + 160 + (i << 4), 8));
    store<u64>(L.XMM + (<usize>i << 4), readMemory(r, a + 168 + (i << 4), 8), 8);
  }
}
/** As FNINIT leaves the unit, with all registers 0: the initial configuration of XSAVE's x87 state (SDM 1 13.6). */
export function isX87Initial(): bool {
  if (load<u16>(L.FCW) != 0x37f || load<u16>(L.FSW) || load<u16>(L.FTW) != 0xffff) return false;
  if (load<u64>(L.FIP) | load<u64>(L.FDP) | <u64>(load<u16>(L.FOP) | load<u16>(L.FCS) | load<u16>(L.FDS))) return false;
  for (let i: usize = 0; i < 16; i++) if (load<u64>(L.X87 + (i << 3))) return false;
  return true;
}
export function loadMxcsr(r: usize): void {
  checkSse();
  let value = <u32>readMemory(r, operandLinear(r, 4, 0), 4);
  if (value & ~MXCSR_DEFINED) fault(GP, 0);
  store<u32>(L.MXCSR, value);
}
export function storeMxcsr(r: usize): void {
  checkSse();
  writeMemory(r, operandLinear(r, 4, 1), 4, load<u32>(L.MXCSR));
}
