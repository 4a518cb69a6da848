/** Requests that are not answered yet: `disconnect` is answered last, so that no answer is lost with the connection. */
import type { Handlers } from './protocol.ts';

export class Unanswered {
  private readonly open = new Set<Promise<unknown>>();

  /** The same handlers, watched; `disconnect` is not, since two of them would wait for each other. */
  watch(handlers: Handlers): Handlers {
    const entries = Object.entries(handlers).map(([command, handler]) => {
      if (command === 'disconnect') return [command, handler];
      // Each handler keeps its own type: it is called with exactly what came.
      const handle = handler as (...given: readonly unknown[]) => unknown;
      return [command, (...given: readonly unknown[]) => this.follow(handle(...given))];
    });
    return Object.fromEntries(entries) as Handlers;
  }
  private follow(result: unknown): unknown {
    if (!(result instanceof Promise)) return result;
    this.open.add(result);
    const forget = (): void => void this.open.delete(result);
    result.then(forget, forget);
    return result;
  }

  /** Resolves when every request has its outcome, those too that came meanwhile. */
  async settled(): Promise<void> {
    while (this.open.size > 0) await Promise.allSettled(this.open);
  }
}
