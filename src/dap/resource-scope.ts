/**
 * Everything that must be let go of, in one place: a machine's disks and locks, symbol files, listeners, a worker. What is
 * taken is written down at once, so that a start that fails or is overtaken half-way releases exactly what it had.
 */

/** Something was taken for a scope that is over; it was released again at once. */
export class ScopeOver extends Error {
  constructor(what: string) {
    super(`${what} came too late: what it was for is over.`);
    this.name = 'ScopeOver';
  }
}

type Release = () => void | Promise<void>;
interface Held {
  readonly what: string;
  readonly release: Release;
}

export class ResourceScope {
  private readonly held: Held[] = [];
  private released: Promise<void> | undefined;
  private readonly onFault: (what: string, error: unknown) => void;

  /** @param onFault hears of a resource that could not be released; the others are released all the same */
  constructor(onFault: (what: string, error: unknown) => void) {
    this.onFault = onFault;
  }

  get isOver(): boolean {
    return this.released !== undefined;
  }
  /** Names of what is held, in the order in which it was taken; for tests and error messages. */
  get contents(): readonly string[] {
    return this.held.map(({ what }) => what);
  }

  /**
   * Writes a resource down and answers it. Throws ScopeOver when the scope is over, after releasing it.
   * @param what its name
   * @param release called exactly once; may be asynchronous
   */
  hold<Resource>(what: string, resource: Resource, release: (resource: Resource) => void | Promise<void>): Resource {
    const held = { what, release: () => release(resource) };
    if (this.released === undefined) {
      this.held.push(held);
      return resource;
    }
    this.released = this.released.then(() => this.letGo(held));
    throw new ScopeOver(what);
  }

  /** Throws ScopeOver when the scope is over: for the moment after an await that took nothing. */
  check(what: string): void {
    if (this.isOver) throw new ScopeOver(what);
  }

  /** Releases everything, the last that was taken first, each after the one before is gone. Never rejects; idempotent. */
  release(): Promise<void> {
    this.released ??= this.releaseAll();
    return this.released;
  }
  private async releaseAll(): Promise<void> {
    for (let last = this.held.pop(); last !== undefined; last = this.held.pop()) await this.letGo(last);
  }
  private async letGo({ what, release }: Held): Promise<void> {
    try {
      await release();
    } catch (error) {
      this.onFault(what, error);
    }
  }
}
