/**
 * The interface of src/symbols: what the debugger may ask about an ELF file and its debugging information.
 *
 * This file together with the pure functions that index.ts re-exports (evaluateLocation, evaluateFrameBase,
 * readLocation, unwindFrame, TypeTable, ...) is all that other folders may use.
 *
 * Three rules hold everywhere:
 *
 * - **Addresses are link-time addresses**, as in the ELF file, and bigint. Whoever relocates a file (KASLR, modules)
 *   subtracts its load bias before asking and adds it to what comes back. Only the pure evaluators, which deal with
 *   run-time registers and memory, take a `loadBias`.
 * - **Every argument and result is plain data** that structured clone can copy, and is immutable by agreement, because
 *   symbols live in a worker of their own.
 * - **Failures are `SymbolError`s** (the promise rejects with one). "There is none" is not a failure: it is `null` or
 *   an empty array. Damaged debugging information of one unit never spoils the answer of another unit.
 *
 * A pc that is a *return address* belongs to the call before it: ask with `returnAddress - 1n`.
 */

import type { UnwindRow } from './api-evaluation.ts';
import type {
  CallSite,
  ElfSummary,
  ElfSymbol,
  EnumeratorHit,
  FrameScopes,
  FunctionAtPc,
  FunctionBreakpoint,
  FunctionInfo,
  LineBreakpoint,
  LineLocation,
  LineRow,
  SourceFile,
  SourcePosition,
  StepRanges,
  SymbolHit,
  VariableInfo,
} from './api-program.ts';
import type { Type, TypeId } from './api-types.ts';

export * from './api-evaluation.ts';
export * from './api-program.ts';
export * from './api-types.ts';

/** Random access to a file's bytes. Synchronous: it is used inside the symbol worker only, which may block. */
export interface ReadableBytes {
  /** Length of the file in bytes. */
  readonly size: number;
  /**
   * The bytes [offset, offset + length), clipped at the end of the file. The result may share memory with the source;
   * callers do not write to it.
   */
  read(offset: number, length: number): Uint8Array;
  /** Lets go of the file; absent where there is nothing to let go of. Called once. */
  close?(): void;
}

/** Where the bytes of a file come from; plain data, so that it can be sent to the worker. */
export type ByteSource =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** A path that the host of the symbol service opens with `SymbolHost.openFile`. */
  | { readonly kind: 'file'; readonly path: string };

/** What the symbol service needs of the world; supplied by the composition root. */
export interface SymbolHost {
  /** Opens a file for reading. Throws when it cannot; the message is shown to the user as the reason. */
  openFile(path: string): ReadableBytes;
}

/** One end of a message channel: a worker's port, Node's parentPort, or a test's loop-back. */
export interface SymbolPort {
  postMessage(message: unknown): void;
  /** Registers the one listener for messages from the other end. */
  onMessage(listener: (message: unknown) => void): void;
}

/** Codes of `SymbolError`. */
export type SymbolErrorCode =
  /** The file could not be opened or read. */
  | 'unreadable'
  /** The file has no bytes. */
  | 'empty'
  /** The file does not begin with the ELF magic number. */
  | 'not-elf'
  /** An ELF file of a kind that is not supported (machine, byte order, class). */
  | 'unsupported'
  /** A header or table reaches beyond the end of the file. */
  | 'truncated'
  /** A field contradicts the format. */
  | 'malformed'
  /** The file was closed, or never opened. */
  | 'closed'
  /** A request to the service that it does not understand, or an argument out of range. */
  | 'bad-request'
  /** The connection to the symbol worker was closed. */
  | 'disconnected';

/** The plain data of a `SymbolError`, as it crosses the worker boundary. */
export interface SymbolErrorData {
  readonly code: SymbolErrorCode;
  /** One sentence for the user: what, where, what to do. Names file and offset where there is one. */
  readonly message: string;
  /** Name of the file as it was given to `open`. */
  readonly file: string;
  /** File offset in bytes, or null when no one place is to blame. */
  readonly offset: number | null;
  /** Name of the section concerned, or null. */
  readonly section: string | null;
}

/** The one kind of error that this folder throws, and that its promises reject with. */
export class SymbolError extends Error {
  readonly code: SymbolErrorCode;
  readonly file: string;
  readonly offset: number | null;
  readonly section: string | null;

  constructor(data: SymbolErrorData) {
    super(data.message);
    this.name = 'SymbolError';
    this.code = data.code;
    this.file = data.file;
    this.offset = data.offset;
    this.section = data.section;
  }

  toData(): SymbolErrorData {
    return {
      code: this.code,
      message: this.message,
      file: this.file,
      offset: this.offset,
      section: this.section,
    };
  }
}

/**
 * The symbol service. `createLocalSymbols(host)` makes one in this thread; `createSymbolClient(port)` makes one whose
 * work is done by `createSymbolService(port, host)` at the other end of the port.
 */
export interface Symbols {
  /**
   * Opens an ELF file and reads its headers; debugging information is read when it is asked for.
   *
   * @param name what errors call the file (usually its path)
   */
  open(source: ByteSource, name: string): Promise<SymbolFile>;
  /** Ends the service; every pending promise rejects with code `disconnected`. Resolves when its worker is gone. Idempotent. */
  dispose(): void | Promise<void>;
}

/** One open ELF file. */
export interface SymbolFile {
  /** The headers' contents; known as soon as the file is open. */
  readonly elf: ElfSummary;

  // ---- ELF symbols ----

  /** The whole symbol table (.symtab, else .dynsym), sorted by address. Big for a real kernel: prefer the queries. */
  symbols(): Promise<readonly ElfSymbol[]>;
  /**
   * The symbol that covers the address, or, when the nearest one below has no size, that one. Functions go before
   * objects, objects before untyped labels; global before weak before local.
   */
  symbolAt(address: bigint): Promise<SymbolHit | null>;
  /** All symbols of exactly that name: global first, then weak, then file-local in order of address. */
  symbolsNamed(name: string): Promise<readonly ElfSymbol[]>;
  /** Symbols whose name begins with the prefix (for completions), at most `limit`, in order of name. */
  symbolsByPrefix(prefix: string, limit: number): Promise<readonly ElfSymbol[]>;
  /**
   * The file's own bytes of [address, address + length): the initial contents of loaded memory, by program headers.
   * Null when no PT_LOAD segment holds all of it. Bytes beyond the segment's file size are zero.
   */
  readImage(address: bigint, length: number): Promise<Uint8Array | null>;

  // ---- Sources and lines ----

  /** All source files that any line table names, in order of path. */
  sourceFiles(): Promise<readonly SourceFile[]>;
  /**
   * The source files that a client's path may mean: those of exactly this path when there are any, else those that
   * share the longest trailing run of path components with it (at least the file name). `\` counts as `/`.
   */
  findSourceFiles(path: string): Promise<readonly SourceFile[]>;
  /** The line-table row that covers the address. */
  lineAt(address: bigint): Promise<LineLocation | null>;
  /** All rows of all line tables, end-of-sequence rows included, sorted by address; for tests and inspection. */
  lineTable(): Promise<readonly LineRow[]>;
  /**
   * Where a breakpoint on a source line goes: one address for each function or inlined instance that has code for the
   * line, the first `is_stmt` row of each. A line without code moves to the next line of the file that has some.
   * A location that is a function's entry is moved behind its prologue, as gdb does. Null: no code at or after it.
   *
   * @param file `SourceFile.id`
   * @param line 1-based
   * @param column 1-based; when given, only rows of that column count if there are any
   */
  breakpointAddresses(file: number, line: number, column?: number): Promise<LineBreakpoint | null>;
  /** Every line (and column, 0 where unknown) in [startLine, endLine] of a file that has `is_stmt` code. Sorted. */
  breakpointLocations(file: number, startLine: number, endLine: number): Promise<readonly SourcePosition[]>;
  /**
   * Where a breakpoint on a function goes: after the prologue of every function of this name (file-local ones too) and
   * at the first statement of each inlined instance. Falls back to the ELF symbol for functions without DWARF.
   */
  functionBreakpoints(name: string): Promise<readonly FunctionBreakpoint[]>;
  /** The address behind the prologue of the function that begins at or contains the address (as gdb skips it). */
  prologueEnd(address: bigint): Promise<bigint | null>;
  /**
   * What a step by line needs to know: the address ranges of the current line within the innermost function or inlined
   * instance at the pc. Stepping ends when the pc leaves all of `ranges` and lands on an `isStmt` row of another line.
   */
  stepRanges(pc: bigint): Promise<StepRanges | null>;

  // ---- Functions and scopes ----

  /** The function at the pc with its chain of inlined instances. Null: no DWARF function covers the pc. */
  functionAt(pc: bigint): Promise<FunctionAtPc | null>;
  /** All functions of this name, by DWARF: one entry per out-of-line body. */
  functionsNamed(name: string): Promise<readonly FunctionInfo[]>;
  /** All functions that have code, sorted by lowest address. */
  functions(): Promise<readonly FunctionInfo[]>;
  /** What is visible at the pc, one `FrameScopes` for each inlined instance and one for the function, innermost first. */
  scopesAt(pc: bigint): Promise<readonly FrameScopes[]>;
  /** Global and file-static variables of the compilation unit that covers the pc. */
  unitGlobals(pc: bigint): Promise<readonly VariableInfo[]>;
  /**
   * Global and file-static variables (and statics inside functions) of this name, in every unit. When `pc` is given,
   * those of its unit go first; then external ones; then the rest.
   */
  globalsNamed(name: string, pc?: bigint): Promise<readonly VariableInfo[]>;
  /** Names of global and file-static variables that begin with the prefix, at most `limit`, sorted, without repeats. */
  globalNamesByPrefix(prefix: string, limit: number): Promise<readonly string[]>;
  /** Value of the enumerator of this name (C puts them into the ordinary name space); the unit of `pc` goes first. */
  enumeratorNamed(name: string, pc?: bigint): Promise<EnumeratorHit | null>;
  /**
   * The call that returns to the address, with what the caller passed, for DW_OP_entry_value. Null: not described.
   *
   * @param returnAddress the return address itself, not minus one
   */
  callSiteAt(returnAddress: bigint): Promise<CallSite | null>;

  // ---- Types ----

  /**
   * The types of these ids and those they refer to. Types that are contained by value (members, elements, typedef and
   * qualifier targets) always come along; types behind pointers and in function types come along breadth first until
   * `limit` types (default 2,000) are reached. Ids that do not exist are left out. `TypeTable` caches the answers.
   */
  types(ids: readonly TypeId[], limit?: number): Promise<readonly Type[]>;
  /**
   * The type of a C name: `struct node`, `union u`, `enum color`, a typedef's name, or a base type in any of the
   * spellings that C allows (`unsigned long`, `long unsigned int`, `char`). No declarators: `struct node *` is the
   * debugger's to parse (see `TypeTable.pointerTo`). A definition goes before a declaration. The unit of `pc` first.
   */
  typeNamed(name: string, pc?: bigint): Promise<TypeId | null>;

  // ---- Unwinding ----

  /** The call-frame row for the pc, from .debug_frame, else .eh_frame. Null: none. */
  unwindRowAt(pc: bigint): Promise<UnwindRow | null>;

  /** Problems met in the debugging information so far, each once; at most 100. For the log. */
  warnings(): Promise<readonly SymbolErrorData[]>;
  /** CRC-32 of the whole file, which `.gnu_debuglink` of another file may name. */
  checksum(): Promise<number>;
  /** Forgets the file. Later calls reject with code `closed`. */
  close(): Promise<void>;
}
