/** One request under way: it can be cancelled where it breathes or waits, and shows its progress when it takes long. */
import type { AdapterHost } from './host.ts';
import type { Call, Command } from './protocol.ts';

/** The world's clock, as far as requests need it. */
export type Clock = Pick<AdapterHost, 'now' | 'scheduler'>;

/** Milliseconds of work between two moments at which other messages are let in. */
const BREATH = 20;
/** What takes longer than this many milliseconds shows progress. */
export const PROGRESS_AFTER = 500;

/** The client does not want the answer any more; its request is answered with the protocol's word. */
export class Cancelled extends Error {
  constructor() {
    super('cancelled');
    this.name = 'Cancelled';
  }
}

/** What is shown while a request takes long. */
const titles: Partial<Readonly<Record<Command, string>>> = {
  launch: 'Powering the guest on',
  restart: 'Powering the guest on again',
  setBreakpoints: 'Looking for the code of lines',
  setFunctionBreakpoints: 'Looking for functions',
  loadedSources: 'Looking for source files',
  disassemble: 'Disassembling',
  completions: 'Looking for names',
  evaluate: 'Evaluating',
};

export class RequestCall implements Call {
  /** Of the request, for the client. */
  readonly seq: number;
  /** Work for after the response. */
  readonly later: (() => unknown)[] = [];
  title: string;
  /** Part that is done, 0 to 1; undefined when nobody knows. */
  share: number | undefined;
  /** Progress is shown under this id. */
  progressId: string | undefined;
  readonly begun: number;
  private readonly clock: Clock;
  private breathed: number;
  private cancelled = false;
  private onCancel: (() => void)[] = [];

  constructor(seq: number, command: string, clock: Clock) {
    this.seq = seq;
    this.clock = clock;
    this.title = titles[command as Command] ?? `Answering '${command.slice(0, 40)}'`;
    this.begun = clock.now();
    this.breathed = this.begun;
  }

  after(work: () => unknown): void {
    this.later.push(work);
  }

  describe(title: string): void {
    this.title = title;
  }

  async breathe(share?: number): Promise<void> {
    this.share = share ?? this.share;
    this.check();
    if (this.clock.now() - this.breathed < BREATH) return;
    await this.clock.scheduler.yield();
    this.breathed = this.clock.now();
    this.check();
  }

  wait<Result>(work: Promise<Result>, late: (result: Result) => unknown = () => undefined): Promise<Result> {
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        reject(new Cancelled());
        // Nobody waits any more: what comes is put away, what fails was not wanted.
        work.then(late).catch(() => undefined);
      };
      if (this.cancelled) return cancel();
      this.onCancel.push(cancel);
      work.then(resolve, reject).finally(() => {
        this.onCancel = this.onCancel.filter((one) => one !== cancel);
      });
    });
  }

  /** The client asks for an end. */
  cancel(): void {
    this.cancelled = true;
    for (const cancel of this.onCancel.splice(0)) cancel();
  }
  private check(): void {
    if (this.cancelled) throw new Cancelled();
  }
}
