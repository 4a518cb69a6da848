// The partial evaluator: specialises a handler's body for one decoded record. It knows WebAssembly and what the context says
// of addresses (constant memory, state slots); it knows no instruction of the guest.
import { type Code, isStatic, type Label, type Place, type Value, zeroOf } from '../wasm/code.ts';
import { set } from '../wasm/expression.ts';
import { absorbs, fold, isIdentity } from '../wasm/fold.ts';
import { loadConstant, NARROW_LOADS, NARROW_STORES } from '../wasm/memory-access.ts';
import { OP, parseTrees, type Tree, type TreeFunction, UnknownInstructionError } from '../wasm/tree.ts';
import { I32, I64, opcodeOf, VOID } from '../wasm/opcodes.ts';
import { type WasmFunction, type WasmModule, WasmReadError } from '../wasm/reader.ts';

/** A state slot that lives in a local of the region. */
export interface Slot {
  readonly address: number;
  readonly type: number;
  readonly local: number;
}
/** What the region builder tells the evaluator, and is asked by it. Jumps and leaving emit code that does not come back. */
export interface EvaluationContext {
  readonly code: Code;
  /** Memory that never changes while the code exists: decoded records and configuration. */
  isConstant(address: number): boolean;
  /** The slot that covers a byte of the state area and will be read or written; undefined: it stays in memory. */
  slot(address: number, write: boolean): Slot | undefined;
  /** A state slot that always reads 0. */
  isZero(address: number): boolean;
  isRip(address: number): boolean;
  jump(target: bigint): void;
  /** The target's 64 bits are on the stack. */
  jumpIndirect(): void;
  /** Leaves the region in front of this instruction. */
  leave(cause: string): void;
  /** Function index of an import that may be called from a region; undefined: a call to it leaves. */
  callable(name: string, callee: WasmFunction): number | undefined;
}
/** One way to the end of a scope: what is known there, and the place where its moves and its branch are filled in. */
interface Arrival {
  readonly locals: Value[];
  readonly value: Value;
  readonly place: Place;
}
interface Scope {
  readonly type: number;
  readonly arrivals: Arrival[];
}
interface Frame {
  /** Known value of each local; undefined: it is in its residual local. */
  locals: Value[];
  readonly residual: (number | undefined)[];
  readonly function: TreeFunction;
  readonly scopes: Scope[];
}
const MAXIMUM_INLINE_DEPTH = 24;

export class Evaluator {
  private readonly module: WasmModule;
  private readonly view: DataView;
  private readonly context: EvaluationContext;
  private readonly code: Code;
  private readonly functions: (TreeFunction | string | undefined)[] = [];
  private frame: Frame | undefined;
  private depth = 0;
  private dead = false;
  private jumped = false;

  constructor(module: WasmModule, memory: DataView, context: EvaluationContext) {
    this.module = module;
    this.view = memory;
    this.context = context;
    this.code = context.code;
  }

  /** Emits one instruction: the handler at a table index, specialised for the record. Falls out at its end unless it jumps or leaves. */
  instruction(tableIndex: number, record: number): void {
    this.code.used.fill(0);
    this.dead = false;
    this.jumped = false;
    this.frame = undefined;
    this.depth = 0;
    const handler = this.module.functions[this.module.table[tableIndex] ?? -1];
    if (handler === undefined) this.leave('no handler');
    else this.inline(handler, [record]);
  }

  /** How the last instruction ended: goes on, jumps (on some way), or leaves the region on all ways. */
  get ending(): 'falls' | 'jumps' | 'leaves' {
    return !this.dead ? 'falls' : this.jumped ? 'jumps' : 'leaves';
  }

  private leave(cause: string): undefined {
    this.dead = true;
    this.context.leave(cause);
  }
  private get top(): Frame {
    if (this.frame === undefined) throw new Error('internal error: no frame');
    return this.frame;
  }
  private residual(frame: Frame, local: number): number {
    return (frame.residual[local] ??= this.code.temporary(frame.function.locals[local] ?? I32));
  }

  /** The function as trees, or why it cannot be read. */
  private parsed(callee: WasmFunction): TreeFunction | string {
    const known = this.functions[callee.index];
    if (known !== undefined) return known;
    try {
      return (this.functions[callee.index] = parseTrees(this.module, callee));
    } catch (error) {
      if (!(error instanceof UnknownInstructionError || error instanceof WasmReadError)) throw error;
      return (this.functions[callee.index] = error.message);
    }
  }
  /** args: the dynamic ones are on the stack. */
  private inline(callee: WasmFunction, args: readonly Value[]): Value {
    if (this.depth >= MAXIMUM_INLINE_DEPTH) return this.leave('recursion');
    const { code } = this;
    const body = this.parsed(callee);
    if (typeof body === 'string') return this.leave(body);
    const outer = this.frame;
    const count = args.length;
    const locals = body.locals.map((type, i) => (i < count ? args[i] : zeroOf(type)));
    const frame: Frame = { locals, residual: [], function: body, scopes: [] };
    const used = code.used.slice();
    for (let i = count - 1; i >= 0; i--) if (!isStatic(args[i])) code.emit(OP.localSet, this.residual(frame, i));
    this.frame = frame;
    this.depth++;
    const value = this.scope(body.body, body.result);
    this.depth--;
    this.frame = outer;
    for (let i = 0; i < used.length; i++) code.used[i] = used[i] ?? 0; // what was in its temporaries is dead, or on the stack
    return value;
  }

  // ---- control ---------------------------------------------------------------------------------------------------------
  /** A labelled sequence; what is known of the locals after it is what all ways to its end agree on. */
  private scope(body: readonly Tree[], type: number): Value {
    const scope: Scope = { type, arrivals: [] };
    const start = this.code.place();
    this.top.scopes.push(scope);
    const last = this.sequence(body, scope);
    this.top.scopes.pop();
    return this.join(scope, start, last, undefined);
  }
  /** Answers the arrival at its end that needs no branch. */
  private sequence(body: readonly Tree[], scope: Scope): Arrival | undefined {
    let value: Value;
    for (let i = 0; i < body.length && !this.dead; i++) {
      const tree = body[i];
      if (tree !== undefined) value = this.evaluate(tree);
    }
    if (!this.dead) this.arrive(scope, value);
    this.dead = true;
    const last = scope.arrivals[scope.arrivals.length - 1];
    return last?.place === this.code.here ? last : undefined;
  }
  private arrive(scope: Scope, value: Value): void {
    scope.arrivals.push({ locals: this.top.locals.slice(), value, place: this.code.place() });
  }
  /** start: where the scope's code begins; last, other: the arrivals that fall out of its end (other: of an if's first half). */
  private join({ type, arrivals }: Scope, start: Place, last: Arrival | undefined, other: Arrival | undefined): Value {
    const { code } = this;
    const [first] = arrivals;
    if (first === undefined) return undefined; // dead
    this.dead = false;
    const locals = (this.top.locals = first.locals);
    const alone = arrivals.length === 1;
    if (alone && first === last && other === undefined) return first.value;
    const branches = arrivals.some((arrival) => arrival !== last && arrival !== other);
    const label = branches ? code.label() : 0;
    const moved: number[] = [];
    if (!alone) {
      for (let i = 0; i < locals.length; i++) {
        const known = locals[i];
        if (arrivals.every((arrival) => arrival.locals[i] === known)) continue;
        moved.push(i);
        this.residual(this.top, i);
      }
    }
    for (const arrival of arrivals) {
      const back = code.goTo(arrival.place);
      for (const i of moved) {
        const known = arrival.locals[i];
        if (isStatic(known)) set(code, this.residual(this.top, i), known);
      }
      if (type !== VOID) code.constant(arrival.value);
      if (arrival !== last && arrival !== other) code.branch(label);
      code.comeBack(arrival.place, back);
    }
    for (const i of moved) locals[i] = undefined;
    if (branches) this.wrap(start, type, label);
    return undefined;
  }
  private wrap(start: Place, type: number, label: Label): void {
    const { code } = this;
    const back = code.goTo(start);
    code.open(OP.block, type, label);
    code.comeBack(start, back);
    code.close();
  }
  private jumpTo(depth: number, value: Value): undefined {
    const { scopes } = this.top;
    const scope = scopes[scopes.length - 1 - depth];
    if (scope === undefined) throw new Error('internal error: no such label');
    this.arrive(scope, value);
    this.dead = true;
  }
  private conditional(tree: Tree): Value {
    const { code } = this;
    const start = code.place();
    const condition = this.operand(tree, 0);
    if (this.dead) return undefined;
    if (isStatic(condition)) {
      const body = condition !== 0 ? tree.body : tree.otherwise;
      return body.length > 0 ? this.scope(body, tree.type) : undefined;
    }
    const frame = this.top;
    const scope: Scope = { type: tree.type, arrivals: [] };
    const before = frame.locals.slice();
    code.open(OP.if, tree.type);
    frame.scopes.push(scope);
    const yes = this.sequence(tree.body, scope);
    this.dead = false;
    frame.locals = before;
    code.emit(OP.else);
    const no = this.sequence(tree.otherwise, scope);
    frame.scopes.pop();
    code.close();
    const value = this.join(scope, start, no ?? NEVER, yes ?? NEVER);
    if (this.dead) code.emit(OP.unreachable); // to the validator, what follows an if can be reached
    return value;
  }

  // ---- expressions -----------------------------------------------------------------------------------------------------
  private operand(tree: Tree, i: number): Value {
    const operand = tree.operands[i];
    if (operand === undefined) throw new Error('internal error: operand missing');
    return this.evaluate(operand);
  }
  private evaluate(tree: Tree): Value {
    const { op, n } = tree;
    const { code } = this;
    switch (op) {
      case OP.i32Const:
        return n;
      case OP.i64Const:
        return tree.wide;
      case OP.localGet: {
        const known = this.top.locals[n];
        if (known === undefined) code.emit(op, this.residual(this.top, n));
        return known;
      }
      case OP.localSet:
      case OP.localTee: {
        const value = this.operand(tree, 0);
        if (this.dead) return undefined;
        this.top.locals[n] = value;
        if (!isStatic(value)) code.emit(op, this.residual(this.top, n));
        return op === OP.localTee ? value : undefined;
      }
      case OP.block:
        return this.scope(tree.body, tree.type);
      case OP.loop:
        return this.leave('loop');
      case OP.if:
        return this.conditional(tree);
      case OP.br: {
        const value = tree.operands.length > 0 ? this.operand(tree, 0) : undefined;
        return this.dead ? undefined : this.jumpTo(n, value);
      }
      case OP.brIf: {
        const condition = this.operand(tree, 0);
        if (this.dead) return undefined;
        if (condition === 0) return undefined;
        if (!isStatic(condition)) code.open(OP.if);
        this.jumpTo(n, tree.operands.length > 1 ? this.operand(tree, 1) : undefined);
        if (isStatic(condition)) return undefined;
        this.dead = false;
        code.close();
        return undefined;
      }
      case OP.brTable: {
        const index = this.operand(tree, 0);
        if (this.dead) return undefined;
        if (typeof index !== 'number') return this.leave('dynamic switch');
        return this.jumpTo(tree.labels[Math.min(index >>> 0, tree.labels.length - 1)] ?? 0, undefined);
      }
      case OP.unreachable:
        return this.leave('unreachable');
      case OP.call:
        return this.call(tree);
      case OP.drop: {
        const before = code.here;
        if (!isStatic(this.operand(tree, 0)) && !this.dead) code.discard(before, code.here);
        return undefined;
      }
      case OP.select:
        return this.select(tree);
      default:
    }
    const immediate = opcodeOf(op)?.immediate;
    if (immediate !== 'memory' && immediate !== 'memory lane') return this.numeric(tree);
    return tree.operands.length > 1 && immediate === 'memory' ? this.store(tree) : this.load(tree, immediate);
  }
  private call(tree: Tree): Value {
    const callee = this.module.functions[tree.n];
    if (callee === undefined) return this.leave('no such function');
    const { importedAs } = callee;
    if (importedAs === undefined) {
      const args: Value[] = [];
      for (const operand of tree.operands) {
        args.push(this.evaluate(operand));
        if (this.dead) return undefined;
      }
      return this.inline(callee, args);
    }
    const index = this.context.callable(importedAs, callee);
    if (index === undefined) return this.leave(importedAs);
    for (const operand of tree.operands) {
      this.code.constant(this.evaluate(operand));
      if (this.dead) return undefined;
    }
    this.code.emit(OP.call, index);
    return undefined;
  }
  /** asJump: the value is the next RIP; a choice between two places then becomes two jumps. */
  private select(tree: Tree, asJump = false): Value {
    const { code } = this;
    const before = code.here;
    const yes = this.operand(tree, 0);
    const between = code.here;
    const no = this.operand(tree, 1);
    const after = code.here;
    const condition = this.operand(tree, 2);
    if (this.dead) return undefined;
    if (isStatic(condition)) {
      const [keep, lose] = condition !== 0 ? [yes, no] : [no, yes];
      if (!isStatic(lose)) code.discard(condition !== 0 ? between : before, condition !== 0 ? after : between);
      return keep;
    }
    if (isStatic(yes) && yes === no) {
      code.discard(after, code.here);
      return yes;
    }
    if (asJump && typeof yes === 'bigint' && typeof no === 'bigint') {
      code.open(OP.if);
      this.jumpStatic(yes);
      code.emit(OP.else);
      this.jumpStatic(no);
      code.close();
      code.emit(OP.unreachable);
      return undefined;
    }
    if (isStatic(no)) code.constantAt(after, no);
    if (isStatic(yes)) code.constantAt(before, yes);
    code.emit(OP.select);
    return undefined;
  }
  /** Everything without a side effect and without memory. */
  private numeric(tree: Tree): Value {
    const { op, operands } = tree;
    const { code } = this;
    const count = operands.length;
    if (count === 0 || count > 2) {
      for (const operand of operands) {
        code.constant(this.evaluate(operand));
        if (this.dead) return undefined;
      }
      code.raw(op, tree.bytes);
      return undefined;
    }
    const before = code.here;
    const a = this.operand(tree, 0);
    if (this.dead) return undefined;
    let b: Value;
    if (count === 2) {
      const between = code.here;
      b = this.operand(tree, 1);
      if (this.dead) return undefined;
      const folded = fold(op, a, b);
      if (folded !== undefined) return folded;
      if (isIdentity(op, b, 'right')) return a;
      if (isIdentity(op, a, 'left')) return b;
      if (absorbs(op, a) || absorbs(op, b)) {
        code.discard(before, code.here); // one of them is on the stack
        return absorbs(op, a) ? a : b;
      }
      if (isStatic(a)) code.constantAt(between, a);
      code.constant(b);
    } else {
      const folded = fold(op, a);
      if (folded !== undefined) return folded;
      code.constant(a);
    }
    if (tree.bytes.length > 0) code.raw(op, tree.bytes);
    else code.emit(op);
    return undefined;
  }

  // ---- memory ----------------------------------------------------------------------------------------------------------
  /** Loads, and the lane instructions that have a vector operand behind the address. */
  private load(tree: Tree, immediate: string): Value {
    const { op } = tree;
    const { code, context } = this;
    const base = this.operand(tree, 0);
    if (this.dead) return undefined;
    if (typeof base !== 'number') {
      if (immediate === 'memory lane') code.constant(this.operand(tree, 1));
      if (!this.dead) code.memory(op, tree.n, tree.bytes);
      return undefined;
    }
    const address = (base + tree.n) >>> 0;
    if (immediate === 'memory') {
      if (context.isConstant(address)) {
        const known = loadConstant(this.view, op, address);
        if (known !== undefined) return known;
      } else if (context.isZero(address)) return zeroOf(tree.type);
      const slot = context.slot(address, false);
      if (slot !== undefined) return this.loadSlot(op, tree.type, slot, address);
    }
    code.constant(0);
    if (immediate === 'memory lane') code.constant(this.operand(tree, 1));
    if (!this.dead) code.memory(op, address, tree.bytes);
    return undefined;
  }
  private loadSlot(op: number, type: number, slot: Slot, address: number): undefined {
    const { code } = this;
    const wide = slot.type === I64;
    if ((type !== I32 && type !== I64) || (op === 0x29 && !wide)) return this.leave('load of several slots');
    code.emit(OP.localGet, slot.local);
    const shift = (address - slot.address) * 8;
    if (shift > 0) {
      code.constant(wide ? BigInt(shift) : shift);
      code.emit(wide ? 0x88 : 0x76);
    }
    if (wide && type === I32) code.emit(0xa7);
    if (!wide && type === I64) code.emit(0xad);
    const extend = NARROW_LOADS.get(op);
    if (typeof extend === 'number') code.emit(extend);
    else if (extend !== undefined) {
      code.constant(type === I64 ? extend : Number(extend));
      code.emit(type === I64 ? 0x83 : 0x71);
    }
    return undefined;
  }
  private store(tree: Tree): undefined {
    const { op } = tree;
    const { code, context } = this;
    const base = this.operand(tree, 0);
    if (this.dead) return undefined;
    if (typeof base !== 'number') {
      code.constant(this.operand(tree, 1));
      if (!this.dead) code.memory(op, tree.n);
      return undefined;
    }
    const address = (base + tree.n) >>> 0;
    if (context.isRip(address)) return this.jump(tree.operands[1]);
    const between = code.here;
    code.constant(this.operand(tree, 1));
    if (this.dead) return undefined;
    if (context.isZero(address)) return this.leave('write to the zero slot');
    const slot = context.slot(address, true);
    if (slot === undefined) {
      code.constantAt(between, 0);
      code.memory(op, address);
      return undefined;
    }
    const part = NARROW_STORES.get(op);
    const ofSlot = slot.type === I64 ? part !== undefined || op === 0x37 : part === 32;
    if (!ofSlot) return this.leave('store to part of a slot');
    if (slot.type === I32 || op === 0x37 || part === undefined) {
      if (op === 0x3e) code.emit(0xa7);
      code.emit(OP.localSet, slot.local);
      return undefined;
    }
    if (opcodeOf(op)?.operands?.[1] === I32) code.emit(0xad);
    const shift = BigInt((address - slot.address) * 8);
    const mask = (1n << BigInt(part)) - 1n;
    code.constant(mask);
    code.emit(0x83);
    if (shift > 0n) {
      code.constant(shift);
      code.emit(0x86);
    }
    code.emit(OP.localGet, context.slot(address, false)?.local);
    code.constant(BigInt.asIntN(64, ~(mask << shift)));
    code.emit(0x83);
    code.emit(0x84);
    code.emit(OP.localSet, slot.local);
    return undefined;
  }
  /** The value of a store to RIP. A choice between two places becomes two jumps. */
  private jump(target: Tree | undefined): undefined {
    if (target === undefined) throw new Error('internal error: operand missing');
    const { code } = this;
    const [yes] = target.body;
    const [no] = target.otherwise;
    if (target.op === OP.if && target.body.length === 1 && target.otherwise.length === 1) {
      const condition = this.operand(target, 0);
      if (this.dead) return;
      if (isStatic(condition)) return this.jump(condition !== 0 ? yes : no);
      const before = this.top.locals.slice();
      code.open(OP.if);
      this.jump(yes);
      this.dead = false;
      this.top.locals = before;
      code.emit(OP.else);
      this.jump(no);
      this.dead = true;
      code.close();
      code.emit(OP.unreachable);
      return;
    }
    const value = target.op === OP.select ? this.select(target, true) : this.evaluate(target);
    if (this.dead) return;
    if (typeof value === 'bigint') this.jumpStatic(value);
    else {
      this.dead = this.jumped = true;
      code.constant(value);
      this.context.jumpIndirect();
    }
  }
  private jumpStatic(target: bigint): void {
    this.dead = this.jumped = true;
    this.context.jump(BigInt.asUintN(64, target));
  }
}

/** Stands for "no arrival" where undefined means "no such half". */
const NEVER: Arrival = { locals: [], value: undefined, place: -1 };
