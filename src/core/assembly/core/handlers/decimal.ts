// Decimal adjustment, outside 64-bit mode (SDM 2A: the operation sections).
import * as L from '../../../layout';
import { immOf } from '../record';
import { raise } from '../imports';
import { setFlags, sign } from './flags';

@inline function auxiliaryFlag(): u32 { return (<u32>load<i32>(L.F_AF) >> 4) & 1; }

@inline function adjustPacked(subtract: bool): void {
  let al = <u32>load<u8>(L.RAX), old = al, oldCarry = <u32>load<i32>(L.F_CF), cf: u32 = 0, af: u32 = 0;
  if ((al & 15) > 9 || auxiliaryFlag()) {
    cf = oldCarry | u32(subtract ? al < 6 : al > 0xf9);
    al = subtract ? al - 6 : al + 6;
    af = 0x10;
  }
  if (old > 0x99 || oldCarry) { al = subtract ? al - 0x60 : al + 0x60; cf = 1; }
  store<u8>(L.RAX, <u8>al);
  setFlags<u8>(<u8>al, <i32>cf, sign<u8>(<u8>al), <i32>af); // OF, undefined, is clear
}
@inline export function daa(r: usize): void { adjustPacked(false); }
@inline export function das(r: usize): void { adjustPacked(true); }

@inline function adjustUnpacked(subtract: bool): void {
  let ax = <u32>load<u16>(L.RAX), adjust = u32((ax & 15) > 9) | auxiliaryFlag();
  if (adjust) ax = subtract ? ax - 0x106 : ax + 0x106;
  ax &= 0xff0f;
  store<u16>(L.RAX, <u16>ax);
  setFlags<u8>(<u8>ax, <i32>adjust, sign<u8>(<u8>ax), <i32>(adjust << 4));
}
@inline export function aaa(r: usize): void { adjustUnpacked(false); }
@inline export function aas(r: usize): void { adjustUnpacked(true); }

@inline export function aam(r: usize): void {
  let base = <u32>immOf(r) & 0xff, al = <u32>load<u8>(L.RAX);
  if (base == 0) { raise(r, 0, -1); return; }
  store<u16>(L.RAX, <u16>(((al / base) << 8) | al % base));
  setFlags<u8>(<u8>(al % base), 0, sign<u8>(<u8>(al % base)), 0);
}
@inline export function aad(r: usize): void {
  let v = <u8>(<u32>load<u8>(L.RAX) + <u32>load<u8>(L.RAX + 1) * (<u32>immOf(r) & 0xff));
  store<u16>(L.RAX, <u16>v);
  setFlags<u8>(v, 0, sign<u8>(v), 0);
}
