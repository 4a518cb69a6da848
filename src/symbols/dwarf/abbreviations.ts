/** Abbreviation tables (DWARF 5, 7.5.3). */

import type { Reader } from '../reader.ts';
import { DW_FORM } from './constants.ts';

export interface AttributeSpecification {
  readonly attribute: number;
  readonly form: number;
  /** The value of DW_FORM_implicit_const. */
  readonly implicitConst: bigint;
}

export interface Abbreviation {
  readonly code: number;
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly attributes: readonly AttributeSpecification[];
}

export type AbbreviationTable = ReadonlyMap<number, Abbreviation>;

/** Compilers use some thirty. Attributes may take no space in an entry, so that damage could multiply work. */
const attributeLimit = 256;

/** Reads the table that begins at the reader's position. */
export function parseAbbreviations(reader: Reader): AbbreviationTable {
  const table = new Map<number, Abbreviation>();
  while (reader.remaining > 0) {
    const code = reader.ulebNumber();
    if (code === 0) break;
    const tag = reader.ulebNumber();
    const hasChildren = reader.u8() !== 0;
    const attributes: AttributeSpecification[] = [];
    for (;;) {
      const attribute = reader.ulebNumber();
      const form = reader.ulebNumber();
      const implicitConst = form === DW_FORM.implicit_const ? reader.sleb() : 0n;
      if (attribute === 0 && form === 0) break;
      if (attributes.length >= attributeLimit) throw reader.malformed(`abbreviation ${code} has too many attributes`);
      attributes.push({ attribute, form, implicitConst });
    }
    // The first of two equal codes counts, as for other readers.
    if (!table.has(code)) table.set(code, { code, tag, hasChildren, attributes });
  }
  return table;
}
