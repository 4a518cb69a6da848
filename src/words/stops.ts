// Why a vCPU stopped, in words: a badge of at most 12 characters, and one sentence that says what happened and where.
import type { Access, Cause, StopKind, StopRecord, Undecided, VcpuStatus } from '../guestdebug/api.ts';
import { tripleFaultSentence } from './endings.ts';
import { faultSentence } from './internal-errors.ts';
import { hex, noNames, placeText, type NameOfCode } from './places.ts';
import { english, type Translate } from './translate.ts';

/** A badge has to fit beside "vCPU 1 · r0 · kworker" in a narrow view: a longer one squeezes the thread's name away. */
export const BADGE_LIMIT = 12;

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
type Who = Pick<VcpuStatus, 'vcpu' | 'state' | 'activity' | 'pc' | 'record'>;

export function stopBadge(record: Pick<StopRecord, 'kind' | 'causes'>, t: Translate = english): string {
  const access = accessOf(record.causes);
  if (record.kind === 'watch' && access !== undefined) return access.kind === 'w' ? t('data write') : t('data read');
  return t(BADGES[record.kind]);
}
/** A vCPU's own reason, or what it is doing. */
export function statusBadge(status: Who, t: Translate = english): string {
  return status.record === undefined ? t(doing(status)) : stopBadge(status.record, t);
}
export function statusSentence(status: Who, nameOf: NameOfCode = noNames, t: Translate = english): string {
  const { vcpu, record, pc } = status;
  if (record !== undefined) return stopSentence(record, nameOf, t);
  return t('vCPU {vcpu} is {doing} at {at}.', { vcpu, doing: t(doing(status)), at: placeText(pc, nameOf) });
}
const doing = ({ activity, state }: Who): string =>
  activity === 'halted' || activity === 'shutdown' ? activity : state;

/** The places that the sentence of a vCPU names: their names have to be known before it is said. */
export function placesOf({ pc, record }: Pick<Who, 'pc' | 'record'>): readonly bigint[] {
  if (record === undefined) return [pc];
  const access = accessOf(record.causes);
  const { detail } = record;
  const chain = detail?.kind === 'tripleFault' ? [detail.rip, ...detail.chain.map(({ rip }) => rip)] : [];
  const fault = detail?.kind === 'internalError' && detail.fault.code === 'unattributed' ? [detail.fault.rip] : [];
  return [pc, record.pc, record.causePc, ...(access === undefined ? [] : [access.linear]), ...chain, ...fault];
}

export function accessOf(causes: readonly Cause[]): Access | undefined {
  return causes.find((cause) => cause.access !== undefined)?.access;
}
/** What stopped, for a person; what could not be decided is said behind it. */
export function stopSentence(record: StopRecord, nameOf: NameOfCode = noNames, t: Translate = english): string {
  const undecided = record.causes.flatMap(({ undecided: all = [] }) => all).map((one) => undecidedText(one, t));
  return [whatStopped(record, nameOf, t), ...undecided].join(' ');
}
export function undecidedText({ id, reason }: Undecided, t: Translate = english): string {
  const why = /[.!?]$/.test(reason) ? reason : `${reason}.`;
  return t('Breakpoint {id} could not decide, so it stops: {why}', { id, why });
}

function whatStopped(record: StopRecord, nameOf: NameOfCode, t: Translate): string {
  const { vcpu, detail } = record;
  const at = placeText(record.pc, nameOf);
  switch (record.kind) {
    case 'bp':
      return atBreakpointSentence(record, nameOf, t);
    case 'hwx': {
      const slots = slotsText(record.causes);
      return t('vCPU {vcpu} is at the execution slot{slots} at {at}; its instruction has not run.', {
        vcpu,
        slots,
        at,
      });
    }
    case 'watch':
    case 'io':
      return watchSentence(record, at, nameOf, t);
    case 'step':
    case 'branchStep':
      return stepSentence(record, at, t);
    case 'guestBp':
      return t('vCPU {vcpu} is about to get its own #BP from the instruction at {at}; resuming delivers it.', {
        vcpu,
        at,
      });
    case 'guestDb':
    case 'bt':
      return t('vCPU {vcpu} is about to get its own #DB at {at} (causes {causes}); resuming delivers it.', {
        ...{ vcpu, at },
        causes: hex(record.guestPending),
      });
    case 'icebp':
      return t('vCPU {vcpu} executed ICEBP at {at}; resuming delivers its #DB to the guest.', { vcpu, at });
    case 'bd':
      return t('vCPU {vcpu} is about to use a debug register at {at}; the instruction has not run.', { vcpu, at });
    case 'pause':
      return record.activity === 'halted'
        ? t('vCPU {vcpu} was paused while halted at {at}.', { vcpu, at })
        : t('vCPU {vcpu} was paused at {at}.', { vcpu, at });
    case 'entry':
      return t('vCPU {vcpu} is at its first stop, at {at}.', { vcpu, at });
    case 'halted':
      return record.activity === 'halted'
        ? t('vCPU {vcpu} made no progress: it is halted with interrupts held at {at}.', { vcpu, at })
        : t('vCPU {vcpu} made no progress: it is not running at {at}.', { vcpu, at });
    case 'reset':
      return t('vCPU {vcpu} received INIT during a step and is at {at}.', { vcpu, at });
    case 'shutdown':
      if (detail?.kind === 'tripleFault') return tripleFaultSentence(detail, nameOf, t);
      return t('vCPU {vcpu} shut down by a triple fault at {at}.', { vcpu, at });
    case 'internalError':
      if (detail?.kind === 'internalError') return faultSentence(detail.fault, nameOf, t);
      return t('vCPU {vcpu} met a debug event at {at} that no rule claims; the machine is stopped for inspection.', {
        vcpu,
        at,
      });
  }
}
/** An execution breakpoint stopped this vCPU, whatever else its record says. */
export function atBreakpointSentence(
  { vcpu, pc }: Pick<StopRecord, 'vcpu' | 'pc'>,
  nameOf: NameOfCode = noNames,
  t: Translate = english,
): string {
  const at = placeText(pc, nameOf);
  return t('vCPU {vcpu} is at the breakpoint at {at}; its instruction has not run.', { vcpu, at });
}
/**
 * A data breakpoint in the user's words, with old and new value, in hexadecimal where they are large; undefined: the
 * record has no access.
 *
 * @param label what the user watches; absent: its address
 * @param symbol the name of the code that did it
 */
export function watchedSentence(
  { vcpu, causes }: Pick<StopRecord, 'vcpu' | 'causes'>,
  label: string | undefined,
  symbol: string | undefined,
  t: Translate = english,
): string | undefined {
  const access = accessOf(causes);
  if (access === undefined) return undefined;
  const name = label ?? hex(access.linear);
  const show = (value: bigint): string => (value > 0xffffn ? hex(value) : String(value));
  const { kind, old, value } = access;
  const change =
    kind === 'w'
      ? old === undefined || value === undefined
        ? ''
        : `: ${show(old)} -> ${show(value)}`
      : value === undefined
        ? ''
        : `: ${show(value)}`;
  const where = symbol === undefined ? '' : t(' at {symbol}', { symbol });
  const values = { name, vcpu, change, where };
  if (kind === 'w' && value !== undefined) return t('{name} was written by vCPU {vcpu}{change}{where}', values);
  if (kind === 'r') return t('{name} was read by vCPU {vcpu}{change}{where}', values);
  return t('{name} was accessed by vCPU {vcpu}{change}{where}', values);
}
/** `wrote counter`; undefined when it is too long to stand beside a thread's name. */
export function watchedBadge(
  record: Pick<StopRecord, 'causes'>,
  label: string | undefined,
  t: Translate = english,
): string | undefined {
  const name = label?.replace(/^.*(?:->|\.)/, '') ?? '';
  const badge = accessOf(record.causes)?.kind === 'r' ? t('read {name}', { name }) : t('wrote {name}', { name });
  return name !== '' && badge.length <= BADGE_LIMIT ? badge : undefined;
}
/** The machine stands at its reset vector. */
export function atResetSentence(vcpu: number, pc: bigint, nameOf: NameOfCode, t: Translate = english): string {
  return t('vCPU {vcpu} has executed nothing yet; it is at {at}.', { vcpu, at: placeText(pc, nameOf) });
}
export function atEntrySentence(vcpu: number, pc: bigint, nameOf: NameOfCode, t: Translate = english): string {
  return t('vCPU {vcpu} stopped at {at}.', { vcpu, at: placeText(pc, nameOf) });
}
/** A pause between two events of the machine. */
export function pausedSentence(vcpu: number, where: 'atReset' | 'inStep', t: Translate = english): string {
  return where === 'atReset'
    ? t('vCPU {vcpu} was paused before its first instruction.', { vcpu })
    : t('vCPU {vcpu} was paused in the middle of a step.', { vcpu });
}
/** A step of the user's has reached its end. */
export function steppedSentence(
  { vcpu, pc, activity }: Pick<VcpuStatus, 'vcpu' | 'pc' | 'activity'>,
  nameOf: NameOfCode = noNames,
  t: Translate = english,
): string {
  const at = placeText(pc, nameOf);
  return activity === 'halted'
    ? t('vCPU {vcpu} stepped to {at} and is halted.', { vcpu, at })
    : t('vCPU {vcpu} stepped to {at}.', { vcpu, at });
}

function slotsText(causes: readonly Cause[]): string {
  const slots = [...new Set(causes.flatMap((cause) => (cause.slot === undefined ? [] : [`H${cause.slot}`])))];
  return slots.length === 0 ? '' : ` (${slots.join(', ')})`;
}
function watchSentence(record: StopRecord, at: string, nameOf: NameOfCode, t: Translate): string {
  const { vcpu } = record;
  const slots = slotsText(record.causes);
  const access = accessOf(record.causes);
  if (access === undefined) {
    return t('vCPU {vcpu} touched a watched place{slots}; it is now at {at}.', { vcpu, slots, at });
  }
  const from = placeText(record.causePc, nameOf);
  const did = accessText(access, nameOf, t);
  return t('vCPU {vcpu} at {from} {did}{slots}; it is now at {at}.', { vcpu, from, did, slots, at });
}
function accessText({ kind, size, linear, old, value }: Access, nameOf: NameOfCode, t: Translate): string {
  const bytes = size === 1 ? t('1 byte') : t('{size} bytes', { size });
  switch (kind) {
    case 'ioW':
      return t('wrote {bytes} to port {port}', { bytes, port: hex(linear) });
    case 'ioR':
      return t('read {bytes} from port {port}', { bytes, port: hex(linear) });
    case 'w': {
      const change = old === undefined || value === undefined ? '' : `: ${hex(old)} -> ${hex(value)}`;
      return t('wrote {bytes} at {place}{change}', { bytes, place: placeText(linear, nameOf), change });
    }
    default: {
      const what = value === undefined ? '' : `: ${hex(value)}`;
      return t('read {bytes} at {place}{what}', { bytes, place: placeText(linear, nameOf), what });
    }
  }
}
function stepSentence(record: StopRecord, at: string, t: Translate): string {
  const { vcpu, delivery, detail } = record;
  if (detail?.kind === 'handlerRuns') {
    return t(
      'vCPU {vcpu}: the handler of vector {vector} has not returned to the stepped instruction; the step ends here.',
      { vcpu, vector: detail.vector },
    );
  }
  if (delivery !== undefined) {
    return t('vCPU {vcpu} stepped into the handler of vector {vector} at {at}.', { vcpu, vector: delivery.vector, at });
  }
  if (record.activity === 'halted') return t('vCPU {vcpu} stepped and is halted at {at}.', { vcpu, at });
  return t('vCPU {vcpu} stepped to {at}.', { vcpu, at });
}
