/** Attribute forms (DWARF 5, 7.5.5 and 7.5.6). */

import type { Reader } from '../reader.ts';
import { DW_FORM } from './constants.ts';

/** What the encoding of forms depends on in a unit. */
export interface UnitFormat {
  readonly version: number;
  readonly addressSize: 4 | 8;
  /** 8 in 64-bit DWARF, else 4. */
  readonly offsetSize: 4 | 8;
  /** Section offset of the unit's header: unit-relative references count from it. */
  readonly offset: number;
}

/** An attribute's value by class (7.5.5), not yet looked up in other sections. */
export type AttributeValue =
  | { readonly kind: 'address'; readonly value: bigint }
  | { readonly kind: 'addressIndex'; readonly index: number }
  /** `bits` is the field's width when the sign is not known (DW_FORM_data*), null when it is. */
  | { readonly kind: 'constant'; readonly value: bigint; readonly bits: number | null; readonly signed: boolean }
  | { readonly kind: 'block'; readonly bytes: Uint8Array }
  | { readonly kind: 'expression'; readonly bytes: Uint8Array }
  | { readonly kind: 'flag'; readonly value: boolean }
  /** Offset of a DIE in .debug_info. */
  | { readonly kind: 'reference'; readonly offset: number }
  | { readonly kind: 'signature'; readonly value: bigint }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'stringOffset'; readonly section: '.debug_str' | '.debug_line_str'; readonly offset: number }
  | { readonly kind: 'stringIndex'; readonly index: number }
  | { readonly kind: 'sectionOffset'; readonly offset: number }
  | { readonly kind: 'listIndex'; readonly index: number }
  /** A reference into a supplementary file, which is not read. */
  | { readonly kind: 'unsupported' };

const unsupported: AttributeValue = { kind: 'unsupported' };

/** Reads one attribute's value; the reader moves behind it. */
export function readForm(reader: Reader, form: number, implicitConst: bigint, unit: UnitFormat): AttributeValue {
  switch (form) {
    case DW_FORM.addr:
      return { kind: 'address', value: reader.unsigned(unit.addressSize) };
    case DW_FORM.addrx:
    case DW_FORM.GNU_addr_index:
      return { kind: 'addressIndex', index: reader.ulebNumber() };
    case DW_FORM.addrx1:
      return { kind: 'addressIndex', index: reader.u8() };
    case DW_FORM.addrx2:
      return { kind: 'addressIndex', index: reader.u16() };
    case DW_FORM.addrx3:
      return { kind: 'addressIndex', index: reader.u24() };
    case DW_FORM.addrx4:
      return { kind: 'addressIndex', index: reader.u32() };
    case DW_FORM.data1:
      return { kind: 'constant', value: BigInt(reader.u8()), bits: 8, signed: false };
    case DW_FORM.data2:
      return { kind: 'constant', value: BigInt(reader.u16()), bits: 16, signed: false };
    case DW_FORM.data4:
      return { kind: 'constant', value: BigInt(reader.u32()), bits: 32, signed: false };
    case DW_FORM.data8:
      return { kind: 'constant', value: reader.u64(), bits: 64, signed: false };
    case DW_FORM.sdata:
      return { kind: 'constant', value: reader.sleb(), bits: null, signed: true };
    case DW_FORM.udata:
      return { kind: 'constant', value: reader.uleb(), bits: null, signed: false };
    case DW_FORM.implicit_const:
      return { kind: 'constant', value: implicitConst, bits: null, signed: true };
    case DW_FORM.data16:
      return { kind: 'block', bytes: reader.take(16) };
    case DW_FORM.block1:
      return { kind: 'block', bytes: reader.take(reader.u8()) };
    case DW_FORM.block2:
      return { kind: 'block', bytes: reader.take(reader.u16()) };
    case DW_FORM.block4:
      return { kind: 'block', bytes: reader.take(reader.u32()) };
    case DW_FORM.block:
      return { kind: 'block', bytes: reader.take(reader.ulebNumber()) };
    case DW_FORM.exprloc:
      return { kind: 'expression', bytes: reader.take(reader.ulebNumber()) };
    case DW_FORM.flag:
      return { kind: 'flag', value: reader.u8() !== 0 };
    case DW_FORM.flag_present:
      return { kind: 'flag', value: true };
    case DW_FORM.string:
      return { kind: 'string', text: reader.cString() };
    case DW_FORM.strp:
      return { kind: 'stringOffset', section: '.debug_str', offset: reader.offset(unit.offsetSize) };
    case DW_FORM.line_strp:
      return { kind: 'stringOffset', section: '.debug_line_str', offset: reader.offset(unit.offsetSize) };
    case DW_FORM.strx:
    case DW_FORM.GNU_str_index:
      return { kind: 'stringIndex', index: reader.ulebNumber() };
    case DW_FORM.strx1:
      return { kind: 'stringIndex', index: reader.u8() };
    case DW_FORM.strx2:
      return { kind: 'stringIndex', index: reader.u16() };
    case DW_FORM.strx3:
      return { kind: 'stringIndex', index: reader.u24() };
    case DW_FORM.strx4:
      return { kind: 'stringIndex', index: reader.u32() };
    case DW_FORM.ref1:
      return { kind: 'reference', offset: unit.offset + reader.u8() };
    case DW_FORM.ref2:
      return { kind: 'reference', offset: unit.offset + reader.u16() };
    case DW_FORM.ref4:
      return { kind: 'reference', offset: unit.offset + reader.u32() };
    case DW_FORM.ref8:
      return { kind: 'reference', offset: unit.offset + reader.offset(8) };
    case DW_FORM.ref_udata:
      return { kind: 'reference', offset: unit.offset + reader.ulebNumber() };
    case DW_FORM.ref_addr:
      return { kind: 'reference', offset: reader.offset(unit.version === 2 ? unit.addressSize : unit.offsetSize) };
    case DW_FORM.ref_sig8:
      return { kind: 'signature', value: reader.u64() };
    case DW_FORM.sec_offset:
      return { kind: 'sectionOffset', offset: reader.offset(unit.offsetSize) };
    case DW_FORM.loclistx:
    case DW_FORM.rnglistx:
      return { kind: 'listIndex', index: reader.ulebNumber() };
    case DW_FORM.ref_sup4:
      reader.skip(4);
      return unsupported;
    case DW_FORM.ref_sup8:
      reader.skip(8);
      return unsupported;
    case DW_FORM.strp_sup:
    case DW_FORM.GNU_ref_alt:
    case DW_FORM.GNU_strp_alt:
      reader.skip(unit.offsetSize);
      return unsupported;
    case DW_FORM.indirect: {
      const actual = reader.ulebNumber();
      if (actual === DW_FORM.indirect || actual === DW_FORM.implicit_const) {
        throw reader.malformed('an indirect form that is indirect itself');
      }
      return readForm(reader, actual, 0n, unit);
    }
    default:
      throw reader.malformed(`form 0x${form.toString(16)} does not exist`);
  }
}

/** Moves behind an attribute's value without making it. */
export function skipForm(reader: Reader, form: number, unit: UnitFormat): void {
  switch (form) {
    case DW_FORM.flag_present:
    case DW_FORM.implicit_const:
      return;
    case DW_FORM.data1:
    case DW_FORM.ref1:
    case DW_FORM.flag:
    case DW_FORM.strx1:
    case DW_FORM.addrx1:
      return reader.skip(1);
    case DW_FORM.data2:
    case DW_FORM.ref2:
    case DW_FORM.strx2:
    case DW_FORM.addrx2:
      return reader.skip(2);
    case DW_FORM.data4:
    case DW_FORM.ref4:
    case DW_FORM.strx4:
    case DW_FORM.addrx4:
      return reader.skip(4);
    case DW_FORM.data8:
    case DW_FORM.ref8:
    case DW_FORM.ref_sig8:
      return reader.skip(8);
    case DW_FORM.addr:
      return reader.skip(unit.addressSize);
    case DW_FORM.strp:
    case DW_FORM.line_strp:
    case DW_FORM.sec_offset:
      return reader.skip(unit.offsetSize);
    case DW_FORM.string:
      return reader.skipCString();
    case DW_FORM.exprloc:
    case DW_FORM.block:
      return reader.skip(reader.ulebNumber());
    case DW_FORM.block1:
      return reader.skip(reader.u8());
    case DW_FORM.udata:
    case DW_FORM.sdata:
    case DW_FORM.ref_udata:
    case DW_FORM.strx:
    case DW_FORM.addrx:
    case DW_FORM.loclistx:
    case DW_FORM.rnglistx:
      while (reader.u8() >= 0x80);
      return;
    default:
      readForm(reader, form, 0n, unit);
  }
}
