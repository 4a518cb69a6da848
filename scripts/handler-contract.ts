// The contract of a handler (DESIGN "The engine"), checked on the compiled module: an abstract interpretation of each
// handler's WebAssembly body, with the functions it calls inlined. Values are known to be derived from the record alone
// (the evaluator will fold them) or are dynamic.
import {
  ATTENTION,
  FIP,
  R_HANDLER,
  RECORD_SIZE,
  REGS,
  STATE,
  STATE_END,
  STATE_GUEST_END,
  TLB_BASE,
  UNDO_LOW_SIZE,
  UNDO_STATE_SIZE,
  X87,
  X87_END,
} from '../src/core/layout.ts';
import type { Instruction, WasmFunction, WasmModule } from '../src/wasm/reader.ts';

/** A handler breaks the contract. */
export interface Breach {
  readonly handler: string;
  readonly rule:
    | 'loop'
    | 'dynamic switch'
    | 'indirect call'
    | 'global'
    | 'leaves after a write'
    | 'stores through an older address'
    | 'writes what no fault undoes'
    | 'unknown import'
    | 'writes the record'
    | 'dynamic register index'
    | 'recursion'
    | 'instruction';
  readonly detail: string;
}

type Value =
  | { readonly kind: 'record'; readonly offset: number; readonly born?: undefined } // the record's address plus a constant
  | { readonly kind: 'static'; readonly constant?: number; readonly born?: undefined } // folds: a constant or something loaded from the record
  /**
   * base: a constant address with something dynamic added. born: it may be, or may lead to, an address of guest memory in the
   * host; how many accesses may have faulted before it was got.
   */
  | { readonly kind: 'dynamic'; readonly base?: number; readonly born?: number | undefined };
const DYNAMIC: Value = { kind: 'dynamic' };
const STATIC: Value = { kind: 'static' };

/**
 * Imports that have changed guest state when they come back. All others leave before any write; moveElements and storeElements have
 * written when they answer more than 0, and then their handlers access nothing more, which no walk over all ways can see.
 */
const WRITING_IMPORTS = new Set(['system.store', 'system.storeVector', 'system.storeExtended']);
/** Imports whose results depend on their arguments alone: calls to them stay calls, nothing is left. */
const isPure = (name: string): boolean => name.startsWith('softfloat.');
/**
 * Accesses whose fault is held until the handler has ended (system/raise/raise.ts): they answer a dummy. From then on no fast tag
 * matches; but what was got from one before, or from `modify` and `loadVector`, still leads to guest memory, where nothing is
 * undone.
 */
const FAULTING_IMPORTS = new Set([
  'system.load',
  'system.store',
  'system.modify',
  'system.loadVector',
  'system.storeVector',
  'system.storeExtended',
  'system.probe',
  'system.linear',
]);
/** Those that answer addresses of the host. */
const ADDRESS_IMPORTS = new Set(['system.modify', 'system.loadVector']);
/** The others: behind a held fault they do nothing, or throw it. */
const OTHER_IMPORTS = new Set([
  'system.raise',
  'system.rare',
  'system.floatError',
  'system.simdException',
  'system.moveElements',
  'system.storeElements',
]);

/** Whether an address of the host is older than the last access that may have faulted; undefined: it is no such address. */
type Age = 'new' | 'old' | undefined;
const older = (a: Age, b: Age): Age => (a === 'old' || b === 'old' ? 'old' : (a ?? b));
const merged = (a: readonly Age[] | undefined, b: readonly Age[]): readonly Age[] =>
  a === undefined ? b : b.map((age, i) => older(a[i], age));
const withAge = (value: Value, age: Age, epoch: number): Value =>
  value.kind !== 'dynamic' && age === undefined
    ? value
    : {
        ...(value.kind === 'dynamic' ? value : DYNAMIC),
        born: age === undefined ? undefined : age === 'new' ? epoch : -1,
      };
/** The age of what was made of two values. */
const bornOf = (a: Value, b: Value): number | undefined =>
  a.born === undefined ? b.born : b.born === undefined ? a.born : Math.min(a.born, b.born);

interface Label {
  readonly results: number;
  /** undefined until a way arrives; then whether any way in has written. */
  written: boolean | undefined;
  /** Of all ways in: the most accesses that may have faulted, and the ages of locals and results. */
  epoch: number;
  locals?: readonly Age[];
  values?: readonly Age[];
}
/** What stood at the beginning of a block. */
interface Before {
  readonly written: boolean;
  readonly epoch: number;
  readonly locals: readonly Value[];
}
/** State of one walk: shared by inlined calls. */
interface Walk {
  written: boolean;
  /** Accesses so far that may have faulted. */
  epoch: number;
  dead: boolean;
}

/** Checks every function of the table that has a handler's type (i32) -> (). */
export function checkContract(module: WasmModule): { readonly handlers: number; readonly breaches: readonly Breach[] } {
  const breaches: Breach[] = [];
  const seen = new Set<number>();
  for (const index of module.table) {
    if (index === undefined || seen.has(index)) continue;
    seen.add(index);
    const handler = module.functions[index];
    if (handler === undefined || handler.type.parameters.length !== 1 || handler.type.results.length !== 0) continue;
    new ContractCheck(module, handler, breaches).run();
  }
  return { handlers: seen.size, breaches };
}

class ContractCheck {
  private readonly module: WasmModule;
  private readonly handler: WasmFunction;
  private readonly breaches: Breach[];
  private readonly callStack: number[] = [];

  constructor(module: WasmModule, handler: WasmFunction, breaches: Breach[]) {
    this.module = module;
    this.handler = handler;
    this.breaches = breaches;
  }
  run(): void {
    this.inline(this.handler, [{ kind: 'record', offset: 0 }], { written: false, epoch: 0, dead: false });
  }
  private breach(rule: Breach['rule'], detail: string): void {
    const handler = this.handler.name ?? `function ${this.handler.index}`;
    if (this.breaches.some((b) => b.handler === handler && b.rule === rule && b.detail === detail)) return;
    this.breaches.push({ handler, rule, detail });
  }

  private inline(callee: WasmFunction, args: readonly Value[], walk: Walk): Value[] {
    if (callee.importedAs !== undefined) {
      if (walk.written && !isPure(callee.importedAs)) this.breach('leaves after a write', callee.importedAs);
      if (WRITING_IMPORTS.has(callee.importedAs)) walk.written = true;
      if (FAULTING_IMPORTS.has(callee.importedAs)) walk.epoch++;
      else if (!isPure(callee.importedAs) && !OTHER_IMPORTS.has(callee.importedAs)) {
        this.breach('unknown import', callee.importedAs);
      }
      const born = ADDRESS_IMPORTS.has(callee.importedAs) ? walk.epoch : undefined;
      return callee.type.results.map((): Value => ({ kind: 'dynamic', born }));
    }
    if (this.callStack.includes(callee.index)) {
      this.breach('recursion', callee.name ?? String(callee.index));
      return callee.type.results.map(() => DYNAMIC);
    }
    this.callStack.push(callee.index);
    const locals: Value[] = callee.locals.map((_, i) => args[i] ?? { kind: 'static', constant: 0 });
    const results = this.body(callee, locals, walk);
    this.callStack.pop();
    return results;
  }

  /** Walks a body once; blocks are forward only, so one pass sees every path. Locals that differ by path become dynamic. */
  private body(callee: WasmFunction, locals: Value[], walk: Walk): Value[] {
    const stack: Value[] = [];
    const labels: (Label & { op: number; height: number; before?: Before; elseSeen?: boolean })[] = [];
    labels.push({ op: 0x02, results: callee.type.results.length, height: 0, written: undefined, epoch: 0 });
    const pop = (): Value => stack.pop() ?? DYNAMIC;
    const age = ({ born }: Value): Age => (born === undefined ? undefined : born < walk.epoch ? 'old' : 'new');
    const arrive = (depth: number): void => {
      const label = labels[labels.length - 1 - depth];
      if (label === undefined || walk.dead) return;
      label.written = (label.written ?? false) || walk.written;
      label.epoch = Math.max(label.epoch, walk.epoch);
      label.locals = merged(label.locals, locals.map(age));
      label.values = merged(label.values, label.results === 0 ? [] : stack.slice(-label.results).map(age));
    };
    let skipped = 0; // blocks opened inside dead code
    for (const instruction of callee.read()) {
      const { op, immediate } = instruction;
      if (walk.dead) {
        if (op === 0x02 || op === 0x03 || op === 0x04) skipped++;
        if (op === 0x0b && skipped > 0) {
          skipped--;
          continue;
        }
        if (skipped > 0 || (op !== 0x0b && op !== 0x05)) continue;
      }
      if (op === 0x02 || op === 0x03 || op === 0x04) {
        if (op === 0x03) this.breach('loop', callee.name ?? '');
        if (op === 0x04) pop();
        const results = this.blockResults(immediate);
        const before: Before = { written: walk.written, epoch: walk.epoch, locals: [...locals] };
        labels.push({ op, results, height: stack.length, written: undefined, epoch: 0, before });
      } else if (op === 0x05) {
        arrive(0);
        const label = labels[labels.length - 1];
        if (label !== undefined) {
          stack.length = label.height;
          walk.written = label.before?.written ?? false;
          walk.epoch = label.before?.epoch ?? 0;
          for (const [i, local] of (label.before?.locals ?? []).entries()) locals[i] = local;
          label.elseSeen = true;
        }
        walk.dead = false;
      } else if (op === 0x0b) {
        arrive(0);
        const label = labels.pop();
        if (label === undefined) break;
        if (label.op === 0x04 && label.elseSeen !== true && label.before !== undefined) {
          // the way on which the condition is false
          const { before } = label;
          walk.dead = false;
          walk.written = before.written;
          walk.epoch = before.epoch;
          const after = [...locals];
          for (const [i, local] of before.locals.entries()) locals[i] = local;
          labels.push(label);
          arrive(0);
          labels.pop();
          for (const [i, local] of after.entries()) locals[i] = local;
        }
        walk.dead = label.written === undefined;
        walk.written = label.written ?? false;
        walk.epoch = label.epoch;
        for (const [i, local] of locals.entries()) locals[i] = withAge(local, label.locals?.[i], walk.epoch);
        stack.length = label.height;
        for (let i = 0; i < label.results; i++) stack.push(withAge(DYNAMIC, label.values?.[i], walk.epoch));
      } else if (op === 0x0c) {
        arrive(immediate);
        walk.dead = true;
      } else if (op === 0x0d) {
        pop();
        arrive(immediate);
      } else if (op === 0x0e) {
        const index = pop();
        if (index.kind === 'dynamic') this.breach('dynamic switch', callee.name ?? '');
        for (const depth of instruction.labels ?? []) arrive(depth);
        walk.dead = true;
      } else if (op === 0x0f) {
        arrive(labels.length - 1);
        walk.dead = true;
      } else if (op === 0x00) walk.dead = true;
      else if (op === 0x10) {
        const target = this.module.functions[immediate];
        if (target === undefined) continue;
        const args = target.type.parameters.map(() => pop()).reverse();
        stack.push(...this.inline(target, args, walk));
      } else this.simple(instruction, stack, locals, walk);
    }
    return callee.type.results.map((_, i, all) => stack[stack.length - all.length + i] ?? DYNAMIC);
  }

  private blockResults(type: number): number {
    if (type === -64) return 0;
    return type < 0 ? 1 : (this.module.types[type]?.results.length ?? 0);
  }

  private simple(instruction: Instruction, stack: Value[], locals: Value[], walk: Walk): void {
    const { op, immediate } = instruction;
    const pop = (): Value => stack.pop() ?? DYNAMIC;
    if (op === 0x11) return this.breach('indirect call', '');
    if (op === 0x24) {
      this.breach('global', `global ${immediate} is written`);
      pop();
    } else if (op === 0x23) {
      this.breach('global', `global ${immediate} is read`);
      stack.push(DYNAMIC);
    } else if (op === 0x20) stack.push(locals[immediate] ?? DYNAMIC);
    else if (op === 0x21) locals[immediate] = this.joined(locals[immediate], pop());
    else if (op === 0x22) {
      const value = pop();
      locals[immediate] = this.joined(locals[immediate], value);
      stack.push(value);
    } else if (op === 0x41) stack.push({ kind: 'static', constant: immediate });
    else if (op >= 0x42 && op <= 0x44) stack.push(STATIC);
    else if (op === 0x1a) pop();
    else if (op === 0x1b) {
      const [b, a] = [pop(), pop(), pop()];
      stack.push(a.kind === 'static' && b.kind === 'static' ? STATIC : { kind: 'dynamic', born: bornOf(a, b) });
    } else if (op >= 0x28 && op <= 0x35) stack.push(this.loaded(pop(), immediate, walk));
    else if (op >= 0x36 && op <= 0x3e) {
      pop();
      this.stored(pop(), immediate, walk);
    } else if (op === 0x6a || op === 0x6b) stack.push(this.added(pop(), pop(), op === 0x6a));
    else if (op >= 0xfd00) this.vector(op - 0xfd00, immediate, stack, walk);
    else if (op === 0x01) return;
    else if (op >= 0xfc00 && op <= 0xfc07) this.numeric(op, stack);
    else if ((op >= 0x45 && op <= 0xbf) || (op >= 0xc0 && op <= 0xc4)) this.numeric(op, stack);
    else this.breach('instruction', `opcode 0x${op.toString(16)}`);
  }

  /** Slots may be assigned on several ways; what is not the same on all of them must be taken as dynamic. */
  private joined(before: Value | undefined, now: Value): Value {
    if (before?.kind === 'record' && now.kind === 'record' && before.offset !== now.offset) return DYNAMIC;
    return now;
  }
  private numeric(op: number, stack: Value[]): void {
    const integer = op === 0x45 || op === 0x50 || (op >= 0x67 && op <= 0x69) || (op >= 0x79 && op <= 0x7b);
    const float = (op >= 0x8b && op <= 0x91) || (op >= 0x99 && op <= 0x9f); // abs to sqrt
    const unary = integer || float || op >= 0xa7;
    const a = stack.pop() ?? DYNAMIC;
    const b = unary ? STATIC : (stack.pop() ?? DYNAMIC);
    stack.push(a.kind !== 'dynamic' && b.kind !== 'dynamic' ? STATIC : { kind: 'dynamic', born: bornOf(a, b) });
  }
  private added(b: Value, a: Value, plus: boolean): Value {
    const constant = b.kind === 'static' ? b.constant : undefined;
    if (a.kind === 'record' && constant !== undefined) {
      return { kind: 'record', offset: a.offset + (plus ? constant : -constant) };
    }
    if (a.kind === 'dynamic' || b.kind === 'dynamic') {
      const base = [a, b].map((v) => (v.kind === 'static' ? v.constant : undefined)).find((c) => c !== undefined);
      const born = bornOf(a, b);
      return base === undefined ? { kind: 'dynamic', born } : { kind: 'dynamic', base, born };
    }
    return STATIC;
  }
  private loaded(address: Value, offset: number, walk: Walk): Value {
    this.checkIndex(address, offset);
    if (address.kind === 'record') return STATIC;
    // what leads to host addresses: the bank of fast tags, and what is found in it
    const isBank = address.kind === 'static' && (address.constant ?? 0) + offset === TLB_BASE;
    if (address.kind === 'static') return isBank ? { kind: 'dynamic', born: walk.epoch } : DYNAMIC;
    return { kind: 'dynamic', born: address.born ?? walk.epoch };
  }
  private stored(address: Value, offset: number, walk: Walk): void {
    this.checkIndex(address, offset);
    if (address.kind === 'record' && address.offset + offset >= R_HANDLER && address.offset + offset < RECORD_SIZE) {
      this.breach('writes the record', `offset ${address.offset + offset}`);
    }
    if (address.born !== undefined && address.born < walk.epoch) {
      this.breach('stores through an older address', `behind ${walk.epoch} accesses`);
    }
    if (address.kind === 'static' && address.constant !== undefined) this.checkUndone(address.constant + offset, walk);
    walk.written = true;
  }
  /** Behind an access that may have faulted, what a handler writes is undone, or it is ATTENTION, which a fault sets anyway. */
  private checkUndone(at: number, { epoch }: Walk): void {
    const isUndone =
      (at >= FIP && at < FIP + UNDO_LOW_SIZE) || (at >= REGS && at < REGS + UNDO_STATE_SIZE) || at === ATTENTION;
    if (epoch > 0 && !isUndone) this.breach('writes what no fault undoes', `address 0x${at.toString(16)}`);
  }
  /**
   * A dynamic address with a constant part inside the state area indexes the register file at run time. The x87 stack may
   * be: where ST(i) is depends on TOP, and no slot of it is ever promoted to a local (region-locals.ts).
   */
  private checkIndex(address: Value, offset: number): void {
    if (address.kind !== 'dynamic') return;
    const constant = (address.base ?? 0) + offset;
    if (constant >= X87 && constant < X87_END) return;
    if (constant >= STATE && constant < STATE_GUEST_END) {
      this.breach(
        'dynamic register index',
        `state offset 0x${constant.toString(16)} of 0x${STATE.toString(16)}..0x${STATE_END.toString(16)}`,
      );
    }
  }
  private vector(n: number, immediate: number, stack: Value[], walk: Walk): void {
    const pop = (): Value => stack.pop() ?? DYNAMIC;
    if (n <= 10 || n === 92 || n === 93) stack.push(this.loaded(pop(), immediate, walk));
    else if (n === 11) {
      pop();
      this.stored(pop(), immediate, walk);
    } else if (n >= 84 && n <= 91) {
      pop();
      const address = pop();
      if (n >= 88) this.stored(address, immediate, walk);
      else stack.push(this.loaded(address, immediate, walk));
    } else if (n === 12) stack.push(DYNAMIC);
    else {
      const inputs = VECTOR_UNARY.has(n) ? 1 : n === 82 ? 3 : 2;
      for (let i = 0; i < inputs; i++) pop();
      stack.push(DYNAMIC);
    }
  }
}

/** SIMD instructions with one operand: splats, lane extraction, not, any/all true, bitmask, abs, neg, widening, popcnt. */
const VECTOR_UNARY = new Set([
  15, 16, 17, 18, 19, 20, 21, 22, 24, 25, 27, 29, 31, 33, 77, 83, 96, 97, 98, 99, 100, 128, 129, 131, 132, 135, 136,
  137, 138, 124, 125, 126, 127, 160, 161, 163, 164, 167, 168, 169, 170, 192, 193, 195, 196, 199, 200, 201, 202, 94, 95,
  103, 104, 105, 106, 116, 117, 122, 148, 224, 225, 227, 236, 237, 239, 248, 249, 250, 251, 252, 253, 254, 255,
]);
