/**
 * Evaluation of DWARF expressions (DWARF 5, 2.5 and 2.6). Pure: runs in the debugger's thread on the plain data that
 * the symbol worker sends.
 */

import type {
  DwarfExpression,
  EvaluatedLocation,
  EvaluationContext,
  ExpressionBaseType,
  LocationPiece,
  VariableLocation,
} from '../api.ts';
import { Reader } from '../reader.ts';
import { SymbolError } from '../api.ts';
import { DW_OP } from './constants.ts';
import { binaryOperation, convert, mask, toSigned, unaryOperation, type StackValue } from './stack-value.ts';

/** No compiler emits more; damaged input may loop. */
const operationLimit = 10_000;
const stackLimit = 256;
const pieceLimit = 1_024;

type SimpleLocation = LocationPiece['location'];

/** Ends the evaluation with a result. */
class Stop {
  readonly result: SimpleLocation;
  constructor(result: SimpleLocation) {
    this.result = result;
  }
}

const optimizedOut = (reason: string): Stop => new Stop({ kind: 'optimizedOut', reason });
const unavailable = (reason: string): Stop => new Stop({ kind: 'unavailable', reason });
const damaged = (reason: string): Stop => new Stop({ kind: 'error', reason });

/**
 * Evaluates a location description.
 *
 * @param initialStack values that are on the stack at the start (call-frame expressions get the CFA)
 */
export function evaluateLocation(
  expression: DwarfExpression,
  context: EvaluationContext,
  initialStack: readonly bigint[] = [],
): EvaluatedLocation {
  try {
    return new ExpressionMachine(expression, context, initialStack).run();
  } catch (error) {
    if (error instanceof Stop) return error.result;
    if (error instanceof SymbolError) return { kind: 'error', reason: 'The DWARF expression is cut off.' };
    throw error;
  }
}

/** Evaluates where a variable is, constants included. */
export function evaluateVariable(location: VariableLocation, context: EvaluationContext): EvaluatedLocation {
  switch (location.kind) {
    case 'expression':
      return evaluateLocation(location.expression, context);
    case 'constant':
      return { kind: 'value', bytes: extendConstant(location.bytes, location.signed) };
    case 'optimizedOut':
      return { kind: 'optimizedOut', reason: 'The compiler kept no location for it here.' };
    case 'error':
      return { kind: 'error', reason: location.message };
  }
}

/** A constant of fewer than 16 bytes is widened, so that it can be cut to any integer type's size. */
function extendConstant(bytes: Uint8Array, signed: boolean): Uint8Array {
  if (bytes.length >= 16) return bytes;
  const wide = new Uint8Array(16);
  if (signed && ((bytes[bytes.length - 1] ?? 0) & 0x80) !== 0) wide.fill(0xff);
  wide.set(bytes);
  return wide;
}

/**
 * The value of a function's DW_AT_frame_base: a lone register stands for its contents (DWARF 5, 3.3.5).
 * Undefined when there is none or it cannot be computed.
 */
export function evaluateFrameBase(expression: DwarfExpression | null, context: EvaluationContext): bigint | undefined {
  return expression === null ? undefined : evaluateValue(expression, context);
}

/**
 * The value that an expression computes, where the standard asks for a value and not for a location.
 *
 * @param initialStack values that are on the stack at the start
 */
export function evaluateValue(
  expression: DwarfExpression,
  context: EvaluationContext,
  initialStack: readonly bigint[] = [],
): bigint | undefined {
  const result = evaluateLocation(expression, context, initialStack);
  switch (result.kind) {
    case 'memory':
      return result.address;
    case 'register':
      return context.register(result.register);
    case 'value':
      return fromLittleEndian(result.bytes);
    default:
      return undefined;
  }
}

class ExpressionMachine {
  readonly #expression: DwarfExpression;
  readonly #context: EvaluationContext;
  readonly #reader: Reader;
  readonly #stack: StackValue[];
  readonly #pieces: LocationPiece[] = [];
  readonly #bits: number;
  /** Set by operations that end a simple location description: registers, stack values, implicit values. */
  #location: SimpleLocation | null = null;

  constructor(expression: DwarfExpression, context: EvaluationContext, initialStack: readonly bigint[]) {
    this.#expression = expression;
    this.#context = context;
    this.#bits = expression.addressSize * 8;
    this.#reader = new Reader(expression.bytes, { file: 'expression', section: null, fileOffset: 0 });
    this.#stack = initialStack.map((value) => ({ value: mask(value, this.#bits), type: null }));
  }

  run(): EvaluatedLocation {
    const reader = this.#reader;
    if (reader.remaining === 0) throw optimizedOut('The compiler kept no location for it here.');
    for (let count = 0; reader.remaining > 0; count++) {
      if (count >= operationLimit) throw damaged('The DWARF expression does not end.');
      const operation = reader.u8();
      if (this.#location !== null && operation !== DW_OP.piece && operation !== DW_OP.bit_piece) {
        if (operation === DW_OP.GNU_uninit || operation === DW_OP.nop) continue;
        if (operation !== DW_OP.stack_value) {
          throw damaged('The DWARF expression goes on after a location was complete.');
        }
      }
      this.#step(operation);
    }
    if (this.#pieces.length > 0) {
      if (this.#location !== null) throw damaged('The last part of a composite location has no size.');
      const only = this.#pieces[0];
      if (this.#pieces.length === 1 && only !== undefined && only.location.kind === 'optimizedOut') {
        return only.location;
      }
      return { kind: 'pieces', pieces: this.#pieces };
    }
    return this.#simpleLocation();
  }

  /** What the operations since the last piece describe. */
  #simpleLocation(): SimpleLocation {
    if (this.#location !== null) return this.#location;
    return { kind: 'memory', address: this.#pop().value };
  }

  #step(operation: number): void {
    const reader = this.#reader;
    if (operation >= DW_OP.lit0 && operation <= DW_OP.lit31) return this.#push(BigInt(operation - DW_OP.lit0));
    if (operation >= DW_OP.reg0 && operation <= DW_OP.reg31) return this.#register(operation - DW_OP.reg0);
    if (operation >= DW_OP.breg0 && operation <= DW_OP.breg31) {
      return this.#push(this.#registerValue(operation - DW_OP.breg0) + reader.sleb());
    }
    switch (operation) {
      case DW_OP.addr:
        return this.#push(reader.unsigned(this.#expression.addressSize) + (this.#context.loadBias ?? 0n));
      case DW_OP.addrx:
      case DW_OP.GNU_addr_index:
        return this.#push(this.#address(reader.ulebNumber()) + (this.#context.loadBias ?? 0n));
      case DW_OP.constx:
      case DW_OP.GNU_const_index:
        return this.#push(this.#address(reader.ulebNumber()));
      case DW_OP.const1u:
        return this.#push(BigInt(reader.u8()));
      case DW_OP.const1s:
        return this.#push(BigInt(reader.i8()));
      case DW_OP.const2u:
        return this.#push(BigInt(reader.u16()));
      case DW_OP.const2s:
        return this.#push(BigInt(reader.i16()));
      case DW_OP.const4u:
        return this.#push(BigInt(reader.u32()));
      case DW_OP.const4s:
        return this.#push(BigInt(reader.i32()));
      case DW_OP.const8u:
        return this.#push(reader.u64());
      case DW_OP.const8s:
        return this.#push(reader.i64());
      case DW_OP.constu:
        return this.#push(reader.uleb());
      case DW_OP.consts:
        return this.#push(reader.sleb());
      case DW_OP.regx:
        return this.#register(reader.ulebNumber());
      case DW_OP.bregx: {
        const register = reader.ulebNumber();
        return this.#push(this.#registerValue(register) + reader.sleb());
      }
      case DW_OP.fbreg: {
        const offset = reader.sleb();
        if (this.#context.frameBase === undefined) throw unavailable('The frame base is not known.');
        return this.#push(this.#context.frameBase + offset);
      }
      case DW_OP.call_frame_cfa:
        if (this.#context.cfa === undefined) throw unavailable('The canonical frame address is not known.');
        return this.#push(this.#context.cfa);
      case DW_OP.dup:
        return this.#pushTyped(this.#peek(0));
      case DW_OP.drop:
        this.#pop();
        return;
      case DW_OP.over:
        return this.#pushTyped(this.#peek(1));
      case DW_OP.pick:
        return this.#pushTyped(this.#peek(reader.u8()));
      case DW_OP.swap: {
        const top = this.#pop();
        const second = this.#pop();
        this.#pushTyped(top);
        return this.#pushTyped(second);
      }
      case DW_OP.rot: {
        const top = this.#pop();
        const second = this.#pop();
        const third = this.#pop();
        this.#pushTyped(top);
        this.#pushTyped(third);
        return this.#pushTyped(second);
      }
      case DW_OP.deref:
        return this.#dereference(this.#expression.addressSize, null);
      case DW_OP.deref_size:
        return this.#dereference(reader.u8(), null);
      case DW_OP.deref_type:
      case DW_OP.GNU_deref_type: {
        const size = reader.u8();
        return this.#dereference(size, this.#type(reader.ulebNumber()));
      }
      case DW_OP.plus_uconst: {
        const top = this.#pop();
        const value = binaryOperation(DW_OP.plus, top, { value: reader.uleb(), type: top.type }, this.#bits);
        return this.#result(value);
      }
      case DW_OP.abs:
      case DW_OP.neg:
      case DW_OP.not:
        return this.#result(unaryOperation(operation, this.#pop(), this.#bits));
      case DW_OP.and:
      case DW_OP.div:
      case DW_OP.minus:
      case DW_OP.mod:
      case DW_OP.mul:
      case DW_OP.or:
      case DW_OP.plus:
      case DW_OP.shl:
      case DW_OP.shr:
      case DW_OP.shra:
      case DW_OP.xor:
      case DW_OP.eq:
      case DW_OP.ge:
      case DW_OP.gt:
      case DW_OP.le:
      case DW_OP.lt:
      case DW_OP.ne: {
        const right = this.#pop();
        return this.#result(binaryOperation(operation, this.#pop(), right, this.#bits));
      }
      case DW_OP.skip:
        return this.#jump(reader.i16());
      case DW_OP.bra: {
        const distance = reader.i16();
        if (this.#pop().value !== 0n) this.#jump(distance);
        return;
      }
      case DW_OP.nop:
      case DW_OP.GNU_uninit:
        return;
      case DW_OP.piece:
        return this.#piece(reader.ulebNumber() * 8, 0);
      case DW_OP.bit_piece: {
        const size = reader.ulebNumber();
        return this.#piece(size, reader.ulebNumber());
      }
      case DW_OP.implicit_value:
        this.#location = { kind: 'value', bytes: reader.take(reader.ulebNumber()) };
        return;
      case DW_OP.stack_value:
        return this.#stackValue();
      case DW_OP.implicit_pointer:
      case DW_OP.GNU_implicit_pointer:
        reader.skip(this.#expression.version === 2 ? this.#expression.addressSize : this.#expression.offsetSize);
        reader.sleb();
        this.#location = {
          kind: 'optimizedOut',
          reason: 'The compiler removed the pointer; only what it pointed to is known.',
        };
        return;
      case DW_OP.entry_value:
      case DW_OP.GNU_entry_value: {
        const bytes = reader.take(reader.ulebNumber());
        const value = this.#context.entryValue?.({ ...this.#expression, bytes });
        if (value === undefined) {
          throw optimizedOut('It is known only as the value on entry to the function, which the caller did not keep.');
        }
        return this.#push(value);
      }
      case DW_OP.const_type:
      case DW_OP.GNU_const_type: {
        const type = this.#type(reader.ulebNumber());
        const bytes = reader.take(reader.u8());
        return this.#pushTyped({ value: fromLittleEndian(bytes), type });
      }
      case DW_OP.regval_type:
      case DW_OP.GNU_regval_type: {
        const register = reader.ulebNumber();
        const type = this.#type(reader.ulebNumber());
        const value = this.#registerValue(register);
        return this.#pushTyped({ value: mask(value, type === null ? this.#bits : type.byteSize * 8), type });
      }
      case DW_OP.convert:
      case DW_OP.GNU_convert: {
        const offset = reader.ulebNumber();
        return this.#result(convert(this.#pop(), offset === 0 ? null : this.#type(offset), this.#bits));
      }
      case DW_OP.reinterpret:
      case DW_OP.GNU_reinterpret: {
        const offset = reader.ulebNumber();
        const type = offset === 0 ? null : this.#type(offset);
        const value = mask(this.#pop().value, type === null ? this.#bits : type.byteSize * 8);
        return this.#pushTyped({ value, type });
      }
      case DW_OP.form_tls_address:
      case DW_OP.GNU_push_tls_address:
        throw unavailable('It is thread-local, and the thread area of the guest is not known.');
      case DW_OP.push_object_address:
        throw unavailable('The location depends on the object that contains it.');
      case DW_OP.GNU_parameter_ref:
      case DW_OP.GNU_variable_value:
        throw optimizedOut('It is known only through another variable.');
      default:
        throw damaged(`DWARF operation 0x${operation.toString(16)} is not supported.`);
    }
  }

  #push(value: bigint): void {
    this.#pushTyped({ value: mask(value, this.#bits), type: null });
  }

  #pushTyped(value: StackValue): void {
    if (this.#stack.length >= stackLimit) throw damaged('The DWARF expression needs too large a stack.');
    this.#stack.push(value);
  }

  #result(value: StackValue | string): void {
    if (typeof value === 'string') throw damaged(value);
    this.#pushTyped(value);
  }

  #pop(): StackValue {
    const value = this.#stack.pop();
    if (value === undefined) throw damaged('The DWARF expression takes a value from an empty stack.');
    return value;
  }

  #peek(depth: number): StackValue {
    const value = this.#stack[this.#stack.length - 1 - depth];
    if (value === undefined) throw damaged('The DWARF expression takes a value from an empty stack.');
    return value;
  }

  #register(register: number): void {
    this.#location = { kind: 'register', register };
  }

  #registerValue(register: number): bigint {
    const value = this.#context.register(register);
    if (value === undefined) throw unavailable(`Register ${register} (DWARF number) is not known in this frame.`);
    return value;
  }

  #address(index: number): bigint {
    const entry = this.#expression.addresses.find((candidate) => candidate.index === index);
    if (entry === undefined) throw damaged(`The DWARF expression uses address ${index}, which does not exist.`);
    return entry.value;
  }

  #type(offset: number): ExpressionBaseType | null {
    const type = this.#expression.baseTypes.find((candidate) => candidate.offset === offset);
    if (type === undefined) throw damaged('The DWARF expression uses a base type that does not exist.');
    return type;
  }

  #dereference(size: number, type: ExpressionBaseType | null): void {
    if (size < 1 || size > (type === null ? this.#expression.addressSize : 16)) {
      throw damaged(`The DWARF expression reads ${size} bytes at once.`);
    }
    const address = this.#pop().value;
    const bytes = this.#context.readMemory(address, size);
    if (bytes === undefined) throw unavailable(`Memory at 0x${address.toString(16)} cannot be read.`);
    this.#pushTyped({ value: fromLittleEndian(bytes), type });
  }

  #jump(distance: number): void {
    const target = this.#reader.position + distance;
    if (target < 0 || target > this.#reader.end) throw damaged('The DWARF expression jumps outside itself.');
    this.#reader.position = target;
  }

  #stackValue(): void {
    if (this.#location !== null) {
      // gcc may write "DW_OP_regN, DW_OP_stack_value"; readers take it as the register's contents.
      if (this.#location.kind !== 'register') throw damaged('DW_OP_stack_value follows a complete location.');
      this.#push(this.#registerValue(this.#location.register));
    }
    const { value, type } = this.#pop();
    const size = type === null ? this.#expression.addressSize : type.byteSize;
    // A signed value is widened, so that it may be cut to a type of any size.
    const signed = type === null || type.encoding === 'signed' || type.encoding === 'signedChar';
    const bytes = toLittleEndian(mask(signed ? toSigned(value, size * 8) : value, 128), 16);
    this.#location = { kind: 'value', bytes };
  }

  #piece(bitSize: number, bitOffset: number): void {
    if (this.#pieces.length >= pieceLimit) throw damaged('The location has too many parts.');
    // A piece without a location before it is one that the compiler removed (DWARF 5, 2.6.1.2).
    const empty = this.#location === null && this.#stack.length === 0;
    const location: SimpleLocation = empty
      ? { kind: 'optimizedOut', reason: 'The compiler removed this part.' }
      : this.#simpleLocation();
    this.#pieces.push({ location, bitSize, bitOffset });
    this.#location = null;
    this.#stack.length = 0;
  }
}

/** The unsigned integer of little-endian bytes. */
export function fromLittleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index] ?? 0);
  return value;
}

/** Little-endian bytes of the low `size` bytes of an unsigned integer. */
export function toLittleEndian(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = value;
  for (let index = 0; index < size; index++) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}
