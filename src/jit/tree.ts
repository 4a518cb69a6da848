// Function bodies as expression trees. Values that stay on WebAssembly's stack across a statement go to a local first, so
// that every tree is evaluated at one place.
import { I32, I64, V128, VOID } from './rope.ts';
import type { Instruction, WasmFunction, WasmModule } from './wasm-reader.ts';

/** One expression or statement. Operands in evaluation order are a, b, c; which there are follows from op. */
export interface Tree {
  readonly op: number;
  /** Type of the value, VOID for a statement. */
  readonly type: number;
  readonly a?: Tree;
  readonly b?: Tree;
  readonly c?: Tree;
  /** Local index, label depth, memory offset, constant of i32, lane. */
  readonly n: number;
  readonly wide?: bigint;
  readonly args?: readonly Tree[];
  readonly callee?: number;
  readonly body?: readonly Tree[];
  readonly otherwise?: readonly Tree[];
  readonly labels?: readonly number[];
  readonly bytes?: readonly number[];
}
export interface TreeFunction {
  readonly source: WasmFunction;
  readonly result: number;
  /** Parameters, locals, and the ones that this parser added. */
  readonly locals: readonly number[];
  readonly body: readonly Tree[];
}
/** The body holds something that the trees do not know: its handler stays with the interpreter. */
export class UnknownInstructionError extends Error {}

/** Instructions on f32 and f64: not known here yet, so what uses them is interpreted. */
const isFloat = (op: number): boolean =>
  (op >= 0x5b && op <= 0x66) || (op >= 0x8b && op <= 0xa6) || (op >= 0xa8 && op <= 0xab) || (op >= 0xae && op <= 0xbf);
const FLOAT_ROUNDING = new Set([103, 104, 105, 106, 116, 117, 122, 148]);
const isUnary = (op: number): boolean =>
  op === 0x45 || op === 0x50 || (op >= 0x67 && op <= 0x69) || (op >= 0x79 && op <= 0x7b) || op >= 0xa7;
const resultOfNumeric = (op: number): number =>
  op <= 0x5a || (op >= 0x67 && op <= 0x78) || op === 0xa7 || op === 0xc0 || op === 0xc1 ? I32 : I64;

/** Parses one function. @throws UnknownInstructionError */
export function parseTrees(module: WasmModule, source: WasmFunction): TreeFunction {
  const locals = [...source.locals];
  const result = source.type.results[0] ?? VOID;
  const control: number[] = [result];
  let at = 0;

  const sequence = (): { body: Tree[]; end: number } => {
    const out: Tree[] = [];
    const stack: Tree[] = [];
    const pop = (): Tree => {
      const tree = stack.pop();
      if (tree === undefined) throw new UnknownInstructionError('a value from outside of its block');
      return tree;
    };
    const statement = (tree: Tree): void => {
      stack.forEach((value, i) => {
        if (value.op === 0x41 || value.op === 0x42) return;
        const local = locals.length;
        locals.push(value.type);
        out.push({ op: 0x21, type: VOID, n: local, a: value });
        stack[i] = { op: 0x20, type: value.type, n: local };
      });
      out.push(tree);
    };
    for (;;) {
      const instruction = source.body[at++];
      if (instruction === undefined) throw new UnknownInstructionError('unexpected end');
      const { op, immediate: n } = instruction;
      if (op === 0x0b || op === 0x05) return { body: [...out, ...stack], end: op };
      if (op === 0x02 || op === 0x03 || op === 0x04) {
        const type = n === -64 ? VOID : n & 0x7f;
        const a = op === 0x04 ? pop() : undefined;
        control.push(op === 0x03 ? VOID : type);
        const first = sequence();
        const second = first.end === 0x05 ? sequence() : undefined;
        control.pop();
        const tree: Tree = {
          ...{ op, type, n: 0, body: first.body },
          ...(a === undefined ? {} : { a }),
          ...(second === undefined ? {} : { otherwise: second.body }),
        };
        if (type === VOID) statement(tree);
        else stack.push(tree);
      } else if (op === 0x0c || op === 0x0f) {
        const depth = op === 0x0f ? control.length - 1 : n;
        const valued = control[control.length - 1 - depth] !== VOID;
        statement({ op: 0x0c, type: VOID, n: depth, ...(valued ? { a: pop() } : {}) });
      } else if (op === 0x0d) {
        if (control[control.length - 1 - n] !== VOID) throw new UnknownInstructionError('br_if with a value');
        statement({ op, type: VOID, n, a: pop() });
      } else if (op === 0x0e) {
        statement({ op, type: VOID, n: 0, labels: instruction.labels ?? [], a: pop() });
      } else if (op === 0x00) statement({ op, type: VOID, n: 0 });
      else if (op === 0x01) continue;
      else if (op === 0x10) {
        const callee = module.functions[n];
        if (callee === undefined) throw new UnknownInstructionError(`function ${n}`);
        const count = callee.type.parameters.length;
        if (stack.length < count) throw new UnknownInstructionError('arguments from outside of the block');
        const args = stack.splice(stack.length - count, count);
        const type = callee.type.results[0] ?? VOID;
        const tree: Tree = { op, type, n: 0, callee: n, args };
        if (type === VOID) statement(tree);
        else stack.push(tree);
      } else if (op === 0x1a) statement({ op, type: VOID, n: 0, a: pop() });
      else if (op === 0x1b) {
        const [c, b, a] = [pop(), pop(), pop()];
        stack.push({ op, type: a.type, n: 0, a, b, c });
      } else if (op === 0x20) stack.push({ op, type: locals[n] ?? I32, n });
      else if (op === 0x21) statement({ op, type: VOID, n, a: pop() });
      else if (op === 0x22) {
        const a = pop();
        stack.push({ op, type: a.type, n, a });
      } else if (op >= 0x28 && op <= 0x35) {
        const type = op === 0x28 || (op >= 0x2c && op <= 0x2f) ? I32 : I64;
        stack.push({ op, type, n, a: pop() });
      } else if (op >= 0x36 && op <= 0x3e) {
        const [b, a] = [pop(), pop()];
        statement({ op, type: VOID, n, a, b });
      } else if (op === 0x41) stack.push({ op, type: I32, n });
      else if (op === 0x42) stack.push({ op, type: I64, n: 0, wide: instruction.wide ?? 0n });
      else if (op >= 0xfd00) vector(instruction, stack, pop, statement);
      else if (op >= 0x45 && op <= 0xc4 && !isFloat(op)) {
        const b = isUnary(op) ? undefined : pop();
        const a = pop();
        stack.push({ op, type: resultOfNumeric(op), n: 0, a, ...(b === undefined ? {} : { b }) });
      } else throw new UnknownInstructionError(`opcode 0x${op.toString(16)}`);
    }
  };
  const { body } = sequence();
  return { source, result, locals, body };
}

/** SIMD: whole loads and stores are trees; what else the handlers use has one or two operands and a byte or none behind it. */
function vector(instruction: Instruction, stack: Tree[], pop: () => Tree, statement: (tree: Tree) => void): void {
  const { op, immediate: n, bytes } = instruction;
  const code = op - 0xfd00;
  if (FLOAT_ROUNDING.has(code)) throw new UnknownInstructionError('rounding of a vector');
  if (code === 0) stack.push({ op, type: V128, n, a: pop() });
  else if (code === 11) {
    const [b, a] = [pop(), pop()];
    statement({ op, type: VOID, n, a, b });
  } else if (code === 12) stack.push({ op, type: V128, n: 0, bytes: bytes ?? [] });
  else if (code >= 15 && code <= 20) stack.push({ op, type: V128, n: 0, a: pop() });
  else if (code >= 21 && code <= 34) {
    const replaces = code === 23 || code === 26 || code === 28 || code === 30 || code === 32 || code === 34;
    const b = replaces ? pop() : undefined;
    const type = replaces ? V128 : code === 29 ? I64 : I32;
    if (code === 31 || code === 33) throw new UnknownInstructionError('floating-point lane');
    stack.push({ op, type, n, a: pop(), ...(b === undefined ? {} : { b }) });
  } else if (code === 83 || UNARY_TO_I32.has(code)) stack.push({ op, type: I32, n: 0, a: pop() });
  else if (UNARY.has(code)) stack.push({ op, type: V128, n: 0, a: pop() });
  else if (code === 82) {
    const [c, b, a] = [pop(), pop(), pop()];
    stack.push({ op, type: V128, n: 0, a, b, c });
  } else if (
    (code >= 14 && code <= 81 && code !== 13) ||
    code === 13 ||
    (code >= 100 && code <= 223) ||
    (code >= 78 && code <= 81)
  ) {
    const [b, a] = [pop(), pop()];
    stack.push({ op, type: V128, n: 0, a, b, ...(bytes === undefined ? {} : { bytes }) });
  } else throw new UnknownInstructionError(`SIMD opcode ${code}`);
}
/** any_true and all_true, bitmask. */
const UNARY_TO_I32 = new Set([99, 100, 131, 132, 163, 164, 195, 196]);
/** not, abs, neg, popcnt, pairwise widening adds, extensions. */
const UNARY = new Set([
  77, 96, 97, 98, 124, 125, 126, 127, 128, 129, 135, 136, 137, 138, 160, 161, 167, 168, 169, 170, 192, 193, 199, 200,
  201, 202,
]);
