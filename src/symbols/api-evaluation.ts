/** Plain data for evaluating locations and unwinding frames in the debugger's thread. See api.ts. */

import type { AddressRange, ElfMachine } from './api-program.ts';
import type { BaseTypeEncoding } from './api-types.ts';

// ---------------------------------------------------------------------------------------------------------------------
// Expressions: plain data from the worker, evaluated by pure functions in the debugger's thread
// ---------------------------------------------------------------------------------------------------------------------

/** A DWARF expression with all that is needed to evaluate it without the file. */
export interface DwarfExpression {
  readonly bytes: Uint8Array;
  readonly addressSize: 4 | 8;
  /** 8 in 64-bit DWARF, else 4. */
  readonly offsetSize: 4 | 8;
  readonly version: number;
  /** The .debug_addr entries that its DW_OP_addrx and DW_OP_constx use. */
  readonly addresses: readonly { readonly index: number; readonly value: bigint }[];
  /** The base types that its typed operations use, by offset within the unit. */
  readonly baseTypes: readonly ExpressionBaseType[];
}

export interface ExpressionBaseType {
  /** Unit-relative DIE offset, as in the operation. */
  readonly offset: number;
  readonly encoding: BaseTypeEncoding;
  readonly byteSize: number;
}

/** A frame's state, supplied synchronously by the debugger. Run-time addresses. */
export interface EvaluationContext {
  /**
   * Value of a register in this frame, by DWARF number (`dwarfRegisters`), or undefined when it is not known (a
   * caller-saved register in an outer frame). Registers wider than 64 bits give their whole value.
   */
  register(number: number): bigint | undefined;
  /** Memory contents (linear addresses), or undefined when any of it cannot be read. */
  readMemory(address: bigint, length: number): Uint8Array | undefined;
  /** Canonical frame address of this frame, from `unwindFrame`, when known. */
  readonly cfa?: bigint | undefined;
  /** Value of the frame base, from `evaluateFrameBase`, when known. */
  readonly frameBase?: bigint | undefined;
  /** Run-time minus link-time address; 0n by default. */
  readonly loadBias?: bigint | undefined;
  /**
   * Value that the operand of DW_OP_entry_value had when the function was entered; see `entryValueFromCallSite`.
   * Undefined (also by absence): not known, the variable is optimised out.
   */
  entryValue?(expression: DwarfExpression): bigint | undefined;
}

/** What an expression says. */
export type EvaluatedLocation =
  /** In memory, at a run-time address. */
  | { readonly kind: 'memory'; readonly address: bigint }
  /** In a register, by DWARF number. */
  | { readonly kind: 'register'; readonly register: number }
  /** The object has no place but its value is known, in target byte order (may be shorter or longer than the type). */
  | { readonly kind: 'value'; readonly bytes: Uint8Array }
  /** In parts, in order from the object's lowest bit. */
  | { readonly kind: 'pieces'; readonly pieces: readonly LocationPiece[] }
  /** Not there; the reason is one sentence for the user. */
  | { readonly kind: 'optimizedOut'; readonly reason: string }
  /** It would be there, but a register or memory that is needed cannot be read. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** The expression is damaged or uses something that is not supported. */
  | { readonly kind: 'error'; readonly reason: string };

export interface LocationPiece {
  readonly location: Exclude<EvaluatedLocation, { kind: 'pieces' }>;
  /** Size of this piece. */
  readonly bitSize: number;
  /** Where it begins within its location, from the lowest bit. */
  readonly bitOffset: number;
}

/** Contents of an object, or why there are none. */
export type LocationContents =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'optimizedOut' | 'unavailable' | 'error'; readonly reason: string };

/** One write that storing to an object needs. */
export type LocationWrite =
  | { readonly kind: 'memory'; readonly address: bigint; readonly bytes: Uint8Array }
  /** `bytes` replace the register's lowest bytes; the rest stays. */
  | { readonly kind: 'register'; readonly register: number; readonly bytes: Uint8Array };

// ---------------------------------------------------------------------------------------------------------------------
// Unwinding
// ---------------------------------------------------------------------------------------------------------------------

/** A row of the call-frame table (DWARF 5, 6.4.1). */
export interface UnwindRow {
  /** Where the function's entry begins and ends: [start, end). */
  readonly functionRange: AddressRange;
  readonly cfa: CfaRule;
  /** Registers that have a rule; all others keep DWARF's default for the machine (callee-saved: same value). */
  readonly registers: readonly { readonly register: number; readonly rule: RegisterRule }[];
  /** The column that holds the return address; 16 on x86-64. */
  readonly returnAddressRegister: number;
  /**
   * An interrupt or signal frame (augmentation `S`): the pc of the *outer* frame is an instruction that has not run yet,
   * so do not subtract one when looking it up.
   */
  readonly signalFrame: boolean;
  readonly machine: ElfMachine;
}

export type CfaRule =
  | { readonly kind: 'register'; readonly register: number; readonly offset: bigint }
  /** Its value is the CFA. */
  | { readonly kind: 'expression'; readonly expression: DwarfExpression }
  | { readonly kind: 'undefined' };

export type RegisterRule =
  | { readonly kind: 'undefined' }
  | { readonly kind: 'sameValue' }
  /** Saved at CFA + offset. */
  | { readonly kind: 'offset'; readonly offset: bigint }
  /** Its value is CFA + offset. */
  | { readonly kind: 'valueOffset'; readonly offset: bigint }
  | { readonly kind: 'register'; readonly register: number }
  /** Saved at the address that the expression gives; the CFA is on its stack at the start. */
  | { readonly kind: 'expression'; readonly expression: DwarfExpression }
  /** Its value is that of the expression; the CFA is on its stack at the start. */
  | { readonly kind: 'valueExpression'; readonly expression: DwarfExpression };

/** The registers of a frame by DWARF number; an absent number is an unknown value. Contains the pc's column. */
export type FrameRegisters = ReadonlyMap<number, bigint>;

export type UnwoundFrame =
  | {
      readonly kind: 'frame';
      /** CFA of the frame that was unwound (not of the caller). */
      readonly cfa: bigint;
      /** The caller's registers: the stack pointer is the CFA, the pc's column holds the return address. */
      readonly registers: FrameRegisters;
      readonly pc: bigint;
      /** The caller's pc is that of an interrupted instruction, not a return address. */
      readonly interrupted: boolean;
    }
  /** The row says that there is no caller (return address undefined), or the return address is 0. */
  | { readonly kind: 'outermost'; readonly cfa: bigint | null }
  /** The caller is out of reach; the CFA of this frame may be known all the same. */
  | { readonly kind: 'failed'; readonly reason: string; readonly cfa: bigint | null };
