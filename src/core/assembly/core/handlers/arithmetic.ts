// ADD OR ADC SBB AND SUB XOR CMP TEST, INC DEC NOT NEG, XADD, CMPXCHG and its pairs, ADCX ADOX.
import * as L from '../../../layout';
import { dst, src, setDst, setRegister, srcPointer } from '../record';
import { ldOperand, modifyOperand } from '../memory';
import { raise } from '../imports';
import { setFlags, setLogicFlags, setAddFlags, setSubtractFlags, setCarry, setOverflow, carryFlag, overflowFlag,
  lessSigned,
  sx } from './flags';
import { address, modify } from '../memory';

export const ADD: u32 = 0, OR: u32 = 1, ADC: u32 = 2, SBB: u32 = 3, AND: u32 = 4, SUB: u32 = 5, XOR: u32 = 6;
export const CMP: u32 = 7, TEST: u32 = 8;
export const INC: u32 = 0, DEC: u32 = 1, NOT: u32 = 2, NEG: u32 = 3;
export const ADCX: u32 = 0, ADOX: u32 = 1;

@inline function result<T>(op: u32, a: T, b: T): T {
  if (op == ADD) return <T>(a + b);
  if (op == OR) return <T>(a | b);
  if (op == ADC) return <T>(a + b + <T>carryFlag());
  if (op == SBB) return <T>(a - b - <T>carryFlag());
  if (op == AND || op == TEST) return <T>(a & b);
  if (op == XOR) return <T>(a ^ b);
  return <T>(a - b);
}
@inline function setResultFlags<T>(op: u32, a: T, b: T, v: T): void {
  if (op == ADD) setAddFlags<T>(a, b, v);
  else if (op == SUB || op == CMP) setSubtractFlags<T>(a, b, v);
  else if (op == ADC) {
    setFlags<T>(v, i32(v < a) | (i32(v == a) & carryFlag()),
      i32((sx<T>(v) ^ ((sx<T>(v) ^ sx<T>(a)) & (sx<T>(v) ^ sx<T>(b)))) < 0),
      <i32>(a ^ b ^ v));
  } else if (op == SBB) {
    let equal = i32(a == b) & carryFlag();
    setFlags<T>(v, i32(a < b) | equal, lessSigned<T>(a, b) | equal, <i32>(a ^ b ^ v));
  } else setLogicFlags<T>(v);
}
@inline export function binary_rr<T>(op: u32, r: usize): void {
  let a = dst<T>(r), b = src<T>(r), v = result<T>(op, a, b);
  setResultFlags<T>(op, a, b, v);
  if (op != CMP && op != TEST) setDst<T>(r, v);
}
@inline export function binary_rm<T>(op: u32, r: usize): void {
  let b = ldOperand<T>(r), a = dst<T>(r), v = result<T>(op, a, b);
  setResultFlags<T>(op, a, b, v);
  if (op != CMP && op != TEST) setDst<T>(r, v);
}
@inline export function binary_mr<T>(op: u32, r: usize): void {
  if (op == CMP || op == TEST) {
    let a = ldOperand<T>(r), b = src<T>(r);
    setResultFlags<T>(op, a, b, result<T>(op, a, b));
  } else {
    let p = modifyOperand<T>(r), a = load<T>(p), b = src<T>(r), v = result<T>(op, a, b);
    store<T>(p, v);
    setResultFlags<T>(op, a, b, v);
  }
}

@inline function unaryResult<T>(op: u32, a: T): T {
  if (op == INC) return <T>(a + <T>1);
  if (op == DEC) return <T>(a - <T>1);
  if (op == NOT) return <T>~a;
  return <T>(<T>0 - a);
}
@inline function setUnaryFlags<T>(op: u32, a: T, v: T): void {
  if (op == INC) setFlags<T>(v, carryFlag(), lessSigned<T>(a, <T>-1), <i32>(a ^ 1 ^ v));
  else if (op == DEC) setFlags<T>(v, carryFlag(), lessSigned<T>(a, <T>1), <i32>(a ^ 1 ^ v));
  else if (op == NEG) setFlags<T>(v, i32(a != 0), lessSigned<T>(<T>0, a), <i32>(a ^ v));
}
@inline export function unary_r<T>(op: u32, r: usize): void {
  let a = dst<T>(r), v = unaryResult<T>(op, a);
  setUnaryFlags<T>(op, a, v);
  setDst<T>(r, v);
}
@inline export function unary_m<T>(op: u32, r: usize): void {
  let p = modifyOperand<T>(r), a = load<T>(p), v = unaryResult<T>(op, a);
  store<T>(p, v);
  setUnaryFlags<T>(op, a, v);
}

@inline export function xadd_rr<T>(r: usize): void {
  let a = dst<T>(r), b = src<T>(r), v = <T>(a + b);
  setRegister<T>(srcPointer(r), a);
  setDst<T>(r, v);
  setAddFlags<T>(a, b, v);
}
@inline export function xadd_mr<T>(r: usize): void {
  let p = modifyOperand<T>(r), a = load<T>(p), b = src<T>(r), v = <T>(a + b);
  store<T>(p, v);
  setRegister<T>(srcPointer(r), a);
  setAddFlags<T>(a, b, v);
}

/**
 * Either the destination or the accumulator is written, never both (a 32-bit write clears the upper half of just that
 * one).
 */
@inline export function cmpxchg_rr<T>(r: usize): void {
  let a = load<T>(L.RAX), d = dst<T>(r), s = src<T>(r);
  setSubtractFlags<T>(a, d, <T>(a - d));
  if (a == d) setDst<T>(r, s); else setRegister<T>(L.RAX, d);
}
/** The memory operand is always written, with its old value when the comparison fails (SDM 2A CMPXCHG). */
@inline export function cmpxchg_mr<T>(r: usize): void {
  let p = modifyOperand<T>(r), a = load<T>(L.RAX), d = load<T>(p), s = src<T>(r);
  setSubtractFlags<T>(a, d, <T>(a - d));
  if (a == d) store<T>(p, s); else { store<T>(p, d); setRegister<T>(L.RAX, d); }
}
/** CMPXCHG8B (u16 and u32) and CMPXCHG16B (u64): only ZF changes. */
@inline export function cmpxchg_pair_m<T>(r: usize): void {
  if (sizeof<T>() == 8) {
    let linear = address(r, 16, 1);
    if (linear & 15) raise(r, 13, 0);
    let p = modify<v128>(r, linear), low = load<u64>(p), high = load<u64>(p, 8), equal = low == load<u64>(L.RAX) &&
      high == load<u64>(L.RDX);
    store<u64>(p, equal ? load<u64>(L.RBX) : low);
    store<u64>(p, equal ? load<u64>(L.RCX) : high, 8);
    if (!equal) { store<u64>(L.RAX, low); store<u64>(L.RDX, high); }
    store<i64>(L.F_ZERO, equal ? 0 : 1);
  } else {
    let p = modifyOperand<u64>(r), old = load<u64>(p);
    let equal = old == (<u64>load<u32>(L.RAX) | (<u64>load<u32>(L.RDX) << 32));
    store<u64>(p, equal ? <u64>load<u32>(L.RBX) | (<u64>load<u32>(L.RCX) << 32) : old);
    if (!equal) { store<u64>(L.RAX, <u64><u32>old); store<u64>(L.RDX, old >> 32); }
    store<i64>(L.F_ZERO, equal ? 0 : 1);
  }
}

/** ADCX adds with CF as carry, ADOX with OF; each changes that flag alone (SDM 2A ADCX, ADOX). */
@inline function addCarry<T>(op: u32, r: usize, b: T): void {
  let a = dst<T>(r), carry = op == ADCX ? carryFlag() : overflowFlag(), v = <T>(a + b + <T>carry);
  let out = i32(v < a) | (i32(v == a) & carry);
  setDst<T>(r, v);
  if (op == ADCX) setCarry(out); else setOverflow(out);
}
@inline export function add_carry_rr<T>(op: u32, r: usize): void { addCarry<T>(op, r, src<T>(r)); }
@inline export function add_carry_rm<T>(op: u32, r: usize): void { addCarry<T>(op, r, ldOperand<T>(r)); }
