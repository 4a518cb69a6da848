// FNSTENV, FLDENV, FNSAVE, FRSTOR: the x87 state in memory, in four formats (SDM 1 8.1.10, figures 8-9 to 8-12).
import * as L from '../../../layout';
import { probeOperand } from '../memory/mmu';
import { cpl, operandSize, realMode } from '../state/operand-size';
import { fault } from '../raise/raise';
import { NM } from '../state/vectors';
import { floatError } from '../raise/x87-error';
import { operandLinear, readMemory, writeMemory } from '../memory/operands';

const EM_TS: u64 = 12;
const EXCEPTIONS: u32 = 0x3f, ERROR_SUMMARY: u32 = 0x80, BUSY: u32 = 0x8000;

export function checkX87(): void { if (load<u64>(L.CR0) & EM_TS) fault(NM, -1); }
@inline function physical(i: u32): usize { return L.X87 + (<usize>i << 4); }
/** Address of ST(i). */
@inline export function stackRegister(i: u32): usize { return physical((i + (<u32>load<u16>(L.FSW) >> 11)) & 7); }

/** The tag word as it is stored: valid 0, zero 1, special 2, empty 3 (SDM 1 8.1.7), from the registers' contents. */
export function fullTags(): u32 {
  let tags: u32 = 0, stored = <u32>load<u16>(L.FTW);
  for (let i: u32 = 0; i < 8; i++) {
    let x = physical(i), exponent = <u32>load<u16>(x, 8) & 0x7fff, low = load<u64>(x), tag: u32 = 3;
    if ((stored >> (i << 1) & 3) != 3)
      tag = !exponent && !low ? 1 : !exponent || exponent == 0x7fff || !(low >> 63) ? 2 : 0;
    tags |= tag << (i << 1);
  }
  return tags;
}
/** Keeps of a tag word which registers are empty. */
export function setTags(tags: u32): void {
  let empty = tags & tags >> 1 & 0x5555;
  store<u16>(L.FTW, <u16>(empty * 3));
}
/** Sets ES and B as the flags and masks say (SDM 1 8.1.3.3). Without ES FERR# falls, and IGNNE# with it. */
export function summarise(): void {
  let status = <u32>load<u16>(L.FSW) & ~(ERROR_SUMMARY | BUSY);
  if (status & ~<u32>load<u16>(L.FCW) & EXCEPTIONS) status |= ERROR_SUMMARY | BUSY;
  else store<u32>(L.IGNNE, 0);
  store<u16>(L.FSW, <u16>status);
}
export function setControl(value: u32): void { store<u16>(L.FCW, <u16>(value & 0x1f3f | 0x40)); }
export function initialise(): void {
  store<u16>(L.FCW, 0x37f); store<u16>(L.FSW, 0); store<u16>(L.FTW, 0xffff);
  store<u64>(L.FIP, 0); store<u64>(L.FDP, 0);
  store<u16>(L.FOP, 0); store<u16>(L.FCS, 0); store<u16>(L.FDS, 0);
  store<u32>(L.IGNNE, 0);
}

// ---- the environment ------------------------------------------------------------------------------------------------
@inline function isLong(r: usize): bool { return operandSize(r) != 2; }
@inline function environmentSize(r: usize): u32 { return isLong(r) ? 28 : 14; }
/** Judges all of an image of `size` bytes, which has to be aligned to its fields (SDM 3A table 6-7). */
@inline function probeImage(r: usize, a: u64, size: u32, write: bool): void {
  probeOperand(a, size, write, isLong(r) ? 4 : 2);
}
/** The i-th of seven fields; what is above a word of the long formats is stored as ones. */
@inline function writeField(r: usize, a: u64, i: u32, value: u32): void {
  if (isLong(r)) writeMemory(r, a + (i << 2), 4, value); else writeMemory(r, a + (i << 1), 2, value & 0xffff);
}
@inline function readField(r: usize, a: u64, i: u32): u32 {
  return <u32>(isLong(r) ? readMemory(r, a + (i << 2), 4) : readMemory(r, a + (i << 1), 2));
}
function storeEnvironment(r: usize, a: u64): void {
  const ONES: u32 = 0xffff0000;
  let ip = <u32>load<u64>(L.FIP), cs = <u32>load<u16>(L.FCS), dp = <u32>load<u64>(L.FDP), ds = <u32>load<u16>(L.FDS);
  let opcode = <u32>load<u16>(L.FOP);
  writeField(r, a, 0, ONES | load<u16>(L.FCW));
  writeField(r, a, 1, ONES | load<u16>(L.FSW));
  writeField(r, a, 2, ONES | fullTags());
  if (realMode()) {
    // linear addresses
    ip += cs << 4; dp += ds << 4;
    if (isLong(r)) {
      writeField(r, a, 3, ONES | ip & 0xffff);
      writeField(r, a, 4, ip >> 16 << 12 | opcode);
      writeField(r, a, 5, ONES | dp & 0xffff);
      writeField(r, a, 6, dp >> 16 << 12);
    } else {
      writeField(r, a, 3, ip);
      writeField(r, a, 4, ip >> 16 << 12 | opcode);
      writeField(r, a, 5, dp);
      writeField(r, a, 6, dp >> 16 << 12);
    }
    return;
  }
  writeField(r, a, 3, ip);
  writeField(r, a, 4, isLong(r) ? opcode << 16 | cs : cs);
  writeField(r, a, 5, dp);
  writeField(r, a, 6, ONES | ds);
}
function loadEnvironment(r: usize, a: u64): void {
  let control = readField(r, a, 0), status = readField(r, a, 1), tags = readField(r, a, 2);
  let ip = readField(r, a, 3), second = readField(r, a, 4), dp = readField(r, a, 5), fourth = readField(r, a, 6);
  setControl(control);
  store<u16>(L.FSW, <u16>status);
  setTags(tags);
  if (realMode()) {
    // of a linear address no segment can be told
    store<u64>(L.FIP, ip & 0xffff | second >> 12 << 16);
    store<u64>(L.FDP, dp & 0xffff | fourth >> 12 << 16);
    store<u16>(L.FCS, 0); store<u16>(L.FDS, 0);
    store<u16>(L.FOP, <u16>second & 0x7ff);
  } else {
    store<u64>(L.FIP, ip); store<u64>(L.FDP, dp);
    store<u16>(L.FCS, <u16>second); store<u16>(L.FDS, <u16>fourth);
    if (isLong(r)) store<u16>(L.FOP, <u16>(second >> 16) & 0x7ff);
  }
  summarise();
}
/** FLDENV and FRSTOR wait for an exception that is pending. */
function waiting(r: usize): void {
  checkX87();
  if (load<u16>(L.FSW) & <u16>ERROR_SUMMARY) floatError(r);
}

/** FNSTENV; afterwards all exceptions are masked (SDM 2A FSTENV). */
export function storeEnvironmentOf(r: usize): void {
  checkX87();
  let size = environmentSize(r), a = operandLinear(r, size, 1);
  probeImage(r, a, size, true);
  storeEnvironment(r, a);
  store<u16>(L.FCW, load<u16>(L.FCW) | <u16>EXCEPTIONS);
  summarise();
}
export function loadEnvironmentOf(r: usize): void {
  waiting(r);
  let size = environmentSize(r), a = operandLinear(r, size, 0);
  probeImage(r, a, size, false);
  loadEnvironment(r, a);
}
/** FNSAVE: environment and registers from ST(0) on, then as FNINIT. */
export function saveState(r: usize): void {
  checkX87();
  let size = environmentSize(r), a = operandLinear(r, size + 80, 1);
  probeImage(r, a, size + 80, true);
  storeEnvironment(r, a);
  for (let i: u32 = 0; i < 8; i++) {
    let to = a + size + i * 10, x = stackRegister(i);
    // by words: the registers of an aligned image are no more aligned than that
    for (let j: u32 = 0; j < 10; j += 2) writeMemory(r, to + j, 2, load<u16>(x + j));
  }
  initialise();
}
export function restoreState(r: usize): void {
  waiting(r);
  let size = environmentSize(r), a = operandLinear(r, size + 80, 0);
  probeImage(r, a, size + 80, false);
  loadEnvironment(r, a);
  for (let i: u32 = 0; i < 8; i++) {
    let from = a + size + i * 10, x = stackRegister(i);
    for (let j: u32 = 0; j < 10; j += 2) store<u16>(x + j, <u16>readMemory(r, from + j, 2));
  }
}
