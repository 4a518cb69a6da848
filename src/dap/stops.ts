/**
 * The stopped events of a stop: the focused vCPU's first with allThreadsStopped; for VS Code then one for each other vCPU
 * with its own reason, which it shows right in this order only.
 */
import type { StopKind, VcpuStatus } from '../guestdebug/api.ts';
import { noNames, type NameOfCode } from '../words/places.ts';
import { BADGE_LIMIT, statusBadge, statusSentence } from '../words/stops.ts';
import { english, type Translate } from '../words/translate.ts';
import { FIRST_THREAD_ID } from './custom.ts';
import type { P } from './protocol.ts';

export const NAME_LIMIT = 25;

export const threadId = (vcpu: number): number => vcpu + FIRST_THREAD_ID;

/** Why the session stopped, as far as the debugger knows more than the record. */
export interface StopReason {
  readonly vcpu: number;
  readonly reason: string;
  readonly badge?: string | undefined;
  /** The whole sentence, names of code in it. */
  readonly text?: string | undefined;
  readonly hitBreakpointIds?: readonly number[] | undefined;
}

/** DAP's word for a kind of stop (guest-debug specification 2.8). */
export function reasonOf(kind: StopKind): string {
  switch (kind) {
    case 'bp':
    case 'hwx':
      return 'breakpoint';
    case 'watch':
    case 'io':
      return 'data breakpoint';
    case 'step':
    case 'branchStep':
      return 'step';
    case 'pause':
    case 'halted':
      return 'pause';
    case 'entry':
      return 'entry';
    default:
      return 'exception';
  }
}

export function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

/**
 * All events of one stop, in the order in which they have to be sent.
 *
 * @param keepsFocus whether the client leaves the focus where it is when an event asks for it (`preserveFocusHint`);
 *   others would go to the thread of the last event, so they get one event only, for the reporter
 * @param nameOf names of the places that the vCPUs are at
 */
export function stoppedEvents(
  statuses: readonly VcpuStatus[],
  focus: StopReason,
  keepsFocus: boolean,
  nameOf: NameOfCode = noNames,
  t: Translate = english,
): readonly P.StoppedEvent['body'][] {
  const own = statuses.find(({ vcpu }) => vcpu === focus.vcpu);
  const first: P.StoppedEvent['body'] = {
    reason: focus.reason,
    description: cut(focus.badge ?? (own === undefined ? focus.reason : statusBadge(own, t)), BADGE_LIMIT),
    text: focus.text ?? (own === undefined ? '' : statusSentence(own, nameOf, t)),
    threadId: threadId(focus.vcpu),
    allThreadsStopped: true,
    ...(focus.hitBreakpointIds === undefined || focus.hitBreakpointIds.length === 0
      ? {}
      : { hitBreakpointIds: [...focus.hitBreakpointIds] }),
  };
  if (!keepsFocus) return [first];
  const others = statuses
    .filter(({ vcpu }) => vcpu !== focus.vcpu)
    .map((status): P.StoppedEvent['body'] => ({
      reason: status.record === undefined ? 'pause' : reasonOf(status.record.kind),
      description: cut(statusBadge(status, t), BADGE_LIMIT),
      text: statusSentence(status, nameOf, t),
      threadId: threadId(status.vcpu),
      allThreadsStopped: false,
      preserveFocusHint: true,
    }));
  return [first, ...others];
}

/** `vCPU 1 · r0 · symbol`, cut so that it fits beside a badge; `vCPU 1` alone before the guest has started it. */
export function threadName(
  status: Pick<VcpuStatus, 'vcpu' | 'cpl' | 'mode' | 'activity'>,
  symbol: string | undefined,
): string {
  if (status.activity === 'waitSipi') return `vCPU ${status.vcpu}`;
  const ring = status.mode === 'real' ? 'real' : `r${status.cpl}`;
  const head = `vCPU ${status.vcpu} · ${ring}`;
  return symbol === undefined ? head : cut(`${head} · ${symbol}`, NAME_LIMIT);
}
