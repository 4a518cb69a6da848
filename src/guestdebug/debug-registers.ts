// DR7 as fields, and which addresses a comparator can hold (SDM 3B 18.2).
import { DR7_FIXED, SLOT_COUNT } from './policy.ts';

export type SlotType = 'execute' | 'write' | 'readWrite' | 'io';
export type SlotLength = 1 | 2 | 4 | 8;
export interface SlotFields {
  readonly type: SlotType;
  readonly length: SlotLength;
}

const TYPES: readonly SlotType[] = ['execute', 'write', 'io', 'readWrite'];
/** The length field: 00 1 byte, 01 2 bytes, 10 8 bytes, 11 4 bytes. */
const LENGTHS: readonly SlotLength[] = [1, 2, 8, 4];

/** R/W and LEN field of slot `index` in a DR7 value. */
export function slotFields(dr7: bigint, index: number): SlotFields {
  const bits = Number((dr7 >> BigInt(16 + 4 * index)) & 0xfn);
  return { type: TYPES[bits & 3] ?? 'execute', length: LENGTHS[bits >> 2] ?? 1 };
}
/** Whether L or G of slot `index` is set. */
export function slotEnabled(dr7: bigint, index: number): boolean {
  return ((dr7 >> BigInt(2 * index)) & 3n) !== 0n;
}
/** The DR7 bits of one enabled slot (G bit). */
export function slotBits(index: number, fields: SlotFields): bigint {
  const code = BigInt(TYPES.indexOf(fields.type) | (LENGTHS.indexOf(fields.length) << 2));
  return (2n << BigInt(2 * index)) | (code << BigInt(16 + 4 * index));
}
/** DR7 that enables exactly the given slots. */
export function composeDr7(slots: readonly (SlotFields | undefined)[], extra = 0n): bigint {
  let dr7 = DR7_FIXED | extra;
  slots.slice(0, SLOT_COUNT).forEach((slot, index) => {
    if (slot) dr7 |= slotBits(index, slot);
  });
  return dr7;
}

/** Whether bits 63:47 are all equal (four-level paging, SDM 1 3.3.7.1). */
export function isCanonical(address: bigint): boolean {
  const top = BigInt.asUintN(64, address) >> 47n;
  return top === 0n || top === 0x1ffffn;
}
export const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
