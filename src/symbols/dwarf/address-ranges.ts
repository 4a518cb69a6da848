/** .debug_aranges (DWARF 5, 6.1.2): which unit has the code at an address, without a look at the units themselves. */

import type { AddressRange } from '../api.ts';
import type { Reader } from '../reader.ts';
import type { DebugSections } from './sections.ts';

/** Ranges of each unit by the unit's offset in .debug_info. Units that are not listed are not there. */
export function readAddressRanges(sections: DebugSections): ReadonlyMap<number, readonly AddressRange[]> {
  const found = new Map<number, AddressRange[]>();
  const size = sections.size('.debug_aranges');
  if (size === 0) return found;
  sections.warnings.guard(() => {
    const reader = sections.reader('.debug_aranges', 0, size);
    while (reader.remaining >= 12) readSet(reader, found);
  }, undefined);
  return found;
}

function readSet(reader: Reader, found: Map<number, AddressRange[]>): void {
  const start = reader.position;
  const short = reader.u32();
  const offsetSize = short === 0xffff_ffff ? 8 : 4;
  const length = offsetSize === 8 ? reader.offset(8) : short;
  const end = reader.position + length;
  const version = reader.u16();
  const unit = reader.offset(offsetSize);
  const addressSize = reader.u8();
  const segmentSize = reader.u8();
  if (version === 2 && segmentSize === 0 && (addressSize === 8 || addressSize === 4)) {
    // The first tuple begins at a multiple of a tuple's size, counted from the set's start.
    const tuple = 2 * addressSize;
    reader.skip((tuple - ((reader.position - start) % tuple)) % tuple);
    const ranges = found.get(unit) ?? [];
    while (reader.position + tuple <= end) {
      const address = reader.unsigned(addressSize);
      const count = reader.unsigned(addressSize);
      if (address === 0n && count === 0n) break;
      if (count > 0n) ranges.push({ start: address, end: address + count });
    }
    if (ranges.length > 0) found.set(unit, ranges);
  }
  if (end < reader.position) throw reader.malformed('a set of address ranges ends inside its header');
  reader.skip(end - reader.position);
}
