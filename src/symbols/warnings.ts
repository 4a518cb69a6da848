/** Collects what is wrong with a file's debugging information without stopping. */

import { SymbolError, type SymbolErrorData } from './api.ts';

const limit = 100;

export class Warnings {
  readonly #seen = new Set<string>();
  readonly #list: SymbolErrorData[] = [];

  get list(): readonly SymbolErrorData[] {
    return this.#list;
  }

  /** Notes a SymbolError; throws anything else on, since that is a mistake of the program. */
  add(error: unknown): void {
    if (!(error instanceof SymbolError)) throw error;
    if (this.#list.length >= limit || this.#seen.has(error.message)) return;
    this.#seen.add(error.message);
    this.#list.push(error.toData());
  }

  /** Runs the action; a SymbolError in it becomes a warning and the fallback. */
  guard<Result>(action: () => Result, fallback: Result): Result {
    try {
      return action();
    } catch (error) {
      this.add(error);
      return fallback;
    }
  }
}
