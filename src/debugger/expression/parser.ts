/** Pratt parser for C expressions without assignment, increment and calls: evaluating never changes the guest. */
import { DebuggerError } from '../errors.ts';
import type { BinaryOperator, Expression, TypeName, UnaryOperator } from './ast.ts';
import type { Token } from './lexer.ts';

/** Binding powers after ISO C 6.5; `@` (gdb's "array of") binds tighter than `*`. */
const binaryPower: ReadonlyMap<string, number> = new Map([
  [',', 1],
  ['?', 3],
  ['||', 4],
  ['&&', 5],
  ['|', 6],
  ['^', 7],
  ['&', 8],
  ['==', 9],
  ['!=', 9],
  ['<', 10],
  ['>', 10],
  ['<=', 10],
  ['>=', 10],
  ['<<', 11],
  ['>>', 11],
  ['+', 12],
  ['-', 12],
  ['*', 13],
  ['/', 13],
  ['%', 13],
  ['@', 14],
]);
const CONDITIONAL = 3;
const UNARY = 15;

export const baseTypeWords: ReadonlySet<string> = new Set([
  ...['void', 'char', 'short', 'int', 'long', 'signed', 'unsigned', 'float', 'double', '_Bool', 'bool'],
  ...['__int128', 'const', 'volatile'],
]);
const tagWords: ReadonlySet<string> = new Set(['struct', 'union', 'enum', 'class']);
/** Nesting deeper than this is refused before the host's own stack ends. */
const DEPTH_LIMIT = 200;

/**
 * @param tokens of `tokenize`
 * @param isType whether a plain name is a type's (a typedef that no variable hides)
 */
export function parse(tokens: readonly Token[], isType: (name: string) => boolean): Expression {
  return new Parser(tokens, isType).all();
}

class Parser {
  private position = 0;
  private depth = 0;
  private readonly tokens: readonly Token[];
  private readonly isType: (name: string) => boolean;

  constructor(tokens: readonly Token[], isType: (name: string) => boolean) {
    this.tokens = tokens;
    this.isType = isType;
  }

  all(): Expression {
    if (this.peek().kind === 'end') throw new DebuggerError('syntax', 'The expression is empty.');
    const expression = this.expression(0);
    if (this.peek().kind !== 'end') throw this.unexpected('an operator or the end');
    return expression;
  }

  private peek(ahead = 0): Token {
    return this.tokens[Math.min(this.position + ahead, this.tokens.length - 1)] ?? { kind: 'end', start: 0 };
  }
  private isOperator(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'operator' && token.text === text;
  }
  private take(text: string): boolean {
    if (!this.isOperator(text)) return false;
    this.position++;
    return true;
  }
  private expect(text: string): void {
    if (!this.take(text)) throw this.unexpected(`'${text}'`);
  }
  private unexpected(expected: string): DebuggerError {
    const token = this.peek();
    const found = token.kind === 'end' ? 'the end' : token.kind === 'character' ? 'a character' : `'${token.text}'`;
    return new DebuggerError('syntax', `Expected ${expected} at column ${token.start + 1}, found ${found}.`);
  }

  private expression(power: number): Expression {
    if (++this.depth > DEPTH_LIMIT) throw new DebuggerError('syntax', 'The expression is nested too deeply.');
    let left = this.unary();
    for (;;) {
      const token = this.peek();
      if (token.kind !== 'operator') break;
      if (token.text === '=') {
        throw new DebuggerError(
          'syntax',
          `An expression cannot assign (column ${token.start + 1}); change the value in the Variables view, or compare with '=='.`,
        );
      }
      const binding = binaryPower.get(token.text);
      if (binding === undefined || binding <= power) break;
      this.position++;
      if (token.text === '?') {
        const then = this.expression(0);
        this.expect(':');
        const otherwise = this.expression(CONDITIONAL - 1);
        left = { kind: 'conditional', start: token.start, condition: left, then, otherwise };
      } else {
        const operator = token.text as BinaryOperator; // a key of binaryPower other than '?'
        left = { kind: 'binary', start: token.start, operator, left, right: this.expression(binding) };
      }
    }
    this.depth--;
    return left;
  }

  private unary(): Expression {
    const token = this.peek();
    const { start } = token;
    if (token.kind === 'operator') {
      if (token.text === '++' || token.text === '--') {
        throw new DebuggerError(
          'syntax',
          `'${token.text}' at column ${start + 1} would change the guest; expressions only read.`,
        );
      }
      if (isUnary(token.text)) {
        this.position++;
        return { kind: 'unary', start, operator: token.text, operand: this.expression(UNARY - 1) };
      }
      if (token.text === '(' && this.startsType(1)) {
        this.position++;
        const type = this.typeName();
        this.expect(')');
        return { kind: 'cast', start, type, operand: this.expression(UNARY - 1) };
      }
    }
    if (token.kind === 'name' && (token.text === 'sizeof' || token.text === '_Alignof')) {
      this.position++;
      if (this.isOperator('(') && this.startsType(1)) {
        this.position++;
        const type = this.typeName();
        this.expect(')');
        return { kind: 'sizeofType', start, type };
      }
      return { kind: 'sizeofValue', start, operand: this.expression(UNARY - 1) };
    }
    return this.postfix(this.primary());
  }

  private primary(): Expression {
    const token = this.peek();
    const { start } = token;
    switch (token.kind) {
      case 'number':
        this.position++;
        return { kind: 'number', start, literal: token.value };
      case 'character':
        this.position++;
        return { kind: 'character', start, value: token.value };
      case 'register':
        this.position++;
        return { kind: 'register', start, name: token.text.toLowerCase() };
      case 'name':
        if (tagWords.has(token.text) || baseTypeWords.has(token.text)) throw this.unexpected('a value');
        this.position++;
        return { kind: 'name', start, name: token.text };
      default:
        if (this.take('(')) {
          const inner = this.expression(0);
          this.expect(')');
          return inner;
        }
        throw this.unexpected('a value');
    }
  }

  private postfix(primary: Expression): Expression {
    let left = primary;
    for (;;) {
      const { start } = this.peek();
      if (this.take('[')) {
        const index = this.expression(0);
        this.expect(']');
        left = { kind: 'index', start, object: left, index };
      } else if (this.isOperator('.') || this.isOperator('->')) {
        const arrow = this.isOperator('->');
        this.position++;
        const name = this.peek();
        if (name.kind !== 'name') throw this.unexpected('the name of a member');
        this.position++;
        left = { kind: 'member', start, object: left, arrow, name: name.text };
      } else if (this.isOperator('(')) {
        throw new DebuggerError('syntax', `A call at column ${start + 1} would run the guest; expressions only read.`);
      } else if (this.isOperator('++') || this.isOperator('--')) {
        throw new DebuggerError(
          'syntax',
          `'++' and '--' at column ${start + 1} would change the guest; expressions only read.`,
        );
      } else {
        return left;
      }
    }
  }

  private startsType(ahead: number): boolean {
    const token = this.peek(ahead);
    if (token.kind !== 'name') return false;
    if (tagWords.has(token.text) || baseTypeWords.has(token.text)) return true;
    return this.isType(token.text);
  }

  private skipParentheses(): void {
    this.position++;
    for (let open = 1; open > 0; this.position++) {
      if (this.peek().kind === 'end') throw this.unexpected("')'");
      if (this.isOperator('(')) open++;
      if (this.isOperator(')')) open--;
    }
  }

  private typeName(): TypeName {
    const { start } = this.peek();
    const words: string[] = [];
    for (;;) {
      const token = this.peek();
      if (token.kind !== 'name') break;
      if (token.text === 'const' || token.text === 'volatile') {
        this.position++;
      } else if (tagWords.has(token.text) && words.length === 0) {
        const tag = this.peek(1);
        this.position++;
        if (tag.kind !== 'name') throw this.unexpected(`the tag of the ${token.text}`);
        this.position++;
        words.push(token.text, tag.text);
        break;
      } else if (baseTypeWords.has(token.text)) {
        words.push(token.text);
        this.position++;
      } else if (words.length === 0) {
        words.push(token.text);
        this.position++;
        break;
      } else {
        break;
      }
    }
    let pointers = 0;
    for (;;) {
      const token = this.peek();
      if (this.take('*')) pointers++;
      else if (token.kind === 'name' && /^(const|volatile|restrict)$/.test(token.text)) this.position++;
      else break;
    }
    const name = canonicalTypeName(words);
    let outerPointers = 0;
    if (this.isOperator('(') && this.isOperator('*', 1)) {
      this.position++;
      while (this.take('*')) outerPointers++;
      this.expect(')');
      if (this.isOperator('(')) {
        // `void (*)()`: a function pointer is as good as a pointer to void here.
        this.skipParentheses();
        return { name: 'void', pointers: outerPointers, dimensions: [], outerPointers: 0, start };
      }
    }
    const dimensions: number[] = [];
    while (this.take('[')) {
      const bound = this.peek();
      if (bound.kind !== 'number' || bound.value.kind !== 'integer') throw this.unexpected('the number of elements');
      this.position++;
      dimensions.push(Number(bound.value.value));
      this.expect(']');
    }
    return { name, pointers, dimensions, outerPointers, start };
  }
}

function isUnary(text: string): text is UnaryOperator {
  return text === '-' || text === '+' || text === '!' || text === '~' || text === '*' || text === '&';
}

/** One spelling for the many that C allows: `long unsigned int` -> `unsigned long`. */
export function canonicalTypeName(words: readonly string[]): string {
  const first = words[0] ?? 'int';
  if (!words.every((word) => baseTypeWords.has(word))) return words.join(' ');
  if (first === 'bool' || first === '_Bool') return '_Bool';
  if (words.includes('void') || words.includes('float') || words.includes('double')) return words.join(' ');
  const unsigned = words.includes('unsigned') ? 'unsigned ' : '';
  if (words.includes('char')) return words.includes('signed') ? 'signed char' : `${unsigned}char`;
  if (words.includes('short')) return `${unsigned}short`;
  if (words.includes('__int128')) return `${unsigned}__int128`;
  const longs = words.filter((word) => word === 'long').length;
  return `${unsigned}${longs === 0 ? 'int' : longs === 1 ? 'long' : 'long long'}`;
}
