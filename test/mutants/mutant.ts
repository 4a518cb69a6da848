// A mutant: a fault of one place, planted into a copy of the checkout, that the named tests have to catch.

export interface Mutant {
  /** Path in the checkout. */
  readonly file: string;
  /** The place, by its text, which has to be there exactly once: a mutant that no longer fits its file fails. */
  readonly find: string;
  readonly replace: string;
  /** What would go wrong, and for whom. */
  readonly why: string;
  /** Test files that have to catch it: one failing test is enough. */
  readonly tests: readonly string[];
  /** One of those that `npm test` plants each time. */
  readonly quick?: true;
}
