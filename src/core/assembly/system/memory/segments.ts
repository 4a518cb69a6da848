// Segmentation (SDM 3A chapters 3 and 5): descriptors, loads of segment registers, the checks of accesses that are not
// flat, and the mode key that decoded code depends on.
import * as L from '../../../layout';
import { readLinear, writeLinear } from './mmu';
import { fault, holdNoted, isNoted, note } from '../raise/raise';
import { selectBank } from '../state/tlb';
import { GP, NP, SS } from '../state/vectors';
import { longMode } from './walk';

const DEBUGCTL_BLD: u64 = 4;

// attributes of a loaded segment (layout.ts SEGMENTS)
export const S: u32 = 0x10, DPL_SHIFT: u32 = 5, P: u32 = 0x80;
export const LONG: u32 = 0x2000, BIG: u32 = 0x4000, UNUSABLE: u32 = 0x10000;
const ACCESSED: u32 = 1, WRITABLE: u32 = 2, READABLE: u32 = 2, EXPAND_DOWN: u32 = 4, CONFORMING: u32 = 4, CODE: u32 = 8;
/** Real-mode attributes: present, read/write, accessed (SDM 3A 21.1). */
const REAL_ATTRIBUTES: u32 = 0x93;
/** The same in virtual-8086 mode, at privilege level 3 (SDM 3C 27.3.1.2). */
const VIRTUAL_ATTRIBUTES: u32 = 0xf3;

@inline export function segmentSlot(number: u32): usize { return L.SEGMENTS + <usize>number * L.SEGMENT_SIZE; }
@inline export function baseOf(segment: usize): u64 { return load<u64>(segment); }
@inline export function limitOf(segment: usize): u32 { return load<u32>(segment, 8); }
@inline export function attributesOf(segment: usize): u32 { return load<u32>(segment, 12); }
@inline export function selectorOf(segment: usize): u32 { return load<u32>(segment, 16); }
export function setSegment(segment: usize, selector: u32, base: u64, limit: u32, attributes: u32): void {
  store<u64>(segment, base);
  store<u32>(segment, limit, 8);
  store<u32>(segment, attributes, 12);
  store<u32>(segment, selector & 0xffff, 16);
}
@inline export function isNull(selector: u32): bool { return (selector & 0xfffc) == 0; }
/** CR0.PE: events go through the IDT. */
@inline export function protectionEnabled(): bool { return (load<u64>(L.CR0) & 1) != 0; }
@inline export function virtual8086(): bool { return (load<u64>(L.RFLAGS) & 0x20000) != 0; }
/** Segments are described by descriptors: neither real nor virtual-8086 mode. */
@inline export function protectedMode(): bool { return protectionEnabled() && !virtual8086(); }

// ---- descriptors, as the eight bytes in memory ----------------------------------------------------------------------
@inline export function descriptorAttributes(d: u64): u32 { return <u32>(d >> 40) & 0xf0ff; }
@inline export function descriptorBase(d: u64): u64 { return ((d >> 16) & 0xffffff) | ((d >> 32) & 0xff000000); }
export function descriptorLimit(d: u64): u32 {
  let limit = <u32>(d & 0xffff) | (<u32>(d >> 32) & 0xf0000);
  return d & (<u64>1 << 55) ? (limit << 12) | 0xfff : limit;
}
@inline export function dplOf(attributes: u32): u32 { return (attributes >> DPL_SHIFT) & 3; }
@inline export function isSystem(attributes: u32): bool { return !(attributes & S); }
@inline export function isCode(attributes: u32): bool { return (attributes & (S | CODE)) == (S | CODE); }
@inline export function isData(attributes: u32): bool { return (attributes & (S | CODE)) == S; }
@inline export function isConforming(attributes: u32): bool {
  return (attributes & (S | CODE | CONFORMING)) == (S | CODE | CONFORMING);
}
@inline export function isWritableData(attributes: u32): bool {
  return (attributes & (S | CODE | WRITABLE)) == (S | WRITABLE);
}
@inline export function isReadable(attributes: u32): bool {
  return isData(attributes) || (attributes & (S | READABLE)) == (S | READABLE);
}
/** A gate's target offset: 32-bit form; the 64-bit form has 32 more bits in the next eight bytes. */
@inline export function gateOffset(d: u64): u64 { return (d & 0xffff) | ((d >> 32) & 0xffff0000); }
@inline export function gateSelector(d: u64): u32 { return <u32>(d >> 16) & 0xffff; }

/** Answer of descriptorAddress() for a selector outside its table. */
export const NO_DESCRIPTOR: u64 = ~(<u64>0);
/** Linear address of a descriptor of size 8 or 16 bytes. */
export function descriptorAddress(selector: u32, size: u32): u64 {
  let table: usize = selector & 4 ? L.LDTR : L.GDTR, index = selector & 0xfff8;
  if (table == L.LDTR && attributesOf(L.LDTR) & UNUSABLE) return NO_DESCRIPTOR;
  if (<u64>index + size - 1 > <u64>load<u32>(table, 8)) return NO_DESCRIPTOR;
  let a = load<u64>(table) + index;
  return longMode() ? a : a & 0xffffffff;
}
/** Reads a descriptor; outside its table: vector(selector | external). */
export function readDescriptor(selector: u32, vector: u32, external: u32): u64 {
  let a = descriptorAddress(selector, 8);
  if (a == NO_DESCRIPTOR) fault(vector, <i32>(selector & 0xfffc | external));
  return readLinear(a, 8, 0);
}
/** Sets the accessed bit in memory when it is clear; answers the descriptor with the bit set. */
export function markAccessed(selector: u32, d: u64): u64 {
  if (d & (<u64>1 << 40)) return d;
  let a = descriptorAddress(selector, 8);
  writeLinear(a + 5, 1, (d >> 40) & 0xff | ACCESSED, 0);
  return d | (<u64>1 << 40);
}
/** Loads a segment slot from a descriptor that passed its checks. */
export function setFromDescriptor(segment: usize, selector: u32, d: u64): void {
  setSegment(segment, selector, descriptorBase(d), descriptorLimit(d), descriptorAttributes(d));
}
/**
 * A null selector is loaded into ES, DS, FS or GS, by an instruction, a task switch, or a delivery that leaves
 * virtual-8086 mode. Intel clears the base; AMD keeps it, and software tests for just that (X86_BUG_NULL_SEG).
 */
export function loadNull(segment: usize, selector: u32): void {
  let base = load<u32>(L.CONFIG_PROFILE) ? baseOf(segment) : 0;
  setSegment(segment, selector, base, 0, UNUSABLE);
}

// ---- loads ----------------------------------------------------------------------------------------------------------
/**
 * MOV, POP, LDS and the like to ES, SS, DS, FS, GS (SDM 2B MOV, "Loading a segment register under special conditions").
 */
export function loadSegment(number: u32, selector: u32): void {
  let segment = segmentSlot(number);
  if (virtual8086()) { loadVirtual(segment, selector); updateMode(); return; }
  if (!protectionEnabled()) {
    // real mode changes base and selector only: a larger limit survives ("unreal mode")
    let old = attributesOf(segment), limit = old & UNUSABLE ? 0xffff : limitOf(segment);
    setSegment(segment, selector, <u64>(selector & 0xffff) << 4, limit, (old & 0xf000) | REAL_ATTRIBUTES);
    updateMode();
    return;
  }
  if (number == 2) loadStackSegment(segment, selector);
  else if (isNull(selector)) loadNull(segment, selector);
  else {
    let d = readDescriptor(selector, GP, 0), attributes = descriptorAttributes(d), error = <i32>(selector & 0xfffc);
    if (!isReadable(attributes)) fault(GP, error);
    if (!isConforming(attributes) && ((selector & 3) > dplOf(attributes) || load<u32>(L.CPL) > dplOf(attributes)))
      fault(GP, error);
    if (!(attributes & P)) fault(NP, error);
    setFromDescriptor(segment, selector, markAccessed(selector, d));
  }
  updateMode();
}
function loadStackSegment(segment: usize, selector: u32): void {
  let level = load<u32>(L.CPL), error = <i32>(selector & 0xfffc);
  if (isNull(selector)) {
    if ((load<u32>(L.MODE) & L.MODE_CODE) != 2 || level == 3 || (selector & 3) != level) fault(GP, 0);
    setSegment(segment, selector, 0, 0, UNUSABLE | level << DPL_SHIFT);
    return;
  }
  let d = readDescriptor(selector, GP, 0), attributes = descriptorAttributes(d);
  if ((selector & 3) != level || !isWritableData(attributes) || dplOf(attributes) != level) fault(GP, error);
  if (!(attributes & P)) fault(SS, error);
  setFromDescriptor(segment, selector, markAccessed(selector, d));
}
/** Checks a stack segment for a privilege level and prepares it in NEW_STACK; invalid: vector(selector | external). */
export function prepareStack(selector: u32, level: u32, vector: u32, external: u32): void {
  if (isNull(selector)) fault(vector, <i32>external);
  let d = readDescriptor(selector, vector, external), attributes = descriptorAttributes(d);
  let error = <i32>(selector & 0xfffc | external);
  if ((selector & 3) != level || !isWritableData(attributes) || dplOf(attributes) != level) fault(vector, error);
  if (!(attributes & P)) fault(SS, error);
  setFromDescriptor(L.NEW_STACK, selector, markAccessed(selector, d));
}
/** Loads CS from a descriptor that passed its checks; the selector's RPL becomes the new CPL. updateMode() follows. */
export function setCode(selector: u32, d: u64, level: u32): void {
  let attributes = descriptorAttributes(d), flat = longMode() && (attributes & LONG) != 0;
  setSegment(L.CS, selector & 0xfffc | level, flat ? 0 : descriptorBase(d), flat ? 0xffffffff
    : descriptorLimit(d), attributes);
  store<u32>(L.CPL, level);
}
/**
 * A return to an outer level must not leave inner data segments behind (SDM 3A 5.8.6; 2A IRET, 2B RET): their selectors
 * become 0, and so do null selectors with an RPL. That is no load: bases stay on all processors, as those of FS and GS
 * must, which MSRs set behind null selectors (seen on an Intel processor: GS = 3, WRGSBASE; the next interrupt leaves
 * GS = 0 and the base).
 */
export function dropInnerSegments(): void {
  let level = load<u32>(L.CPL);
  for (let i: u32 = 0; i < 6; i++) {
    if (i == 1 || i == 2) continue;
    let segment = segmentSlot(i), attributes = attributesOf(segment);
    let absent = isNull(selectorOf(segment)) || (attributes & UNUSABLE) != 0;
    if (absent || (!isConforming(attributes) && dplOf(attributes) < level))
      setSegment(segment, 0, baseOf(segment), 0, UNUSABLE);
  }
}
/** Any segment in virtual-8086 mode: base 16 * selector, 64 KiB (SDM 3A 21.2.2). updateMode() follows. */
export function loadVirtual(segment: usize, selector: u32): void {
  setSegment(segment, selector, <u64>(selector & 0xffff) << 4, 0xffff, VIRTUAL_ATTRIBUTES);
}
/** As a real-mode load after reset: base 16 * selector, limit FFFFh. segment: number 0-5 or slot address. */
export function loadSegmentReal(segment: u32, selector: u32): void {
  let slot: usize = segment < 8 ? segmentSlot(segment) : <usize>segment;
  setSegment(slot, selector, <u64>(selector & 0xffff) << 4, 0xffff, REAL_ATTRIBUTES);
  updateMode();
}

// ---- accesses -------------------------------------------------------------------------------------------------------
/** Limit and type check of an access in code that is not flat; answers the linear address (SDM 3A 5.3, 5.4). */
export function linear(r: usize, segment: u32, offset: u64, size: u32, write: u32): u64 {
  store<u32>(L.CURRENT, <u32>r);
  if (segmentError(segment, offset, size, write)) fault(segment == L.SS ? SS : GP, 0);
  return (baseOf(segment) + offset) & 0xffffffff;
}
/** The same for a handler in core.wasm: its fault is held (raise.ts). */
export function handlerLinear(r: usize, segment: u32, offset: u64, size: u32, write: u32): u64 {
  if (isNoted()) return 0;
  store<u32>(L.CURRENT, <u32>r);
  if (segmentError(segment, offset, size, write)) {
    note(segment == L.SS ? SS : GP, 0);
    holdNoted();
    return 0;
  }
  return (baseOf(segment) + offset) & 0xffffffff;
}
/** 1 when an access of size bytes at offset is not allowed by its segment's type or limit. Never in 64-bit mode. */
export function segmentError(segment: usize, offset: u64, size: u32, write: u32): u32 {
  let attributes = attributesOf(segment);
  if (attributes & UNUSABLE) return 1;
  if (protectedMode()) {
    if (write ? !isWritableData(attributes) : !isReadable(attributes)) return 1;
  }
  return beyondLimit(attributes, limitOf(segment), offset, size);
}
export function beyondLimit(attributes: u32, limit: u32, offset: u64, size: u32): u32 {
  let last = offset + size - 1;
  if (isData(attributes) && attributes & EXPAND_DOWN) {
    let top: u64 = attributes & BIG ? 0xffffffff : 0xffff;
    return offset <= <u64>limit || last > top ? 1 : 0;
  }
  return last > <u64>limit ? 1 : 0;
}

// ---- mode key -------------------------------------------------------------------------------------------------------
function flatData(segment: usize): bool {
  let attributes = attributesOf(segment);
  if (baseOf(segment) != 0 || limitOf(segment) != 0xffffffff) return false;
  return (attributes & (UNUSABLE | S | CODE | EXPAND_DOWN | WRITABLE)) == (S | WRITABLE);
}
/**
 * Recomputes MODE and the bank of fast tags. After any change of CR0, EFER, DEBUGCTL, RFLAGS.VM, CS, SS, DS, ES or the
 * CPL.
 */
export function updateMode(): void {
  let cs = attributesOf(L.CS), mode: u32;
  if (longMode() && cs & LONG) mode = 2 | 2 << 2 | L.MODE_FLAT;
  else {
    mode = (cs & BIG ? 1 : 0) | (attributesOf(L.SS) & BIG ? 1 : 0) << 2;
    if (!protectedMode()) mode |= L.MODE_REAL;
    let flatCode = baseOf(L.CS) == 0 && limitOf(L.CS) == 0xffffffff && isReadable(cs);
    if (flatCode && flatData(L.DS) && flatData(L.ES) && flatData(L.SS)) mode |= L.MODE_FLAT;
  }
  if (load<u64>(L.MSR_DEBUGCTL) & DEBUGCTL_BLD && load<u32>(L.CPL)) mode |= L.MODE_BUS_LOCK;
  // records behind this instruction were decoded for the old key
  if (mode != load<u32>(L.MODE)) store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
  store<u32>(L.MODE, mode);
  selectBank();
}
