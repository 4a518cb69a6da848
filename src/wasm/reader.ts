// Reads the parts of a WebAssembly module that the contract check and the partial evaluator need: types, imports,
// functions, the function table, and bodies as flat lists of instructions (WebAssembly core specification, chapter 5).

import { opcodeOf } from './opcodes.ts';

/** Value types as their binary codes: i32 0x7f, i64 0x7e, f32 0x7d, f64 0x7c, v128 0x7b. */
export type ValueType = number;
export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}
/** One instruction; op is the opcode byte, 0xfc00 + n or 0xfd00 + n for the prefixed ones. */
export interface Instruction {
  readonly op: number;
  /** Index or label immediate; constants of i32; memory offset for loads and stores; block type. */
  readonly immediate: number;
  /** Constants of i64. */
  readonly wide?: bigint;
  /** br_table: labels, the default last. */
  readonly labels?: readonly number[];
  /** Raw bytes behind the opcode: constants of f32, f64, v128; lanes. */
  readonly bytes?: readonly number[];
}
export interface WasmFunction {
  readonly index: number;
  readonly type: FunctionType;
  /** module.name for imports. */
  readonly importedAs?: string;
  /** Parameters and locals. */
  readonly locals: readonly ValueType[];
  /** The body, read when it is first asked for: of a large module few are. @throws WasmReadError */
  readonly read: () => readonly Instruction[];
  readonly name: string | undefined;
}
export interface WasmModule {
  readonly types: readonly FunctionType[];
  readonly functions: readonly WasmFunction[];
  /** Function index by table slot (table 0); undefined for empty slots. */
  readonly table: readonly (number | undefined)[];
  readonly exports: ReadonlyMap<string, number>;
}

/** The module's bytes are not what this reader knows; `offset` is where. */
export class WasmReadError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(`${message} at offset ${offset}`);
    this.offset = offset;
  }
}

const CALL_INDIRECT = 0x11;

class Cursor {
  at: number;
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new WasmReadError('unexpected end', this.at);
    return value;
  }
  unsigned(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const b = this.byte();
      value += (b & 0x7f) * 2 ** shift;
      if (b < 0x80) return value;
    }
    throw new WasmReadError('LEB128 too long', this.at);
  }
  signed(bits: 32 | 33 | 64): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const b = this.byte();
      value |= BigInt(b & 0x7f) << shift;
      if (b < 0x80) return b & 0x40 ? BigInt.asIntN(bits, value - (1n << (shift + 7n))) : value;
    }
    throw new WasmReadError('LEB128 too long', this.at);
  }
  name(): string {
    const length = this.unsigned();
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return text;
  }
  vector<T>(item: () => T): T[] {
    return Array.from({ length: this.unsigned() }, item);
  }
}

const SECTION = { custom: 0, type: 1, import: 2, function: 3, table: 4, export: 7, element: 9, code: 10 } as const;

/** Reads a module. @throws WasmReadError on malformed bytes; a body's instructions are looked at when it is read. */
export function readModule(bytes: Uint8Array): WasmModule {
  const cursor = new Cursor(bytes);
  if (bytes.length < 8 || cursor.bytes[0] !== 0 || cursor.bytes[1] !== 0x61)
    throw new WasmReadError('no WebAssembly magic', 0);
  cursor.at = 8;
  let types: FunctionType[] = [];
  const imports: { name: string; type: number }[] = [];
  let declared: number[] = [];
  const table: (number | undefined)[] = [];
  const exports = new Map<string, number>();
  let bodies: Body[] = [];
  const names = new Map<number, string>();

  while (cursor.at < bytes.length) {
    const id = cursor.byte();
    const size = cursor.unsigned();
    const end = cursor.at + size;
    if (id === SECTION.type) {
      types = cursor.vector(() => {
        cursor.byte();
        return { parameters: cursor.vector(() => cursor.byte()), results: cursor.vector(() => cursor.byte()) };
      });
    } else if (id === SECTION.import) {
      const count = cursor.unsigned();
      for (let i = 0; i < count; i++) {
        const name = `${cursor.name()}.${cursor.name()}`;
        const kind = cursor.byte();
        if (kind === 0) imports.push({ name, type: cursor.unsigned() });
        else skipImport(cursor, kind);
      }
    } else if (id === SECTION.function) declared = cursor.vector(() => cursor.unsigned());
    else if (id === SECTION.export) {
      const count = cursor.unsigned();
      for (let i = 0; i < count; i++) {
        const name = cursor.name();
        const kind = cursor.byte();
        const index = cursor.unsigned();
        if (kind === 0) exports.set(name, index);
      }
    } else if (id === SECTION.element) readElements(cursor, table);
    else if (id === SECTION.code) {
      bodies = cursor.vector(() => skipBody(cursor));
    } else if (id === SECTION.custom && cursor.name() === 'name') readNames(cursor, end, names);
    cursor.at = end;
  }

  const typeOf = (index: number): FunctionType => {
    const type = types[index];
    if (type === undefined) throw new WasmReadError(`no type ${index}`, 0);
    return type;
  };
  const functions: WasmFunction[] = imports.map((imported, index) => ({
    index,
    type: typeOf(imported.type),
    importedAs: imported.name,
    locals: [],
    read: () => [],
    name: imported.name,
  }));
  declared.forEach((type, i) => {
    const body = bodies[i];
    if (body === undefined) throw new WasmReadError(`function ${i} has no body`, 0);
    const index = imports.length + i;
    const signature = typeOf(type);
    functions.push({
      index,
      type: signature,
      locals: [...signature.parameters, ...body.locals],
      read: body.read,
      name: names.get(index),
    });
  });
  return { types, functions, table, exports };
}

function skipImport(cursor: Cursor, kind: number): void {
  if (kind === 1) cursor.byte(); // reference type of a table
  if (kind === 1 || kind === 2) {
    const limits = cursor.byte();
    cursor.unsigned();
    if (limits & 1) cursor.unsigned();
  } else if (kind === 3) cursor.at += 2;
}

function readElements(cursor: Cursor, table: (number | undefined)[]): void {
  const segments = cursor.unsigned();
  for (let s = 0; s < segments; s++) {
    const flags = cursor.unsigned();
    if (flags !== 0) throw new WasmReadError(`element segment of kind ${flags}`, cursor.at);
    if (cursor.byte() !== 0x41) throw new WasmReadError('element offset is not a constant', cursor.at);
    let slot = Number(cursor.signed(32));
    cursor.byte(); // end
    for (const index of cursor.vector(() => cursor.unsigned())) table[slot++] = index;
  }
}

function readNames(cursor: Cursor, end: number, names: Map<number, string>): void {
  while (cursor.at < end) {
    const kind = cursor.byte();
    const size = cursor.unsigned();
    const next = cursor.at + size;
    if (kind === 1) {
      const count = cursor.unsigned();
      for (let i = 0; i < count; i++) names.set(cursor.unsigned(), cursor.name());
    }
    cursor.at = next;
  }
}

interface Body {
  readonly locals: readonly ValueType[];
  readonly read: () => readonly Instruction[];
}
/** Reads the locals; the instructions wait until they are asked for. */
function skipBody(cursor: Cursor): Body {
  const size = cursor.unsigned();
  const end = cursor.at + size;
  const locals: ValueType[] = [];
  const groups = cursor.unsigned();
  for (let i = 0; i < groups; i++) {
    const count = cursor.unsigned();
    const type = cursor.byte();
    for (let k = 0; k < count; k++) locals.push(type);
  }
  const start = cursor.at;
  cursor.at = end;
  let known: readonly Instruction[] | undefined;
  return { locals, read: () => (known ??= readInstructions(new Cursor(cursor.bytes, start), end)) };
}

function readInstructions(cursor: Cursor, end: number): readonly Instruction[] {
  const body: Instruction[] = [];
  while (cursor.at < end) body.push(readInstruction(cursor));
  return body;
}

function readInstruction(cursor: Cursor): Instruction {
  let op = cursor.byte();
  if (op === 0xfc || op === 0xfd) op = (op << 8) + cursor.unsigned();
  const row = opcodeOf(op);
  if (row === undefined) throw new WasmReadError(`instruction 0x${op.toString(16)}`, cursor.at);
  const raw = (count: number): number[] => Array.from({ length: count }, () => cursor.byte());
  switch (row.immediate) {
    case 'none':
      return { op, immediate: 0 };
    case 'index': {
      const immediate = cursor.unsigned();
      if (op === CALL_INDIRECT) cursor.unsigned(); // the table
      return { op, immediate };
    }
    case 'block type':
      return { op, immediate: Number(cursor.signed(33)) };
    case 'labels':
      return { op, immediate: 0, labels: [...cursor.vector(() => cursor.unsigned()), cursor.unsigned()] };
    case 'memory':
    case 'memory lane': {
      cursor.unsigned(); // alignment: a hint
      const immediate = cursor.unsigned();
      return row.immediate === 'memory' ? { op, immediate } : { op, immediate, bytes: raw(1) };
    }
    case 'lane':
      return { op, immediate: 0, bytes: raw(1) };
    case 'i32':
      return { op, immediate: Number(cursor.signed(32)) };
    case 'i64':
      return { op, immediate: 0, wide: cursor.signed(64) };
    case 'bytes 4':
      return { op, immediate: 0, bytes: raw(4) };
    case 'bytes 8':
      return { op, immediate: 0, bytes: raw(8) };
    case 'bytes 16':
      return { op, immediate: 0, bytes: raw(16) };
    case 'zeros 1':
    case 'zeros 2':
      cursor.at += row.immediate === 'zeros 1' ? 1 : 2;
      return { op, immediate: 0 };
  }
}
