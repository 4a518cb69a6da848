/** The run of a machine that is under way, if any: whoever releases the machine has to wait until it has left it. */
import type { Execution } from '../debugger/execution.ts';

export class RunInProgress {
  private readonly execution: Pick<Execution, 'abandon'>;
  private loop: Promise<void> = Promise.resolve();

  constructor(execution: Pick<Execution, 'abandon'>) {
    this.execution = execution;
  }

  /** A run began; one at a time. */
  follow(loop: Promise<void>): void {
    this.loop = loop;
  }
  /** Nothing is reported any more; resolves when the machine is not run any more. */
  async abandon(): Promise<void> {
    this.execution.abandon();
    await this.loop;
  }
}
