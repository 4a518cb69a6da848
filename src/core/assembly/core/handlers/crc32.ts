// CRC32 (SDM 2A CRC32): the cyclic redundancy check of polynomial 11EDC6F41h (CRC-32C), least significant bit first,
// without the inversions before and after that protocols add.
import { dst, src, setDst } from '../record';
import { ldOperand } from '../memory';

/** What four bits that leave the register at its low end do to it: remainders of the reflected polynomial 82F63B78h. */
const REMAINDERS: usize = memory.data<u32>([
  0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
  0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
]);

@inline function fourBits(crc: u32): u32 { return load<u32>(REMAINDERS + ((<usize>crc & 15) << 2)) ^ (crc >> 4); }
@inline function byte(crc: u32): u32 { return fourBits(fourBits(crc)); }
@inline function word(crc: u32): u32 { return byte(byte(crc)); }
@inline function doubleWord(crc: u32): u32 { return word(word(crc)); }
@inline function accumulated<T>(crc: u32, a: T): u32 {
  if (sizeof<T>() == 1) return byte(crc ^ <u32>a);
  if (sizeof<T>() == 2) return word(crc ^ <u32>a);
  if (sizeof<T>() == 4) return doubleWord(crc ^ <u32>a);
  return doubleWord(doubleWord(crc ^ <u32>a) ^ <u32>(<u64>a >> 32));
}
/** The destination has 32 bits whatever the operand size; a 64-bit one is zero-extended. No flag changes. */
@inline export function crc32_rr<T>(r: usize): void { setDst<u32>(r, accumulated<T>(dst<u32>(r), src<T>(r))); }
@inline export function crc32_rm<T>(r: usize): void {
  let a = ldOperand<T>(r);
  setDst<u32>(r, accumulated<T>(dst<u32>(r), a));
}
