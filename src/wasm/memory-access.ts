// Loads and stores as data (core specification 4.4.7): what they read of known memory, and how they treat a part of a value.

/** What a load reads of memory that is known; undefined: a type without constants, or no load. */
export function loadConstant(view: DataView, op: number, address: number): number | bigint | undefined {
  switch (op) {
    case 0x28:
      return view.getInt32(address, true);
    case 0x29:
      return view.getBigInt64(address, true);
    case 0x2c:
      return view.getInt8(address);
    case 0x2d:
      return view.getUint8(address);
    case 0x2e:
      return view.getInt16(address, true);
    case 0x2f:
      return view.getUint16(address, true);
    case 0x30:
      return BigInt(view.getInt8(address));
    case 0x31:
      return BigInt(view.getUint8(address));
    case 0x32:
      return BigInt(view.getInt16(address, true));
    case 0x33:
      return BigInt(view.getUint16(address, true));
    case 0x34:
      return BigInt(view.getInt32(address, true));
    case 0x35:
      return BigInt(view.getUint32(address, true));
    default:
      return undefined;
  }
}
/** What a narrow load does with the low bits: an instruction, or a mask. */
export const NARROW_LOADS: ReadonlyMap<number, number | bigint> = new Map<number, number | bigint>([
  [0x2c, 0xc0],
  [0x2d, 0xffn],
  [0x2e, 0xc1],
  [0x2f, 0xffffn],
  [0x30, 0xc2],
  [0x31, 0xffn],
  [0x32, 0xc3],
  [0x33, 0xffffn],
  [0x34, 0xc4],
  [0x35, 0xffffffffn],
]);
/** Bits that a narrow store writes; i32.store counts as one into a 64-bit slot. */
export const NARROW_STORES: ReadonlyMap<number, number> = new Map([
  [0x36, 32],
  [0x3a, 8],
  [0x3b, 16],
  [0x3c, 8],
  [0x3d, 16],
  [0x3e, 32],
]);
