// Guest memory as handlers see it: one compare of a fast tag, else a slow path. Not-present, MMIO, watchpoints, code
// pages and page crossing are all folded into the tag, so an unused debug feature costs nothing.
import * as L from '../../layout';
import { slowLoad, slowStore, slowModify, slowLoadVector, slowStoreVector, slowStoreExtended, slowLinear }
from './imports';
import { flagsOf, offsetOf, maskOf, stackMask, stackKeep } from './record';

@inline function entry(a: u64): usize {
  return <usize>load<u32>(L.TLB_BASE) + (<u32>a >> 7 & ((L.TLB_ENTRIES - 1) << 5));
}
@inline function pageOfLast<T>(a: u64): u64 { return (a + (sizeof<T>() - 1)) & ~(<u64>0xfff); }

export function ld<T>(r: usize, a: u64): T {
  let e = entry(a);
  if (load<u64>(e, L.T_READ) != pageOfLast<T>(a)) return <T>slowLoad(r, a, sizeof<T>());
  return load<T>(load<u32>(e, L.T_ADDEND) + <u32>a);
}
export function st<T>(r: usize, a: u64, v: T): void {
  let e = entry(a);
  if (load<u64>(e, L.T_WRITE) != pageOfLast<T>(a)) { slowStore(r, a, <u64>v, sizeof<T>()); return; }
  store<T>(load<u32>(e, L.T_ADDEND) + <u32>a, v);
}
/**
 * For read-modify-write: an address of linear memory to load the old value from and store the new one to. Faults as a
 * write.
 */
export function modify<T>(r: usize, a: u64): usize {
  let e = entry(a);
  if (load<u16>(r, L.R_ATTRIBUTES) & L.A_BUS_LOCK) {
    if ((<u32>a & 63) + sizeof<T>() > 64) return slowModify(r, a, sizeof<T>());
  }
  if (load<u64>(e, L.T_WRITE) == pageOfLast<T>(a)) return load<u32>(e, L.T_ADDEND) + <u32>a;
  return slowModify(r, a, sizeof<T>());
}
export function ldv(r: usize, a: u64): v128 {
  let e = entry(a);
  if (load<u64>(e, L.T_READ) == ((a + 15) & ~(<u64>0xfff))) return v128.load(load<u32>(e, L.T_ADDEND) + <u32>a);
  return v128.load(slowLoadVector(r, a));
}
export function stv(r: usize, a: u64, v: v128): void {
  let e = entry(a);
  if (load<u64>(e, L.T_WRITE) == ((a + 15) & ~(<u64>0xfff))) {
    v128.store(load<u32>(e, L.T_ADDEND) + <u32>a, v);
    return;
  }
  slowStoreVector(r, a, v128.extract_lane<u64>(v, 0), v128.extract_lane<u64>(v, 1));
}

/** Linear address of the memory operand, size bytes, for reading (write 0) or writing (1). */
@inline export function address(r: usize, size: u32, write: u32): u64 {
  let segment = load<u32>(r, L.R_SEGMENT);
  if (flagsOf(r) & L.R_FLAG_CHECKED) return slowLinear(r, segment, offsetOf(r), size, write);
  return offsetOf(r) + load<u64>(segment);
}
@inline export function readAddress<T>(r: usize): u64 { return address(r, sizeof<T>(), 0); }
@inline export function writeAddress<T>(r: usize): u64 { return address(r, sizeof<T>(), 1); }
/** Reads the memory operand. */
@inline export function ldOperand<T>(r: usize): T { return ld<T>(r, readAddress<T>(r)); }
@inline export function stOperand<T>(r: usize, v: T): void { st<T>(r, writeAddress<T>(r), v); }
@inline export function modifyOperand<T>(r: usize): usize { return modify<T>(r, writeAddress<T>(r)); }

/** The significand of an 80-bit memory operand; extendedHigh reads the rest. */
@inline export function ldExtended(r: usize): u64 { return ld<u64>(r, address(r, 10, 0)); }
@inline export function extendedHigh(r: usize): u32 { return ld<u16>(r, address(r, 10, 0) + 8); }
@inline export function stExtended(r: usize, low: u64, high: u32): void {
  let a = address(r, 10, 1), e = entry(a);
  if (load<u64>(e, L.T_WRITE) != ((a + 9) & ~(<u64>0xfff))) { slowStoreExtended(r, a, low, high); return; }
  let to = <usize>(load<u32>(e, L.T_ADDEND) + <u32>a);
  store<u64>(to, low); store<u16>(to, <u16>high, 8);
}

/** Linear address of stack offset sp (already masked). */
@inline export function stackAddress(r: usize, sp: u64, size: u32, write: u32): u64 {
  if (flagsOf(r) & L.R_FLAG_CHECKED) return slowLinear(r, L.SS, sp, size, write);
  return sp;
}
@inline export function setStackPointer(r: usize, sp: u64): void {
  store<u64>(L.RSP, (load<u64>(L.RSP) & stackKeep(r)) | (sp & stackMask(r)));
}
/** Pushes one value; the store comes before RSP changes, so a fault leaves RSP as it was. */
@inline export function push<T>(r: usize, v: T): void {
  let sp = (load<u64>(L.RSP) - sizeof<T>()) & stackMask(r);
  st<T>(r, stackAddress(r, sp, sizeof<T>(), 1), v);
  setStackPointer(r, sp);
}
/** Value on top of the stack, RSP unchanged. */
@inline export function top<T>(r: usize): T {
  let sp = load<u64>(L.RSP) & stackMask(r);
  return ld<T>(r, stackAddress(r, sp, sizeof<T>(), 0));
}
@inline export function drop<T>(r: usize, extra: u64): void {
  setStackPointer(r, load<u64>(L.RSP) + sizeof<T>() + extra);
}

/** Linear address of a string instruction's source (segment of the record) or destination (ES). */
@inline export function stringSource(r: usize, size: u32): u64 {
  let o = load<u64>(L.RSI) & maskOf(r), segment = load<u32>(r, L.R_SEGMENT);
  if (flagsOf(r) & L.R_FLAG_CHECKED) return slowLinear(r, segment, o, size, 0);
  return o + load<u64>(segment);
}
@inline export function stringDestination(r: usize, size: u32, write: u32): u64 {
  let o = load<u64>(L.RDI) & maskOf(r);
  if (flagsOf(r) & L.R_FLAG_CHECKED) return slowLinear(r, L.ES, o, size, write);
  return o;
}
