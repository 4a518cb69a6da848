/**
 * The protocol layer, on @vscode/debugadapter's ProtocolServer: it takes messages one by one, finds their handlers,
 * numbers and sends what goes back. Whatever a request, an event or work behind either throws ends here, in `guard`.
 */
import { Event, Response } from '@vscode/debugadapter/lib/messages.js';
import { ProtocolServer } from '@vscode/debugadapter/lib/protocol.js';
import { checkArguments, isCommand } from './arguments.ts';
import { Cancelled, RequestCall, type Clock } from './call.ts';
import { Client } from './client.ts';
import { errorIds, ProtocolError, toProtocolError } from './errors.ts';
import { CallsUnderWay } from './progress.ts';
import type { AllEvents, Call, Handlers, P, ProtocolMessage, Send } from './protocol.ts';

/** A client that was refused one of these shows nothing by itself unless it is told to: F5 would seem to do nothing. */
const SHOWN_WHEN_REFUSED: ReadonlySet<string> = new Set(['launch', 'restart']);

export interface EventSender {
  event<Name extends keyof AllEvents>(name: Name, body: AllEvents[Name]): void;
}

export class Dispatcher extends ProtocolServer implements EventSender {
  /** Who is at the other end; known from `initialize` on. */
  client = new Client();
  /** Requests that have no answer yet. */
  readonly calls: CallsUnderWay;
  /** Requests with arguments: how many came, and how many of them got as far as their handler. */
  readonly tally = { asked: 0, handled: 0 };
  private readonly transmit: Send;
  private readonly clock: Clock;
  private handlers: Handlers | undefined;
  /** The answer to the request that was handed over last. */
  private answering: Promise<void> = Promise.resolve();

  /** @param transmit takes each message to the client, in order; what it throws is caught */
  constructor(transmit: Send, clock: Clock) {
    super();
    this.transmit = transmit;
    this.clock = clock;
    this.calls = new CallsUnderWay(clock, this, () => this.client.showsProgress);
    this.onDidSendMessage((message) => this.transmitted(message as ProtocolMessage));
  }

  /** Requests are answered by these handlers from now on. */
  serve(handlers: Handlers): void {
    this.handlers = handlers;
  }

  event<Name extends keyof AllEvents>(name: Name, body: AllEvents[Name]): void {
    this.sendEvent(new Event(name, body));
  }

  /** A line for the Debug Console about the connection itself. */
  complain(text: string): void {
    this.event('output', { category: 'important', output: `${text}\n` });
  }

  /** Runs work that nobody waits for; what it throws, now or later, is said in the Debug Console and goes no further. */
  async guard(work: () => unknown): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.complain(toProtocolError(error).message);
    }
  }

  /** One message of the client, whatever it is. */
  override handleMessage(message: unknown): void {
    const request = asRequest(message);
    // Responses to reverse requests and other noise: nothing to answer, but nothing to hide either.
    if (request === undefined)
      this.complain(`Ignored a message of the client that is not a request: ${excerpt(message)}`);
    else super.handleMessage(request);
  }

  /** As handleMessage; resolves when the message is answered, never rejects. */
  receive(message: unknown): Promise<void> {
    this.answering = Promise.resolve();
    this.handleMessage(message);
    return this.answering;
  }

  protected override dispatchRequest(request: P.Request): void {
    this.answering = this.guard(() => this.answer(request));
  }

  private async answer(request: P.Request): Promise<void> {
    const call = new RequestCall(request.seq, request.command, this.clock);
    this.calls.add(call);
    let response: P.Response;
    try {
      const body = await this.handle(request.command, request.arguments, call);
      response = responseTo(request, true, body);
    } catch (error) {
      response = failure(request, error);
    }
    this.calls.remove(call);
    this.sendResponse(response);
    for (const work of call.later) await this.guard(work);
  }

  private handle(command: string, given: unknown, call: Call): unknown {
    const { handlers } = this;
    if (handlers === undefined || !isCommand(command)) {
      throw new ProtocolError(
        'unknownRequest',
        `The request '${command.slice(0, 60)}' is not known to this debug adapter.`,
      );
    }
    // The table gives what the handler of this name is typed to get.
    const handler = handlers[command] as (argument: unknown, call: Call) => unknown;
    if (given !== undefined) this.tally.asked++;
    const checked = checkArguments(command, given, this.client);
    if (given !== undefined) this.tally.handled++;
    return handler(checked, call);
  }

  /** A message has its number and goes out. What stands in for one that cannot be written down carries its number. */
  private transmitted(message: ProtocolMessage): void {
    try {
      this.transmit(message);
    } catch (error) {
      this.transmit({ ...insteadOf(message, error), seq: message.seq });
    }
  }
}

/** A request never stays without an answer, and an event is not lost without a word. */
function insteadOf(message: P.ProtocolMessage, error: unknown): ProtocolMessage {
  const { message: text } = toProtocolError(error);
  if (message.type !== 'response') return { ...new Event('output', { category: 'important', output: `${text}\n` }) };
  const { request_seq: seq, command } = message as P.Response;
  return { ...failure({ seq, type: 'request', command }, error) };
}

function responseTo(request: P.Request, success: boolean, body: unknown): P.Response {
  const response: P.Response = new Response(request);
  response.success = success;
  if (body !== undefined) response.body = body;
  return response;
}

function failure(request: P.Request, error: unknown): P.Response {
  if (error instanceof Cancelled) return new Response(request, 'cancelled');
  const { code, message: text, showUser: shown } = toProtocolError(error);
  const showUser = shown || SHOWN_WHEN_REFUSED.has(request.command);
  const response = responseTo(request, false, { error: { id: errorIds[code], format: escapeFormat(text), showUser } });
  response.message = text;
  return response;
}

/** A request in the form that the protocol gives it; undefined for everything else. A bad `seq` counts as 0. */
function asRequest(message: unknown): P.Request | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { seq, type, command, arguments: given } = message as Readonly<Record<string, unknown>>;
  if (type !== 'request' || typeof command !== 'string') return undefined;
  return { seq: Number.isSafeInteger(seq) ? Number(seq) : 0, type, command, arguments: given };
}

/** The beginning of anything as text. Nesting deeper than the stack, getters and cycles are no reason to fail. */
function excerpt(message: unknown): string {
  try {
    return JSON.stringify(message)?.slice(0, 100) ?? 'nothing';
  } catch {
    return 'it cannot be shown';
  }
}

/** Braces in `format` are variables: there are none here, so they are kept out. */
function escapeFormat(text: string): string {
  return text.replaceAll('{', '(').replaceAll('}', ')');
}
