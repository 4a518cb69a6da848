// The ownership table (guest-debug-spec 2.4) as data: which cause belongs to whom, as what it is reported, under which
// rule. Whatever no row claims is a hard error (2.9).
import type { Cause, Owner, Rule, StopKind } from './api.ts';
import { DR6_BUS_LOCK_INACTIVE, DR6_GENERAL_DETECT, DR6_SINGLE_STEP, DR6_SLOTS, DR6_TASK_SWITCH } from './policy.ts';

export interface OwnershipRow {
  readonly rule: Rule;
  readonly owner: Owner;
  readonly kind: StopKind;
  readonly cause: Cause['cause'];
  readonly exception: 0 | 1 | 3;
  /** The instruction at pc has not run. */
  readonly faultLike: boolean;
}
const host = (
  rule: Rule,
  kind: StopKind,
  cause: Cause['cause'],
  exception: 0 | 1 | 3,
  faultLike: boolean,
): OwnershipRow => ({
  rule,
  owner: 'host',
  kind,
  cause,
  exception,
  faultLike,
});
const guest = (
  rule: Rule,
  kind: StopKind,
  cause: Cause['cause'],
  exception: 1 | 3,
  faultLike: boolean,
): OwnershipRow => ({
  rule,
  owner: 'guest',
  kind,
  cause,
  exception,
  faultLike,
});

/** Causes that the debugger asked for: the guest never sees them. */
export const HOST_ROWS = {
  overlay: host('overlay', 'bp', 'bp', 3, true),
  slotExecute: host('hostExecute', 'hwx', 'hwx', 1, true),
  watch: host('hostData', 'watch', 'watch', 1, false),
  io: host('hostIo', 'io', 'io', 1, false),
  step: host('hostStep', 'step', 'step', 1, false),
  branchStep: host('hostBranchStep', 'branchStep', 'branchStep', 1, false),
  generalDetect: host('hostGeneralDetect', 'bd', 'bd', 1, true),
} as const satisfies Record<string, OwnershipRow>;

/** Events that belong to the guest and go to it, at once or after a catch. */
export const GUEST_ROWS = {
  int3: guest('int3', 'guestBp', 'int3', 3, true),
  softwareInt3: guest('softwareInt3', 'guestBp', 'int3', 3, true),
  slotExecute: guest('guestExecute', 'guestDb', 'guestDb', 1, true),
  slotData: guest('guestData', 'guestDb', 'guestDb', 1, false),
  singleStep: guest('guestStep', 'guestDb', 'guestDb', 1, false),
  generalDetect: guest('guestGeneralDetect', 'bd', 'bd', 1, true),
  taskSwitch: guest('taskSwitch', 'bt', 'bt', 1, false),
  busLock: guest('busLock', 'guestDb', 'guestDb', 1, false),
  icebp: guest('icebp', 'icebp', 'icebp', 1, false),
  softwareInt1: guest('softwareInt1', 'guestDb', 'guestDb', 1, false),
  injected: guest('injected', 'guestDb', 'guestDb', 1, false),
} as const satisfies Record<string, OwnershipRow>;

export interface GuestDebugEvent {
  readonly vector: number;
  /** How it was raised: an exception, or INT n. */
  readonly kind: 'exception' | 'softwareInterrupt';
  /** DR6 positions of this event's own causes (bit 11 set means: no bus lock). */
  readonly causes: bigint;
  /** The address compared was an instruction's (RIP = a live guest type X slot). */
  readonly atExecuteSlot: boolean;
  /** The instruction that ended at RIP is F1. */
  readonly icebp: boolean;
  /** The raw control call asked for it. */
  readonly injected: boolean;
}

/** The row that claims a guest #DB or #BP; undefined: nothing does. */
export function attributeGuest(event: GuestDebugEvent): OwnershipRow | undefined {
  if (event.injected) return GUEST_ROWS.injected;
  if (event.kind === 'softwareInterrupt') {
    if (event.vector === 3) return GUEST_ROWS.softwareInt3;
    return event.vector === 1 ? GUEST_ROWS.softwareInt1 : undefined;
  }
  if (event.vector === 3) return GUEST_ROWS.int3;
  if (event.vector !== 1) return undefined;
  const { causes } = event;
  if ((causes & DR6_GENERAL_DETECT) !== 0n) return GUEST_ROWS.generalDetect;
  if ((causes & DR6_TASK_SWITCH) !== 0n) return GUEST_ROWS.taskSwitch;
  if ((causes & DR6_SLOTS) !== 0n) return event.atExecuteSlot ? GUEST_ROWS.slotExecute : GUEST_ROWS.slotData;
  if ((causes & DR6_SINGLE_STEP) !== 0n) return GUEST_ROWS.singleStep;
  if ((causes & DR6_BUS_LOCK_INACTIVE) === 0n) return GUEST_ROWS.busLock;
  return event.icebp ? GUEST_ROWS.icebp : undefined;
}
