/**
 * The arguments of every request: numbers, ranges, addresses and nested fields are checked here and nowhere else, and
 * handlers get what the table says, in the adapter's own way of counting lines and writing paths.
 */
import type { Client } from './client.ts';
import type { AllRequests, Command, P, Requests } from './protocol.ts';
import {
  address,
  anything,
  column,
  flag,
  id,
  integer,
  line,
  list,
  oneOf,
  optional,
  parseAddress,
  Place,
  record,
  text,
  type Read,
  type Shape,
} from './shapes.ts';

/** Rows of one `disassemble`, bytes of one `readMemory`: clients ask again for the rest. */
export const ROW_LIMIT = 5000;
export const READ_LIMIT = 1 << 20;
/** Longer expressions are no one's: they would only keep the parser busy. */
const EXPRESSION_LIMIT = 10_000;

/** What a user wrote to be evaluated. Whether it can be is said by who evaluates it. */
const expression: Shape<string> = {
  read(given, place) {
    const written = text.read(given, place);
    return written.length <= EXPRESSION_LIMIT ? written : place.refuse(`at most ${EXPRESSION_LIMIT} characters long`);
  },
};

export interface CheckedSource {
  /** On this machine. */
  readonly path: string | undefined;
  /** Of a listing; 0 for a file. */
  readonly reference: number;
  /** For answers: as the client wrote it. */
  readonly given: P.Source;
}
const sourceFields = record({ name: optional(text), path: optional(text), sourceReference: optional(id) });
const source: Shape<CheckedSource> = {
  read(given, place) {
    const { name, path, sourceReference } = sourceFields.read(given, place);
    return {
      path: path === undefined ? undefined : place.client.ourPath(path),
      reference: sourceReference ?? 0,
      given: {
        ...(name === undefined ? {} : { name }),
        ...(path === undefined ? {} : { path }),
        ...(sourceReference === undefined ? {} : { sourceReference }),
      },
    };
  },
};

/** Text that should be an address; when it is none, this one breakpoint is refused and not the whole list. */
const reference: Shape<{ readonly written: string; readonly address: bigint | undefined }> = {
  read(given, place) {
    const written = text.read(given, place);
    return { written, address: parseAddress(written) };
  },
};

const nothing = record({});
const frameId = optional(id);
const condition = optional(expression);
const hitCondition = optional(expression);
const options = { condition, hitCondition };
const valueFormat = optional(record({ hex: optional(flag) }));
const step = record({
  threadId: id,
  singleThread: optional(flag),
  granularity: optional(oneOf('statement', 'line', 'instruction')),
});
const memory = { memoryReference: address, offset: optional(integer()) };

const shapes = {
  initialize: record({
    clientID: optional(text),
    linesStartAt1: optional(flag),
    columnsStartAt1: optional(flag),
    pathFormat: optional(oneOf('path', 'uri')),
    supportsProgressReporting: optional(flag),
    supportsMemoryEvent: optional(flag),
  }),
  launch: anything,
  configurationDone: nothing,
  disconnect: nothing,
  terminate: nothing,
  restart: record({ arguments: optional(anything) }),
  cancel: record({ requestId: optional(integer()), progressId: optional(text) }),
  threads: nothing,
  loadedSources: nothing,
  modules: record({ startModule: optional(integer(0)), moduleCount: optional(integer(0)) }),
  setBreakpoints: record({
    source,
    lines: optional(list(line, 'numbers')),
    breakpoints: optional(
      list(record({ line, column: optional(column), logMessage: optional(expression), ...options }), 'objects'),
    ),
  }),
  setFunctionBreakpoints: record({ breakpoints: list(record({ name: expression, ...options }), 'objects') }),
  setInstructionBreakpoints: record({
    breakpoints: list(record({ instructionReference: reference, offset: optional(integer()), ...options }), 'objects'),
  }),
  setDataBreakpoints: record({
    breakpoints: list(
      record({ dataId: text, accessType: optional(oneOf('read', 'write', 'readWrite')), ...options }),
      'objects',
    ),
  }),
  setExceptionBreakpoints: record({
    filters: list(text, 'strings'),
    filterOptions: optional(list(record({ filterId: text, condition }), 'objects')),
  }),
  dataBreakpointInfo: record({
    name: expression,
    variablesReference: optional(id),
    bytes: optional(integer()),
    asAddress: optional(flag),
    frameId,
  }),
  breakpointLocations: record({ source, line, endLine: optional(line) }),
  exceptionInfo: record({ threadId: id }),
  continue: record({ threadId: id, singleThread: optional(flag) }),
  next: step,
  stepIn: step,
  stepOut: step,
  pause: record({ threadId: id }),
  stackTrace: record({
    threadId: id,
    startFrame: optional(integer(0)),
    levels: optional(integer(0)),
    format: optional(
      record({
        hex: optional(flag),
        parameters: optional(flag),
        parameterTypes: optional(flag),
        parameterNames: optional(flag),
        parameterValues: optional(flag),
        line: optional(flag),
        module: optional(flag),
        includeAll: optional(flag),
      }),
    ),
  }),
  scopes: record({ frameId: id }),
  variables: record({
    variablesReference: id,
    filter: optional(oneOf('indexed', 'named')),
    start: optional(integer(0)),
    count: optional(integer(0)),
    format: valueFormat,
  }),
  setVariable: record({ variablesReference: id, name: text, value: expression, format: valueFormat }),
  setExpression: record({ expression, value: expression, frameId, format: valueFormat }),
  evaluate: record({ expression, context: optional(text), frameId, format: valueFormat }),
  completions: record({ text: expression, column, frameId }),
  source: record({ sourceReference: optional(id), source: optional(source) }),
  readMemory: record({ ...memory, count: integer(0) }),
  writeMemory: record({ ...memory, data: text, allowPartial: optional(flag) }),
  disassemble: record({
    ...memory,
    instructionOffset: optional(integer(-ROW_LIMIT, ROW_LIMIT)),
    instructionCount: integer(0, ROW_LIMIT),
    resolveSymbols: optional(flag),
  }),
  'trapline/machine': nothing,
  'trapline/debugRegisters': nothing,
  'trapline/ledger': record({ from: integer(0), count: integer(0) }),
  'trapline/place': record({ address }),
  'trapline/serialInput': record({ data: text }),
} satisfies Readonly<Record<Command, Shape<unknown>>>;

/** What the handler of each request gets. */
export type Arguments = { readonly [Name in Command]: Read<(typeof shapes)[Name]> };

/** No field of the table is unknown to the protocol: this type is `never`. */
type Stray = {
  [Name in keyof Requests]: string extends keyof Arguments[Name]
    ? never
    : Exclude<keyof Arguments[Name], keyof NonNullable<AllRequests[Name][0]>>;
}[keyof Requests];
type NoneOf<Names extends never> = Names;
/** The compiler refuses this line when there is one. */
export type StrayFields = NoneOf<Stray>;

/** Whether this adapter answers requests of this name. */
export function isCommand(name: string): name is Command {
  return Object.hasOwn(shapes, name);
}

/** Arguments as their handler gets them. Throws `ProtocolError` naming what is not as the table says. */
export function checkArguments<Name extends Command>(command: Name, given: unknown, client: Client): Arguments[Name] {
  const shape: Shape<unknown> = shapes[command];
  return shape.read(given ?? {}, new Place(command, client)) as Arguments[Name];
}
