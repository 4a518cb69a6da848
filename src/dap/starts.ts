/** The start of a machine that is under way: at most one, and the latest wins. */
import { ResourceScope, ScopeOver } from './resource-scope.ts';

/** A start was given up: a later one, or the end of the session, came in between. What it had is released. */
export class Overtaken extends Error {
  constructor() {
    super('The start was given up: another launch, or the end of the session, came in between.');
    this.name = 'Overtaken';
  }
}

export class Starts {
  private latest: { readonly scope: ResourceScope; readonly done: Promise<unknown> } | undefined;
  private readonly onFault: (what: string, error: unknown) => void;

  constructor(onFault: (what: string, error: unknown) => void) {
    this.onFault = onFault;
  }

  /**
   * Gives up the start that is under way, waits until it is gone, and makes another.
   * @param make takes all that it needs through the scope
   * @param adopt takes the scope over with what was made; called in the very moment in which nothing can overtake any more
   * Rejects with Overtaken, or with what `make` or `adopt` threw; everything is released then.
   */
  begin<Made>(make: (scope: ResourceScope) => Promise<Made>, adopt: (made: Made) => void): Promise<Made> {
    const before = this.abort();
    const scope = new ResourceScope(this.onFault);
    const start = { scope, done: this.perform(before, scope, make, adopt) };
    this.latest = start;
    const forget = (): void => {
      if (this.latest === start) this.latest = undefined;
    };
    start.done.then(forget, forget);
    return start.done;
  }

  private async perform<Made>(
    before: Promise<void>,
    scope: ResourceScope,
    make: (scope: ResourceScope) => Promise<Made>,
    adopt: (made: Made) => void,
  ): Promise<Made> {
    try {
      await before;
      scope.check('A start');
      const made = await make(scope);
      scope.check('A machine');
      adopt(made);
      return made;
    } catch (error) {
      const overtaken = scope.isOver || error instanceof ScopeOver;
      await scope.release();
      throw overtaken ? new Overtaken() : error;
    }
  }

  /** Gives up the start that is under way, if any; resolves when all it had is released. Never rejects. */
  async abort(): Promise<void> {
    const { latest } = this;
    if (latest === undefined) return;
    await latest.scope.release();
    await latest.done.catch(() => undefined);
  }
}
