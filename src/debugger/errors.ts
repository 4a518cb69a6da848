/** Codes of `DebuggerError`: what went wrong, for programs; the message is for people. */
export type DebuggerErrorCode =
  | 'syntax'
  | 'unknownName'
  | 'type'
  | 'notAvailable'
  | 'notAddressable'
  | 'notAssignable'
  | 'notStopped'
  | 'badArgument'
  | 'unreadable';

/** A request that cannot be met; the message is one sentence: what, where, what to do. */
export class DebuggerError extends Error {
  readonly code: DebuggerErrorCode;

  constructor(code: DebuggerErrorCode, message: string) {
    super(message);
    this.name = 'DebuggerError';
    this.code = code;
  }
}
