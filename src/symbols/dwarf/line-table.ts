/** Line tables of all units: rows by address and by source line. */

import type { AddressRange, LineRow } from '../api.ts';
import { compareBigint, lastNotAbove } from '../search.ts';
import { joinPath, SourceFiles } from '../source-files.ts';
import type { DebugInfo } from './debug-info.ts';
import { lineProgramLength, parseLineHeader, runLineProgram, type LineProgramHeader } from './line-program.ts';
import type { Unit } from './unit.ts';

/** Rows of contiguous code, sorted by address; the last one is the end. */
export interface Sequence {
  readonly start: bigint;
  readonly end: bigint;
  readonly rows: readonly LineRow[];
}

/** The row that stands for an address, and how far. */
export interface EffectiveRow {
  readonly row: LineRow;
  readonly start: bigint;
  readonly end: bigint;
}

interface Program {
  readonly header: LineProgramHeader;
  /** Program file number to SourceFile.id. */
  readonly files: readonly number[];
  sequences: readonly Sequence[] | null;
}

export class LineTable {
  readonly files = new SourceFiles();
  readonly #info: DebugInfo;
  readonly #programs = new Map<number, Program | null>();

  constructor(info: DebugInfo) {
    this.#info = info;
  }

  /** SourceFile.id of a file number of the unit (as DW_AT_decl_file and DW_AT_call_file use it), or -1. */
  fileId(unit: Unit, number: number | null): number {
    return number === null ? -1 : (this.#program(unit)?.files[number] ?? -1);
  }

  /** Ids of all files that the unit's table names. */
  filesOf(unit: Unit): readonly number[] {
    return this.#program(unit)?.files ?? [];
  }

  /** The unit's code, sorted by start. Rows of code that the linker threw away are left out. */
  sequences(unit: Unit): readonly Sequence[] {
    const program = this.#program(unit);
    if (program === null) return [];
    program.sequences ??= this.#info.sections.warnings.guard(() => this.#run(program), []);
    return program.sequences;
  }

  /** The row of the unit that stands for an address. */
  at(unit: Unit, address: bigint): EffectiveRow | null {
    const sequences = this.sequences(unit);
    // Sequences may overlap in odd files; the last that starts before the address is the one that matters.
    for (let index = lastNotAbove(sequences, address, ({ start }) => start); index >= 0; index--) {
      const sequence = sequences[index];
      if (sequence === undefined) break;
      if (address < sequence.end) return rowIn(sequence, address);
      if (address - sequence.start > 1n << 32n) break;
    }
    return null;
  }

  /** Every stretch of the unit's code with the row that stands for it, within [start, end). */
  effectiveRows(unit: Unit, range: AddressRange): EffectiveRow[] {
    const found: EffectiveRow[] = [];
    for (const { start, end, rows } of this.sequences(unit)) {
      if (end <= range.start || start >= range.end) continue;
      const first = Math.max(
        0,
        lastNotAbove(rows, range.start, ({ address }) => address),
      );
      let index = firstOfAddress(rows, first);
      while (index < rows.length) {
        const last = lastOfAddress(rows, index);
        const next = rows[last + 1];
        const row = preferred(rows, index, last);
        if (row === null || next === undefined || row.address >= range.end) break;
        found.push({ row, start: row.address, end: next.address });
        index = last + 1;
      }
    }
    return found;
  }

  #program(unit: Unit): Program | null {
    const offset = unit.bases.lineProgram;
    if (offset === null) return null;
    let program = this.#programs.get(offset);
    if (program === undefined) {
      program = this.#info.sections.warnings.guard(() => this.#open(unit, offset), null);
      this.#programs.set(offset, program);
    }
    return program;
  }

  #open(unit: Unit, offset: number): Program {
    const { sections } = this.#info;
    const length = lineProgramLength(
      sections.reader('.debug_line', offset, Math.min(12, sections.size('.debug_line') - offset)),
    );
    const reader = sections.reader('.debug_line', offset, length);
    const header = parseLineHeader(reader, unit.format, (value) => unit.text(value));
    sections.charge('.debug_line', header.files.length + header.directories.length);
    const directory = (index: number): string => {
      const path = header.directories[index] ?? '';
      return index === 0 && path === '' ? unit.directory : joinPath(unit.directory, path);
    };
    const files = header.files.map((file) =>
      file === null ? -1 : this.files.addIn(directory(file.directory), file.path, file.md5),
    );
    // A kernel's two thousand units name the same headers over and over: only the numbers are kept.
    return { header: { ...header, directories: [], files: [] }, files, sequences: null };
  }

  #run(program: Program): Sequence[] {
    const { sections } = this.#info;
    const { rows, damage } = runLineProgram(program.header);
    if (damage !== null) sections.warnings.add(damage);
    sections.charge('.debug_line', rows.length);
    const sequences: Sequence[] = [];
    let current: LineRow[] = [];
    for (const raw of rows) {
      const previous = current[current.length - 1];
      const view = previous?.address === raw.address ? previous.view + 1 : 0;
      const row: LineRow = { ...raw, file: program.files[raw.file] ?? -1, view };
      current.push(row);
      if (row.endSequence) {
        const sequence = makeSequence(current);
        if (sequence !== null && sections.elf.placement.hasCode(sequence.start)) sequences.push(sequence);
        current = [];
      }
    }
    return sequences.toSorted((a, b) => compareBigint(a.start, b.start));
  }
}

function makeSequence(rows: readonly LineRow[]): Sequence | null {
  const ascending = rows.every((row, index) => index === 0 || (rows[index - 1]?.address ?? 0n) <= row.address);
  // The sort is stable, and an end stays behind rows of its address.
  const sorted = ascending ? rows : rows.toSorted((a, b) => compareBigint(a.address, b.address));
  const start = sorted[0]?.address;
  const end = sorted[sorted.length - 1]?.address;
  return start === undefined || end === undefined || start >= end ? null : { start, end, rows: sorted };
}

function rowIn({ rows }: Sequence, address: bigint): EffectiveRow | null {
  const last = lastNotAbove(rows, address, (row) => row.address);
  const row = preferred(rows, firstOfAddress(rows, last), last);
  const next = rows[last + 1];
  return row === null || next === undefined ? null : { row, start: row.address, end: next.address };
}

function firstOfAddress(rows: readonly LineRow[], index: number): number {
  const address = rows[index]?.address;
  let first = index;
  while (first > 0 && rows[first - 1]?.address === address) first--;
  return first;
}

function lastOfAddress(rows: readonly LineRow[], index: number): number {
  const address = rows[index]?.address;
  let last = index;
  while (last + 1 < rows.length && rows[last + 1]?.address === address) last++;
  return last;
}

/** Of rows with one address: the last, unless only an earlier one is a statement (as gdb chooses). */
function preferred(rows: readonly LineRow[], first: number, last: number): LineRow | null {
  const row = rows[last] ?? null;
  if (row === null || row.isStmt) return row;
  for (let index = last - 1; index >= first; index--) {
    const earlier = rows[index];
    if (earlier !== undefined && earlier.isStmt && earlier.line !== 0) return earlier;
  }
  return row;
}
