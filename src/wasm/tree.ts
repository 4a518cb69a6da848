// Function bodies as expression trees. Values that stay on WebAssembly's stack across a statement go to a local first, so
// that every tree is evaluated at one place.
import { opcodeOf, VOID, I32 } from './opcodes.ts';
import type { WasmFunction, WasmModule } from './reader.ts';

/** One expression or statement. */
export interface Tree {
  readonly op: number;
  /** Type of the value, VOID for a statement. */
  readonly type: number;
  /** In the order of evaluation. A branch that carries a value, and a call, have theirs here too. */
  readonly operands: readonly Tree[];
  /** Index of a local or function, label depth, memory offset, constant of i32. */
  readonly n: number;
  readonly wide: bigint;
  /** Constants of f32, f64 and v128; lanes. */
  readonly bytes: readonly number[];
  readonly body: readonly Tree[];
  readonly otherwise: readonly Tree[];
  /** br_table: depths, the default last. */
  readonly labels: readonly number[];
}
export interface TreeFunction {
  readonly result: number;
  /** Parameters, locals, and the ones that this parser added. */
  readonly locals: readonly number[];
  readonly body: readonly Tree[];
}
/** The body holds something that the trees do not know: its handler stays with the interpreter. */
export class UnknownInstructionError extends Error {}

const NO_TREES: readonly Tree[] = [];
const NO_NUMBERS: readonly number[] = [];
type Parts = Partial<Omit<Tree, 'op' | 'type'>>;
/** All trees have the same shape, which keeps the evaluator's property reads monomorphic. */
function node(op: number, type: number, operands: readonly Tree[], parts: Parts = {}): Tree {
  const { n = 0, wide = 0n, bytes = NO_NUMBERS, body = NO_TREES, otherwise = NO_TREES, labels = NO_NUMBERS } = parts;
  return { op, type, operands, n, wide, bytes, body, otherwise, labels };
}
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i64Const: 0x42,
} as const;

/** Parses one function. @throws UnknownInstructionError, WasmReadError */
export function parseTrees(module: WasmModule, source: WasmFunction): TreeFunction {
  const locals = [...source.locals];
  const result = source.type.results[0] ?? VOID;
  const control: number[] = [result];
  const instructions = source.read();
  let at = 0;

  const sequence = (): { body: Tree[]; end: number } => {
    const out: Tree[] = [];
    const stack: Tree[] = [];
    const take = (count: number): Tree[] => {
      if (stack.length < count) throw new UnknownInstructionError('a value from outside of its block');
      return stack.splice(stack.length - count, count);
    };
    const statement = (tree: Tree): void => {
      stack.forEach((value, i) => {
        if (value.op === OP.i32Const || value.op === OP.i64Const) return;
        const n = locals.length;
        locals.push(value.type);
        out.push(node(OP.localSet, VOID, [value], { n }));
        stack[i] = node(OP.localGet, value.type, NO_TREES, { n });
      });
      out.push(tree);
    };
    const add = (tree: Tree): void => {
      if (tree.type === VOID) statement(tree);
      else stack.push(tree);
    };
    for (;;) {
      const instruction = instructions[at++];
      if (instruction === undefined) throw new UnknownInstructionError('unexpected end');
      const { op, immediate: n, wide = 0n, bytes = NO_NUMBERS, labels = NO_NUMBERS } = instruction;
      const row = opcodeOf(op);
      if (row?.operands !== undefined) {
        add(node(op, row.result, take(row.operands.length), { n, wide, bytes }));
        continue;
      }
      switch (op) {
        case OP.end:
        case OP.else:
          return { body: [...out, ...stack], end: op };
        case OP.block:
        case OP.loop:
        case OP.if: {
          const type = n === -64 ? VOID : n & 0x7f;
          const condition = op === OP.if ? take(1) : NO_TREES;
          control.push(op === OP.loop ? VOID : type);
          const first = sequence();
          const otherwise = first.end === OP.else ? sequence().body : NO_TREES;
          control.pop();
          add(node(op, type, condition, { body: first.body, otherwise }));
          break;
        }
        case OP.br:
        case OP.return: {
          const depth = op === OP.return ? control.length - 1 : n;
          const valued = control[control.length - 1 - depth] !== VOID;
          statement(node(OP.br, VOID, take(valued ? 1 : 0), { n: depth }));
          break;
        }
        case OP.brIf: {
          if (control[control.length - 1 - n] === VOID) {
            statement(node(op, VOID, take(1), { n }));
            break;
          }
          // the value that a taken branch carries stays on the stack otherwise: it goes to a local, for both
          const [value, condition] = take(2);
          if (value === undefined || condition === undefined) throw new UnknownInstructionError('br_if');
          const local = locals.length;
          locals.push(value.type);
          const carried = node(OP.localGet, value.type, NO_TREES, { n: local });
          statement(node(OP.localSet, VOID, [value], { n: local }));
          statement(node(op, VOID, [condition, carried], { n }));
          stack.push(carried);
          break;
        }
        case OP.brTable:
          statement(node(op, VOID, take(1), { labels }));
          break;
        case OP.call: {
          const callee = module.functions[n];
          if (callee === undefined) throw new UnknownInstructionError(`function ${n}`);
          add(node(op, callee.type.results[0] ?? VOID, take(callee.type.parameters.length), { n }));
          break;
        }
        case OP.select: {
          const operands = take(3);
          stack.push(node(op, operands[0]?.type ?? I32, operands));
          break;
        }
        case OP.localGet:
          stack.push(node(op, locals[n] ?? I32, NO_TREES, { n }));
          break;
        case OP.localTee:
          stack.push(node(op, locals[n] ?? I32, take(1), { n }));
          break;
        case OP.localSet:
          statement(node(op, VOID, take(1), { n }));
          break;
        case OP.drop:
          statement(node(op, VOID, take(1)));
          break;
        case OP.unreachable:
          statement(node(op, VOID, NO_TREES));
          break;
        case OP.nop:
          break;
        default:
          throw new UnknownInstructionError(`opcode 0x${op.toString(16)}`);
      }
    }
  };
  const { body } = sequence();
  return { result, locals, body };
}
