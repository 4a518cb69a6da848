/** From messages to handlers and back: numbers responses, turns errors into error responses, sends events. */
import { checkArguments } from './arguments.ts';
import { errorIds, ProtocolError, toProtocolError } from './errors.ts';
import type { AllEvents, Call, Command, Handlers, ProtocolMessage, Send } from './protocol.ts';

export interface EventSender {
  event<Name extends keyof AllEvents>(name: Name, body: AllEvents[Name]): void;
}

export class Dispatcher implements EventSender {
  private readonly send: Send;
  private handlers: Partial<Handlers> = {};
  private sequence = 1;

  constructor(send: Send) {
    this.send = send;
  }

  /** Adds a group of handlers. */
  register(handlers: Partial<Handlers>): void {
    this.handlers = { ...this.handlers, ...handlers };
  }
  knows(command: string): boolean {
    return Object.hasOwn(this.handlers, command);
  }

  event<Name extends keyof AllEvents>(name: Name, body: AllEvents[Name]): void {
    this.send({ seq: this.sequence++, type: 'event', event: name, ...(body === undefined ? {} : { body }) });
  }

  /** Handles one message of the client. Resolves when it is answered; never rejects. */
  async receive(message: unknown): Promise<void> {
    const request = asRequest(message);
    if (request === undefined) {
      // Responses to reverse requests and other noise: nothing to answer, but nothing to hide either.
      this.complain(`A message that is no request was ignored: ${JSON.stringify(message)?.slice(0, 100) ?? 'nothing'}`);
      return;
    }
    const later: (() => void)[] = [];
    const call: Call = { after: (work) => later.push(work) };
    try {
      const body = await this.handle(request.command, request.arguments, call);
      this.respond(request, { success: true, ...(body === undefined ? {} : { body }) });
    } catch (error) {
      const { code, message: text, showUser } = toProtocolError(error);
      const id = errorIds[code];
      this.respond(request, {
        success: false,
        message: text,
        body: { error: { id, format: escapeFormat(text), showUser } },
      });
    }
    for (const work of later) {
      try {
        work();
      } catch (error) {
        this.complain(toProtocolError(error).message);
      }
    }
  }

  /** A line for the Debug Console about the connection itself. */
  complain(text: string): void {
    this.event('output', { category: 'important', output: `${text}\n` });
  }

  private async handle(command: string, argument: unknown, call: Call): Promise<unknown> {
    if (!this.knows(command)) {
      throw new ProtocolError(
        'unknownRequest',
        `The request '${command.slice(0, 60)}' is not known to this debug adapter.`,
      );
    }
    const name = command as Command; // a handler of this name was registered
    const given = withoutNulls(argument ?? {}, 0);
    checkArguments(name, given);
    // Arguments have the shape that the table of types says as far as checkArguments knows; handlers check the rest.
    const handler = this.handlers[name] as (argument: unknown, call: Call) => unknown;
    return handler(given, call);
  }

  private respond(request: Request, rest: Readonly<Record<string, unknown>>): void {
    const { seq, command } = request;
    this.send({ seq: this.sequence++, type: 'response', request_seq: seq, command, ...rest } as ProtocolMessage);
  }
}

/** Deeper structures are left as they are: no argument of the protocol is nested like that. */
const DEPTH_LIMIT = 16;

/** Some clients write null for what is absent. */
function withoutNulls(value: unknown, depth: number): unknown {
  if (depth > DEPTH_LIMIT || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => withoutNulls(one, depth + 1));
  const entries = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(entries.map(([name, one]) => [name, withoutNulls(one, depth + 1)]));
}

interface Request {
  readonly seq: number;
  readonly command: string;
  readonly arguments: unknown;
}

function asRequest(message: unknown): Request | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { seq, type, command, arguments: argument } = message as Readonly<Record<string, unknown>>;
  if (type !== 'request' || typeof command !== 'string') return undefined;
  return { seq: typeof seq === 'number' && Number.isSafeInteger(seq) ? seq : 0, command, arguments: argument };
}

/** Braces in `format` are variables: without any, they are just shown by doubling nothing, so they are kept out. */
function escapeFormat(text: string): string {
  return text.replaceAll('{', '(').replaceAll('}', ')');
}
