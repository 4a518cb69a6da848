/** Tokens of C expressions (ISO C 6.4), with `$name` for registers. */
import { DebuggerError } from '../errors.ts';

export type Token =
  | { readonly kind: 'number'; readonly text: string; readonly start: number; readonly value: NumberLiteral }
  | { readonly kind: 'character'; readonly start: number; readonly value: bigint }
  | { readonly kind: 'name'; readonly start: number; readonly text: string }
  | { readonly kind: 'register'; readonly start: number; readonly text: string }
  | { readonly kind: 'operator'; readonly start: number; readonly text: string }
  | { readonly kind: 'end'; readonly start: number };

export type NumberLiteral =
  | {
      readonly kind: 'integer';
      readonly value: bigint;
      readonly decimal: boolean;
      readonly unsigned: boolean;
      readonly longs: 0 | 1 | 2;
    }
  | { readonly kind: 'float'; readonly value: number; readonly single: boolean };

/** Longest first, so that the first that fits is the right one. */
const operators = [
  ...['<<', '>>', '<=', '>=', '==', '!=', '&&', '||', '->', '++', '--'],
  ...['+', '-', '*', '/', '%', '&', '|', '^', '~', '!', '<', '>', '?', ':', '(', ')', '[', ']', '.', ',', '@', '='],
];

/** Longer expressions are refused: nobody types them, and hostile clients may send megabytes. */
const LENGTH_LIMIT = 10_000;

export function tokenize(text: string): readonly Token[] {
  if (text.length > LENGTH_LIMIT) {
    throw new DebuggerError(
      'syntax',
      `The expression has ${text.length} characters; at most ${LENGTH_LIMIT} are accepted.`,
    );
  }
  const tokens: Token[] = [];
  let position = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    return pattern.exec(text);
  };
  for (;;) {
    position += match(/\s*/y)?.[0].length ?? 0;
    const start = position;
    if (start >= text.length) break;
    const name = match(/\$?[A-Za-z_][A-Za-z0-9_]*/y);
    if (name !== null) {
      position += name[0].length;
      const register = name[0].startsWith('$');
      tokens.push({ kind: register ? 'register' : 'name', start, text: register ? name[0].slice(1) : name[0] });
      continue;
    }
    const number = match(/(?:\d|\.\d)(?:[eE][+-]|[pP][+-]|[\w.])*/y);
    if (number !== null) {
      position += number[0].length;
      tokens.push({ kind: 'number', text: number[0], start, value: readNumber(number[0], start) });
      continue;
    }
    const character = match(/'(\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)|[^'\\])'/y);
    if (character !== null) {
      position += character[0].length;
      tokens.push({ kind: 'character', start, value: readCharacter(character[1] ?? '', start) });
      continue;
    }
    const operator = operators.find((candidate) => text.startsWith(candidate, start));
    if (operator === undefined) {
      const found = JSON.stringify(text.charAt(start));
      throw new DebuggerError('syntax', `${found} at column ${start + 1} is not part of a C expression.`);
    }
    position += operator.length;
    tokens.push({ kind: 'operator', start, text: operator });
  }
  tokens.push({ kind: 'end', start: text.length });
  return tokens;
}

function readNumber(text: string, start: number): NumberLiteral {
  const integer = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)([uUlL]*)$/.exec(text);
  if (integer !== null) {
    const digits = integer[1] ?? '';
    const suffix = (integer[2] ?? '').toLowerCase();
    const octal = /^0\d+$/.test(digits);
    if ((octal && /[89]/.test(digits)) || !/^(u?l{0,2}|l{1,2}u)$/.test(suffix)) throw badNumber(text, start);
    const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
    if (value >= 1n << 128n)
      throw new DebuggerError('syntax', `The number at column ${start + 1} has more than 128 bits.`);
    const longs = suffix.includes('ll') ? 2 : suffix.includes('l') ? 1 : 0;
    return { kind: 'integer', value, decimal: /^([1-9]|0$)/.test(digits), unsigned: suffix.includes('u'), longs };
  }
  const float = /^(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?([fFlL]?)$/.exec(text);
  if (float === null) throw badNumber(text, start);
  return { kind: 'float', value: Number.parseFloat(text), single: /[fF]$/.test(text) };
}

function badNumber(text: string, start: number): DebuggerError {
  return new DebuggerError('syntax', `'${text.slice(0, 40)}' at column ${start + 1} is not a number.`);
}

const escapes: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
  e: 27,
  '\\': 92,
  "'": 39,
  '"': 34,
  '?': 63,
};

function readCharacter(text: string, start: number): bigint {
  if (!text.startsWith('\\')) return BigInt(text.codePointAt(0) ?? 0);
  const rest = text.slice(1);
  if (/^x[0-9a-fA-F]+$/.test(rest)) return BigInt.asIntN(8, BigInt(`0${rest}`));
  if (/^[0-7]+$/.test(rest)) return BigInt.asIntN(8, BigInt(`0o${rest}`));
  const known = escapes[rest];
  if (known === undefined)
    throw new DebuggerError('syntax', `'\\${rest}' at column ${start + 1} is not an escape sequence.`);
  return BigInt(known);
}

/** `object = value` in two; undefined when there is no `=` outside parentheses. */
export function splitAssignment(text: string): { readonly object: string; readonly value: string } | undefined {
  let depth = 0;
  for (const token of tokenize(text)) {
    if (token.kind !== 'operator') continue;
    if (token.text === '(' || token.text === '[') depth++;
    else if (token.text === ')' || token.text === ']') depth--;
    else if (token.text === '=' && depth === 0)
      return { object: text.slice(0, token.start), value: text.slice(token.start + 1) };
  }
  return undefined;
}
