/** The graph of types. See api.ts. */

/**
 * Identifies a type within one SymbolFile: the .debug_info offset of its DIE. 0 (`voidType`) is void. Negative ids are
 * made by a `TypeTable` for types that the program does not contain.
 */
export type TypeId = number;

/** DW_ATE_* (DWARF 5, 7.8). */
export type BaseTypeEncoding =
  | 'address'
  | 'boolean'
  | 'complexFloat'
  | 'float'
  | 'signed'
  | 'signedChar'
  | 'unsigned'
  | 'unsignedChar'
  | 'utf'
  | 'other';

interface TypeCommon {
  readonly id: TypeId;
  /**
   * The C name for display: `unsigned long`, `struct node`, `node_t`, `struct node *`, `int [4][2]`,
   * `int (*)(void *)`, `const char *`. Anonymous ones: `struct {...}`.
   */
  readonly name: string;
  /** Size in bytes; null for void, functions, incomplete types and arrays without known bounds. */
  readonly byteSize: number | null;
}

export interface VoidType extends TypeCommon {
  readonly kind: 'void';
}

export interface BaseType extends TypeCommon {
  readonly kind: 'base';
  readonly encoding: BaseTypeEncoding;
}

export interface PointerType extends TypeCommon {
  readonly kind: 'pointer';
  readonly target: TypeId;
  /** C++ references print differently; C has none. */
  readonly reference: boolean;
}

export interface StructType extends TypeCommon {
  readonly kind: 'struct' | 'union' | 'class';
  /** Without `struct`; null when anonymous. */
  readonly tag: string | null;
  readonly members: readonly Member[];
  /** Only declared; no definition was found in any unit. */
  readonly incomplete: boolean;
}

export interface Member {
  /** Null for anonymous structs and unions, whose members count as members of this type. */
  readonly name: string | null;
  readonly type: TypeId;
  /** From the start of the struct. For a bit-field: of the storage unit of the declared type that contains it. */
  readonly byteOffset: number;
  /**
   * Bit-fields only: size in bits, and where the lowest bit is, counted from bit 0 of the *struct's first byte*
   * (little-endian: bit n is bit n % 8 of byte n / 8). Null for ordinary members.
   */
  readonly bitField: { readonly bitSize: number; readonly bitOffset: number } | null;
  /** A base class (C++). */
  readonly inherited: boolean;
}

export interface EnumType extends TypeCommon {
  readonly kind: 'enum';
  readonly tag: string | null;
  readonly enumerators: readonly { readonly name: string; readonly value: bigint }[];
  readonly signed: boolean;
  readonly incomplete: boolean;
}

export interface ArrayType extends TypeCommon {
  readonly kind: 'array';
  /** Type of the innermost element. */
  readonly element: TypeId;
  /** Outermost first: `int a[4][2]` has 4, then 2. `count` is null for `[]` and variable length. */
  readonly dimensions: readonly { readonly count: number | null; readonly lowerBound: number }[];
  /** GNU vector type. */
  readonly vector: boolean;
}

export interface TypedefType extends TypeCommon {
  readonly kind: 'typedef';
  readonly target: TypeId;
}

export interface QualifiedType extends TypeCommon {
  readonly kind: 'qualified';
  readonly qualifier: 'const' | 'volatile' | 'restrict' | 'atomic';
  readonly target: TypeId;
}

export interface FunctionType extends TypeCommon {
  readonly kind: 'function';
  readonly returnType: TypeId;
  readonly parameters: readonly TypeId[];
  /** Ends with `...`. */
  readonly variadic: boolean;
  readonly prototyped: boolean;
}

/** A type that C has no name for (decltype(nullptr)), or whose description is damaged. */
export interface UnspecifiedType extends TypeCommon {
  readonly kind: 'unspecified';
}

/** A node of the immutable type graph; edges are ids, so that cycles survive structured clone and limits. */
export type Type =
  | VoidType
  | BaseType
  | PointerType
  | StructType
  | EnumType
  | ArrayType
  | TypedefType
  | QualifiedType
  | FunctionType
  | UnspecifiedType;

/** The id of `void`. */
export const voidType: TypeId = 0;
