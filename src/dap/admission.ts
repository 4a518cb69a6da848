/** Who may use an adapter that others can reach: each request is looked at before its handler sees it. */
import { ProtocolError } from './errors.ts';
import type { Handlers } from './protocol.ts';

/** Looks at a request. Throws ProtocolError to refuse it. */
export type Admission = (command: string, argument: unknown) => void;

/** Whoever has the stream is trusted: standard input belongs to whoever started the adapter, a socket file to its owner. */
export const everyone: Admission = () => undefined;

/** What is answered to anybody: the client has to learn what it can do, and may always go. */
const FREE: ReadonlySet<string> = new Set(['initialize', 'disconnect']);

/**
 * Wants a token, once: as `token` in the arguments of `launch`, which every client can send.
 * @param fits compares in constant time
 * @param admitted called when the right token came
 */
export function tokenAdmission(fits: (given: string) => boolean, admitted: () => void = () => undefined): Admission {
  let open = false;
  return (command, argument) => {
    if (open || FREE.has(command)) return;
    if (command !== 'launch') {
      throw new ProtocolError(
        'noToken',
        `The request '${command.slice(0, 60)}' is answered after a launch with the right 'token' only.`,
      );
    }
    const given = typeof argument === 'object' && argument !== null && 'token' in argument ? argument.token : undefined;
    if (typeof given !== 'string') {
      throw new ProtocolError(
        'noToken',
        "The property 'token' is missing in the launch configuration: it must be the token that 'trapline dap --port' printed when it started.",
        true,
      );
    }
    if (!fits(given)) {
      throw new ProtocolError(
        'noToken',
        "The property 'token' is not the token that this 'trapline dap --port' printed when it started: copy it anew.",
        true,
      );
    }
    open = true;
    admitted();
  };
}

/** The same handlers behind an admission. */
export function admitting<Some extends Partial<Handlers>>(handlers: Some, admission: Admission): Some {
  if (admission === everyone) return handlers;
  const entries = Object.entries(handlers).map(([command, handler]) => {
    // Each handler keeps its own type: it is called with exactly what came.
    const handle = handler as (...given: readonly unknown[]) => unknown;
    return [
      command,
      (argument: unknown, ...rest: readonly unknown[]) => {
        admission(command, argument);
        return handle(argument, ...rest);
      },
    ];
  });
  return Object.fromEntries(entries) as Some;
}
