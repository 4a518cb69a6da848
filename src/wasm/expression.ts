// Expressions for code that is written by hand, named as the specification names its instructions (chapter 5.4).
import type { Code, Value } from './code.ts';
import { OP } from './tree.ts';

/** Emits code that leaves one value. A number is a constant of i32, a bigint one of i64. */
export type Expression = Exclude<Value, undefined> | ((code: Code) => void);

/** The value of an expression, on the stack. */
export function push(code: Code, expression: Expression): void {
  if (typeof expression === 'function') expression(code);
  else code.constant(expression);
}
export const get =
  (local: number): Expression =>
  (code) =>
    code.emit(OP.localGet, local);
export function set(code: Code, local: number, expression: Expression): void {
  push(code, expression);
  code.emit(OP.localSet, local);
}
export const tee =
  (local: number, expression: Expression): Expression =>
  (code) => {
    push(code, expression);
    code.emit(OP.localTee, local);
  };
/** Code for when a value of i32 is not 0. */
export function when(code: Code, condition: Expression, body: () => void): void {
  push(code, condition);
  code.open(OP.if);
  body();
  code.close();
}

const unary =
  (op: number) =>
  (a: Expression): Expression =>
  (code) => {
    push(code, a);
    code.emit(op);
  };
const binary =
  (op: number) =>
  (a: Expression, b: Expression): Expression =>
  (code) => {
    push(code, a);
    push(code, b);
    code.emit(op);
  };
const load =
  (op: number) =>
  (offset: number, base: Expression = 0): Expression =>
  (code) => {
    push(code, base);
    code.memory(op, offset);
  };
const store =
  (op: number) =>
  (code: Code, address: number, value: Expression): void => {
    push(code, 0);
    push(code, value);
    code.memory(op, address);
  };
export const i32 = {
  load: load(0x28),
  store: store(0x36),
  eqz: unary(0x45),
  ne: binary(0x47),
  add: binary(0x6a),
  mul: binary(0x6c),
  and: binary(0x71),
  or: binary(0x72),
  shl: binary(0x74),
  shrU: binary(0x76),
  wrap: unary(0xa7),
} as const;
export const i64 = {
  load: load(0x29),
  store: store(0x37),
  ne: binary(0x52),
  ltS: binary(0x53),
  add: binary(0x7c),
  sub: binary(0x7d),
  and: binary(0x83),
  shrU: binary(0x88),
  extendU: unary(0xad),
} as const;
