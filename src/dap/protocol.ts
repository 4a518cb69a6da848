/** The protocol's requests as one table of types, so that every handler is checked against it. */
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import type { Arguments } from './arguments.ts';
import type { CustomEvents, CustomRequests } from './custom.ts';

/** Arguments as clients send them, and response body, of every request that this adapter answers. */
export interface Requests {
  initialize: [P.InitializeRequestArguments, P.Capabilities];
  launch: [P.LaunchRequestArguments, undefined];
  configurationDone: [P.ConfigurationDoneArguments, undefined];
  disconnect: [P.DisconnectArguments, undefined];
  terminate: [P.TerminateArguments, undefined];
  restart: [P.RestartArguments, undefined];
  cancel: [P.CancelArguments, undefined];
  threads: [undefined, P.ThreadsResponse['body']];
  setBreakpoints: [P.SetBreakpointsArguments, P.SetBreakpointsResponse['body']];
  setFunctionBreakpoints: [P.SetFunctionBreakpointsArguments, P.SetFunctionBreakpointsResponse['body']];
  setInstructionBreakpoints: [P.SetInstructionBreakpointsArguments, P.SetInstructionBreakpointsResponse['body']];
  setDataBreakpoints: [P.SetDataBreakpointsArguments, P.SetDataBreakpointsResponse['body']];
  setExceptionBreakpoints: [P.SetExceptionBreakpointsArguments, P.SetExceptionBreakpointsResponse['body']];
  dataBreakpointInfo: [P.DataBreakpointInfoArguments, P.DataBreakpointInfoResponse['body']];
  breakpointLocations: [P.BreakpointLocationsArguments, P.BreakpointLocationsResponse['body']];
  exceptionInfo: [P.ExceptionInfoArguments, P.ExceptionInfoResponse['body']];
  continue: [P.ContinueArguments, P.ContinueResponse['body']];
  next: [P.NextArguments, undefined];
  stepIn: [P.StepInArguments, undefined];
  stepOut: [P.StepOutArguments, undefined];
  pause: [P.PauseArguments, undefined];
  stackTrace: [P.StackTraceArguments, P.StackTraceResponse['body']];
  scopes: [P.ScopesArguments, P.ScopesResponse['body']];
  variables: [P.VariablesArguments, P.VariablesResponse['body']];
  setVariable: [P.SetVariableArguments, P.SetVariableResponse['body']];
  setExpression: [P.SetExpressionArguments, P.SetExpressionResponse['body']];
  evaluate: [P.EvaluateArguments, P.EvaluateResponse['body']];
  completions: [P.CompletionsArguments, P.CompletionsResponse['body']];
  source: [P.SourceArguments, P.SourceResponse['body']];
  loadedSources: [P.LoadedSourcesArguments, P.LoadedSourcesResponse['body']];
  modules: [P.ModulesArguments, P.ModulesResponse['body']];
  readMemory: [P.ReadMemoryArguments, P.ReadMemoryResponse['body']];
  writeMemory: [P.WriteMemoryArguments, P.WriteMemoryResponse['body']];
  disassemble: [P.DisassembleArguments, P.DisassembleResponse['body']];
}
type Custom = { [Name in keyof CustomRequests]: [CustomRequests[Name]['arguments'], CustomRequests[Name]['body']] };
export type AllRequests = Requests & Custom;
export type Command = keyof AllRequests;

export interface Events {
  initialized: undefined;
  stopped: P.StoppedEvent['body'];
  continued: P.ContinuedEvent['body'];
  output: P.OutputEvent['body'];
  thread: P.ThreadEvent['body'];
  breakpoint: P.BreakpointEvent['body'];
  invalidated: P.InvalidatedEvent['body'];
  memory: P.MemoryEvent['body'];
  progressStart: P.ProgressStartEvent['body'];
  progressUpdate: P.ProgressUpdateEvent['body'];
  progressEnd: P.ProgressEndEvent['body'];
  exited: P.ExitedEvent['body'];
  terminated: P.TerminatedEvent['body'];
}
export type AllEvents = Events & CustomEvents;

/** What a handler may say beside its body: work for after the response is sent. */
export interface Call {
  /** Runs once the response is on its way: events that must follow it. What it throws or rejects with is said. */
  after(work: () => unknown): void;
  /** What a client shows when this takes long; without it, the request's usual title. */
  describe(title: string): void;
  /**
   * To be awaited now and then by what may take long: lets other messages in. Rejects when the client has cancelled.
   *
   * @param share of the work that is done, 0 to 1
   */
  breathe(share?: number): Promise<void>;
  /**
   * Waits for work that cannot be interrupted. Rejects at once when the client cancels; what the work brings after that
   * is given to `late`, to be put away.
   */
  wait<Result>(work: Promise<Result>, late?: (result: Result) => unknown): Promise<Result>;
}

/** Handlers answer with a body, or throw (reject with) a ProtocolError that becomes the error response. */
export type Handlers = {
  [Name in Command]: (argument: Arguments[Name], call: Call) => AllRequests[Name][1] | Promise<AllRequests[Name][1]>;
};

/** The handlers of some requests. All groups together must make up `Handlers`: the compiler misses what is left out. */
export type Group<Names extends Command> = Pick<Handlers, Names>;

/** A message of the protocol in either direction. */
export type ProtocolMessage = P.ProtocolMessage & Readonly<Record<string, unknown>>;
/** Sends messages to the client, in order. */
export type Send = (message: ProtocolMessage) => void;
export type { P };
