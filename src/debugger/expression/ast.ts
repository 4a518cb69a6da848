/** The syntax tree of an expression. Names are not resolved yet; `start` is the column (from 0) for messages. */
import type { NumberLiteral } from './lexer.ts';

export type UnaryOperator = '-' | '+' | '!' | '~' | '*' | '&';
export type BinaryOperator =
  | '*'
  | '/'
  | '%'
  | '+'
  | '-'
  | '<<'
  | '>>'
  | '<'
  | '>'
  | '<='
  | '>='
  | '=='
  | '!='
  | '&'
  | '^'
  | '|'
  | '&&'
  | '||'
  | ','
  | '@';

export type Expression = { readonly start: number } & (
  | { readonly kind: 'number'; readonly literal: NumberLiteral }
  | { readonly kind: 'character'; readonly value: bigint }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'register'; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'conditional';
      readonly condition: Expression;
      readonly then: Expression;
      readonly otherwise: Expression;
    }
  | { readonly kind: 'member'; readonly object: Expression; readonly arrow: boolean; readonly name: string }
  | { readonly kind: 'index'; readonly object: Expression; readonly index: Expression }
  | { readonly kind: 'cast'; readonly type: TypeName; readonly operand: Expression }
  | { readonly kind: 'sizeofType'; readonly type: TypeName }
  | { readonly kind: 'sizeofValue'; readonly operand: Expression }
);

/** A type as written: a C name, pointer stars, array bounds (outermost first). */
export interface TypeName {
  /** As `SymbolFile.typeNamed` wants it: `struct node`, `unsigned long`, `uint64_t`. */
  readonly name: string;
  readonly pointers: number;
  readonly dimensions: readonly number[];
  /** Stars around the array: 1 in `int (*)[4]`. */
  readonly outerPointers: number;
  readonly start: number;
}
