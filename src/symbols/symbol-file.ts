/** One open ELF file, synchronously: what `SymbolFile` promises, done. Local and remote services wrap it. */

import type {
  CallSite,
  ElfSummary,
  ElfSymbol,
  EnumeratorHit,
  FrameScopes,
  FunctionAtPc,
  FunctionBreakpoint,
  FunctionInfo,
  InlinedInstance,
  LineBreakpoint,
  LineLocation,
  LineRow,
  ReadableBytes,
  SourceFile,
  SourcePosition,
  StepRanges,
  SymbolErrorData,
  SymbolHit,
  Type,
  TypeId,
  UnwindRow,
  VariableInfo,
} from './api.ts';
import { BreakpointPlanner } from './breakpoints.ts';
import { CachedBytes } from './cached-bytes.ts';
import { checksumOf } from './checksum.ts';
import { CallFrames } from './dwarf/call-frame.ts';
import { CallSites } from './dwarf/call-sites.ts';
import type { ExpandedFile } from './compressed-sections.ts';
import { DW_AT, DW_TAG } from './dwarf/constants.ts';
import { DebugInfo } from './dwarf/debug-info.ts';
import { FunctionTable, type FunctionEntry } from './dwarf/functions.ts';
import { LineTable } from './dwarf/line-table.ts';
import { NameIndex } from './dwarf/name-index.ts';
import { ScopeReader } from './dwarf/scopes.ts';
import { DebugSections } from './dwarf/sections.ts';
import { enumeratorValue, findType, TypeBuilder } from './dwarf/types.ts';
import { linkageName, type Unit, type UnitDie } from './dwarf/unit.ts';
import { ElfFile } from './elf.ts';
import { compareBigint } from './search.ts';
import { SymbolTable } from './symbol-table.ts';
import { Warnings } from './warnings.ts';

const defaultTypeLimit = 2_000;

/** The synchronous counterpart of `SymbolFile`; the methods have the same meaning. */
export class SymbolFileReader {
  readonly elf: ElfSummary;
  readonly #file: ReadableBytes;
  readonly #elf: ElfFile;
  readonly #warnings = new Warnings();
  readonly #info: DebugInfo;
  readonly #lines: LineTable;
  readonly #functions: FunctionTable;
  readonly #breakpoints: BreakpointPlanner;
  readonly #types: TypeBuilder;
  readonly #calls: CallSites;
  readonly #scopes: ScopeReader;
  readonly #frames: CallFrames;
  #symbols: SymbolTable | null = null;
  #names: NameIndex | null = null;
  /** A large file: the names of the units that were asked about last. */
  #unitNames: { readonly key: string; readonly index: NameIndex } | null = null;

  /** Reads the headers. Throws SymbolError. */
  constructor(bytes: ReadableBytes, name: string, expanded?: ExpandedFile) {
    this.#file = bytes;
    this.#elf = new ElfFile(new CachedBytes(expanded?.bytes ?? bytes), name, expanded?.places);
    for (const problem of expanded?.problems ?? []) this.#warnings.add(problem);
    const sections = new DebugSections(this.#elf, this.#warnings);
    this.#info = new DebugInfo(sections);
    this.#lines = new LineTable(this.#info);
    this.#functions = new FunctionTable(this.#info);
    this.#breakpoints = new BreakpointPlanner(this.#elf, this.#info, this.#lines, this.#functions);
    this.#types = new TypeBuilder(this.#info, () => this.#nameIndex());
    const symbolAddress = (symbol: string): bigint | null => this.symbolsNamed(symbol)[0]?.address ?? null;
    this.#calls = new CallSites(this.#functions, symbolAddress);
    this.#scopes = new ScopeReader(this.#functions, this.#lines, this.#types, this.#calls, symbolAddress);
    this.#frames = new CallFrames(sections);
    const { class: elfClass, machine, type, entry, segments, sections: headers, buildId, debugLink } = this.#elf;
    this.elf = {
      name,
      class: elfClass,
      machine,
      type,
      entry,
      pointerSize: this.#info.units[0]?.header.addressSize ?? (elfClass === 64 ? 8 : 4),
      segments,
      sections: headers,
      buildId,
      debugLink,
      hasDebugInformation: this.#info.units.length > 0,
    };
  }

  get #symbolTable(): SymbolTable {
    this.#symbols ??= new SymbolTable(this.#elf);
    return this.#symbols;
  }

  /** Names of all units; of a large file those of the units at a pc, else none. */
  #nameIndex(units: readonly Unit[] = []): NameIndex {
    if (!this.#info.isLarge) return (this.#names ??= new NameIndex(this.#info));
    const key = units.map(({ header }) => header.offset).join();
    if (this.#unitNames?.key !== key) this.#unitNames = { key, index: new NameIndex(this.#info, units) };
    return this.#unitNames.index;
  }

  #unitsAt(pc: bigint | undefined): readonly Unit[] {
    return pc === undefined ? [] : this.#functions.unitsAt(pc);
  }

  /** The units in which functions of a name are looked for: null for all. A large file's symbol table says which. */
  #unitsOfFunction(name: string): readonly Unit[] | null {
    if (!this.#info.isLarge) return null;
    // GCC's clones have suffixes (.isra.0, .constprop.0, .part.0) that DWARF does not know.
    const symbols = [...this.symbolsNamed(name), ...this.symbolsByPrefix(`${name}.`, 100)];
    const functions = symbols.filter(({ kind }) => kind === 'function');
    return [...new Set(functions.flatMap(({ address }) => this.#functions.unitsAt(address)))];
  }

  symbols(): readonly ElfSymbol[] {
    return this.#symbolTable.all;
  }

  symbolAt(address: bigint): SymbolHit | null {
    return this.#symbolTable.at(address);
  }

  symbolsNamed(name: string): readonly ElfSymbol[] {
    return this.#symbolTable.named(name);
  }

  symbolsByPrefix(prefix: string, limit: number): readonly ElfSymbol[] {
    return this.#symbolTable.byPrefix(prefix, limit);
  }

  readImage(address: bigint, length: number): Uint8Array | null {
    return this.#elf.readImage(address, length);
  }

  sourceFiles(): readonly SourceFile[] {
    for (const unit of this.#info.units) this.#lines.filesOf(unit);
    return this.#lines.files.all.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  }

  findSourceFiles(path: string): readonly SourceFile[] {
    for (const unit of this.#info.units) this.#lines.filesOf(unit);
    return this.#lines.files.find(path);
  }

  lineAt(address: bigint): LineLocation | null {
    return this.#breakpoints.lineAt(address);
  }

  lineTable(): readonly LineRow[] {
    const programs = new Set<number>();
    const rows: LineRow[] = [];
    for (const unit of this.#info.units) {
      // Type units may share the program of their compilation unit.
      const program = unit.bases.lineProgram;
      if (program === null || programs.has(program)) continue;
      programs.add(program);
      for (const sequence of this.#lines.sequences(unit)) for (const row of sequence.rows) rows.push(row);
    }
    return rows.toSorted((a, b) => compareBigint(a.address, b.address));
  }

  breakpointAddresses(file: number, line: number, column?: number): LineBreakpoint | null {
    return this.#breakpoints.lineBreakpoint(file, line, column);
  }

  breakpointLocations(file: number, startLine: number, endLine: number): readonly SourcePosition[] {
    return this.#breakpoints.positions(file, startLine, endLine);
  }

  functionBreakpoints(name: string): readonly FunctionBreakpoint[] {
    const found = this.#breakpoints.functionBreakpoints(name, this.#unitsOfFunction(name));
    if (found.length > 0) return found;
    return this.symbolsNamed(name)
      .filter(({ kind, section }) => (kind === 'function' || kind === 'none') && section !== '*ABS*')
      .map(({ address }) => ({
        address,
        entry: address,
        functionName: name,
        inlined: false,
        location: this.lineAt(address),
      }));
  }

  prologueEnd(address: bigint): bigint | null {
    return this.#breakpoints.prologueEnd(address);
  }

  stepRanges(pc: bigint): StepRanges | null {
    return this.#breakpoints.stepRanges(pc);
  }

  functionAt(pc: bigint): FunctionAtPc | null {
    const path = this.#functions.pathAt(pc);
    const entry = this.#functions.at(pc);
    if (path === null || entry === null) return null;
    const inlined = path.nested.filter(({ tag }) => tag === DW_TAG.inlined_subroutine).toReversed();
    return {
      function: this.#describe(entry, path.function),
      inlined: inlined.map((die) => this.#describeInlined(die)),
      frameBase: this.#scopes.frameBase(path, pc),
    };
  }

  #describe({ name, entry, ranges, id }: FunctionEntry, die: UnitDie): FunctionInfo {
    const { unit } = die;
    const file = unit.inherited(die, DW_AT.decl_file);
    const number = file?.value.kind === 'constant' ? Number(file.value.value) : null;
    return {
      name,
      linkageName: linkageName(die),
      entry,
      ranges,
      external: unit.inheritedFlag(die, DW_AT.external),
      declarationFile: file === null ? -1 : this.#lines.fileId(file.owner.unit, number),
      declarationLine: unit.inheritedNumber(die, DW_AT.decl_line) ?? 0,
      returnType: this.#types.idOf(die),
      id,
    };
  }

  #describeInlined(die: UnitDie): InlinedInstance {
    const { unit } = die;
    const ranges = this.#functions.rangesOf(die);
    return {
      name: unit.nameOf(die) ?? '',
      ranges,
      entry: unit.entryOf(die, ranges) ?? 0n,
      callFile: this.#lines.fileId(unit, unit.number(die, DW_AT.call_file)),
      callLine: unit.number(die, DW_AT.call_line) ?? 0,
      callColumn: unit.number(die, DW_AT.call_column) ?? 0,
      id: die.offset,
    };
  }

  functionsNamed(name: string): readonly FunctionInfo[] {
    return this.#allFunctions((entry) => entry.name === name, this.#unitsOfFunction(name));
  }

  functions(): readonly FunctionInfo[] {
    return this.#allFunctions(() => true);
  }

  #allFunctions(
    wanted: (entry: FunctionEntry) => boolean,
    units: readonly Unit[] | null = null,
  ): readonly FunctionInfo[] {
    return (units ?? this.#info.units)
      .flatMap((unit) => this.#functions.of(unit))
      .filter(wanted)
      .flatMap((entry) => {
        const die = this.#info.dieAt(entry.id);
        return die === null ? [] : [this.#describe(entry, die)];
      })
      .toSorted((a, b) => compareBigint(a.ranges[0]?.start ?? 0n, b.ranges[0]?.start ?? 0n));
  }

  scopesAt(pc: bigint): readonly FrameScopes[] {
    return this.#scopes.at(pc);
  }

  unitGlobals(pc: bigint): readonly VariableInfo[] {
    const [unit] = this.#functions.unitsAt(pc);
    return unit === undefined ? [] : this.#scopes.unitGlobals(unit);
  }

  globalsNamed(name: string, pc?: bigint): readonly VariableInfo[] {
    const units = this.#unitsAt(pc);
    const names = this.#nameIndex(units);
    const entries = names.ordered(names.variables, name, units);
    const definitions = entries.filter(({ declaration }) => !declaration);
    // A variable that C only declares is defined in assembly or by the linker: one declaration stands for it.
    const chosen = definitions.length > 0 ? definitions : entries.slice(0, 1);
    return chosen.flatMap(({ id }) => {
      const die = this.#info.dieAt(id);
      const variable = die === null ? null : this.#scopes.variable(die, null);
      return variable === null ? [] : [variable];
    });
  }

  globalNamesByPrefix(prefix: string, limit: number): readonly string[] {
    return this.#nameIndex()
      .variableNames.filter((name) => name.startsWith(prefix))
      .slice(0, limit);
  }

  enumeratorNamed(name: string, pc?: bigint): EnumeratorHit | null {
    const units = this.#unitsAt(pc);
    const names = this.#nameIndex(units);
    const [entry] = names.ordered(names.enumerators, name, units);
    const die = entry === undefined ? null : this.#info.dieAt(entry.id);
    if (die === null || die.parent === null) return null;
    return { value: enumeratorValue(die), type: die.parent.offset };
  }

  callSiteAt(returnAddress: bigint): CallSite | null {
    return this.#warnings.guard(() => this.#calls.at(returnAddress), null);
  }

  types(ids: readonly TypeId[], limit: number = defaultTypeLimit): readonly Type[] {
    return this.#types.graph(ids, limit);
  }

  typeNamed(name: string, pc?: bigint): TypeId | null {
    const units = this.#unitsAt(pc);
    return findType(this.#nameIndex(units), name, units);
  }

  unwindRowAt(pc: bigint): UnwindRow | null {
    return this.#frames.rowAt(pc);
  }

  checksum(): number {
    return checksumOf(this.#file);
  }

  warnings(): readonly SymbolErrorData[] {
    return this.#warnings.list;
  }

  /** Lets go of the file. Nothing may be asked any more. */
  close(): void {
    this.#elf.bytes.close?.();
  }
}
