// Between VS Code and the adapter worker: hands every protocol message on, slips requests of our own in, and says clearly when
// the worker dies.
import type { CustomEvents, CustomRequests } from '../dap/custom.ts';
import { sizeOf, type Taken } from '../dap/outlet.ts';
import type { AdapterWorker } from './platform.ts';

/** A message of the Debug Adapter Protocol, as far as it is looked at here. */
export interface Message {
  readonly type?: unknown;
  readonly seq?: unknown;
  readonly request_seq?: unknown;
  readonly command?: unknown;
  readonly event?: unknown;
  readonly success?: unknown;
  readonly message?: unknown;
  readonly body?: unknown;
}

/** An event of the adapter. */
export interface AdapterEvent {
  readonly event: string;
  readonly body: unknown;
}

/** Where the channel's messages go. */
export interface ChannelEnds {
  /** To VS Code. */
  send(message: Message): void;
  /** Every event, before VS Code sees it. */
  onEvent(event: AdapterEvent): void;
  /** Resolves when the window has taken everything that was sent so far. */
  settled(): Promise<void>;
  /** The one message that a person sees when the worker died in the middle of a session. */
  showError(text: string): void;
}

/** An event of our own: the machine was powered on anew in the same session, and nothing that was told of it holds any more. */
export const RESTARTED = 'restarted';

interface Waiting {
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Sequence numbers of our own requests: VS Code's count up from 1. */
const FIRST_OWN_SEQUENCE = 0x4000_0000;
/** Bytes of messages after which the worker is told that they were taken; it waits at many times as much (dap/outlet.ts). */
const TOLD_AT_ONCE = 64 * 1024;
/** errors.ts of src/dap: internal. */
const INTERNAL_ERROR = 1900;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const asMessage = (value: unknown): Message => (isRecord(value) ? value : {});
const threadOf = (body: unknown): number | undefined =>
  isRecord(body) && typeof body['threadId'] === 'number' ? body['threadId'] : undefined;

export class AdapterChannel {
  readonly #worker: AdapterWorker;
  readonly #ends: ChannelEnds;
  /** VS Code's requests without an answer: sequence number and command. */
  readonly #open = new Map<number, string>();
  readonly #own = new Map<number, Waiting>();
  /** The stopped event of each thread since anything ran. */
  readonly #stops = new Map<number, Message>();
  #nextOwn = FIRST_OWN_SEQUENCE;
  /** Messages of the worker so far, and bytes of those that it was not told of yet: it waits when they become too many. */
  #received = 0;
  #untold = 0;
  #settling = false;
  #over = false;

  constructor(worker: AdapterWorker, ends: ChannelEnds) {
    this.#worker = worker;
    this.#ends = ends;
    worker.onMessage = (message) => this.#receive(message);
    worker.onExit = (reason) => this.#died(reason);
  }

  /** A message of VS Code's. */
  handle(message: object): void {
    const { type, seq, command } = asMessage(message);
    if (this.#over) {
      if (type === 'request') this.#answer(Number(seq), String(command), command === 'disconnect');
      return;
    }
    if (type === 'request') this.#open.set(Number(seq), String(command));
    this.#worker.post(message);
  }

  /** Asks the adapter something of our own; VS Code does not see it. Rejects with the adapter's sentence. */
  request<Name extends keyof CustomRequests>(
    command: Name,
    ...[argument]: CustomRequests[Name]['arguments'] extends undefined ? [] : [CustomRequests[Name]['arguments']]
  ): Promise<CustomRequests[Name]['body']> {
    if (this.#over) return Promise.reject(new Error('The debug session is over.'));
    const seq = this.#nextOwn++;
    return new Promise((resolve, reject) => {
      // Adapter and extension are one build, and dap/custom.ts types both ends.
      this.#own.set(seq, { resolve: (body) => resolve(body as CustomRequests[Name]['body']), reject });
      this.#worker.post({ seq, type: 'request', command, ...(argument === undefined ? {} : { arguments: argument }) });
    });
  }

  /**
   * Makes VS Code select a stopped thread. There is no API for that, but a stopped event without a focus hint does it:
   * the one that the adapter sent is said again. Answers whether there was one.
   */
  focus(threadId: number): boolean {
    const stop = this.#stops.get(threadId);
    if (stop === undefined) return false;
    const { preserveFocusHint: _hint, ...rest } = isRecord(stop.body) ? stop.body : {};
    this.#ends.send({ ...stop, body: { ...rest, allThreadsStopped: false } });
    return true;
  }

  /** Nothing is handed on any more. */
  close(): void {
    this.#finish('The debug session is over.');
    this.#worker.terminate();
  }

  #receive(value: unknown): void {
    if (this.#over) return;
    this.#handOn(asMessage(value));
    this.#received++;
    this.#untold += sizeOf(value);
    if (this.#untold >= TOLD_AT_ONCE) void this.#tellWorker();
  }

  #handOn(message: Message): void {
    if (message.type === 'response') {
      const seq = Number(message.request_seq);
      const own = this.#own.get(seq);
      if (own !== undefined) {
        this.#own.delete(seq);
        if (message.success === true) own.resolve(message.body);
        else own.reject(new Error(typeof message.message === 'string' ? message.message : 'The request failed.'));
        return;
      }
      this.#answered(this.#open.get(seq), message);
      this.#open.delete(seq);
    } else if (message.type === 'event' && typeof message.event === 'string') {
      this.#note(message.event, message);
    }
    this.#ends.send(message);
  }

  /** Tells the worker what the window has taken. */
  async #tellWorker(): Promise<void> {
    if (this.#settling) return;
    this.#settling = true;
    while (this.#untold >= TOLD_AT_ONCE && !this.#over) {
      const [count, bytes] = [this.#received, this.#untold];
      await this.#ends.settled().catch(() => undefined); // a window that cannot say so is not waited for
      this.#untold -= bytes;
      const taken: Taken = { type: 'trapline/taken', count };
      if (!this.#over) this.#worker.post(taken);
    }
    this.#settling = false;
  }

  #answered(command: string | undefined, { success }: Message): void {
    if (success !== true) return;
    // What ran leaves the stops of before behind.
    if (command === 'continue' || command === 'restart') this.#stops.clear();
    if (command === 'restart') this.#ends.onEvent({ event: RESTARTED, body: undefined });
  }

  #note(event: string, message: Message): void {
    const thread = threadOf(message.body);
    if (event === 'continued') this.#stops.clear();
    else if (event === 'stopped' && thread !== undefined) this.#stops.set(thread, message);
    this.#ends.onEvent({ event, body: message.body });
  }

  #died(reason: string): void {
    if (this.#over) return;
    const text = `The debug adapter ended unexpectedly${reason === '' ? '' : ` (${reason.replace(/\.$/, '')})`}. The debug session is over.`;
    const starting = [...this.#open].find(([, command]) => command === 'launch' || command === 'initialize');
    this.#finish(text);
    // One error: VS Code itself shows why a launch failed.
    if (starting !== undefined) this.#answer(starting[0], starting[1], false, text);
    else this.#ends.showError(text);
    for (const [seq, command] of this.#open) {
      if (seq !== starting?.[0]) this.#answer(seq, command, false);
    }
    this.#open.clear();
    this.#say('output', { category: 'stderr', output: `${text}\n` });
    this.#say('terminated');
  }

  #finish(text: string): void {
    this.#over = true;
    this.#stops.clear();
    for (const { reject } of this.#own.values()) reject(new Error(text));
    this.#own.clear();
  }

  #answer(seq: number, command: string, success: boolean, text = 'canceled'): void {
    const error = success
      ? {}
      : { message: text, body: { error: { id: INTERNAL_ERROR, format: text, showUser: true } } };
    this.#ends.send({ type: 'response', seq: 0, request_seq: seq, command, success, ...error });
  }

  #say(event: string, body?: object): void {
    this.#ends.onEvent({ event, body });
    this.#ends.send({ type: 'event', seq: 0, event, ...(body === undefined ? {} : { body }) });
  }
}

/** The body of a custom event when an event is one of that name. */
export function customEvent<Name extends keyof CustomEvents>(
  event: AdapterEvent,
  name: Name,
): CustomEvents[Name] | undefined {
  // Both ends are typed by dap/custom.ts, and come from one build.
  return event.event === name ? (event.body as CustomEvents[Name]) : undefined;
}
