// Residual code before it is bytes: a linked list of instructions in one typed array. A list, because what comes first is
// sometimes known last (whether a scope is needed, which locals a join has to set); an array, because a region has tens of
// thousands of instructions and an object for each would cost more than all the rest of the translation.
import { F32, F64, I32, I64, opcodeOf, V128, VECTOR, VOID } from './opcodes.ts';
import { OP } from './tree.ts';

/** A constant, or undefined: the code that was emitted leaves the value on the stack (or there is none). */
export type Value = number | bigint | Zero | undefined;
/** Zero of a type without constants of our own: what an unset local holds. */
export type Zero = 'f32' | 'f64' | 'v128';
export const isStatic = (value: Value): value is number | bigint | Zero => value !== undefined;
/** What a local of a type holds before it is set. */
export const zeroOf = (type: number): Value =>
  type === I32 ? 0 : type === I64 ? 0n : type === F32 ? 'f32' : type === F64 ? 'f64' : 'v128';

/** A branch target. */
export type Label = number;
/** A place between two instructions: the number of the one before it. */
export type Place = number;
const CELL = 4; // opcode, two immediates, the next instruction
const LOCALS = [I32, I64, F32, F64, V128] as const;
/** Temporaries of a type, at most. */
const TEMPORARIES = 256;

/** Whether an instruction does nothing but leave a value. */
function isPure(op: number): boolean {
  if (op === OP.localGet || op === OP.i32Const || op === OP.i64Const) return true;
  const row = opcodeOf(op);
  return row?.operands !== undefined && row.result !== VOID;
}

/** The code of one function while it is made. */
export class Code {
  private cells = new Int32Array(CELL << 12);
  private count = 1;
  private labels = 0;
  private wide = new BigInt64Array(1);
  private halves = new Int32Array(this.wide.buffer);
  private readonly bytes: (readonly number[])[] = [];
  private readonly tables: (readonly Label[])[] = [];
  /** Temporaries in use now, and the most that ever were, by position in LOCALS. */
  readonly used = [0, 0, 0, 0, 0];
  private readonly most = [0, 0, 0, 0, 0];
  /** Where the next instruction goes. */
  here: Place = 0;

  clear(): void {
    this.count = 1;
    this.labels = 0;
    this.bytes.length = 0;
    this.tables.length = 0;
    this.used.fill(0);
    this.most.fill(0);
    this.here = 0;
    this.cells[3] = 0;
  }
  label(): Label {
    return ++this.labels;
  }
  emit(op: number, a = 0, b = 0): void {
    const token = this.count++;
    const at = token * CELL;
    if (at + CELL > this.cells.length) {
      const larger = new Int32Array(this.cells.length * 2);
      larger.set(this.cells);
      this.cells = larger;
    }
    const { cells } = this;
    const before = this.here * CELL + 3;
    cells[at] = op;
    cells[at + 1] = a;
    cells[at + 2] = b;
    cells[at + 3] = cells[before] ?? 0;
    cells[before] = token;
    this.here = token;
  }
  /** A place of its own: what is inserted there later stays in front of what follows now. */
  place(): Place {
    this.emit(OP.nop);
    return this.here;
  }
  /** Goes to an earlier place; answers where to come back to. */
  goTo(place: Place): Place {
    const { here } = this;
    this.here = place;
    return here;
  }
  /** Comes back from an insertion at a place. */
  comeBack(place: Place, back: Place): void {
    if (place !== back) this.here = back;
  }
  /** Starts a list of its own, to be appended somewhere later; answers its head. */
  begin(): Place {
    this.here = 0;
    this.cells[3] = 0;
    this.emit(OP.nop);
    return this.here;
  }
  /** Appends a list of its own here. */
  append(head: Place, tail: Place): void {
    this.cells[tail * CELL + 3] = this.cells[this.here * CELL + 3] ?? 0;
    this.cells[this.here * CELL + 3] = head;
    this.here = tail;
  }

  /**
   * Nobody wants the value that the code between two places leaves on the stack: takes that code out where it does nothing else,
   * or drops the value behind it.
   */
  discard(from: Place, to: Place): void {
    const { cells } = this;
    let token = from;
    while (token !== to) {
      token = cells[token * CELL + 3] ?? to;
      if (isPure(cells[token * CELL] ?? 0)) continue;
      const back = this.goTo(to);
      this.emit(OP.drop);
      this.comeBack(to, back);
      return;
    }
    cells[from * CELL + 3] = cells[to * CELL + 3] ?? 0;
    if (this.here === to) this.here = from;
  }

  constant(value: Value): void {
    if (typeof value === 'number') this.emit(OP.i32Const, value);
    else if (typeof value === 'bigint') {
      this.wide[0] = value;
      this.emit(OP.i64Const, this.halves[0], this.halves[1]);
    } else if (value === 'f32') this.raw(0x43, [0, 0, 0, 0]);
    else if (value === 'f64') this.raw(0x44, [0, 0, 0, 0, 0, 0, 0, 0]);
    else if (value === 'v128')
      this.raw(
        VECTOR + 12,
        Array.from({ length: 16 }, () => 0),
      );
  }
  /** Inserts a constant at an earlier place. */
  constantAt(place: Place, value: Value): void {
    const back = this.goTo(place);
    this.constant(value);
    this.comeBack(place, back);
  }
  /** An instruction with raw bytes behind its opcode. */
  raw(op: number, bytes: readonly number[]): void {
    this.bytes.push(bytes);
    this.emit(op, this.bytes.length - 1);
  }
  /** A load or store; bytes: the lane. */
  memory(op: number, offset: number, bytes: readonly number[] = []): void {
    this.emit(op, offset, bytes[0]);
  }
  open(op: number, type: number = VOID, label: Label = 0): void {
    this.emit(op, type, label);
  }
  close(): void {
    this.emit(OP.end);
  }
  branch(label: Label): void {
    this.emit(OP.br, label);
  }
  /** br_table; the default last. */
  branchTable(labels: readonly Label[]): void {
    this.tables.push(labels);
    this.emit(OP.brTable, this.tables.length - 1);
  }

  /** A new temporary: a negative number until the function's locals are laid out. */
  temporary(type: number): number {
    const kind = LOCALS.indexOf(type as (typeof LOCALS)[number]);
    const index = this.used[kind] ?? TEMPORARIES;
    if (index >= TEMPORARIES) throw new RangeError('an instruction needs too many temporaries');
    this.used[kind] = index + 1;
    this.most[kind] = Math.max(this.most[kind] ?? 0, index + 1);
    return -1 - kind * TEMPORARIES - index;
  }

  /** Writes a function body: its locals (behind `parameters` parameters: pairs of count and type, then the temporaries), then the list. */
  write(head: Place, parameters: number, declared: readonly (readonly [number, number])[], out: ByteBuffer): void {
    const groups = [...declared, ...LOCALS.map((type, i) => [this.most[i] ?? 0, type] as const)].filter(([n]) => n > 0);
    out.unsigned(groups.length);
    for (const [count, type] of groups) {
      out.unsigned(count);
      out.byte(type);
    }
    let next = declared.reduce((sum, [count]) => sum + count, parameters);
    const first = this.most.map((count) => (next += count) - count);
    const { cells } = this;
    const depths: number[] = []; // by label: how many scopes were open outside of its own
    let depth = 0;
    for (let token = head; token !== 0; token = cells[token * CELL + 3] ?? 0) {
      const at = token * CELL;
      const op = cells[at] ?? 0;
      const a = cells[at + 1] ?? 0;
      const b = cells[at + 2] ?? 0;
      switch (op) {
        case OP.nop:
          continue;
        case OP.block:
        case OP.loop:
        case OP.if:
          out.byte(op);
          out.byte(a);
          depths[b] = depth++;
          continue;
        case OP.end:
          depth--;
          out.byte(op);
          continue;
        case OP.localGet:
        case OP.localSet:
        case OP.localTee:
          out.byte(op);
          out.unsigned(a >= 0 ? a : (first[((-1 - a) / TEMPORARIES) | 0] ?? 0) + ((-1 - a) % TEMPORARIES));
          continue;
        case OP.i32Const:
          out.byte(op);
          out.signed(a, a >> 31);
          continue;
        case OP.i64Const:
          out.byte(op);
          out.signed(a, b);
          continue;
        case OP.br:
        case OP.brIf:
          out.byte(op);
          out.unsigned(depth - 1 - (depths[a] ?? 0));
          continue;
        case OP.brTable: {
          const labels = this.tables[a] ?? [];
          out.byte(op);
          out.unsigned(labels.length - 1);
          for (const label of labels) out.unsigned(depth - 1 - (depths[label] ?? 0));
          continue;
        }
        case OP.call:
          out.byte(op);
          out.unsigned(a);
          continue;
        default:
      }
      if (op < 0x100) out.byte(op);
      else {
        out.byte(op >> 8);
        out.unsigned(op & 0xff);
      }
      switch (opcodeOf(op)?.immediate) {
        case 'memory':
        case 'memory lane':
          out.byte(0);
          out.unsigned(a);
          if (opcodeOf(op)?.immediate === 'memory lane') out.byte(b);
          break;
        case 'lane':
        case 'bytes 4':
        case 'bytes 8':
        case 'bytes 16':
          for (const byte of this.bytes[a] ?? []) out.byte(byte);
          break;
        default:
      }
    }
    out.byte(OP.end);
  }
}

/** Bytes of growing length. */
export class ByteBuffer {
  private bytes = new Uint8Array(1 << 14);
  length = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow();
    this.bytes[this.length++] = value;
  }
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }
  /** Signed LEB128 of the 64 bits in two halves. */
  signed(low: number, high: number): void {
    let lo = low;
    let hi = high;
    for (;;) {
      const part = lo & 0x7f;
      lo = (lo >>> 7) | (hi << 25);
      hi >>= 7;
      if ((part & 0x40) === 0 ? lo === 0 && hi === 0 : lo === -1 && hi === -1) {
        this.byte(part);
        return;
      }
      this.byte(part | 0x80);
    }
  }
  put(bytes: Uint8Array | readonly number[]): void {
    while (this.length + bytes.length > this.bytes.length) this.grow();
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }
  private grow(): void {
    const larger = new Uint8Array(this.bytes.length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
  }
  view(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }
}
