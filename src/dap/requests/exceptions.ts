/** setExceptionBreakpoints and exceptionInfo. */
import { EXCEPTION_GROUP } from '../../debugger/user-breakpoints.ts';
import type { StopRecord } from '../../guestdebug/api.ts';
import { placesOf, stopSentence } from '../../words/stops.ts';
import { toBreakpoint } from '../breakpoint-answers.ts';
import { NO_DEBUG, replaceGroup } from '../breakpoint-places.ts';
import { exceptionFilters } from '../capabilities.ts';
import { ProtocolError } from '../errors.ts';
import { kernelExceptions, kernelExceptionSentence, kernelExceptionWish } from '../kernel-exceptions.ts';
import type { Group, P } from '../protocol.ts';
import type { Launched, Session } from '../session.ts';
import { namesOfCode } from '../symbolic.ts';

/** A filter that is to be on, perhaps under a condition. */
export interface FilterWish {
  readonly filter: string;
  readonly condition?: string | undefined;
}

/** Catches what these filters name and nothing else; what became of each is the answer, in the same order. */
export async function catchExceptions(
  session: Session,
  guest: Launched,
  wanted: readonly FilterWish[],
): Promise<P.Breakpoint[]> {
  const refusals = wanted.map((wish) => refusalOf(guest, wish));
  const granted = wanted.filter((_wish, index) => refusals[index] === undefined);
  session.exceptionFilters.set(granted.map(({ filter }) => filter));
  session.exceptionFilters.applyTo(guest.debugger.api);
  const kernelWishes = granted.filter(({ filter }) => kernelExceptions.has(filter));
  const statuses = await replaceGroup(
    guest,
    EXCEPTION_GROUP,
    kernelWishes.map(({ filter, condition }) => ({
      ...kernelExceptionWish(() => session.launched, filter),
      condition,
    })),
  );
  session.breakpointIds.setFilters(new Map(statuses.map(({ id }, index) => [id, kernelWishes[index]?.filter ?? ''])));
  return wanted.map((wish, index) => {
    const status = statuses[kernelWishes.indexOf(wish)];
    if (status !== undefined) return toBreakpoint(session, status);
    const message = refusals[index];
    return message === undefined ? { verified: true } : { verified: false, message };
  });
}

export function exceptions(session: Session): Group<'setExceptionBreakpoints' | 'exceptionInfo'> {
  return {
    async setExceptionBreakpoints(argument) {
      session.life.require('use');
      const wanted = [
        ...argument.filters.map((filter) => ({ filter })),
        ...(argument.filterOptions ?? []).map(({ filterId, condition }) => ({ filter: filterId, condition })),
      ];
      return { breakpoints: await catchExceptions(session, session.launched, wanted) };
    },

    async exceptionInfo(argument) {
      session.requireStopped();
      const vcpu = session.vcpuOf(argument.threadId);
      const record = session.status(vcpu)?.record;
      if (record === undefined) throw new ProtocolError('notAvailable', `vCPU ${vcpu} did not stop for an exception.`);
      const filter = session.debugger
        .hitBreakpoints(record)
        .map((id) => session.breakpointIds.filter(id))
        .find((one) => one !== undefined);
      const { modules, target } = session.debugger;
      const sentence =
        filter === undefined
          ? stopSentence(record, await namesOfCode(modules, placesOf({ pc: record.pc, record })), session.t)
          : kernelExceptionSentence(target, record.vcpu, filter, session.t);
      const symbol = await modules.describe(record.pc);
      const lines = [
        sentence,
        `pc: 0x${record.pc.toString(16)}${symbol === undefined ? '' : ` <${symbol}>`}`,
        ...details(record),
      ];
      return {
        exceptionId: filter === undefined ? exceptionId(record) : `Kernel ${filter}`,
        description: lines.join('\n'),
        breakMode: 'always',
        details: { message: sentence, typeName: record.kind },
      };
    },
  };
}

/** Why a filter cannot be had as it was asked for. */
function refusalOf(guest: Launched, { filter, condition }: FilterWish): string | undefined {
  const known = exceptionFilters.find((one) => one.filter === filter);
  if (known === undefined) return `There is no exception filter '${filter.slice(0, 40)}'.`;
  if (guest.configuration.noDebug) return NO_DEBUG;
  if (condition !== undefined && condition.trim() !== '' && known.supportsCondition !== true)
    return `'${known.label}' takes no condition: it would stop always, so it is off. Remove the condition.`;
  return undefined;
}

function exceptionId(record: StopRecord): string {
  switch (record.kind) {
    case 'guestBp':
      return '#BP (vector 3), owned by the guest';
    case 'guestDb':
    case 'icebp':
    case 'bt':
      return '#DB (vector 1), owned by the guest';
    case 'bd':
      return '#DB (vector 1), general detect';
    case 'shutdown':
      return 'Triple fault';
    case 'reset':
      return 'INIT';
    case 'internalError':
      return 'Unattributed debug event';
    default:
      return record.kind;
  }
}

function details(record: StopRecord): readonly string[] {
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  const lines: string[] = [];
  if (record.exception !== 0) {
    lines.push(
      `guest DR6: ${hex(record.guestDr6)}, guest DR7: ${hex(record.guestDr7)}`,
      `host DR6: ${hex(record.dr6)}`,
    );
  }
  if (record.guestPending !== 0) lines.push(`pending for the guest: ${hex(BigInt(record.guestPending))}`);
  for (const { cause, owner } of record.causes) lines.push(`cause: ${cause}, owned by the ${owner}`);
  return lines;
}
