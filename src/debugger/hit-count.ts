/** Hit conditions: `5` or `= 5` (the fifth hit), `> 5`, `>= 5`, `< 5`, `<= 5`, `% 5` (every fifth). */
import { DebuggerError } from './errors.ts';

/** Whether to stop at the hit of this number, the first being 1. */
export type HitCondition = (hits: number) => boolean;

export function parseHitCondition(text: string): HitCondition {
  const match = /^\s*(<=|>=|==|<|>|=|%)?\s*(\d{1,15})\s*$/.exec(text);
  if (match === null) {
    throw new DebuggerError(
      'syntax',
      `'${text}' is not a hit count: write a number, optionally after one of < <= = >= > %.`,
    );
  }
  const count = Number(match[2]);
  switch (match[1]) {
    case '<':
      return (hits) => hits < count;
    case '<=':
      return (hits) => hits <= count;
    case '>':
      return (hits) => hits > count;
    case '>=':
      return (hits) => hits >= count;
    case '%':
      if (count === 0) throw new DebuggerError('syntax', `'% 0' never comes; write '% 1' to stop at every hit.`);
      return (hits) => hits % count === 0;
    default:
      return (hits) => hits === count;
  }
}
