/** Makes an expression independent of its file: finds the addresses and base types that its operations name. */

import { SymbolError, type BaseTypeEncoding, type DwarfExpression, type ExpressionBaseType } from '../api.ts';
import { Reader } from '../reader.ts';
import { DW_AT, DW_ATE, DW_OP, DW_TAG } from './constants.ts';
import type { Unit } from './unit.ts';

const encodings = new Map<number, BaseTypeEncoding>([
  [DW_ATE.address, 'address'],
  [DW_ATE.boolean, 'boolean'],
  [DW_ATE.complex_float, 'complexFloat'],
  [DW_ATE.float, 'float'],
  [DW_ATE.signed, 'signed'],
  [DW_ATE.signed_char, 'signedChar'],
  [DW_ATE.unsigned, 'unsigned'],
  [DW_ATE.unsigned_char, 'unsignedChar'],
  [DW_ATE.UTF, 'utf'],
]);

/** The name of a DW_ATE_* number. */
export function baseTypeEncoding(number: number | null): BaseTypeEncoding {
  return encodings.get(number ?? 0) ?? 'other';
}

export function portableExpression(unit: Unit, bytes: Uint8Array): DwarfExpression {
  const { addressSize, offsetSize, version } = unit.header;
  // A copy, lest the message to another thread carries the whole section.
  const own = bytes.slice();
  const found = inspect(unit, own);
  // An address that does not move with the file is a number, which no load bias is added to.
  for (const [position, operation] of found.unmoved) own[position] = operation;
  return {
    bytes: own,
    addressSize,
    offsetSize,
    version,
    addresses: [...found.addresses].map(([index, value]) => ({ index, value })),
    baseTypes: [...found.baseTypes.values()],
  };
}

/** Whether an expression depends on what registers held when the function was entered. */
export function mentionsEntryValue(unit: Unit, bytes: Uint8Array): boolean {
  return inspect(unit, bytes).entryValue;
}

interface Found {
  readonly addresses: Map<number, bigint>;
  readonly baseTypes: Map<number, ExpressionBaseType>;
  /** Positions of operations that push such addresses, and those that push the same as a number. */
  readonly unmoved: Map<number, number>;
  entryValue: boolean;
}

function inspect(unit: Unit, bytes: Uint8Array): Found {
  const found: Found = { addresses: new Map(), baseTypes: new Map(), unmoved: new Map(), entryValue: false };
  try {
    scan(new Reader(bytes, { file: unit.info.sections.elf.name, section: null, fileOffset: 0 }), unit, found, 0);
  } catch (error) {
    // What is damaged shows when it is evaluated, if it matters.
    if (!(error instanceof SymbolError)) throw error;
  }
  return found;
}

/** Walks over the operations in the order of the bytes (DWARF 5, 7.7.1 gives the operands). */
function scan(reader: Reader, unit: Unit, found: Found, depth: number): void {
  const { addressSize, offsetSize, version } = unit.header;
  const { placement } = unit.info.sections.elf;
  const type = (offset: number): void => {
    if (offset === 0 || found.baseTypes.has(offset)) return;
    const die = unit.info.dieAt(unit.header.offset + offset);
    if (die?.tag !== DW_TAG.base_type) return;
    const byteSize = unit.number(die, DW_AT.byte_size) ?? 0;
    if (byteSize > 16) return;
    found.baseTypes.set(offset, {
      offset,
      byteSize,
      encoding: baseTypeEncoding(unit.number(die, DW_AT.encoding)),
    });
  };
  while (reader.remaining > 0) {
    const operation = reader.u8();
    if (operation >= DW_OP.breg0 && operation <= DW_OP.breg31) {
      reader.sleb();
      continue;
    }
    const position = reader.position - 1;
    switch (operation) {
      case DW_OP.addr:
        if (!placement.moves(reader.unsigned(addressSize)))
          found.unmoved.set(position, addressSize === 8 ? DW_OP.const8u : DW_OP.const4u);
        break;
      case DW_OP.addrx:
      case DW_OP.constx:
      case DW_OP.GNU_addr_index:
      case DW_OP.GNU_const_index: {
        const index = reader.ulebNumber();
        const address = unit.indexedAddress(index);
        found.addresses.set(index, address);
        if (placement.moves(address)) break;
        if (operation === DW_OP.addrx) found.unmoved.set(position, DW_OP.constx);
        if (operation === DW_OP.GNU_addr_index) found.unmoved.set(position, DW_OP.GNU_const_index);
        break;
      }
      case DW_OP.const1u:
      case DW_OP.const1s:
      case DW_OP.pick:
      case DW_OP.deref_size:
      case DW_OP.xderef_size:
        reader.skip(1);
        break;
      case DW_OP.const2u:
      case DW_OP.const2s:
      case DW_OP.skip:
      case DW_OP.bra:
      case DW_OP.call2:
        reader.skip(2);
        break;
      case DW_OP.const4u:
      case DW_OP.const4s:
      case DW_OP.call4:
      case DW_OP.GNU_parameter_ref:
        reader.skip(4);
        break;
      case DW_OP.const8u:
      case DW_OP.const8s:
        reader.skip(8);
        break;
      case DW_OP.constu:
      case DW_OP.consts:
      case DW_OP.plus_uconst:
      case DW_OP.regx:
      case DW_OP.fbreg:
      case DW_OP.piece:
        reader.uleb();
        break;
      case DW_OP.bregx:
      case DW_OP.bit_piece:
        reader.uleb();
        reader.uleb();
        break;
      case DW_OP.call_ref:
      case DW_OP.GNU_variable_value:
        reader.skip(offsetSize);
        break;
      case DW_OP.implicit_value:
        reader.skip(reader.ulebNumber());
        break;
      case DW_OP.implicit_pointer:
      case DW_OP.GNU_implicit_pointer:
        reader.skip(version === 2 ? addressSize : offsetSize);
        reader.uleb();
        break;
      case DW_OP.entry_value:
      case DW_OP.GNU_entry_value: {
        const inner = reader.slice(reader.ulebNumber());
        found.entryValue = true;
        if (depth < 4) scan(inner, unit, found, depth + 1);
        break;
      }
      case DW_OP.const_type:
      case DW_OP.GNU_const_type:
        type(reader.ulebNumber());
        reader.skip(reader.u8());
        break;
      case DW_OP.regval_type:
      case DW_OP.GNU_regval_type:
        reader.uleb();
        type(reader.ulebNumber());
        break;
      case DW_OP.deref_type:
      case DW_OP.xderef_type:
      case DW_OP.GNU_deref_type:
        reader.u8();
        type(reader.ulebNumber());
        break;
      case DW_OP.convert:
      case DW_OP.reinterpret:
      case DW_OP.GNU_convert:
      case DW_OP.GNU_reinterpret:
        type(reader.ulebNumber());
        break;
    }
  }
}
