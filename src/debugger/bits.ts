/** Little-endian bytes and bit slices as integers. */

export function fromLittleEndianBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}

/** The lowest `size` bytes of a two's complement integer. */
export function littleEndianBytes(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = BigInt.asUintN(size * 8, value);
  for (let i = 0; i < size; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** Bits [offset, offset + size) counted from bit 0 of the first byte. */
export function sliceBits(bytes: Uint8Array, offset: number, size: number): bigint {
  return BigInt.asUintN(size, fromLittleEndianBytes(bytes) >> BigInt(offset));
}

/** A copy of `bytes` in which bits [offset, offset + size) are those of `value`. */
export function spliceBits(bytes: Uint8Array, offset: number, size: number, value: bigint): Uint8Array {
  const mask = ((1n << BigInt(size)) - 1n) << BigInt(offset);
  const rest = fromLittleEndianBytes(bytes) & ~mask;
  return littleEndianBytes(rest | (BigInt.asUintN(size, value) << BigInt(offset)), bytes.length);
}

/** `0x` and lower-case digits, padded to `digits` where given. */
export function hexadecimal(value: bigint, digits = 0): string {
  const sign = value < 0n ? '-' : '';
  return `${sign}0x${(value < 0n ? -value : value).toString(16).padStart(digits, '0')}`;
}
