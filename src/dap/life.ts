/**
 * The life of a debug session as a table: what may happen in which state, and what is answered to a request that may not.
 * Nothing else decides that. Every `await` of the adapter can be overtaken by a client that goes, a second launch, a signal;
 * whoever comes back from one asks here whether what it had in mind may still happen. docs/session.md draws this table.
 */
import { ProtocolError, type ErrorCode } from './errors.ts';

export const sessionStates = [
  /** The client has said nothing, or `initialize` alone. */
  'new',
  /** A launch is under way: files are read, a machine is made. */
  'launching',
  /** The machine stands at its reset; the client sets breakpoints and sends configurationDone. */
  'launched',
  /** The client has set everything: the entry point is looked up. */
  'starting',
  'stopped',
  'running',
  /** The guest has ended by itself; the client knows. */
  'ended',
  /** What the session holds is being released. */
  'closing',
  'closed',
] as const;
export type SessionState = (typeof sessionStates)[number];

/** What a client asks for. */
export const requestEvents = [
  'launch',
  'configurationDone',
  'restart',
  /** continue and the steps */
  'resume',
  'pause',
  /** requests about a guest that stands still: stackTrace, scopes, exceptionInfo, ... */
  'inspect',
  /** requests that need a machine, whatever it does: setBreakpoints, readMemory, evaluate, ... */
  'use',
  'terminate',
  'disconnect',
] as const;
export type RequestEvent = (typeof requestEvents)[number];

/** What happens by itself. */
export const innerEvents = [
  /** A launch has made its machine, or could not. */
  'poweredOn',
  'launchFailed',
  /** A restart has put a new machine in the place of the old one. */
  'replaced',
  'run',
  'stop',
  /** The guest has ended by itself. */
  'end',
  /** End of the stream, a signal: the client is gone. */
  'vanish',
  'released',
] as const;
export type InnerEvent = (typeof innerEvents)[number];
export type SessionEvent = RequestEvent | InnerEvent;

/** Why a request may not be made now. */
interface Refusal {
  readonly code: ErrorCode;
  readonly sentence: string;
}
const refuse = (code: ErrorCode, sentence: string): Refusal => ({ code, sentence });

const NOT_LAUNCHED = refuse('notLaunched', 'No guest is running: a launch request comes first.');
const NOT_YET = refuse('notLaunched', 'No guest is running yet: the launch is under way; wait for its answer.');
const RUNNING_ALREADY = refuse('alreadyLaunched', 'A guest is running already; one session debugs one guest.');
const CONFIGURED = refuse('notLaunched', 'configurationDone comes once, after launch.');
const NOT_STARTED = refuse('notStopped', 'The guest has not been started yet: configurationDone comes first.');
/** A word of the protocol: clients know it, and show nothing. */
const NOT_STOPPED = refuse('notStopped', 'notStopped');
const ENDED = refuse('ended', 'The machine has stopped for good; there is nothing left to look at.');
const OVER = refuse('ended', 'The debug session is over; start a new one.');

type Row = Readonly<Record<RequestEvent, SessionState | Refusal>> & Readonly<Partial<Record<InnerEvent, SessionState>>>;

export const sessionTable: Readonly<Record<SessionState, Row>> = {
  new: {
    launch: 'launching',
    configurationDone: CONFIGURED,
    restart: NOT_LAUNCHED,
    resume: NOT_LAUNCHED,
    pause: NOT_LAUNCHED,
    inspect: NOT_LAUNCHED,
    use: NOT_LAUNCHED,
    terminate: 'closing',
    disconnect: 'closing',
    vanish: 'closing',
  },
  launching: {
    launch: 'launching', // the later one counts, the earlier one is given up
    configurationDone: NOT_YET,
    restart: NOT_YET,
    resume: NOT_YET,
    pause: NOT_YET,
    inspect: NOT_YET,
    use: NOT_YET,
    terminate: 'closing',
    disconnect: 'closing',
    vanish: 'closing',
    poweredOn: 'launched',
    launchFailed: 'new',
  },
  launched: {
    launch: RUNNING_ALREADY,
    configurationDone: 'starting',
    restart: NOT_STARTED,
    resume: NOT_STOPPED,
    pause: 'launched',
    inspect: NOT_STOPPED,
    use: 'launched',
    terminate: 'closing',
    disconnect: 'closing',
    vanish: 'closing',
  },
  starting: {
    launch: RUNNING_ALREADY,
    configurationDone: CONFIGURED,
    restart: 'starting',
    resume: NOT_STOPPED,
    pause: 'starting',
    inspect: NOT_STOPPED,
    use: 'starting',
    terminate: 'closing',
    disconnect: 'closing',
    vanish: 'closing',
    replaced: 'starting',
    run: 'running',
    stop: 'stopped',
  },
  stopped: {
    launch: RUNNING_ALREADY,
    configurationDone: CONFIGURED,
    restart: 'stopped',
    resume: 'running',
    pause: 'stopped', // no error and no event
    inspect: 'stopped',
    use: 'stopped',
    terminate: 'closing',
    disconnect: 'closing',
    vanish: 'closing',
    replaced: 'starting',
  },
  running: {
    launch: RUNNING_ALREADY,
    configurationDone: CONFIGURED,
    restart: 'running',
    resume: NOT_STOPPED,
    pause: 'running',
    inspect: NOT_STOPPED,
    use: 'running',
    terminate: 'closing',
    disconnect: 'closing',
    vanish: 'closing',
    replaced: 'starting',
    run: 'running',
    stop: 'stopped',
    end: 'ended',
  },
  ended: {
    launch: RUNNING_ALREADY,
    configurationDone: CONFIGURED,
    restart: 'ended',
    resume: ENDED,
    pause: ENDED,
    inspect: ENDED,
    use: 'ended',
    terminate: 'closing',
    disconnect: 'closing',
    vanish: 'closing',
    replaced: 'starting',
  },
  closing: {
    launch: OVER,
    configurationDone: OVER,
    restart: OVER,
    resume: OVER,
    pause: OVER,
    inspect: OVER,
    use: OVER,
    terminate: 'closing',
    disconnect: 'closing',
    vanish: 'closing',
    released: 'closed',
  },
  closed: {
    launch: OVER,
    configurationDone: OVER,
    restart: OVER,
    resume: OVER,
    pause: OVER,
    inspect: OVER,
    use: OVER,
    terminate: 'closed',
    disconnect: 'closed',
    vanish: 'closed',
  },
};

export class Life {
  private now: SessionState = 'new';

  get state(): SessionState {
    return this.now;
  }
  /** Whether the session holds, or is about to hold, nothing any more. */
  get isOver(): boolean {
    return this.now === 'closing' || this.now === 'closed';
  }

  /** Throws the table's refusal when a request may not be made now. The state stays. */
  require(event: RequestEvent): void {
    const cell = sessionTable[this.now][event];
    if (typeof cell !== 'string') throw new ProtocolError(cell.code, cell.sentence);
  }
  /** A request is made: throws the table's refusal, or goes to the next state. */
  request(event: RequestEvent): void {
    this.require(event);
    this.take(event);
  }
  /** Whether something may happen now. */
  may(event: SessionEvent): boolean {
    return typeof sessionTable[this.now][event] === 'string';
  }
  /** Something happens; answers false, and changes nothing, when it was overtaken and may not happen any more. */
  take(event: SessionEvent): boolean {
    const next = sessionTable[this.now][event];
    if (typeof next !== 'string') return false;
    this.now = next;
    return true;
  }
}
