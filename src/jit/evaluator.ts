// The partial evaluator: specialises a handler's body for one decoded record. It knows WebAssembly and what the context says
// of addresses (constant memory, state slots); it knows no instruction of the guest.
import { fold, ONES_RIGHT_IS_IDENTITY, ZERO_LEFT_IS_IDENTITY, ZERO_RIGHT_IS_IDENTITY } from './fold.ts';
import {
  branch,
  codeOf,
  constant,
  getLocal,
  I32,
  I64,
  isStatic,
  type Label,
  type Rope,
  type RopeItem,
  type Scope,
  setLocal,
  unsignedLeb,
  V128,
  type Value,
  VOID,
  type Way,
  when,
} from './rope.ts';
import { parseTrees, type Tree, type TreeFunction } from './tree.ts';
import type { WasmFunction, WasmModule } from './wasm-reader.ts';

/** A state slot that lives in a local of the region. shift: bit offset of the accessed byte within it. */
export interface SlotAccess {
  readonly type: number;
  readonly shift: number;
  get(): Rope;
  set(): Rope;
}
/** What the region builder tells the evaluator, and is asked by it. */
export interface EvaluationContext {
  /** Memory that never changes while the code exists: decoded records and configuration. */
  isConstant(address: number): boolean;
  /** The local that stands for a byte of the state area, 'zero' for the slot that always reads 0, undefined: it stays in memory. */
  slot(address: number): SlotAccess | 'zero' | undefined;
  isRip(address: number): boolean;
  jump(target: bigint): Rope;
  jumpIndirect(target: Rope): Rope;
  /** Leaves the region in front of this instruction. */
  leave(cause: string): Rope;
  /** First local for temporaries of a type. */
  temporary(type: number, index: number): number;
}
interface Arrival {
  readonly locals: Value[];
  readonly value: Value;
  readonly way: Way;
}
interface Target {
  readonly type: number;
  readonly arrivals: Arrival[];
}
interface Frame {
  /** Known value of each WebAssembly local; undefined: it is in its residual local. */
  locals: Value[];
  readonly residual: (number | undefined)[];
  readonly code: TreeFunction;
  readonly targets: Target[];
}
const MAXIMUM_INLINE_DEPTH = 24;

export class Evaluator {
  /** Temporaries that any instruction needed, by type: how many locals a region must declare. */
  readonly temporaries = new Map<number, number>([
    [I32, 0],
    [I64, 0],
    [V128, 0],
  ]);
  private readonly module: WasmModule;
  private readonly view: DataView;
  private readonly context: EvaluationContext;
  private readonly trees = new Map<number, TreeFunction>();
  private used = new Map<number, number>();
  private frame: Frame | undefined;
  private depth = 0;
  private dead = false;
  private jumped = false;

  constructor(module: WasmModule, memory: DataView, context: EvaluationContext) {
    this.module = module;
    this.view = memory;
    this.context = context;
  }

  /** Code of one instruction: the handler at a table index, specialised for the record. Falls out at its end when it neither jumps nor leaves. */
  instruction(tableIndex: number, record: number): Rope {
    this.used = new Map();
    this.dead = false;
    this.jumped = false;
    this.frame = undefined;
    this.depth = 0;
    const handler = this.module.functions[this.module.table[tableIndex] ?? -1];
    if (handler === undefined) return this.leave('no handler');
    return codeOf(this.inline(handler, [record]));
  }

  /** How the last instruction ended: goes on, jumps (on some way), or leaves the region on all ways. */
  get ending(): 'falls' | 'jumps' | 'leaves' {
    return !this.dead ? 'falls' : this.jumped ? 'jumps' : 'leaves';
  }

  private leave(cause: string): Rope {
    this.dead = true;
    return this.context.leave(cause);
  }
  private get top(): Frame {
    if (this.frame === undefined) throw new Error('internal error: no frame');
    return this.frame;
  }
  private temporary(type: number): number {
    const kind = type === I64 || type === V128 ? type : I32;
    const index = this.used.get(kind) ?? 0;
    this.used.set(kind, index + 1);
    this.temporaries.set(kind, Math.max(this.temporaries.get(kind) ?? 0, index + 1));
    return this.context.temporary(kind, index);
  }
  private residual(frame: Frame, local: number): number {
    return (frame.residual[local] ??= this.temporary(frame.code.locals[local] ?? I32));
  }

  private inline(callee: WasmFunction, args: readonly Value[]): Value {
    if (callee.importedAs !== undefined) return [...args.map(dropped), this.leave(callee.importedAs)];
    if (this.depth >= MAXIMUM_INLINE_DEPTH) return [...args.map(dropped), this.leave('recursion')];
    let code = this.trees.get(callee.index);
    if (code === undefined) this.trees.set(callee.index, (code = parseTrees(this.module, callee)));
    const outer = this.frame;
    const zero = (type: number): Value => (type === I64 ? 0n : type === V128 ? undefined : 0);
    const frame: Frame = {
      locals: code.locals.map((type, i) => (i < args.length ? args[i] : zero(type))),
      residual: [],
      code,
      targets: [],
    };
    const moves: Rope = [];
    for (let i = args.length - 1; i >= 0; i--) {
      if (isStatic(args[i])) continue;
      moves.push(setLocal(this.residual(frame, i)));
      frame.locals[i] = undefined;
    }
    this.frame = frame;
    this.depth++;
    const before: Rope = [...args.map((arg) => (isStatic(arg) ? [] : codeOf(arg))), moves];
    const value = this.scope(code.body, code.result, before);
    this.depth--;
    this.frame = outer;
    return value;
  }

  // ---- control ---------------------------------------------------------------------------------------------------------
  /** A labelled sequence; what is known of the locals after it is what all ways to its end agree on. */
  private scope(body: readonly Tree[], type: number, before: Rope): Value {
    const target: Target = { type, arrivals: [] };
    this.top.targets.push(target);
    const rope = this.sequence(body, target, before);
    this.top.targets.pop();
    return this.join(target, rope, [rope], false);
  }
  private sequence(body: readonly Tree[], target: Target, before: Rope): Rope {
    const out: Rope = before.length > 0 ? [before] : [];
    let value: Value;
    for (let i = 0; i < body.length && !this.dead; i++) {
      const tree = body[i];
      if (tree === undefined) break;
      value = this.evaluate(tree);
      const last = i === body.length - 1;
      if (Array.isArray(value) && (!last || target.type === VOID || this.dead)) out.push(value);
    }
    if (!this.dead) this.arrive(target, value, out);
    this.dead = true;
    return out;
  }
  private arrive(target: Target, value: Value, out: Rope): void {
    const arrival: Arrival = { locals: [...this.top.locals], value, way: { kind: 'way', code: [] } };
    target.arrivals.push(arrival);
    out.push(arrival.way);
  }
  private join(target: Target, rope: Rope, tails: readonly Rope[], conditional: boolean): Value {
    const { arrivals } = target;
    const [first] = arrivals;
    if (first === undefined) {
      this.dead = true;
      return rope;
    }
    this.dead = false;
    const frame = this.top;
    const locals = (frame.locals = first.locals);
    const jumping = arrivals.filter(({ way }) => !tails.some((tail) => lastItem(tail) === way));
    if (arrivals.length === 1 && jumping.length === 0 && !conditional) {
      if (target.type === VOID) return rope;
      if (isStatic(first.value)) return hasCode(rope) ? [rope, constant(first.value)] : first.value;
      first.way.code.push(codeOf(first.value));
      return rope;
    }
    if (arrivals.length > 1) {
      for (let i = 0; i < locals.length; i++) {
        const known = locals[i];
        if (arrivals.every((arrival) => arrival.locals[i] === known)) continue;
        const local = this.residual(frame, i);
        for (const arrival of arrivals) {
          const value = arrival.locals[i];
          if (isStatic(value)) arrival.way.code.push(constant(value), setLocal(local));
        }
        locals[i] = undefined;
      }
    }
    if (target.type !== VOID) for (const { way, value } of arrivals) way.code.push(codeOf(value));
    if (jumping.length === 0) return [rope];
    const label: Label = { name: 'join' };
    for (const { way } of jumping) way.code.push(branch(label));
    const scope: Scope = { kind: 'scope', op: 2, type: target.type, label, body: rope };
    return [scope];
  }
  private jumpTo(depth: number, value: Value): Rope {
    const { targets } = this.top;
    const target = targets[targets.length - 1 - depth];
    if (target === undefined) throw new Error('internal error: no such label');
    const out: Rope = [];
    this.arrive(target, value, out);
    this.dead = true;
    return out;
  }
  private conditional(tree: Tree): Value {
    const condition = this.operand(tree.a);
    if (this.dead) return condition;
    if (isStatic(condition)) {
      if (condition !== 0) return this.scope(tree.body ?? [], tree.type, []);
      return tree.otherwise === undefined ? undefined : this.scope(tree.otherwise, tree.type, []);
    }
    const frame = this.top;
    const target: Target = { type: tree.type, arrivals: [] };
    const before = [...frame.locals];
    frame.targets.push(target);
    const yes = this.sequence(tree.body ?? [], target, []);
    this.dead = false;
    frame.locals = before;
    const no = this.sequence(tree.otherwise ?? [], target, []);
    frame.targets.pop();
    const body: Rope = [yes, 0x05, no];
    const scope: Scope = { kind: 'scope', op: 4, type: tree.type, label: undefined, body };
    return this.join(target, [codeOf(condition), scope], [yes, no], true);
  }

  // ---- expressions -----------------------------------------------------------------------------------------------------
  private operand(tree: Tree | undefined): Value {
    if (tree === undefined) throw new Error('internal error: operand missing');
    return this.evaluate(tree);
  }
  private evaluate(tree: Tree): Value {
    const { op } = tree;
    switch (op) {
      case 0x41:
        return tree.n;
      case 0x42:
        return tree.wide ?? 0n;
      case 0x20:
        return this.top.locals[tree.n] ?? getLocal(this.residual(this.top, tree.n));
      case 0x21:
      case 0x22: {
        const value = this.operand(tree.a);
        if (this.dead) return value;
        this.top.locals[tree.n] = isStatic(value) ? value : undefined;
        if (isStatic(value)) return op === 0x22 ? value : undefined;
        return [codeOf(value), op, ...unsignedLeb(this.residual(this.top, tree.n))];
      }
      case 0x02:
        return this.scope(tree.body ?? [], tree.type, []);
      case 0x03:
        return this.leave('loop');
      case 0x04:
        return this.conditional(tree);
      case 0x0c: {
        const value = tree.a === undefined ? undefined : this.evaluate(tree.a);
        return this.dead ? value : this.jumpTo(tree.n, value);
      }
      case 0x0d: {
        const condition = this.operand(tree.a);
        if (this.dead) return condition;
        if (isStatic(condition)) return condition !== 0 ? this.jumpTo(tree.n, undefined) : undefined;
        const taken = this.jumpTo(tree.n, undefined);
        this.dead = false;
        return [codeOf(condition), when(taken)];
      }
      case 0x0e: {
        const index = this.operand(tree.a);
        if (this.dead) return index;
        if (typeof index !== 'number') return [dropped(index), this.leave('dynamic switch')];
        const labels = tree.labels ?? [];
        return this.jumpTo(labels[Math.min(index >>> 0, labels.length - 1)] ?? 0, undefined);
      }
      case 0x00:
        return this.leave('unreachable');
      case 0x10:
        return this.call(tree);
      case 0x1a: {
        const value = this.operand(tree.a);
        return this.dead ? value : isStatic(value) ? undefined : [codeOf(value), 0x1a];
      }
      case 0x1b:
        return this.select(tree);
      default:
    }
    if (op >= 0x28 && op <= 0x35) return this.load(tree);
    if (op >= 0x36 && op <= 0x3e) return this.store(tree);
    if (op >= 0xfd00) return this.vector(tree);
    return this.numeric(tree);
  }
  private call(tree: Tree): Value {
    const args: Value[] = [];
    for (const arg of tree.args ?? []) {
      args.push(this.evaluate(arg));
      if (this.dead) return args.map(codeOf);
    }
    const callee = this.module.functions[tree.callee ?? -1];
    return callee === undefined ? this.leave('no such function') : this.inline(callee, args);
  }
  private select(tree: Tree): Value {
    const [yes, no, condition] = [this.operand(tree.a), this.operand(tree.b), this.operand(tree.c)];
    if (isStatic(condition)) {
      const [keep, lose] = condition !== 0 ? [yes, no] : [no, yes];
      if (isStatic(lose) || isLocalGet(lose)) return keep;
      return condition !== 0 ? [codeOf(yes), codeOf(no), 0x1a] : [codeOf(yes), 0x1a, codeOf(no)];
    }
    const code: Rope = [codeOf(yes), codeOf(no), codeOf(condition), 0x1b];
    code.select = { yes, no, condition: codeOf(condition) };
    return code;
  }
  private numeric(tree: Tree): Value {
    const { op } = tree;
    const a = this.operand(tree.a);
    if (this.dead) return a;
    if (tree.b === undefined) return (isStatic(a) ? fold(op, a) : undefined) ?? [codeOf(a), op];
    const b = this.operand(tree.b);
    if (this.dead) return [codeOf(a), codeOf(b)];
    if (isStatic(a) && isStatic(b)) return fold(op, a, b) ?? [codeOf(a), codeOf(b), op];
    if ((b === 0 || b === 0n) && ZERO_RIGHT_IS_IDENTITY.has(op)) return a;
    if ((a === 0 || a === 0n) && ZERO_LEFT_IS_IDENTITY.has(op)) return b;
    if ((b === -1 || b === -1n) && ONES_RIGHT_IS_IDENTITY.has(op)) return a;
    return [codeOf(a), codeOf(b), op];
  }

  // ---- memory ----------------------------------------------------------------------------------------------------------
  private load(tree: Tree): Value {
    const { op } = tree;
    const base = this.operand(tree.a);
    if (this.dead) return base;
    if (typeof base !== 'number') return [codeOf(base), op, 0, ...unsignedLeb(tree.n)];
    const address = (base + tree.n) >>> 0;
    if (this.context.isConstant(address)) return this.constantAt(op, address);
    const slot = this.context.slot(address);
    if (slot === undefined) return [0x41, 0, op, 0, ...unsignedLeb(address)];
    if (slot === 'zero') return tree.type === I64 ? 0n : 0;
    if (slot.type === I32) return extended(op, slot.get());
    const whole = slot.get();
    if (op === 0x29) return whole;
    const shifted: Rope = slot.shift === 0 ? whole : [whole, constant(BigInt(slot.shift)), 0x88];
    return [shifted, narrowed(op)];
  }
  private constantAt(op: number, address: number): Value {
    const { view } = this;
    switch (op) {
      case 0x28:
        return view.getInt32(address, true);
      case 0x29:
        return view.getBigInt64(address, true);
      case 0x2c:
        return view.getInt8(address);
      case 0x2d:
        return view.getUint8(address);
      case 0x2e:
        return view.getInt16(address, true);
      case 0x2f:
        return view.getUint16(address, true);
      case 0x30:
        return BigInt(view.getInt8(address));
      case 0x31:
        return BigInt(view.getUint8(address));
      case 0x32:
        return BigInt(view.getInt16(address, true));
      case 0x33:
        return BigInt(view.getUint16(address, true));
      case 0x34:
        return BigInt(view.getInt32(address, true));
      case 0x35:
        return BigInt(view.getUint32(address, true));
      default:
        return [0x41, 0, op, 0, ...unsignedLeb(address)];
    }
  }
  private store(tree: Tree): Value {
    const { op } = tree;
    const base = this.operand(tree.a);
    if (this.dead) return base;
    const value = this.operand(tree.b);
    if (this.dead) return [codeOf(base), codeOf(value)];
    if (typeof base !== 'number') return [codeOf(base), codeOf(value), op, 0, ...unsignedLeb(tree.n)];
    const address = (base + tree.n) >>> 0;
    if (this.context.isRip(address)) return this.jump(value);
    const slot = this.context.slot(address);
    if (slot === undefined) return [0x41, 0, codeOf(value), op, 0, ...unsignedLeb(address)];
    if (slot === 'zero') return this.leave('write to the zero slot');
    if (slot.type === I32 && op !== 0x36 && op !== 0x3e) return this.leave('part of a 32-bit slot');
    if (op === 0x37 || slot.type === I32) return [codeOf(value), op === 0x3e ? [0xa7] : [], slot.set()];
    const bits = op === 0x3a || op === 0x3c ? 8 : op === 0x3b || op === 0x3d ? 16 : 32;
    const mask = (1n << BigInt(bits)) - 1n;
    const wide: Rope = op === 0x3a || op === 0x3b || op === 0x36 ? [codeOf(value), 0xad] : codeOf(value);
    const placed: Rope = [wide, constant(mask), 0x83, slot.shift === 0 ? [] : [constant(BigInt(slot.shift)), 0x86]];
    return [slot.get(), constant(~(mask << BigInt(slot.shift))), 0x83, placed, 0x84, slot.set()];
  }
  private jump(value: Value): Rope {
    this.dead = true;
    this.jumped = true;
    if (typeof value === 'bigint') return this.context.jump(BigInt.asUintN(64, value));
    if (!Array.isArray(value)) throw new Error('internal error: RIP is not 64 bits');
    const select = value.select;
    if (select !== undefined && typeof select.yes === 'bigint' && typeof select.no === 'bigint') {
      const yes = this.context.jump(BigInt.asUintN(64, select.yes));
      const no = this.context.jump(BigInt.asUintN(64, select.no));
      return [select.condition, when(yes, no), 0x00];
    }
    return this.context.jumpIndirect(value);
  }
  /** XMM registers stay in memory; constants and lanes follow the opcode. */
  private vector(tree: Tree): Value {
    const code = tree.op - 0xfd00;
    const opcode: Rope = [0xfd, ...unsignedLeb(code)];
    if (tree.bytes !== undefined && tree.a === undefined) return [opcode, ...tree.bytes];
    const operands: Value[] = [];
    for (const part of [tree.a, tree.b, tree.c]) {
      if (part === undefined) continue;
      operands.push(this.evaluate(part));
      if (this.dead) return operands.map(codeOf);
    }
    if (code === 0 || code === 11) {
      const [base, value] = operands;
      const address = typeof base === 'number' ? [0x41, 0] : codeOf(base);
      const offset = typeof base === 'number' ? (base + tree.n) >>> 0 : tree.n;
      return [address, codeOf(value), opcode, 0, ...unsignedLeb(offset)];
    }
    const lane = code >= 21 && code <= 34 ? [tree.n] : (tree.bytes ?? []);
    return [...operands.map(codeOf), opcode, ...lane];
  }
}

const dropped = (value: Value): Rope => (value === undefined || isStatic(value) ? [] : [value, 0x1a]);
const isLocalGet = (value: Value): boolean => Array.isArray(value) && value[0] === 0x20 && value.length === 2;
/** A load of any width from a 32-bit slot. */
function extended(op: number, whole: Rope): Rope {
  if (op === 0x28) return whole;
  if (op === 0x34 || op === 0x29) return [whole, 0xac];
  if (op === 0x35) return [whole, 0xad];
  return [whole, 0xad, narrowed(op)];
}
/** Sign or zero extension of the low part of an i64 to what a narrow load answers. */
function narrowed(op: number): Rope {
  switch (op) {
    case 0x28:
      return [0xa7];
    case 0x2c:
      return [0xa7, 0xc0];
    case 0x2d:
      return [0xa7, 0x41, 0xff, 0x01, 0x71];
    case 0x2e:
      return [0xa7, 0xc1];
    case 0x2f:
      return [0xa7, 0x41, 0xff, 0xff, 0x03, 0x71];
    case 0x30:
      return [0xc2];
    case 0x31:
      return [0x42, 0xff, 0x01, 0x83];
    case 0x32:
      return [0xc3];
    case 0x33:
      return [0x42, 0xff, 0xff, 0x03, 0x83];
    case 0x34:
      return [0xc4];
    default:
      return [0xa7, 0xad];
  }
}
const isEmpty = (item: RopeItem): boolean => Array.isArray(item) && item.every(isEmpty);
/** The item that a rope's code ends with. */
function lastItem(rope: Rope): RopeItem | undefined {
  let item: RopeItem | undefined = rope;
  while (Array.isArray(item)) {
    const list: Rope = item;
    let i = list.length - 1;
    for (; i >= 0; i--) {
      const part = list[i];
      if (part !== undefined && !isEmpty(part)) break;
    }
    item = list[i];
  }
  return item;
}
function hasCode(item: RopeItem): boolean {
  if (typeof item === 'number') return true;
  if (Array.isArray(item)) return item.some(hasCode);
  return item.kind === 'way' ? item.code.length > 0 : true;
}
