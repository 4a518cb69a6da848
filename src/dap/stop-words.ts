/** Why the guest stopped, in the user's words. */
import type { Debugger } from '../debugger/debugger.ts';
import type { StopRecord, VcpuStatus } from '../guestdebug/api.ts';
import type { BreakpointIds } from './breakpoint-ids.ts';
import { kernelExceptionSentence } from './kernel-exceptions.ts';
import { accessSentence, BADGE_LIMIT, reasonOf, type StopReason } from './stops.ts';
import { withSymbols } from './symbolic.ts';

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
): Promise<StopWords> {
  const words = await whatStopped(debugger_, ids, record, pauseWish);
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
): Promise<StopWords> {
  const { modules, target } = debugger_;
  const hits = debugger_.hitBreakpoints(record);
  const filters = hits.map((id) => ids.filter(id)).filter((filter) => filter !== undefined);
  const filter = filters[0];
  // A filter of the Breakpoints view is behind the stop: the kernel itself gives up.
  if (filter !== undefined && filters.length === hits.length) {
    const text = kernelExceptionSentence(target, record.vcpu, filter);
    const reason = { vcpu: record.vcpu, reason: 'exception', badge: filter, text };
    return { reason, say: { category: 'important', text } };
  }
  if (record.kind === 'pause') return { reason: pauseReason(debugger_, record, pauseWish) };
  const first = hits[0];
  const base = { vcpu: record.vcpu, hitBreakpointIds: hits };
  // A step that came past a breakpoint stops for it.
  if ((record.kind === 'bp' || record.kind === 'step') && first !== undefined) {
    const text = `vCPU ${record.vcpu} is at the breakpoint at 0x${record.pc.toString(16)}; its instruction has not run.`;
    const reason = ids.isInstruction(first)
      ? 'instruction breakpoint'
      : ids.isFunction(first)
        ? 'function breakpoint'
        : 'breakpoint';
    return { reason: { ...base, reason, badge: 'breakpoint', text: await withSymbols(modules, text) } };
  }
  const reason = reasonOf(record.kind);
  if (record.kind === 'watch') {
    const label = first === undefined ? undefined : ids.label(first);
    const symbol = await modules.describe(record.causePc);
    const sentence = accessSentence(record, label);
    const where = symbol === undefined ? '' : ` at ${symbol}`;
    const text = sentence === undefined ? await withSymbols(modules, record.sentence) : `${sentence}${where}`;
    return {
      reason: { ...base, reason, badge: watchBadge(record, label), text },
      say: { category: 'console', text },
    };
  }
  const text = await withSymbols(modules, record.sentence);
  if (reason === 'exception') return { reason: { ...base, reason, text }, say: { category: 'console', text } };
  return { reason: { ...base, reason, badge: hits.length > 0 ? 'breakpoint' : undefined, text } };
}

/** `wrote counter`, when it is short enough to stand beside a thread's name. */
function watchBadge(record: StopRecord, label: string | undefined): string | undefined {
  const access = record.causes.find((cause) => cause.access !== undefined)?.access;
  const name = label?.replace(/^.*(?:->|\.)/, '') ?? '';
  const badge = `${access?.kind === 'r' ? 'read' : 'wrote'} ${name}`;
  return name !== '' && badge.length <= BADGE_LIMIT ? badge : undefined;
}

/** The focus goes to the vCPU that was asked to pause; one that has not been started is of no interest. */
function pauseReason(debugger_: Debugger, record: StopRecord, wish: number | undefined): StopReason {
  const candidates = [wish, record.vcpu, ...debugger_.vcpus().map(({ vcpu }) => vcpu)];
  const online = (vcpu: number | undefined): boolean =>
    vcpu !== undefined && statusOf(debugger_, vcpu)?.activity !== 'waitSipi';
  const vcpu = candidates.find(online) ?? record.vcpu;
  const text = vcpu === record.vcpu ? record.sentence : statusOf(debugger_, vcpu)?.sentence;
  return { vcpu, reason: 'pause', badge: 'paused', text };
}

/** A step has reached its end. */
export function stepReason(debugger_: Debugger, vcpu: number): StopReason {
  const status = statusOf(debugger_, vcpu);
  const at = status === undefined ? '' : ` to 0x${status.pc.toString(16)}`;
  const halted = status?.activity === 'halted' ? ' and is halted' : '';
  return { vcpu, reason: 'step', badge: 'step', text: `vCPU ${vcpu} stepped${at}${halted}.` };
}
