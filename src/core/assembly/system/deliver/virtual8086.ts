// Virtual-8086 mode (SDM 3A chapter 21): real-mode segments at CPL 3 of a protected-mode system. IOPL decides whether
// CLI, STI, PUSHF, POPF, INT n and IRET run or fault; with CR4.VME they work on VIF instead, and INT n may stay inside
// the mode.
import * as L from '../../../layout';
import { nextOf } from '../../core/record';
import { commitStack, copyStack, deliver, pushNew, readTss } from './delivery';
import {
  ARITHMETIC, FLAG_AC, FLAG_DF, FLAG_ID, FLAG_IF, FLAG_IOPL, FLAG_NT, FLAG_RF, FLAG_TF, FLAG_VIF, FLAG_VIP, FLAG_VM,
  rflags, setRflags,
} from '../state/flags';
import { readLinear } from '../memory/mmu';
import { operandSize } from '../state/operand-size';
import { peek, push, setStackPointer } from '../memory/operands';
import { SOFTWARE, fault } from '../raise/raise';
import { attributesOf, limitOf, loadVirtual, segmentSlot, updateMode, virtual8086 } from '../memory/segments';
import { GP } from '../state/vectors';

const CR4_VME: u64 = 1, CR4_PVI: u64 = 2;
/** Flags that 16 bits of an image hold and that every POPF may load. */
const LOW_FLAGS: u64 = ARITHMETIC | FLAG_TF | FLAG_DF | FLAG_NT;

@inline export function ioPrivilege(): u32 { return <u32>(load<u64>(L.RFLAGS) >> 12) & 3; }
@inline function extensions(): bool { return (load<u64>(L.CR4) & CR4_VME) != 0; }
/** The running instruction needs IOPL 3 here; false: it has to work on VIF (CR4.VME). Faults when it may do neither. */
function realFlags(): bool {
  if (ioPrivilege() == 3) return true;
  if (!extensions()) fault(GP, 0);
  return false;
}

// ---- CLI and STI ----------------------------------------------------------------------------------------------------
/**
 * Whether CLI and STI work on VIF now: virtual-8086 mode with VME, or CPL 3 with protected-mode virtual interrupts
 * (21.4).
 */
function virtualInterrupts(): bool {
  if (ioPrivilege() >= load<u32>(L.CPL)) return false;
  return (load<u64>(L.CR4) & (virtual8086() ? CR4_VME : CR4_PVI)) != 0 && load<u32>(L.CPL) == 3;
}
/** CLI or STI on the virtual flag; false: they work on IF, if they may. */
export function setVirtualInterrupts(set: bool): bool {
  if (!virtualInterrupts()) return false;
  let flags = load<u64>(L.RFLAGS);
  if (set && flags & FLAG_VIP) fault(GP, 0);
  store<u64>(L.RFLAGS, set ? flags | FLAG_VIF : flags & ~FLAG_VIF);
  return true;
}

// ---- PUSHF, POPF, IRET ----------------------------------------------------------------------------------------------
/** The flags as the program in virtual-8086 mode sees them with VME and IOPL below 3: IF is VIF, IOPL reads 3. */
function virtualImage(): u64 {
  let flags = rflags();
  return (flags & ~FLAG_IF) | FLAG_IOPL | (flags & FLAG_VIF ? FLAG_IF : 0);
}
/** Loads 16 flag bits under VME; an interrupt that waits (VIP) or a trap flag asks for the monitor. */
function loadVirtualFlags(image: u64): void {
  let flags = rflags() & ~(LOW_FLAGS | FLAG_VIF | FLAG_RF);
  setRflags(flags | (image & LOW_FLAGS) | (image & FLAG_IF ? FLAG_VIF : 0));
}
function checkVirtualImage(image: u64): void {
  if (image & FLAG_TF || (image & FLAG_IF && load<u64>(L.RFLAGS) & FLAG_VIP)) fault(GP, 0);
}
export function pushVirtualFlags(r: usize): void {
  let size = operandSize(r);
  if (realFlags()) { push(r, size, rflags() & ~(FLAG_RF | FLAG_VM)); return; }
  if (size > 2) fault(GP, 0);
  push(r, size, virtualImage());
}
export function popVirtualFlags(r: usize): void {
  let size = operandSize(r), real = realFlags();
  if (!real && size > 2) fault(GP, 0);
  let image = peek(r, size, 0);
  if (!real) checkVirtualImage(image);
  setStackPointer(r, load<u64>(L.RSP) + size);
  if (!real) { loadVirtualFlags(image); return; }
  let mask = LOW_FLAGS | FLAG_IF | (size > 2 ? FLAG_AC | FLAG_ID : 0);
  setRflags((rflags() & ~mask & ~FLAG_RF) | (image & mask));
}
/** IRET inside virtual-8086 mode: a real-mode frame; VM, IOPL, VIF and VIP stay. Answers whether RF was loaded. */
export function returnInside(r: usize): bool {
  let size = operandSize(r), real = realFlags();
  if (!real && size > 2) fault(GP, 0);
  let rip = peek(r, size, 0), cs = <u32>peek(r, size, size) & 0xffff, image = peek(r, size, <u64>size << 1);
  if (!real) checkVirtualImage(image);
  if (rip > 0xffff) fault(GP, 0);
  setStackPointer(r, load<u64>(L.RSP) + size * 3);
  loadVirtual(L.CS, cs);
  store<u64>(L.RIP, rip);
  if (real) {
    let mask = LOW_FLAGS | FLAG_IF | (size > 2 ? FLAG_AC | FLAG_ID | FLAG_RF : 0);
    setRflags((rflags() & ~mask) | (image & mask));
  } else loadVirtualFlags(image);
  updateMode();
  return real && size > 2 && (image & FLAG_RF) != 0;
}

// ---- entry and exit -------------------------------------------------------------------------------------------------
/** IRETD at CPL 0 to a frame with VM set: EIP CS EFLAGS ESP SS ES DS FS GS, nine double words (SDM 2A IRET). */
export function enterVirtual(r: usize, rip: u64, cs: u32, image: u64): void {
  if (rip > 0xffff) fault(GP, 0);
  let sp = peek(r, 4, 12);
  // all of the frame is read before anything changes
  for (let i: u64 = 16; i <= 32; i += 4) peek(r, 4, i);
  let ss = <u32>peek(r, 4, 16), es = <u32>peek(r, 4, 20), ds = <u32>peek(r, 4, 24), fs = <u32>peek(r, 4, 28);
  let gs = <u32>peek(r, 4, 32);
  setRflags(image);
  store<u64>(L.RSP, sp & 0xffffffff);
  store<u64>(L.RIP, rip);
  loadVirtual(L.CS, cs); loadVirtual(L.SS, ss); loadVirtual(L.ES, es);
  loadVirtual(L.DS, ds); loadVirtual(L.FS, fs); loadVirtual(L.GS, gs);
  store<u32>(L.CPL, 3);
  updateMode();
}
/** The data segments on the frame of an event that leaves the mode: GS FS DS ES, in front of SS and ESP. */
export function pushDataSegments(size: u32, stackError: i32): void {
  const order: u32 = 0x5430; // GS, FS, DS, ES from the top digit down
  for (let shift: i32 = 12; shift >= 0; shift -= 4)
    pushNew(size, load<u32>(segmentSlot((order >> shift) & 15), 16), 0, stackError);
}

// ---- INT n ----------------------------------------------------------------------------------------------------------
/** INT n: to the monitor by a gate, or to the program's own vector table at 0 (SDM 3A table 21-2). */
export function interruptInside(r: usize, vector: u32): void {
  if (extensions() && !redirected(vector)) { callOwnVector(r, vector); return; }
  if (ioPrivilege() < 3) fault(GP, 0);
  deliver(vector, SOFTWARE, -1, nextOf(r));
}
/** Bit of the interrupt redirection bitmap, the 32 bytes in front of the I/O permission map (SDM 3A 21.3.3.4). */
function redirected(vector: u32): bool {
  if (!(attributesOf(L.TR) & 8) || limitOf(L.TR) < 0x67) fault(GP, 0);
  let map = <u32>readTss(0x66, 2, 0), at = map - 32 + (vector >> 3);
  if (map < 32 || at > limitOf(L.TR)) fault(GP, 0);
  return (readTss(at, 1, 0) >> (vector & 7) & 1) != 0;
}
function callOwnVector(r: usize, vector: u32): void {
  let entry = <u32>readLinear(vector << 2, 4, 0), plain = ioPrivilege() == 3;
  copyStack();
  pushNew(2, (plain ? rflags() : virtualImage()) & ~FLAG_RF, 1, 0);
  pushNew(2, load<u32>(L.CS, 16), 1, 0);
  pushNew(2, nextOf(r), 1, 0);
  commitStack();
  loadVirtual(L.CS, entry >> 16);
  store<u64>(L.RIP, entry & 0xffff);
  setRflags(rflags() & ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_AC | (plain ? FLAG_IF : FLAG_VIF)));
  updateMode();
}
