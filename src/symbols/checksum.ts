/** CRC-32 of a file as .gnu_debuglink has it (the polynomial of Ethernet, reflected). */

import type { ReadableBytes } from './api.ts';

const pieceSize = 1 << 20;
const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let rest = index;
  for (let bit = 0; bit < 8; bit++) rest = (rest & 1) === 0 ? rest >>> 1 : (rest >>> 1) ^ 0xedb8_8320;
  return rest;
});

export function checksumOf(bytes: ReadableBytes): number {
  let crc = 0xffff_ffff;
  for (let offset = 0; offset < bytes.size; offset += pieceSize) {
    for (const byte of bytes.read(offset, Math.min(pieceSize, bytes.size - offset)))
      crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
