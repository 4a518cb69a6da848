// Descriptor tables and descriptor queries: LGDT LIDT SGDT SIDT LLDT LTR SLDT STR VERR VERW LAR LSL ARPL (SDM 2A, 2B).
import * as L from '../../../layout';
import { dstPointer, srcPointer } from '../../core/record';
import { guardUserInstruction } from './control';
import { readLinear, writeLinear } from '../memory/mmu';
import { code64, isMemory, operandSize, setSlot } from '../state/operand-size';
import { operandLinear, readMemory, readSource, writeDestination, writeMemory } from '../memory/operands';
import { fault } from '../raise/raise';
import {
  NO_DESCRIPTOR, P, UNUSABLE, descriptorAddress, descriptorAttributes, descriptorBase, descriptorLimit, dplOf, isCode,
  isConforming, isData, isNull, isReadable, isSystem, isWritableData, protectedMode, readDescriptor, selectorOf,
  setSegment,
} from '../memory/segments';
import { GP, NP, UD } from '../state/vectors';
import { isCanonical, longMode } from '../memory/walk';

const LDT: u32 = 2, TSS16: u32 = 1, TSS: u32 = 9;

function supervisorOnly(): void { if (load<u32>(L.CPL)) fault(GP, 0); }
function protectedOnly(): void { if (!protectedMode()) fault(UD, -1); }

// ---- GDTR, IDTR -----------------------------------------------------------------------------------------------------
export function loadTable(r: usize, table: usize): void {
  supervisorOnly();
  let size: u32 = code64() ? 8 : 4, a = operandLinear(r, size + 2, 0);
  let limit = <u32>readMemory(r, a, 2), base = readMemory(r, a + 2, size);
  if (size == 8) { if (!isCanonical(base)) fault(GP, 0); }
  else if (operandSize(r) == 2) base &= 0xffffff;
  store<u64>(table, base);
  store<u32>(table, limit, 8);
}
export function storeTable(r: usize, table: usize): void {
  guardUserInstruction();
  let size: u32 = code64() ? 8 : 4, a = operandLinear(r, size + 2, 1), base = load<u64>(table);
  writeMemory(r, a, 2, load<u32>(table, 8) & 0xffff);
  writeMemory(r, a + 2, size, size == 8 ? base : base & 0xffffffff);
}

// ---- LDTR, TR -------------------------------------------------------------------------------------------------------
/** Base of a system descriptor: sixteen bytes in long mode (SDM 3A 3.5.2). */
function systemBase(selector: u32, d: u64): u64 {
  let base = descriptorBase(d);
  if (!longMode()) return base;
  let a = descriptorAddress(selector, 16);
  if (a == NO_DESCRIPTOR) fault(GP, <i32>(selector & 0xfffc));
  let high = readLinear(a + 8, 8, 0);
  if (high >> 40 & 0x1f) fault(GP, <i32>(selector & 0xfffc));
  base |= high << 32;
  if (!isCanonical(base)) fault(GP, <i32>(selector & 0xfffc));
  return base;
}
export function loadLocalTable(r: usize): void {
  protectedOnly();
  supervisorOnly();
  let selector = <u32>readSource(r, 2), error = <i32>(selector & 0xfffc);
  if (isNull(selector)) { setSegment(L.LDTR, selector, 0, 0, UNUSABLE); return; }
  if (selector & 4) fault(GP, error);
  let d = readDescriptor(selector, GP, 0), attributes = descriptorAttributes(d);
  if (!isSystem(attributes) || (attributes & 15) != LDT) fault(GP, error);
  if (!(attributes & P)) fault(NP, error);
  setSegment(L.LDTR, selector, systemBase(selector, d), descriptorLimit(d), attributes);
}
export function loadTask(r: usize): void {
  protectedOnly();
  supervisorOnly();
  let selector = <u32>readSource(r, 2), error = <i32>(selector & 0xfffc);
  if (isNull(selector)) fault(GP, 0);
  if (selector & 4) fault(GP, error);
  let d = readDescriptor(selector, GP, 0), attributes = descriptorAttributes(d), type = attributes & 15;
  if (!isSystem(attributes) || (type != TSS && (type != TSS16 || longMode()))) fault(GP, error);
  if (!(attributes & P)) fault(NP, error);
  let base = systemBase(selector, d);
  writeLinear(descriptorAddress(selector, 8) + 5, 1, (d >> 40) & 0xff | 2, 0); // busy
  setSegment(L.TR, selector, base, descriptorLimit(d), attributes | 2);
}
export function storeSelector(r: usize, segment: usize): void {
  protectedOnly();
  guardUserInstruction();
  writeDestination(r, 2, selectorOf(segment));
}

// ---- queries --------------------------------------------------------------------------------------------------------
/** ZF is a slot of its own: only it changes. */
function setZero(set: bool): void { store<u64>(L.F_ZERO, set ? 0 : 1); }
/**
 * The descriptor that a selector names when the query may look at it, 0 otherwise (a null descriptor answers no query).
 */
function visible(selector: u32): u64 {
  if (isNull(selector)) return 0;
  let a = descriptorAddress(selector, 8);
  if (a == NO_DESCRIPTOR) return 0;
  let d = readLinear(a, 8, 0), attributes = descriptorAttributes(d), level = load<u32>(L.CPL);
  if (!isConforming(attributes) && (dplOf(attributes) < level || dplOf(attributes) < (selector & 3))) return 0;
  return d;
}
export function verify(r: usize, write: bool): void {
  protectedOnly();
  let selector = <u32>readSource(r, 2), attributes = descriptorAttributes(visible(selector));
  setZero((isCode(attributes) || isData(attributes)) && (write ? isWritableData(attributes) : isReadable(attributes)));
}
/** System descriptor types that LAR knows: TSS, LDT, gates; LSL only those with a limit. */
function knownSystem(type: u32, limitOnly: bool): bool {
  if (longMode()) return type == LDT || type == TSS || type == 11 || (!limitOnly && type == 12);
  if (type == 1 || type == LDT || type == 3 || type == TSS || type == 11) return true;
  return !limitOnly && (type == 4 || type == 5 || type == 12);
}
export function loadAccessRights(r: usize): void {
  protectedOnly();
  let selector = <u32>readSource(r, 2), d = visible(selector), attributes = descriptorAttributes(d);
  let ok = d != 0 && (!isSystem(attributes) || knownSystem(attributes & 15, false));
  setZero(ok);
  if (ok) setSlot(dstPointer(r), operandSize(r), (d >> 32) & (operandSize(r) == 2 ? 0xff00 : 0xf0ff00));
}
export function loadSegmentLimit(r: usize): void {
  protectedOnly();
  let selector = <u32>readSource(r, 2), d = visible(selector), attributes = descriptorAttributes(d);
  let ok = d != 0 && (!isSystem(attributes) || knownSystem(attributes & 15, true));
  setZero(ok);
  if (ok) setSlot(dstPointer(r), operandSize(r), descriptorLimit(d));
}
/** ARPL r/m16, r16. */
export function adjustRequestedLevel(r: usize): void {
  protectedOnly();
  let source = load<u16>(srcPointer(r)), memory = isMemory(r), a: u64 = memory ? operandLinear(r, 2, 1) : 0;
  let old = <u32>(memory ? readMemory(r, a, 2) : <u64>load<u16>(dstPointer(r))), raise = (old & 3) < (<u32>source & 3);
  let value = raise ? (old & 0xfffc) | (source & 3) : old;
  if (memory) writeMemory(r, a, 2, value); else store<u16>(dstPointer(r), <u16>value);
  setZero(raise);
}
