/** What the symbol reader says of a program: ELF headers and symbols, source lines, functions, scopes, variables. See api.ts. */

import type { DwarfExpression } from './api-evaluation.ts';
import type { TypeId } from './api-types.ts';

// ---------------------------------------------------------------------------------------------------------------------
// ELF
// ---------------------------------------------------------------------------------------------------------------------

/** `e_machine` values that are understood. */
export type ElfMachine = 'x86-64' | 'i386';

export interface ElfSummary {
  readonly name: string;
  readonly class: 32 | 64;
  readonly machine: ElfMachine;
  /** `e_type` */
  readonly type: 'relocatable' | 'executable' | 'shared' | 'core' | 'other';
  readonly entry: bigint;
  /** Size of a pointer in the described program: that of the DWARF units where there are any, else of the ELF class. */
  readonly pointerSize: 4 | 8;
  /** Program headers in the order of the file, all kinds. */
  readonly segments: readonly ElfSegment[];
  /** Section headers in the order of the file, the null section included, so that indexes agree with the file. */
  readonly sections: readonly ElfSection[];
  /** `NT_GNU_BUILD_ID` in lower-case hexadecimal, or null. */
  readonly buildId: string | null;
  /** `.gnu_debuglink`: name and CRC-32 of the file that has the debugging information; null when there is none. */
  readonly debugLink: { readonly name: string; readonly checksum: number } | null;
  /** Whether there are DWARF units. */
  readonly hasDebugInformation: boolean;
}

export interface ElfSegment {
  /** `p_type`; 1 is PT_LOAD. */
  readonly type: number;
  readonly isLoad: boolean;
  /** `p_flags`: 1 execute, 2 write, 4 read. */
  readonly flags: number;
  readonly fileOffset: number;
  readonly virtualAddress: bigint;
  readonly physicalAddress: bigint;
  readonly fileSize: number;
  readonly memorySize: bigint;
  readonly alignment: bigint;
}

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  /** `sh_type` */
  readonly type: number;
  /** `sh_flags` */
  readonly flags: bigint;
  readonly address: bigint;
  readonly fileOffset: number;
  readonly size: number;
  readonly entrySize: number;
  readonly link: number;
  readonly info: number;
}

export interface ElfSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly size: bigint;
  readonly kind: 'function' | 'object' | 'none' | 'section' | 'file' | 'tls' | 'other';
  readonly binding: 'global' | 'weak' | 'local';
  /** Name of the section that defines it, `*ABS*` for absolute symbols. Undefined symbols are not listed. */
  readonly section: string;
}

export interface SymbolHit {
  readonly symbol: ElfSymbol;
  /** Address asked for minus the symbol's address. */
  readonly offset: bigint;
}

// ---------------------------------------------------------------------------------------------------------------------
// Lines
// ---------------------------------------------------------------------------------------------------------------------

export interface SourceFile {
  /** Number of the file within this SymbolFile; stable while it is open. */
  readonly id: number;
  /** Full path as the compiler recorded it, directories joined, `.` and `..` resolved. May still be relative. */
  readonly path: string;
  /** Last component of the path. */
  readonly name: string;
  /** MD5 of the contents in lower-case hexadecimal where DWARF 5 gives it, else null. */
  readonly md5: string | null;
}

export interface SourcePosition {
  /** 1-based; 0 means code that no line stands for. */
  readonly line: number;
  /** 1-based; 0 when unknown. */
  readonly column: number;
}

export interface LineRow extends SourcePosition {
  readonly address: bigint;
  /** `SourceFile.id`, or -1 when the row names no file that exists. */
  readonly file: number;
  readonly isStmt: boolean;
  readonly endSequence: boolean;
  readonly prologueEnd: boolean;
  readonly basicBlock: boolean;
  /** DWARF 5, 6.2.2: tells blocks of one line apart. */
  readonly discriminator: number;
  /** How many rows of the same address come before it: gcc's location view number. */
  readonly view: number;
}

export interface LineLocation extends SourcePosition {
  readonly file: SourceFile;
  readonly isStmt: boolean;
  /** The addresses [start, end) that the row stands for. */
  readonly start: bigint;
  readonly end: bigint;
}

export interface BreakpointAddress {
  readonly address: bigint;
  /** Name of the innermost function or inlined instance there, or null. */
  readonly functionName: string | null;
  /** Whether it is inside an inlined instance. */
  readonly inlined: boolean;
}

export interface LineBreakpoint extends SourcePosition {
  readonly file: SourceFile;
  /** At least one, sorted. `line` may be greater than the line that was asked for. */
  readonly addresses: readonly BreakpointAddress[];
}

export interface FunctionBreakpoint {
  /** Behind the prologue, or the first statement of an inlined instance. */
  readonly address: bigint;
  /** Where the function (or the inlined instance) begins. */
  readonly entry: bigint;
  readonly functionName: string;
  readonly inlined: boolean;
  /** Source position of `address`, null without a line table. */
  readonly location: LineLocation | null;
}

export interface StepRanges extends SourcePosition {
  readonly file: SourceFile;
  /** Addresses of the current line's rows in the innermost function or inlined instance, sorted, not overlapping. */
  readonly ranges: readonly AddressRange[];
  /** Ranges of the innermost inlined instance, or of the function. */
  readonly functionRanges: readonly AddressRange[];
  /** How many inlined instances are around the pc; 0 in the function itself. */
  readonly inlineDepth: number;
}

/** [start, end) */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
}

// ---------------------------------------------------------------------------------------------------------------------
// Functions, scopes, variables
// ---------------------------------------------------------------------------------------------------------------------

export interface FunctionInfo {
  readonly name: string;
  /** `DW_AT_linkage_name`, else null. */
  readonly linkageName: string | null;
  /** Where execution enters: DW_AT_entry_pc, DW_AT_low_pc or the first range's start. */
  readonly entry: bigint;
  /** Sorted, not overlapping. More than one for functions with cold parts. */
  readonly ranges: readonly AddressRange[];
  readonly external: boolean;
  /** `SourceFile.id` of the declaration, or -1. */
  readonly declarationFile: number;
  readonly declarationLine: number;
  /** The function's return type; `voidType` for none. */
  readonly returnType: TypeId;
  /** DIE of the function; identifies it within the file. */
  readonly id: number;
}

export interface InlinedInstance {
  /** Name of the function that was inlined. */
  readonly name: string;
  readonly ranges: readonly AddressRange[];
  readonly entry: bigint;
  /** Where, in the frame around this one, the call was written. `file` is a `SourceFile.id`, or -1. */
  readonly callFile: number;
  readonly callLine: number;
  readonly callColumn: number;
  /** DIE of the instance; identifies it within the file. */
  readonly id: number;
}

export interface FunctionAtPc {
  readonly function: FunctionInfo;
  /** Inlined instances around the pc, innermost first; empty in the function's own code. */
  readonly inlined: readonly InlinedInstance[];
  /** `DW_AT_frame_base` for the pc; feed it to `evaluateFrameBase`. Null when the function has none. */
  readonly frameBase: DwarfExpression | null;
}

export interface FrameScopes {
  /** Name of the inlined instance or of the function. */
  readonly functionName: string;
  /** DIE of the inlined instance or of the function. */
  readonly id: number;
  readonly inlined: boolean;
  /** In order of declaration. */
  readonly parameters: readonly VariableInfo[];
  /** Lexical blocks around the pc, innermost first; the last one is the body of the function. Empty blocks left out. */
  readonly blocks: readonly BlockScope[];
  /** The same for every element of one answer: inlined instances use the frame of the function around them. */
  readonly frameBase: DwarfExpression | null;
}

export interface BlockScope {
  readonly ranges: readonly AddressRange[];
  /** In order of declaration, statics included. */
  readonly variables: readonly VariableInfo[];
}

export interface VariableInfo {
  readonly name: string;
  readonly type: TypeId;
  readonly location: VariableLocation;
  /** Visible outside its compilation unit. */
  readonly external: boolean;
  /** Made by the compiler, not in the source. */
  readonly artificial: boolean;
  readonly declarationFile: number;
  readonly declarationLine: number;
  /** DIE of the variable; identifies it within the file. */
  readonly id: number;
}

/** Where a variable is at one pc: the location list, if there is one, is already resolved. */
export type VariableLocation =
  | { readonly kind: 'expression'; readonly expression: DwarfExpression }
  /** `DW_AT_const_value`: the value in target byte order; pad or cut to the type's size (sign-extend when `signed`). */
  | { readonly kind: 'constant'; readonly bytes: Uint8Array; readonly signed: boolean }
  /** No location, or none at this pc. */
  | { readonly kind: 'optimizedOut' }
  /** The description is damaged or uses something that is not supported; a sentence says what. */
  | { readonly kind: 'error'; readonly message: string };

export interface EnumeratorHit {
  readonly value: bigint;
  /** The enumeration it belongs to. */
  readonly type: TypeId;
}

/** DW_TAG_call_site (DWARF 5, 3.4). */
export interface CallSite {
  readonly returnAddress: bigint;
  /** Entry of the function that is called directly, or null when it is not known or the call is indirect. */
  readonly target: bigint | null;
  /** DW_AT_call_target of an indirect call: its value, in the caller's frame, is the callee's entry. */
  readonly targetExpression: DwarfExpression | null;
  readonly parameters: readonly CallSiteParameter[];
}

export interface CallSiteParameter {
  /** Where the callee finds the argument on entry: DW_OP_regN, or an expression that gives its address. */
  readonly location: DwarfExpression;
  /** DW_AT_call_value: evaluated in the caller's frame at the call. Null when not described. */
  readonly value: DwarfExpression | null;
}
