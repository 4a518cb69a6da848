// Stop reasons in words: a badge of at most 12 characters, and one sentence that says what happened and where.
import type { Access, Cause, StopKind, StopRecord, Undecided } from './api.ts';
import { hex } from './debug-registers.ts';

type Described = Omit<StopRecord, 'sentence'>;

const BADGES: Readonly<Record<StopKind, string>> = {
  bp: 'breakpoint',
  hwx: 'breakpoint',
  watch: 'data access',
  io: 'port access',
  step: 'step',
  branchStep: 'branch step',
  guestBp: 'guest #BP',
  guestDb: 'guest #DB',
  icebp: 'guest ICEBP',
  bd: 'MOV DR',
  bt: 'task switch',
  pause: 'paused',
  entry: 'entry',
  halted: 'halted',
  reset: 'INIT',
  shutdown: 'triple fault',
  internalError: 'internal err',
};

export function badgeOf(record: Pick<StopRecord, 'kind' | 'causes'>): string {
  const access = accessOf(record.causes);
  if (record.kind === 'watch' && access !== undefined) return access.kind === 'w' ? 'data write' : 'data read';
  return BADGES[record.kind];
}
export function accessOf(causes: readonly Cause[]): Access | undefined {
  return causes.find((cause) => cause.access !== undefined)?.access;
}
const owners = (causes: readonly Cause[]): string => {
  const slots = [...new Set(causes.flatMap((cause) => (cause.slot === undefined ? [] : [`H${cause.slot}`])))];
  return slots.length === 0 ? '' : ` (${slots.join(', ')})`;
};
function accessSentence({ kind, size, linear, old, value }: Access): string {
  const bytes = `${size} byte${size === 1 ? '' : 's'}`;
  if (kind === 'ioR' || kind === 'ioW') {
    return `${kind === 'ioW' ? 'wrote' : 'read'} ${bytes} ${kind === 'ioW' ? 'to' : 'from'} port ${hex(linear)}`;
  }
  if (kind === 'w') {
    const change = old === undefined || value === undefined ? '' : `: ${hex(old)} -> ${hex(value)}`;
    return `wrote ${bytes} at ${hex(linear)}${change}`;
  }
  return `read ${bytes} at ${hex(linear)}${value === undefined ? '' : `: ${hex(value)}`}`;
}

/** What stopped in words, for a person; what could not be decided is said behind it. */
export function sentenceOf(record: Described): string {
  const undecided = record.causes.flatMap(({ undecided: all = [] }) => all).map(undecidedText);
  return [whatStopped(record), ...undecided].join(' ');
}
export function undecidedText({ id, reason }: Undecided): string {
  return `Breakpoint ${id} could not decide, so it stops: ${/[.!?]$/.test(reason) ? reason : `${reason}.`}`;
}
function whatStopped(record: Described): string {
  const who = `vCPU ${record.vcpu}`;
  const at = hex(record.pc);
  const slots = owners(record.causes);
  const access = accessOf(record.causes);
  switch (record.kind) {
    case 'bp':
      return `${who} is at the breakpoint at ${at}; its instruction has not run.`;
    case 'hwx':
      return `${who} is at the execution slot${slots} at ${at}; its instruction has not run.`;
    case 'watch':
    case 'io':
      return access === undefined
        ? `${who} touched a watched place${slots}; it is now at ${at}.`
        : `${who} at ${hex(record.causePc)} ${accessSentence(access)}${slots}; it is now at ${at}.`;
    case 'step':
    case 'branchStep':
      return stepSentence(record, who, at);
    case 'guestBp':
      return `${who} is about to get its own #BP from the instruction at ${at}; resuming delivers it.`;
    case 'guestDb':
    case 'bt':
      return `${who} is about to get its own #DB at ${at} (causes ${hex(record.guestPending)}); resuming delivers it.`;
    case 'icebp':
      return `${who} executed ICEBP at ${at}; resuming delivers its #DB to the guest.`;
    case 'bd':
      return `${who} is about to use a debug register at ${at}; the instruction has not run.`;
    case 'pause':
      return record.activity === 'halted' ? `${who} was paused while halted at ${at}.` : `${who} was paused at ${at}.`;
    case 'entry':
      return `${who} is at its first stop, at ${at}.`;
    case 'halted':
      return `${who} made no progress: it is ${record.activity === 'halted' ? 'halted with interrupts held' : 'not running'} at ${at}.`;
    case 'reset':
      return `${who} received INIT during a step and is at ${at}.`;
    case 'shutdown':
      return `${who} shut down by a triple fault at ${at}.`;
    case 'internalError':
      return `${who} met a debug event at ${at} that no rule claims; the machine is stopped for inspection.`;
  }
}
function stepSentence(record: Described, who: string, at: string): string {
  const { delivery } = record;
  if (delivery !== undefined) return `${who} stepped into the handler of vector ${delivery.vector} at ${at}.`;
  if (record.activity === 'halted') return `${who} stepped and is halted at ${at}.`;
  return `${who} stepped to ${at}.`;
}
