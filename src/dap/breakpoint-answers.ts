/** How a breakpoint of the debugger is told to the client. */
import type { BreakpointStatus } from '../debugger/user-breakpoints.ts';
import { breakpointText } from '../words/refusals.ts';
import type { Translate } from '../words/translate.ts';
import type { Client } from './client.ts';
import type { P } from './protocol.ts';

/**
 * @param source as the client writes it
 * @param askedLine the line that was asked for, counted from 1: said where there is no better one
 */
export function toBreakpoint(
  { client, t }: { readonly client: Client; readonly t: Translate },
  status: BreakpointStatus,
  source?: P.Source,
  askedLine?: number,
): P.Breakpoint {
  const { place } = status;
  const message = breakpointText(status, undefined, t);
  const address = place.kind === 'code' ? place.addresses[0] : undefined;
  const line = (place.kind === 'code' ? place.source?.line : undefined) ?? askedLine;
  return {
    id: status.id,
    verified: status.verified,
    ...(message === undefined ? {} : { message }),
    ...(place.kind === 'nowhere' && place.waits === true ? { reason: 'pending' as const } : {}),
    ...(source === undefined ? {} : { source }),
    ...(line === undefined ? {} : { line: client.line(line) }),
    ...(address === undefined ? {} : { instructionReference: `0x${address.toString(16)}` }),
  };
}
