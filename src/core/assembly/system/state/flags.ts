// RFLAGS: composed from and taken apart into the plain values that handlers keep (layout.ts F_*). SDM 1 3.4.3.
import * as L from '../../../layout';
import { selectBank } from './tlb';

export const FLAG_CF: u64 = 1;
export const FLAG_PF: u64 = 4;
export const FLAG_AF: u64 = 0x10;
export const FLAG_ZF: u64 = 0x40;
export const FLAG_SF: u64 = 0x80;
export const FLAG_TF: u64 = 0x100;
export const FLAG_IF: u64 = 0x200;
export const FLAG_DF: u64 = 0x400;
export const FLAG_OF: u64 = 0x800;
export const FLAG_IOPL: u64 = 0x3000;
export const FLAG_NT: u64 = 0x4000;
export const FLAG_RF: u64 = 0x10000;
export const FLAG_VM: u64 = 0x20000;
export const FLAG_AC: u64 = 0x40000;
export const FLAG_VIF: u64 = 0x80000;
export const FLAG_VIP: u64 = 0x100000;
export const FLAG_ID: u64 = 0x200000;
export const ARITHMETIC: u64 = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF;
/** Every flag that exists. */
export const DEFINED: u64 = ARITHMETIC | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC
  | FLAG_VIF
  | FLAG_VIP | FLAG_ID;

/** The architectural RFLAGS of the running vCPU. */
export function rflags(): u64 {
  let sign = load<i64>(L.F_SIGN), v = load<u64>(L.RFLAGS) & ~ARITHMETIC | 2;
  if (load<u32>(L.F_CF)) v |= FLAG_CF;
  if (!(popcnt<u32>(<u32>sign & 0xff) & 1)) v |= FLAG_PF;
  if (load<u32>(L.F_AF) & 0x10) v |= FLAG_AF;
  if (!load<u64>(L.F_ZERO)) v |= FLAG_ZF;
  if (sign < 0) v |= FLAG_SF;
  if (load<u32>(L.F_LT) != <u32>(sign < 0)) v |= FLAG_OF;
  return v;
}

/** Loads the six arithmetic flags from an RFLAGS image, in one canonical form. */
export function setArithmetic(v: u64): void {
  let sign: u32 = v & FLAG_SF ? 1 : 0;
  store<u64>(L.F_ZERO, v & FLAG_ZF ? 0 : 1);
  store<u64>(L.F_SIGN, (sign ? <u64>1 << 63 : 0) | (v & FLAG_PF ? 0 : 1)); // low byte 1 has odd parity
  store<u32>(L.F_CF, v & FLAG_CF ? 1 : 0);
  store<u32>(L.F_LT, (v & FLAG_OF ? 1 : 0) ^ sign);
  store<u32>(L.F_AF, <u32>(v & FLAG_AF));
}

/** Loads RFLAGS. Bits that do not exist stay 0; the boundary is evaluated next (IF, TF, RF may have changed). */
export function setRflags(v: u64): void {
  let old = load<u64>(L.RFLAGS), flags = v & DEFINED & ~ARITHMETIC | 2;
  setArithmetic(v);
  store<u64>(L.RFLAGS, flags);
  if (((old ^ flags) & FLAG_AC) != 0) selectBank();
  if (((old ^ flags) & (FLAG_IF | FLAG_TF | FLAG_RF)) != 0)
    store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
}

/** Rewrites the flag slots in their canonical form, for digests and snapshots: many values stand for the same flags. */
export function canonicaliseFlags(): void { setArithmetic(rflags()); }
