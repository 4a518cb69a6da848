/** Why the guest stopped, in the user's words. */
import type { Debugger } from '../debugger/debugger.ts';
import type { StopRecord, VcpuStatus } from '../guestdebug/api.ts';
import {
  atBreakpointSentence,
  placesOf,
  statusSentence,
  steppedSentence,
  stopSentence,
  watchedBadge,
  watchedSentence,
} from '../words/stops.ts';
import type { Translate } from '../words/translate.ts';
import type { BreakpointIds } from './breakpoint-ids.ts';
import { kernelExceptionSentence } from './kernel-exceptions.ts';
import { reasonOf, type StopReason } from './stops.ts';
import { namesOfCode } from './symbolic.ts';

/** A reason, and what the Debug Console says beside it. */
export interface StopWords {
  readonly reason: StopReason;
  readonly say?: { readonly category: 'console' | 'important'; readonly text: string };
}

const statusOf = (debugger_: Debugger, vcpu: number): VcpuStatus | undefined =>
  debugger_.vcpus().find((status) => status.vcpu === vcpu);

/** @param pauseWish the vCPU that the user asked to pause, if any */
export async function describeStop(
  debugger_: Debugger,
  ids: BreakpointIds,
  record: StopRecord,
  pauseWish: number | undefined,
  t: Translate,
): Promise<StopWords> {
  const words = await whatStopped(debugger_, ids, record, pauseWish, t);
  const undecided = debugger_.breakpoints.undecided(record);
  if (undecided.length === 0) return words;
  // Each such stop says why; the Debug Console, which keeps what it was told, is told once.
  const told = undecided.filter(({ first }) => first).map(({ reason }) => reason);
  const text = [words.reason.text ?? '', ...undecided.map(({ reason }) => reason)].join(' ').trim();
  const say = [...(words.say === undefined ? [] : [words.say.text]), ...told].join('\n');
  return {
    reason: { ...words.reason, text },
    ...(say === '' ? {} : { say: { category: told.length > 0 ? 'important' : 'console', text: say } }),
  };
}

async function whatStopped(
  debugger_: Debugger,
  ids: BreakpointIds,
  record: StopRecord,
  pauseWish: number | undefined,
  t: Translate,
): Promise<StopWords> {
  const { modules, target } = debugger_;
  const hits = debugger_.hitBreakpoints(record);
  const nameOf = await namesOfCode(modules, placesOf({ pc: record.pc, record }));
  const filters = hits.map((id) => ids.filter(id)).filter((filter) => filter !== undefined);
  const filter = filters[0];
  // A filter of the Breakpoints view is behind the stop: the kernel itself gives up.
  if (filter !== undefined && filters.length === hits.length) {
    const text = kernelExceptionSentence(target, record.vcpu, filter, t);
    const reason = { vcpu: record.vcpu, reason: 'exception', badge: filter, text };
    return { reason, say: { category: 'important', text } };
  }
  if (record.kind === 'pause') return { reason: await pauseReason(debugger_, record, pauseWish, t) };
  const first = hits[0];
  const base = { vcpu: record.vcpu, hitBreakpointIds: hits };
  // A step that came past a breakpoint stops for it.
  if ((record.kind === 'bp' || record.kind === 'step') && first !== undefined) {
    const text = atBreakpointSentence(record, nameOf, t);
    const reason = ids.isInstruction(first)
      ? 'instruction breakpoint'
      : ids.isFunction(first)
        ? 'function breakpoint'
        : 'breakpoint';
    return { reason: { ...base, reason, badge: t('breakpoint'), text } };
  }
  const reason = reasonOf(record.kind);
  if (record.kind === 'watch') {
    const label = first === undefined ? undefined : ids.label(first);
    const symbol = await modules.describe(record.causePc);
    const text = watchedSentence(record, label, symbol, t) ?? stopSentence(record, nameOf, t);
    return {
      reason: { ...base, reason, badge: watchedBadge(record, label, t), text },
      say: { category: 'console', text },
    };
  }
  const text = stopSentence(record, nameOf, t);
  if (reason === 'exception') return { reason: { ...base, reason, text }, say: { category: 'console', text } };
  return { reason: { ...base, reason, badge: hits.length > 0 ? t('breakpoint') : undefined, text } };
}

/** The focus goes to the vCPU that was asked to pause; one that has not been started is of no interest. */
async function pauseReason(
  debugger_: Debugger,
  record: StopRecord,
  wish: number | undefined,
  t: Translate,
): Promise<StopReason> {
  const candidates = [wish, record.vcpu, ...debugger_.vcpus().map(({ vcpu }) => vcpu)];
  const online = (vcpu: number | undefined): boolean =>
    vcpu !== undefined && statusOf(debugger_, vcpu)?.activity !== 'waitSipi';
  const vcpu = candidates.find(online) ?? record.vcpu;
  const base = { vcpu, reason: 'pause', badge: t('paused') };
  if (vcpu === record.vcpu) {
    return {
      ...base,
      text: stopSentence(record, await namesOfCode(debugger_.modules, placesOf({ pc: record.pc, record })), t),
    };
  }
  const status = statusOf(debugger_, vcpu);
  if (status === undefined) return base;
  return { ...base, text: statusSentence(status, await namesOfCode(debugger_.modules, placesOf(status)), t) };
}

/** A step has reached its end. */
export async function stepReason(debugger_: Debugger, vcpu: number, t: Translate): Promise<StopReason> {
  const base = { vcpu, reason: 'step', badge: t('step') };
  const status = statusOf(debugger_, vcpu);
  if (status === undefined) return base;
  return { ...base, text: steppedSentence(status, await namesOfCode(debugger_.modules, [status.pc]), t) };
}
