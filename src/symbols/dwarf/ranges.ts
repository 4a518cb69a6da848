/** Range lists: .debug_rnglists (DWARF 5, 2.17.3 and 7.25) and .debug_ranges (DWARF 4, 2.17.3). */

import type { AddressRange } from '../api.ts';
import type { Reader } from '../reader.ts';
import { DW_RLE } from './constants.ts';
import type { AttributeValue } from './forms.ts';
import type { Unit } from './unit.ts';

/** The ranges that a DW_AT_ranges names, in the order of the list. Throws SymbolError. */
export function readRangeList(unit: Unit, attribute: AttributeValue): readonly AddressRange[] {
  const { sections } = unit.info;
  const { version, offsetSize, addressSize } = unit.header;
  let offset: number;
  if (attribute.kind === 'sectionOffset') offset = attribute.offset;
  else if (attribute.kind === 'constant') offset = Number(attribute.value);
  else if (attribute.kind === 'listIndex') {
    const base = unit.bases.rangeLists;
    const entry = sections.reader('.debug_rnglists', base + attribute.index * offsetSize, offsetSize);
    offset = base + entry.offset(offsetSize);
  } else return [];

  const name = version >= 5 ? '.debug_rnglists' : '.debug_ranges';
  const ranges = sections.parseAt(name, offset, (reader) =>
    version >= 5 ? parseRangeList(reader, unit) : parseOldRanges(reader, addressSize, unit.baseAddress),
  );
  sections.charge(name, ranges.length);
  return ranges;
}

function parseRangeList(reader: Reader, unit: Unit): AddressRange[] {
  const { addressSize } = unit.header;
  const ranges: AddressRange[] = [];
  let base = unit.baseAddress;
  for (;;) {
    const kind = reader.u8();
    switch (kind) {
      case DW_RLE.end_of_list:
        return ranges;
      case DW_RLE.base_addressx:
        base = unit.indexedAddress(reader.ulebNumber());
        break;
      case DW_RLE.startx_endx: {
        const start = unit.indexedAddress(reader.ulebNumber());
        ranges.push({ start, end: unit.indexedAddress(reader.ulebNumber()) });
        break;
      }
      case DW_RLE.startx_length: {
        const start = unit.indexedAddress(reader.ulebNumber());
        ranges.push({ start, end: start + reader.uleb() });
        break;
      }
      case DW_RLE.offset_pair: {
        const start = base + reader.uleb();
        ranges.push({ start, end: base + reader.uleb() });
        break;
      }
      case DW_RLE.base_address:
        base = reader.unsigned(addressSize);
        break;
      case DW_RLE.start_end: {
        const start = reader.unsigned(addressSize);
        ranges.push({ start, end: reader.unsigned(addressSize) });
        break;
      }
      case DW_RLE.start_length: {
        const start = reader.unsigned(addressSize);
        ranges.push({ start, end: start + reader.uleb() });
        break;
      }
      default:
        throw reader.malformed(`range list entry ${kind} does not exist`);
    }
  }
}

function parseOldRanges(reader: Reader, addressSize: 4 | 8, unitBase: bigint): AddressRange[] {
  const ranges: AddressRange[] = [];
  const greatest = addressSize === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  let base = unitBase;
  for (;;) {
    const start = reader.unsigned(addressSize);
    const end = reader.unsigned(addressSize);
    if (start === 0n && end === 0n) return ranges;
    if (start === greatest) base = end;
    else if (start < end) ranges.push({ start: base + start, end: base + end });
  }
}
