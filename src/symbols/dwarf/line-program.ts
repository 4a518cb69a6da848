/** The line number program (DWARF 5, 6.2; versions 2 to 5). */

import type { Reader } from '../reader.ts';
import { DW_LNCT, DW_LNE, DW_LNS } from './constants.ts';
import { readForm, type AttributeValue, type UnitFormat } from './forms.ts';

/** One row of the matrix as the program appends it. `file` is the program's own number. */
export interface ProgramRow {
  readonly address: bigint;
  readonly file: number;
  readonly line: number;
  readonly column: number;
  readonly isStmt: boolean;
  readonly basicBlock: boolean;
  readonly endSequence: boolean;
  readonly prologueEnd: boolean;
  readonly discriminator: number;
}

export interface ProgramFile {
  /** As recorded: may be relative to `directories[directory]`. */
  readonly path: string;
  readonly directory: number;
  readonly md5: string | null;
}

export interface LineProgramHeader {
  readonly version: number;
  /** Number 0 is the compilation directory; empty before version 5, where it is the unit's DW_AT_comp_dir. */
  readonly directories: readonly string[];
  /** Indexed by the number that rows and DW_AT_decl_file use; null where the number stands for nothing. */
  readonly files: readonly (ProgramFile | null)[];
  /** Covers the program's instructions. */
  readonly instructions: Reader;
  readonly addressSize: 4 | 8;
  readonly minimumInstructionLength: number;
  readonly defaultIsStmt: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly standardOpcodeLengths: readonly number[];
}

/** Turns a string attribute into text; null when it is none. */
type Text = (value: AttributeValue) => string | null;

/** Total length of the program at the reader's position, header included. */
export function lineProgramLength(reader: Reader): number {
  const start = reader.position;
  let length = reader.u32();
  if (length === 0xffff_ffff) length = reader.offset(8);
  return reader.position - start + length;
}

/**
 * Parses a program's header.
 *
 * @param reader covers exactly the program
 * @param unit the unit that it belongs to: gives address size and base of string indexes
 */
export function parseLineHeader(reader: Reader, unit: UnitFormat, text: Text): LineProgramHeader {
  let offsetSize: 4 | 8 = 4;
  if (reader.u32() === 0xffff_ffff) {
    offsetSize = 8;
    reader.u64();
  }
  const version = reader.u16();
  if (version < 2 || version > 5) throw reader.malformed(`line table version ${version} is not supported`);
  let addressSize: 4 | 8 = unit.addressSize;
  if (version >= 5) {
    const size = reader.u8();
    if (size !== 4 && size !== 8) throw reader.malformed(`a line table with addresses of ${size} bytes`);
    addressSize = size;
    reader.u8();
  }
  const headerLength = reader.offset(offsetSize);
  const program = reader.at(reader.position);
  program.skip(headerLength);
  const minimumInstructionLength = reader.u8();
  if (version >= 4) reader.u8();
  const defaultIsStmt = reader.u8() !== 0;
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  const standardOpcodeLengths: number[] = [];
  for (let opcode = 1; opcode < opcodeBase; opcode++) standardOpcodeLengths.push(reader.u8());

  const format: UnitFormat = { version, addressSize, offsetSize, offset: unit.offset };
  const tables = version >= 5 ? readTables(reader, format, text) : readOldTables(reader);
  return {
    version,
    ...tables,
    instructions: program,
    addressSize,
    minimumInstructionLength,
    defaultIsStmt,
    lineBase,
    lineRange,
    opcodeBase,
    standardOpcodeLengths,
  };
}

interface Tables {
  readonly directories: readonly string[];
  readonly files: (ProgramFile | null)[];
}

/** Version 5: 6.2.4, directory_entry_format and file_name_entry_format. */
function readTables(reader: Reader, format: UnitFormat, text: Text): Tables {
  const directories = readEntries(reader, format, text).map(({ path }) => path);
  return { directories, files: readEntries(reader, format, text) };
}

function readEntries(reader: Reader, format: UnitFormat, text: Text): ProgramFile[] {
  const columns = Array.from({ length: reader.u8() }, () => ({
    content: reader.ulebNumber(),
    form: reader.ulebNumber(),
  }));
  const count = reader.ulebNumber();
  const entries: ProgramFile[] = [];
  for (let index = 0; index < count; index++) {
    const start = reader.position;
    let path = '';
    let directory = 0;
    let md5: string | null = null;
    for (const { content, form } of columns) {
      const value = readForm(reader, form, 0n, format);
      if (content === DW_LNCT.path) path = text(value) ?? '';
      else if (content === DW_LNCT.directory_index && value.kind === 'constant') directory = Number(value.value);
      else if (content === DW_LNCT.MD5 && value.kind === 'block') md5 = hexadecimal(value.bytes);
    }
    // Forms without bytes would let a small number stand for endless entries.
    if (reader.position === start) throw reader.malformed('a line table has entries without contents');
    entries.push({ path, directory, md5 });
  }
  return entries;
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Versions 2 to 4: lists that end with an empty string; files and directories count from 1. */
function readOldTables(reader: Reader): Tables {
  const directories: string[] = [''];
  for (let path = reader.cString(); path !== ''; path = reader.cString()) directories.push(path);
  const files: (ProgramFile | null)[] = [null];
  for (let path = reader.cString(); path !== ''; path = reader.cString()) files.push(readOldFile(reader, path));
  return { directories, files };
}

function readOldFile(reader: Reader, path: string): ProgramFile {
  const directory = reader.ulebNumber();
  reader.uleb();
  reader.uleb();
  return { path, directory, md5: null };
}

/** The state machine's registers (DWARF 5, 6.2.2). */
class Registers {
  address = 0n;
  file = 1;
  line = 1;
  column = 0;
  isStmt: boolean;
  basicBlock = false;
  prologueEnd = false;
  discriminator = 0;

  constructor(defaultIsStmt: boolean) {
    this.isStmt = defaultIsStmt;
  }

  row(endSequence: boolean): ProgramRow {
    const { address, file, line, column, isStmt, basicBlock, prologueEnd, discriminator } = this;
    this.basicBlock = false;
    this.prologueEnd = false;
    this.discriminator = 0;
    return { address, file, line, column, isStmt, basicBlock, endSequence, prologueEnd, discriminator };
  }
}

/** Runs the program. At most one row comes of each byte, and damage ends it with the rows so far and the error. */
export function runLineProgram(header: LineProgramHeader): { rows: ProgramRow[]; damage: unknown } {
  const rows: ProgramRow[] = [];
  try {
    run(header, rows);
    return { rows, damage: null };
  } catch (error) {
    return { rows, damage: error };
  }
}

function run(header: LineProgramHeader, rows: ProgramRow[]): void {
  const reader = header.instructions.at(header.instructions.position);
  const { opcodeBase, lineBase, lineRange } = header;
  const unitLength = BigInt(header.minimumInstructionLength);
  const addressBits = header.addressSize * 8;
  let state = new Registers(header.defaultIsStmt);
  const advance = (operations: bigint): void => {
    state.address = BigInt.asUintN(addressBits, state.address + operations * unitLength);
  };
  const adjusted = (opcode: number): number => {
    if (lineRange === 0) throw reader.malformed('a line table has a line range of 0');
    return opcode - opcodeBase;
  };
  while (reader.remaining > 0) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) {
      const special = adjusted(opcode);
      advance(BigInt(Math.floor(special / lineRange)));
      state.line += lineBase + (special % lineRange);
      rows.push(state.row(false));
      continue;
    }
    switch (opcode) {
      case 0: {
        const length = reader.ulebNumber();
        const extended = reader.slice(length);
        if (length === 0) break;
        switch (extended.u8()) {
          case DW_LNE.end_sequence:
            rows.push(state.row(true));
            state = new Registers(header.defaultIsStmt);
            break;
          case DW_LNE.set_address:
            state.address = extended.unsigned(extended.remaining);
            break;
          case DW_LNE.define_file:
            // Deprecated, and no compiler here emits it: the file has no number that other tables could use.
            break;
          case DW_LNE.set_discriminator:
            state.discriminator = extended.ulebNumber();
            break;
        }
        break;
      }
      case DW_LNS.copy:
        rows.push(state.row(false));
        break;
      case DW_LNS.advance_pc:
        advance(reader.uleb());
        break;
      case DW_LNS.advance_line:
        state.line = clampLine(state.line + reader.slebNumber());
        break;
      case DW_LNS.set_file:
        state.file = reader.ulebNumber();
        break;
      case DW_LNS.set_column:
        state.column = reader.ulebNumber();
        break;
      case DW_LNS.negate_stmt:
        state.isStmt = !state.isStmt;
        break;
      case DW_LNS.set_basic_block:
        state.basicBlock = true;
        break;
      case DW_LNS.const_add_pc:
        advance(BigInt(Math.floor(adjusted(255) / lineRange)));
        break;
      case DW_LNS.fixed_advance_pc:
        state.address = BigInt.asUintN(addressBits, state.address + BigInt(reader.u16()));
        break;
      case DW_LNS.set_prologue_end:
        state.prologueEnd = true;
        break;
      case DW_LNS.set_epilogue_begin:
        break;
      case DW_LNS.set_isa:
        reader.uleb();
        break;
      default:
        // Unknown standard opcodes say how many LEB128 operands to skip.
        for (let operand = header.standardOpcodeLengths[opcode - 1] ?? 0; operand > 0; operand--) reader.uleb();
    }
  }
}

function clampLine(line: number): number {
  return line < 0 || !Number.isSafeInteger(line) ? 0 : line;
}
