/**
 * Refusals: a code, and one sentence that says what, where and what to do. Whoever refuses throws a ProtocolError; the
 * dispatcher is the one place that catches and answers.
 */
import { DebuggerError, type DebuggerErrorCode } from '../debugger/errors.ts';
import { SymbolError } from '../symbols/index.ts';

/** Numbers of the protocol's `Message.id`; stable, so that clients and tests may rely on them. */
export const errorIds = {
  unknownRequest: 1000,
  badArguments: 1001,
  badMessage: 1002,
  notLaunched: 1100,
  alreadyLaunched: 1101,
  badConfiguration: 1102,
  cannotLaunch: 1103,
  noToken: 1104,
  busy: 1105,
  notStopped: 1200,
  alreadyStopped: 1201,
  unknownThread: 1202,
  ended: 1203,
  unknownFrame: 1210,
  unknownReference: 1211,
  unknownSource: 1212,
  expression: 1300,
  notAvailable: 1301,
  notAddressable: 1302,
  notAssignable: 1303,
  memory: 1310,
  internal: 1900,
} as const;

export type ErrorCode = keyof typeof errorIds;

export class ProtocolError extends Error {
  readonly code: ErrorCode;
  /** Whether the client should show it by itself; when false, only the requester's own report is seen. */
  readonly showUser: boolean;

  constructor(code: ErrorCode, message: string, showUser = false) {
    super(message);
    this.name = 'ProtocolError';
    this.code = code;
    this.showUser = showUser;
  }
}

/** What the debugger's refusals are in the protocol. */
const codeOf: Readonly<Record<DebuggerErrorCode, ErrorCode>> = {
  syntax: 'expression',
  unknownName: 'expression',
  type: 'expression',
  notAvailable: 'notAvailable',
  unreadable: 'notAvailable',
  notAddressable: 'notAddressable',
  notAssignable: 'notAssignable',
  notStopped: 'notStopped',
  badArgument: 'badArguments',
};

/** Any thrown value as an error of the protocol. */
export function toProtocolError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof DebuggerError) {
    return new ProtocolError(codeOf[error.code], error.message);
  }
  if (error instanceof SymbolError) return new ProtocolError('notAvailable', error.message);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new ProtocolError('internal', `Internal error of the debug adapter: ${text}`, true);
}
