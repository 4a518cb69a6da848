/** Location attributes and lists: .debug_loclists (DWARF 5, 2.6.2 and 7.7.3) and .debug_loc (DWARF 4, 2.6.2). */

import type { DwarfExpression, VariableLocation } from '../api.ts';
import { SymbolError } from '../api.ts';
import type { Reader } from '../reader.ts';
import { DW_LLE } from './constants.ts';
import type { AttributeValue } from './forms.ts';
import type { Unit } from './unit.ts';

/** What a location attribute says at a pc. */
export type ResolvedLocation =
  | { readonly kind: 'expression'; readonly bytes: Uint8Array }
  /** No entry of the list covers the pc, or the expression is empty. */
  | { readonly kind: 'none' };

/** Resolves a location attribute for a pc; null asks for no particular place and takes only what holds everywhere. */
export function resolveLocation(unit: Unit, value: AttributeValue, pc: bigint | null): ResolvedLocation {
  if (value.kind === 'expression' || value.kind === 'block') {
    return value.bytes.length === 0 ? { kind: 'none' } : { kind: 'expression', bytes: value.bytes };
  }
  const { sections } = unit.info;
  const { version, offsetSize } = unit.header;
  let offset: number;
  if (value.kind === 'sectionOffset') offset = value.offset;
  else if (value.kind === 'constant') offset = Number(value.value);
  else if (value.kind === 'listIndex') {
    const base = unit.bases.locationLists;
    const entry = sections.reader('.debug_loclists', base + value.index * offsetSize, offsetSize);
    offset = base + entry.offset(offsetSize);
  } else return { kind: 'none' };

  const bytes =
    version >= 5
      ? sections.parseAt('.debug_loclists', offset, (reader) => searchLocationList(reader, unit, pc))
      : sections.parseAt('.debug_loc', offset, (reader) => searchOldLocations(reader, unit, pc));
  return bytes === null || bytes.length === 0 ? { kind: 'none' } : { kind: 'expression', bytes };
}

/** Whether a location attribute refers to a list. */
export function isLocationList(value: AttributeValue): boolean {
  return value.kind === 'sectionOffset' || value.kind === 'constant' || value.kind === 'listIndex';
}

/** A variable's location at a pc, as plain data; damage becomes part of the answer. */
export function variableLocation(unit: Unit, value: AttributeValue | null, pc: bigint | null): VariableLocation {
  if (value === null) return { kind: 'optimizedOut' };
  try {
    const resolved = resolveLocation(unit, value, pc);
    if (resolved.kind === 'none') return { kind: 'optimizedOut' };
    return { kind: 'expression', expression: unit.expression(resolved.bytes) };
  } catch (error) {
    if (!(error instanceof SymbolError)) throw error;
    return { kind: 'error', message: error.message };
  }
}

/** The frame base of a function at a pc, or null. */
export function frameBaseAt(unit: Unit, value: AttributeValue | null, pc: bigint): DwarfExpression | null {
  const location = variableLocation(unit, value, pc);
  return location.kind === 'expression' ? location.expression : null;
}

function searchLocationList(reader: Reader, unit: Unit, pc: bigint | null): Uint8Array | null {
  const { addressSize } = unit.header;
  let base = unit.baseAddress;
  let fallback: Uint8Array | null = null;
  for (;;) {
    const kind = reader.u8();
    let start = 0n;
    let end = 0n;
    switch (kind) {
      case DW_LLE.end_of_list:
        return fallback;
      case DW_LLE.base_addressx:
        base = unit.indexedAddress(reader.ulebNumber());
        continue;
      case DW_LLE.base_address:
        base = reader.unsigned(addressSize);
        continue;
      case DW_LLE.GNU_view_pair:
        reader.uleb();
        reader.uleb();
        continue;
      case DW_LLE.startx_endx:
        start = unit.indexedAddress(reader.ulebNumber());
        end = unit.indexedAddress(reader.ulebNumber());
        break;
      case DW_LLE.startx_length:
        start = unit.indexedAddress(reader.ulebNumber());
        end = start + reader.uleb();
        break;
      case DW_LLE.offset_pair:
        start = base + reader.uleb();
        end = base + reader.uleb();
        break;
      case DW_LLE.default_location:
        break;
      case DW_LLE.start_end:
        start = reader.unsigned(addressSize);
        end = reader.unsigned(addressSize);
        break;
      case DW_LLE.start_length:
        start = reader.unsigned(addressSize);
        end = start + reader.uleb();
        break;
      default:
        throw reader.malformed(`location list entry ${kind} does not exist`);
    }
    const bytes = reader.take(reader.ulebNumber());
    if (kind === DW_LLE.default_location) fallback = bytes;
    else if (pc !== null && pc >= start && pc < end) return bytes;
  }
}

function searchOldLocations(reader: Reader, unit: Unit, pc: bigint | null): Uint8Array | null {
  const { addressSize } = unit.header;
  const greatest = addressSize === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  let base = unit.baseAddress;
  for (;;) {
    const start = reader.unsigned(addressSize);
    const end = reader.unsigned(addressSize);
    if (start === 0n && end === 0n) return null;
    if (start === greatest) {
      base = end;
      continue;
    }
    const bytes = reader.take(reader.u16());
    if (pc !== null && pc >= base + start && pc < base + end) return bytes;
  }
}
