// Decodes one instruction into a record. Everything that depends on the opcode is in the generated table; here are
// prefixes, ModRM, immediates and what they do to the record (SDM 2A chapter 2).
import * as L from '../../layout';
import { RARE_BEYOND_LIMIT, RARE_INVALID, RARE_MASKMOVDQU, RARE_MASKMOVQ, RARE_MONITOR, RARE_TOO_LONG, RARE_UD }
from '../rare';
import { FIRST_ROW, FORMS, ROWS, ROW_LIST, handlerIndex } from './decode-table.generated';

// operand kinds and sizes: src/core/opcodes/row.ts
const E: u32 = 1, G: u32 = 2, Z: u32 = 3, I: u32 = 4, SI: u32 = 5, J: u32 = 6, M: u32 = 7, R: u32 = 8, V: u32 = 9;
const W: u32 = 10, U: u32 = 11;
const C: u32 = 13, D: u32 = 14, O: u32 = 15, X: u32 = 16, A: u32 = 18, FIXED: u32 = 19, ONE: u32 = 20, T: u32 = 22;
const P: u32 = 23, Q: u32 = 24, N: u32 = 25, B: u32 = 26;
const SIZE_B: u32 = 1, SIZE_W: u32 = 2, SIZE_D: u32 = 3, SIZE_Q: u32 = 4, SIZE_V: u32 = 5, SIZE_Z: u32 = 6;
const SIZE_Y: u32 = 7;

const NO_SEGMENT: u32 = 0;
const RARE_PARAMETER_END: u32 = 0xffff;
/** In a row's demands: opcodes D8 to DF. */
const X87_ROW: u32 = 1 << 27;

// what is known of the instruction being decoded; no handler reads any of it
let pc: usize = 0, rex: u32 = 0, mod: u32 = 0, reg: u32 = 0, rm: u32 = 0, prefix66: bool = false;
let prefix67: bool = false, repeat: u32 = 0;
let segment: u32 = NO_SEGMENT, code: u32 = 0, opcodeByte: u32 = 0, map: u32 = 0, operandSize: u32 = 0,
  addressSize: u32 = 0, mode: u32 = 0,
  immediateSet: bool = false;
/** Segment of the memory operand, flat or not. */
let operandSegment: u32 = 0;
/** VEX.vvvv, not inverted. */
let vvvv: u32 = 0;

/** Fills record r from bytes (`available` of them on this page); answers 0 when the instruction needs more. */
export function decode(r: usize, bytes: usize, available: u32, rip: u64, modeKey: u32): u32 {
  memory.fill(r, 0, L.RECORD_SIZE);
  pc = bytes; mode = modeKey; code = modeKey & L.MODE_CODE;
  let row = select(r), length = <u32>(pc - bytes);
  if (length > available && available < 15) return 0;
  if (length > 15) { rareRecord(r, RARE_TOO_LONG); row = -1; length = 15; }
  let next = rip + length;
  if (code != 2) next &= 0xffffffff; // 16-bit code runs on to 10000h too, where its limit stops it
  store<u8>(r, <u8>length, L.R_LENGTH);
  store<u64>(r, next, L.R_NEXT);
  let stack = (modeKey & L.MODE_STACK) >> 2;
  store<u32>(r, stack == 2 ? L.STACK64 : stack == 1 ? L.STACK32 : L.STACK16, L.R_STACK);
  if (!(modeKey & L.MODE_FLAT)) store<u8>(r, load<u8>(r, L.R_FLAGS) | L.R_FLAG_CHECKED, L.R_FLAGS);
  if (row >= 0) finishRelative(r, <u32>row, next);
  return 1;
}
function rareRecord(r: usize, operation: u32): void {
  memory.fill(r, 0, L.RECORD_SIZE);
  store<u16>(r, <u16>handlerIndex(0), L.R_HANDLER);
  store<u8>(r, <u8>operation, L.R_PARAMETER);
  store<u16>(r, L.A_ENDS_BLOCK, L.R_ATTRIBUTES);
  store<u16>(r, <u16>RARE_PARAMETER_END, L.R_OPCODE);
}
/** Makes record r the #GP(0) of an instruction at rip whose bytes are not all within the limit of CS. */
export function decodeBeyondLimit(r: usize, rip: u64): void {
  rareRecord(r, RARE_BEYOND_LIMIT);
  store<u8>(r, 1, L.R_LENGTH);
  store<u64>(r, rip + 1, L.R_NEXT);
}
/** Row number, or -1 when the record is one that raises an exception. */
function invalid(r: usize, operation: u32): i32 { rareRecord(r, operation); return -1; }

function select(r: usize): i32 {
  prefix66 = false; prefix67 = false; repeat = 0; segment = NO_SEGMENT; rex = 0;
  let lock = false, b: u32 = 0, start = pc;
  vvvv = 0;
  while (true) {
    b = load<u8>(pc++);
    if (<u32>(pc - start) > 15) return invalid(r, RARE_TOO_LONG);
    if (b == 0x66) prefix66 = true;
    else if (b == 0x67) prefix67 = true;
    else if (b == 0xf0) lock = true;
    else if (b == 0xf2 || b == 0xf3) repeat = b;
    else if (b == 0x26) legacySegment(L.ES); else if (b == 0x2e) legacySegment(L.CS);
    else if (b == 0x36) legacySegment(L.SS); else if (b == 0x3e) legacySegment(L.DS);
    else if (b == 0x64) segment = L.FS; else if (b == 0x65) segment = L.GS;
    else if (code == 2 && (b & 0xf0) == 0x40) { rex = b; continue; }
    else break;
    rex = 0; // a REX prefix counts only right in front of the opcode
  }
  map = 0;
  if ((b == 0xc4 || b == 0xc5) && (code == 2 || load<u8>(pc) >= 0xc0)) {
    map = vexPrefix(b, lock);
    if (!map) return invalid(r, RARE_INVALID);
    b = load<u8>(pc++);
  } else if (b == 0x0f) {
    b = load<u8>(pc++); map = 1;
    if (b == 0x38) { map = 2; b = load<u8>(pc++); } else if (b == 0x3a) { map = 3; b = load<u8>(pc++); }
  }
  opcodeByte = b;
  addressSize = code == 2 ? (prefix67 ? 1 : 2) : code == 1 ? (prefix67 ? 0 : 1) : prefix67 ? 1 : 0;
  let modrm: u32 = load<u8>(pc);
  let at = <i32>FIRST_ROW[map << 8 | b], row = <u32>ROW_LIST[at], asksModRM = false;
  while (row != 0xffff) {
    let demand = ROWS[row << 2];
    if (fits(demand, modrm)) return fill(r, row, lock);
    if (demand & 0x10000) asksModRM = true;
    row = <u32>ROW_LIST[++at];
  }
  // the ModRM byte was looked at, so it counts: at the end of a page it may not be this instruction's
  if (asksModRM) pc++;
  return invalid(r, RARE_INVALID);
}
/**
 * A VEX prefix behind its first byte (SDM 2A 2.3.5). Outside 64-bit mode the two bytes are LES and LDS unless the next
 * has the mod of a register. Answers the map, or 0 for #UD: no VEX in real and virtual-8086 mode, none behind LOCK, 66,
 * F2, F3 or REX; of the rest only maps 0F38 and 0F3A with L 0 have instructions, the others belong to AVX, which is not
 * there. Leaves W, R, X, B and pp behind as the REX and legacy prefixes that say the same.
 */
function vexPrefix(first: u32, lock: bool): u32 {
  let p1: u32 = load<u8>(pc++);
  if (first == 0xc5) return 0;
  let p2: u32 = load<u8>(pc++), map = p1 & 31, pp = p2 & 3;
  if (mode & L.MODE_REAL || lock || prefix66 || repeat || rex || p2 & 4 || map < 2 || map > 3) return 0;
  vvvv = ~(p2 >> 3) & 15;
  // outside 64-bit mode R, X, B, W and the upper bit of vvvv select nothing
  if (code == 2) rex = 0x40 | (~(p1 >> 5) & 7) | (p2 >> 4 & 8);
  prefix66 = pp == 1; repeat = pp == 2 ? 0xf3 : pp == 3 ? 0xf2 : 0;
  return map + 2;
}
/** ES, CS, SS and DS prefixes mean nothing in 64-bit mode; they do not undo FS or GS either. */
function legacySegment(s: u32): void { if (code != 2) segment = s; }
/** Whether a row's demands are met. */
function fits(demand: u32, modrm: u32): bool {
  let prefix = demand & 7, wantReg = (demand >> 3) & 15, wantRm = (demand >> 7) & 15, wantMod = (demand >> 11) & 3,
    modes = (demand >> 13) & 3;
  if (prefix == 1 && (prefix66 || repeat)) return false;
  if (prefix == 2 && (!prefix66 || repeat)) return false;
  if (prefix == 3 && repeat != 0xf3) return false;
  if (prefix == 4 && repeat != 0xf2) return false;
  if (prefix == 5 && repeat) return false;
  if (demand & 0x10000000 && vvvv) return false;
  if (wantReg != 15 && ((modrm >> 3) & 7) != wantReg) return false;
  if (wantRm != 15 && (modrm & 7) != wantRm) return false;
  if (wantMod == 1 && modrm < 0xc0) return false;
  if (wantMod == 2 && modrm >= 0xc0) return false;
  if (modes == 1 && code != 2) return false;
  if (modes == 2 && code == 2) return false;
  return !(demand & 0x8000 && rex & 1);
}

function fill(r: usize, row: u32, lock: bool): i32 {
  let demand = ROWS[row << 2], operands = ROWS[(row << 2) + 1], handler = ROWS[(row << 2) + 2];
  let mandatory66 = (demand & 7) == 2, size64 = (demand >> 18) & 3;
  let wide = prefix66 && !mandatory66;
  operandSize = code == 2 ? (rex & 8 || size64 == 2 ? 3 : size64 == 1 ? (wide ? 1 : 3) : wide ? 1 : 2)
    : (code == 1) != wide ? 2 : 1;
  let form: u32 = 0;
  immediateSet = false;
  store<u8>(r, 0x80, L.R_BASE); store<u8>(r, 0x80, L.R_INDEX); store<u32>(r, L.ZERO, L.R_SEGMENT);
  store<u64>(r, addressSize == 2 ? ~(<u64>0) : addressSize == 1 ? 0xffffffff : 0xffff, L.R_MASK);
  let modrmAt = pc;
  if (demand & 0x10000) {
    let m: u32 = load<u8>(pc++);
    mod = m >> 6; reg = ((m >> 3) & 7) | ((rex & 4) << 1); rm = m & 7;
    if (mod == 3 || isControlMove(operands)) rm |= (rex & 1) << 3; else { memoryOperand(r); form = 1; }
  }
  store<u16>(r, <u16>row, L.R_OPCODE);
  store<u16>(r, <u16>((handler >> 16) & 0xff), L.R_ATTRIBUTES);
  store<u8>(r, <u8>(handler >> 24), L.R_PARAMETER);
  store<u64>(r, <u64>ROWS[(row << 2) + 3], L.R_IMM);
  if (lock && !(demand & 0x20000 && form)) return invalid(r, RARE_UD);
  // FOP, with ST(i)'s number in it
  if (demand & X87_ROW) store<u64>(r, <u64>((opcodeByte & 7) << 8 | load<u8>(modrmAt)), L.R_IMM);
  let first = operands & 0x1ff, second = (operands >> 9) & 0x1ff, third = (operands >> 18) & 0x1ff;
  let p1 = first ? operand(r, first, (demand >> 20) & 3) : 0, p2 = second ? operand(r, second, (demand >> 22) & 3) : 0,
    p3 = third ? operand(r, third, (demand >> 24) & 3) : 0;
  place(r, first, second, p1, p2, p3);
  if (demand & X87_ROW) store<u32>(r, operandSegment, L.R_SRC2); // for FDS
  let flags = sizeFlag(first, second);
  if ((first & 31) == O || (second & 31) == O) form = 1;
  if (form) flags |= L.R_FLAG_MEMORY;
  if (repeat == 0xf3) flags |= L.R_FLAG_REP; else if (repeat == 0xf2) flags |= L.R_FLAG_REPNE;
  // XCHG with memory locks by itself (SDM 2D XCHG)
  if (lock || (form && map == 0 && (opcodeByte & 0xfe) == 0x86)) {
    flags |= L.R_FLAG_LOCK;
    if (mode & L.MODE_BUS_LOCK) store<u16>(r, load<u16>(r, L.R_ATTRIBUTES) | L.A_BUS_LOCK, L.R_ATTRIBUTES);
  }
  if (prefix67) flags |= L.R_FLAG_ADDRESS32;
  store<u8>(r, load<u8>(r, L.R_FLAGS) | <u8>flags, L.R_FLAGS);
  if (isString(first) || isString(second) || (first & 31) == T || byDataSegment(r)) setSegment(r, L.DS);
  let instance = <u32>FORMS[((handler & 0xffff) << 3) + (form << 2) + (flags & 3)];
  if (!instance) return invalid(r, RARE_INVALID);
  store<u16>(r, <u16>handlerIndex(instance), L.R_HANDLER);
  return <i32>row;
}
/** MASKMOVDQU, MASKMOVQ and MONITOR imply an address in DS. */
function byDataSegment(r: usize): bool {
  let operation = <u32>load<u8>(r, L.R_PARAMETER);
  return operation == RARE_MASKMOVDQU || operation == RARE_MASKMOVQ || operation == RARE_MONITOR;
}
@inline function isString(operand: u32): bool { let k = operand & 31; return k == X || k == X + 1; }
/** MOV CR and MOV DR take a register whatever mod says (SDM 2B MOV). */
@inline function isControlMove(operands: u32): bool { return (operands & 31) == R || ((operands >> 9) & 31) == R; }

/** R_FLAG_SIZE: byte forms have 0, others the operand size. */
function sizeFlag(first: u32, second: u32): u32 {
  let k = first & 31, size = first >> 5;
  // the port of OUT and the immediate of ENTER say nothing of the operand's size
  if ((k == I || (k == FIXED && size == SIZE_W)) && second) { k = second & 31; size = second >> 5; }
  return size == SIZE_B && k != J && k != I && k != SI ? 0 : operandSize;
}

/** Operands that are neither memory nor nothing: their address. Reads immediates. */
function operand(r: usize, spec: u32, fixed: u32): u32 {
  let kind = spec & 31, size = spec >> 5;
  switch (kind) {
    case E: case R: return mod == 3 || kind == R ? general(rm, size) : 0;
    case G: return general(reg, size);
    case B: return general(code == 2 ? vvvv : vvvv & 7, size);
    case Z: return general((opcodeByte & 7) | ((rex & 1) << 3), size);
    case V: return L.XMM + (reg << 4);
    case P: return mmx(reg);
    case Q: case N: return mod == 3 ? mmx(rm) : 0;
    case W: case U: return mod == 3 ? L.XMM + (rm << 4) : 0;
    case C: case D: store<u64>(r, <u64>reg, L.R_IMM); return 0;
    case FIXED: return L.REGS + (fixed << 3);
    case ONE: return setImmediate(r, 1);
    case I: case SI: return immediate(r, size, kind == SI);
    case J: return immediate(r, size, true);
    case O: absolute(r); return 0;
    case A: farPointer(r); return 0;
    default: return 0;
  }
}
function general(n: u32, size: u32): u32 {
  if (size == SIZE_B && !rex && n >= 4 && n < 8) return L.REGS + ((n - 4) << 3) + 1; // AH CH DH BH
  return L.REGS + (n << 3);
}
/**
 * MMn is the significand of the physical register n, whatever TOP says; REX has no effect (SDM 1 9.2.2, 2A 2.2.1.2).
 */
function mmx(n: u32): u32 { return L.X87 + ((n & 7) << 4); }
function setImmediate(r: usize, v: u64): u32 {
  store<u64>(r, immediateSet ? load<u64>(r, L.R_IMM) | (v << 16) : v, L.R_IMM); // ENTER has two: size, then level
  immediateSet = true;
  return <u32>r + L.R_IMM;
}
function immediate(r: usize, size: u32, signed: bool): u32 {
  let byOperand: u32 = operandSize == 1 ? 16 : operandSize == 3 && size == SIZE_V ? 64 : 32;
  let bits: u32 = size == SIZE_B ? 8 : size == SIZE_W ? 16 : size == SIZE_D ? 32 : size == SIZE_Q ? 64 : byOperand;
  let v: u64;
  if (bits == 8) v = signed ? <u64><i64>load<i8>(pc) : load<u8>(pc);
  else if (bits == 16) v = signed ? <u64><i64>load<i16>(pc) : load<u16>(pc);
  else if (bits == 32) v = signed ? <u64><i64>load<i32>(pc) : load<u32>(pc);
  else v = load<u64>(pc);
  pc += bits >> 3;
  return setImmediate(r, v);
}
function farPointer(r: usize): void {
  let offset: u64 = operandSize == 1 ? load<u16>(pc) : load<u32>(pc);
  pc += operandSize == 1 ? 2 : 4;
  store<u64>(r, offset | (<u64>load<u16>(pc) << 32), L.R_IMM);
  pc += 2;
}
/** moffs: an absolute offset of the address size. */
function absolute(r: usize): void {
  if (addressSize == 2) { store<u64>(r, load<u64>(pc), L.R_DISP); pc += 8; }
  else if (addressSize == 1) { store<u64>(r, load<u32>(pc), L.R_DISP); pc += 4; }
  else { store<u64>(r, load<u16>(pc), L.R_DISP); pc += 2; }
  setSegment(r, L.DS);
}
/** Destination, source, second source. A lone operand is both, so that reading and writing handlers find it. */
function place(r: usize, first: u32, second: u32, p1: u32, p2: u32, p3: u32): void {
  if (!second) { store<u32>(r, p1, L.R_DST); store<u32>(r, p1, L.R_SRC); return; }
  store<u32>(r, p1, L.R_DST);
  store<u32>(r, p2, L.R_SRC);
  store<u32>(r, p3 ? p3 : p1, L.R_SRC2);
}

// ---- memory operands ------------------------------------------------------------------------------------------------
function setSegment(r: usize, byDefault: u32): void {
  let s = segment == NO_SEGMENT ? byDefault : segment, based = s == L.FS || s == L.GS;
  operandSegment = s;
  if (code == 2) { if (based) store<u32>(r, s, L.R_SEGMENT); return; }
  if (mode & L.MODE_FLAT && !based && s != L.CS) return;
  store<u32>(r, s, L.R_SEGMENT);
  store<u8>(r, load<u8>(r, L.R_FLAGS) | L.R_FLAG_CHECKED, L.R_FLAGS);
}
function memoryOperand(r: usize): void {
  if (addressSize == 0) { memoryOperand16(r); return; }
  let base: u32 = 0x80, byDefault: u32 = L.DS, disp: i64 = 0, hasDisp32 = mod == 2;
  if (rm == 4) {
    let sib: u32 = load<u8>(pc++), index = ((sib >> 3) & 7) | ((rex & 2) << 2), b = sib & 7;
    if (index != 4) { store<u8>(r, <u8>(index << 3), L.R_INDEX); store<u8>(r, <u8>(sib >> 6), L.R_SCALE); }
    if (b == 5 && mod == 0) hasDisp32 = true;
    else {
      base = (b | ((rex & 1) << 3)) << 3;
      if (b == 4 || b == 5) byDefault = rex & 1 ? L.DS : L.SS;
    }
  } else if (rm == 5 && mod == 0) {
    hasDisp32 = true;
    if (code == 2) store<u8>(r, 0xff, L.R_INDEX); // RIP-relative: finished when the length is known
  } else {
    base = (rm | ((rex & 1) << 3)) << 3;
    if (rm == 5 && !(rex & 1)) byDefault = L.SS;
  }
  if (mod == 1) disp = load<i8>(pc++);
  else if (hasDisp32) { disp = load<i32>(pc); pc += 4; }
  store<u8>(r, <u8>base, L.R_BASE);
  store<i64>(r, disp, L.R_DISP);
  setSegment(r, byDefault);
}
/** SDM 2A table 2-1. */
function memoryOperand16(r: usize): void {
  let base: u32 = 0x80, index: u32 = 0x80, byDefault: u32 = L.DS, disp: i64 = 0;
  if (rm < 2 || rm == 7) base = 3 << 3; else if (rm < 4 || (rm == 6 && mod)) { base = 5 << 3; byDefault = L.SS; }
  if (rm == 0 || rm == 2) index = 6 << 3;
  else if (rm == 1 || rm == 3) index = 7 << 3;
  else if (rm == 4) base = 6 << 3;
  else if (rm == 5) base = 7 << 3;
  if (mod == 1) disp = load<i8>(pc++);
  else if (mod == 2 || rm == 6 && mod == 0) { disp = load<i16>(pc); pc += 2; }
  store<u8>(r, <u8>base, L.R_BASE); store<u8>(r, <u8>index, L.R_INDEX);
  store<i64>(r, disp, L.R_DISP);
  setSegment(r, byDefault);
}
/** What needs the next RIP: RIP-relative operands and the targets of relative jumps. */
function finishRelative(r: usize, row: u32, next: u64): void {
  if (load<u8>(r, L.R_INDEX) == 0xff) {
    store<u8>(r, 0x80, L.R_INDEX);
    store<u64>(r, load<u64>(r, L.R_DISP) + next, L.R_DISP);
  }
  if ((ROWS[(row << 2) + 1] & 31) != J) return;
  let target = next + load<u64>(r, L.R_IMM);
  // not canonical: the jump itself faults when it is taken, because CHECKED compares with a limit (checkLimit in
  // control.ts)
  if (operandSize == 3 && <i64>(target << 16) >> 16 != <i64>target)
    store<u8>(r, load<u8>(r, L.R_FLAGS) | L.R_FLAG_CHECKED, L.R_FLAGS);
  store<u64>(r, operandSize == 3 ? target : operandSize == 1 ? target & 0xffff : target & 0xffffffff, L.R_IMM);
}
