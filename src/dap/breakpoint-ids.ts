/** What the client's breakpoints are to the user, by their DAP ids: for the reasons of stops. */
export class BreakpointIds {
  private labels: ReadonlyMap<number, string> = new Map();
  private functions: ReadonlySet<number> = new Set();
  private instructions: ReadonlySet<number> = new Set();
  private filters: ReadonlyMap<number, string> = new Map();

  /** What a data breakpoint watches, in the user's words. */
  label(id: number): string | undefined {
    return this.labels.get(id);
  }
  /** The exception filter behind a breakpoint, if it is one. */
  filter(id: number): string | undefined {
    return this.filters.get(id);
  }
  isFunction(id: number): boolean {
    return this.functions.has(id);
  }
  isInstruction(id: number): boolean {
    return this.instructions.has(id);
  }

  setLabels(labels: ReadonlyMap<number, string>): void {
    this.labels = labels;
  }
  setFilters(filters: ReadonlyMap<number, string>): void {
    this.filters = filters;
  }
  setFunctions(ids: Iterable<number>): void {
    this.functions = new Set(ids);
  }
  setInstructions(ids: Iterable<number>): void {
    this.instructions = new Set(ids);
  }
}
