/** setExceptionBreakpoints and exceptionInfo. */
import { EXCEPTION_GROUP } from '../../debugger/user-breakpoints.ts';
import type { StopRecord } from '../../guestdebug/api.ts';
import { exceptionFilters } from '../capabilities.ts';
import { ProtocolError } from '../errors.ts';
import { kernelExceptions, kernelExceptionSentence, kernelExceptionWish } from '../kernel-exceptions.ts';
import type { Group, P } from '../protocol.ts';
import type { Launched, Session } from '../session.ts';
import { withSymbols } from '../symbolic.ts';
import { toBreakpoint } from './breakpoints.ts';

/** Catches what these filters name and nothing else; what became of each is the answer, in the same order. */
export async function catchExceptions(
  session: Session,
  guest: Launched,
  wanted: readonly string[],
): Promise<P.Breakpoint[]> {
  const known = new Set(exceptionFilters.map(({ filter }) => filter));
  session.exceptionFilters.set(wanted);
  session.exceptionFilters.applyTo(guest.debugger.api);
  const kernelFilters = wanted.filter((filter) => kernelExceptions.has(filter));
  const statuses = await guest.debugger.breakpoints.replace(
    EXCEPTION_GROUP,
    kernelFilters.map((filter) => kernelExceptionWish(() => session.launched, filter)),
  );
  session.breakpointIds.setFilters(new Map(statuses.map(({ id }, index) => [id, kernelFilters[index] ?? ''])));
  return wanted.map((filter) => {
    const status = statuses[kernelFilters.indexOf(filter)];
    if (status !== undefined) return toBreakpoint(status);
    if (known.has(filter)) return { verified: true };
    return { verified: false, message: `There is no exception filter '${filter.slice(0, 40)}'.` };
  });
}

export function exceptions(session: Session): Group<'setExceptionBreakpoints' | 'exceptionInfo'> {
  return {
    async setExceptionBreakpoints(argument) {
      const wanted = [...argument.filters, ...(argument.filterOptions ?? []).map(({ filterId }) => filterId)];
      session.life.require('use');
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
      const words =
        filter === undefined ? record.sentence : kernelExceptionSentence(session.debugger.target, record.vcpu, filter);
      const sentence = await withSymbols(session.debugger.modules, words);
      const symbol = await session.debugger.modules.describe(record.pc);
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
