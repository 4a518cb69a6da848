/** Where breakpoints go, and what a step by line covers. */

import type {
  AddressRange,
  BreakpointAddress,
  FunctionBreakpoint,
  LineBreakpoint,
  LineLocation,
  LineRow,
  SourcePosition,
  StepRanges,
} from './api.ts';
import { DW_AT, DW_TAG } from './dwarf/constants.ts';
import type { DebugInfo } from './dwarf/debug-info.ts';
import type { FunctionTable, ScopePath } from './dwarf/functions.ts';
import type { EffectiveRow, LineTable } from './dwarf/line-table.ts';
import type { Unit, UnitDie } from './dwarf/unit.ts';
import type { ElfFile } from './elf.ts';
import { skipPrologue } from './prologue.ts';
import { compareBigint, covers, intersectRanges, normaliseRanges, subtractRanges } from './search.ts';

export class BreakpointPlanner {
  readonly #elf: ElfFile;
  readonly #info: DebugInfo;
  readonly #lines: LineTable;
  readonly #functions: FunctionTable;
  readonly #rowsOfFile = new Map<number, readonly LineRow[]>();
  #inlinedByName: ReadonlyMap<string, readonly { unit: Unit; id: number }[]> | null = null;

  constructor(elf: ElfFile, info: DebugInfo, lines: LineTable, functions: FunctionTable) {
    this.#elf = elf;
    this.#info = info;
    this.#lines = lines;
    this.#functions = functions;
  }

  /** The row that stands for an address. */
  rowAt(address: bigint): EffectiveRow | null {
    for (const unit of this.#functions.unitsAt(address)) {
      const row = this.#lines.at(unit, address);
      if (row !== null) return row;
    }
    return null;
  }

  /** See `SymbolFile.lineAt`. */
  lineAt(address: bigint): LineLocation | null {
    const found = this.rowAt(address);
    const file = found === null ? null : this.#lines.files.get(found.row.file);
    if (found === null || file === null) return null;
    const { line, column, isStmt } = found.row;
    return { file, line, column, isStmt, start: found.start, end: found.end };
  }

  /** See `SymbolFile.breakpointAddresses`. */
  lineBreakpoint(fileId: number, line: number, column: number | undefined): LineBreakpoint | null {
    const file = this.#lines.files.get(fileId);
    const rows = this.#statementsOf(fileId);
    // Rows are sorted by line: the first that is not above it decides which line it becomes.
    const actual = rows.find((row) => row.line >= line)?.line;
    if (file === null || actual === undefined) return null;
    const onLine = rows.filter((row) => row.line === actual);
    const onColumn = onLine.filter((row) => row.column === column);
    const candidates = onColumn.length > 0 ? onColumn : onLine;
    const addresses = this.#onePerInstance(candidates);
    if (addresses.length === 0) return null;
    return { file, line: actual, column: onColumn.length > 0 ? (column ?? 0) : 0, addresses };
  }

  /** See `SymbolFile.breakpointLocations`. */
  positions(fileId: number, startLine: number, endLine: number): readonly SourcePosition[] {
    const found: SourcePosition[] = [];
    for (const { line, column } of this.#statementsOf(fileId)) {
      if (line < startLine || line > endLine) continue;
      const last = found[found.length - 1];
      if (last?.line !== line || last.column !== column) found.push({ line, column });
    }
    return found;
  }

  /** `is_stmt` rows of a file that stand for code, sorted by line, column, address. */
  #statementsOf(fileId: number): readonly LineRow[] {
    let rows = this.#rowsOfFile.get(fileId);
    if (rows === undefined) {
      rows = this.#info.units
        .filter((unit) => unit.isCompilation && this.#lines.filesOf(unit).includes(fileId))
        .flatMap((unit) => this.#lines.sequences(unit))
        .flatMap((sequence) => sequence.rows)
        .filter((row) => row.file === fileId && row.isStmt && !row.endSequence && row.line > 0)
        .toSorted((a, b) => a.line - b.line || a.column - b.column || compareBigint(a.address, b.address));
      this.#rowsOfFile.set(fileId, rows);
    }
    return rows;
  }

  /** Groups rows by function or inlined instance and takes the first address of each. */
  #onePerInstance(rows: readonly LineRow[]): BreakpointAddress[] {
    const groups = new Map<number, { path: ScopePath | null; scope: UnitDie | null; addresses: bigint[] }>();
    for (const row of rows) {
      const path = this.#functions.pathAt(row.address);
      const scope = path === null ? null : this.#scopeOfRow(path, row);
      // Code without a function, such as assembly, is all one group for each address.
      const key = scope?.offset ?? -1 - groups.size;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { path, scope, addresses: [row.address] });
      else group.addresses.push(row.address);
    }
    const found = new Map<bigint, BreakpointAddress>();
    for (const { path, scope, addresses } of groups.values()) {
      const address = this.#bestAddress(path, scope, addresses);
      const functionName = scope?.unit.nameOf(scope) ?? null;
      const inlined = scope?.tag === DW_TAG.inlined_subroutine;
      if (!found.has(address)) found.set(address, { address, functionName, inlined });
    }
    return [...found.values()].toSorted((a, b) => compareBigint(a.address, b.address));
  }

  /**
   * The function or inlined instance that a row belongs to. Rows of the code around an inlined call may have the
   * address of its first instruction: the number of the instance's entry view tells them apart, and where there is
   * none, whether the row is that of the call itself.
   */
  #scopeOfRow(path: ScopePath, row: LineRow): UnitDie {
    const frames = [path.function, ...path.nested.filter(({ tag }) => tag === DW_TAG.inlined_subroutine)];
    for (let depth = frames.length - 1; depth > 0; depth--) {
      const scope = frames[depth];
      if (scope !== undefined && !this.#isBefore(row, scope)) return scope;
    }
    return path.function;
  }

  #isBefore(row: LineRow, scope: UnitDie): boolean {
    const { unit } = scope;
    const ranges = this.#functions.rangesOf(scope);
    const entryView = unit.number(scope, DW_AT.GNU_entry_view);
    if (entryView !== null && unit.entryOf(scope, ranges) === row.address) return row.view < entryView;
    const begins = ranges.some(({ start }) => start === row.address);
    const isCall =
      unit.number(scope, DW_AT.call_line) === row.line &&
      this.#lines.fileId(unit, unit.number(scope, DW_AT.call_file)) === row.file;
    return begins && isCall;
  }

  #bestAddress(path: ScopePath | null, scope: UnitDie | null, addresses: readonly bigint[]): bigint {
    const sorted = addresses.toSorted(compareBigint);
    const [lowest = 0n] = sorted;
    if (path === null || scope === null) return lowest;
    const ranges = this.#functions.rangesOf(scope);
    const entry = path.unit.entryOf(scope, ranges);
    // Cold parts lie elsewhere: the part with the entry is what a person means.
    const main = ranges.filter((range) => entry !== null && entry >= range.start && entry < range.end);
    const address = sorted.find((candidate) => covers(main, candidate)) ?? lowest;
    const isFunction = scope === path.function;
    return isFunction && address === entry ? this.#afterPrologue(path.unit, address, ranges) : address;
  }

  #afterPrologue(unit: Unit, entry: bigint, ranges: readonly AddressRange[]): bigint {
    return skipPrologue(entry, ranges, {
      readCode: (address, length) => this.#elf.readImage(address, length),
      rowAt: (address) => this.#lines.at(unit, address),
      locationsValidAtEntry: unit.producer.startsWith('GNU ') && this.#functions.hasLocationLists(unit),
      secondRowEndsPrologue: unit.producer.includes('clang'),
    });
  }

  /** See `SymbolFile.prologueEnd`. */
  prologueEnd(address: bigint): bigint | null {
    const entry = this.#functions.at(address);
    return entry === null ? null : this.#afterPrologue(entry.unit, entry.entry, entry.ranges);
  }

  /** See `SymbolFile.functionBreakpoints`; ELF symbols are the caller's. Looks into some units, or into all. */
  functionBreakpoints(name: string, units: readonly Unit[] | null = null): FunctionBreakpoint[] {
    const found: FunctionBreakpoint[] = [];
    for (const unit of units ?? this.#info.units) {
      for (const entry of this.#functions.of(unit)) {
        if (entry.name !== name) continue;
        const address = this.#afterPrologue(unit, entry.entry, entry.ranges);
        const location = this.lineAt(address);
        found.push({ address, entry: entry.entry, functionName: name, inlined: false, location });
      }
    }
    const inlined = units === null ? this.#inlined() : this.#inlinedIn(units);
    for (const { unit, id } of inlined.get(name) ?? []) {
      const die = this.#info.dieAt(id);
      if (die === null) continue;
      const entry = unit.entryOf(die, this.#functions.rangesOf(die));
      if (entry === null || !this.#elf.placement.hasCode(entry)) continue;
      const location = this.lineAt(entry);
      found.push({ address: entry, entry, functionName: name, inlined: true, location });
    }
    const unique = new Map(found.map((item) => [item.address, item]));
    return [...unique.values()].toSorted((a, b) => compareBigint(a.address, b.address));
  }

  #inlined(): ReadonlyMap<string, readonly { unit: Unit; id: number }[]> {
    this.#inlinedByName ??= this.#inlinedIn(this.#info.units);
    return this.#inlinedByName;
  }

  #inlinedIn(units: readonly Unit[]): ReadonlyMap<string, readonly { unit: Unit; id: number }[]> {
    const byName = new Map<string, { unit: Unit; id: number }[]>();
    for (const unit of units) {
      for (const die of unit.entries) {
        if (die.tag !== DW_TAG.inlined_subroutine || this.#functions.rangesOf(die).length === 0) continue;
        const name = unit.nameOf(die);
        if (name === null) continue;
        const item = { unit, id: die.offset };
        const same = byName.get(name);
        if (same === undefined) byName.set(name, [item]);
        else same.push(item);
      }
    }
    return byName;
  }

  /** See `SymbolFile.stepRanges`. */
  stepRanges(pc: bigint): StepRanges | null {
    const current = this.rowAt(pc);
    const file = current === null ? null : this.#lines.files.get(current.row.file);
    if (current === null || file === null) return null;
    const { line, column } = current.row;
    const path = this.#functions.pathAt(pc);
    if (path === null) {
      const ranges = [{ start: current.start, end: current.end }];
      return { file, line, column, ranges, functionRanges: ranges, inlineDepth: 0 };
    }
    const inlined = path.nested.filter(({ tag }) => tag === DW_TAG.inlined_subroutine);
    const scope = inlined[inlined.length - 1] ?? path.function;
    const functionRanges = this.#functions.rangesOf(scope);
    const ofLine = functionRanges
      .flatMap((range) => this.#lines.effectiveRows(path.unit, range))
      .filter(({ row }) => row.line === line && row.file === file.id);
    const deeper = this.#functions.inlinedInside(scope).flatMap((die) => this.#functions.rangesOf(die));
    const ranges = subtractRanges(intersectRanges(normaliseRanges(ofLine), functionRanges), deeper);
    return { file, line, column, ranges, functionRanges, inlineDepth: inlined.length };
  }
}
