// System description tables (ACPI 6.5 ch. 5.2.6): the 36 bytes that all begin with, and the checksum over the whole.

/** Six and eight characters that name the maker of the tables. */
const OEM_ID = 'TRAPLN';
const OEM_TABLE_ID = 'TRAPLINE';
const CREATOR_ID = 'TRPL';
const CREATOR_REVISION = 1;
const HEADER_SIZE = 36;
const CHECKSUM_OFFSET = 9;

/** Little-endian bytes of a number. */
export function littleEndian(size: 1 | 2 | 4 | 8, value: number | bigint): number[] {
  const bits = BigInt.asUintN(size * 8, BigInt(value));
  return Array.from({ length: size }, (_, i) => Number((bits >> BigInt(8 * i)) & 0xffn));
}

/** ASCII characters, cut or filled with `fill` to a fixed length. */
export function fixedText(text: string, length: number, fill = 0): number[] {
  return Array.from({ length }, (_, i) => (i < text.length ? text.charCodeAt(i) : fill));
}

/** The byte that makes the sum of all zero. */
export function checksumOf(bytes: Iterable<number>): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return -sum & 0xff;
}

/** A complete table: header, body, checksum. */
export function buildTable(signature: string, revision: number, body: readonly number[]): Uint8Array {
  const table = Uint8Array.from([
    ...fixedText(signature, 4),
    ...littleEndian(4, HEADER_SIZE + body.length),
    revision,
    0, // the checksum
    ...fixedText(OEM_ID, 6),
    ...fixedText(OEM_TABLE_ID, 8),
    ...littleEndian(4, 1),
    ...fixedText(CREATOR_ID, 4),
    ...littleEndian(4, CREATOR_REVISION),
    ...body,
  ]);
  table[CHECKSUM_OFFSET] = checksumOf(table);
  return table;
}

/** RSDP of revision 2 (5.2.5.3), with the checksum of revision 1 over its first 20 bytes inside. */
export function buildRsdp(rsdt: number, xsdt: number): Uint8Array {
  const rsdp = Uint8Array.from([
    ...fixedText('RSD PTR ', 8),
    0, // checksum of the first 20 bytes
    ...fixedText(OEM_ID, 6),
    2,
    ...littleEndian(4, rsdt),
    ...littleEndian(4, 36),
    ...littleEndian(8, xsdt),
    0, // checksum of all
    0,
    0,
    0,
  ]);
  rsdp[8] = checksumOf(rsdp.subarray(0, 20));
  rsdp[32] = checksumOf(rsdp);
  return rsdp;
}

/** Where a register is: GAS in I/O space (5.2.3.2). An all-zero GAS means that there is none. */
export function ioAddress(port: number, bytes: 1 | 2 | 4): number[] {
  if (port === 0) return Array.from({ length: 12 }, () => 0);
  const accessSize = bytes === 1 ? 1 : bytes === 2 ? 2 : 3;
  return [1, bytes * 8, 0, accessSize, ...littleEndian(8, port)];
}
