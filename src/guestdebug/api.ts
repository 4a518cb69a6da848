// What the rooms above see of the guest-debug layer. guest-debug-spec names are kept: vCPU, bank, slot, owner, stop record.

export type Owner = 'host' | 'guest';
export type StopKind =
  | 'bp'
  | 'hwx'
  | 'watch'
  | 'io'
  | 'step'
  | 'branchStep'
  | 'guestBp'
  | 'guestDb'
  | 'icebp'
  | 'bd'
  | 'bt'
  | 'pause'
  | 'entry'
  | 'halted'
  | 'reset'
  | 'shutdown'
  | 'internalError';
export type RunState = 'offline' | 'run' | 'halted' | 'stopping' | 'parked' | 'stepping' | 'pending' | 'reporting';
/** Where watches go: into the four slots of each vCPU. Software watchpoints are not built. */
export type SlotPolicy = 'hardware';
export type CoverPolicy = 'windows' | 'exact';
export type AccessType = 'read' | 'write' | 'readWrite';

/** Data access that a watch saw. Addresses and values as the vCPU saw them; old and new little-endian, at most 8 bytes. */
export interface Access {
  readonly linear: bigint;
  readonly physical: bigint;
  readonly size: number;
  readonly kind: 'r' | 'w' | 'x' | 'ioR' | 'ioW';
  readonly old?: bigint;
  readonly value?: bigint;
  readonly initiator: 'cpu';
}
export type CauseKind =
  'bp' | 'hwx' | 'watch' | 'io' | 'step' | 'branchStep' | 'bd' | 'bt' | 'icebp' | 'int3' | 'guestDb';
export interface Cause {
  readonly cause: CauseKind;
  readonly owner: Owner;
  readonly ownerIds: readonly number[];
  readonly slot?: number;
  readonly access?: Access;
  /** Owners whose filter could not decide, and why: they stop. */
  readonly undecided?: readonly Undecided[];
}
export interface Undecided {
  readonly id: number;
  readonly reason: string;
}
/** guest-debug-spec 2.2. */
export interface StopRecord {
  readonly sequence: number;
  readonly vcpu: number;
  readonly kind: StopKind;
  readonly exception: 0 | 1 | 3;
  readonly pc: bigint;
  readonly faultLike: boolean;
  readonly causePc: bigint;
  readonly instructionLength: number;
  readonly dr6: bigint;
  readonly dr7: bigint;
  readonly guestDr6: bigint;
  readonly guestDr7: bigint;
  readonly guestPending: number;
  readonly shadow: 'none' | 'sti' | 'movss';
  readonly causes: readonly Cause[];
  readonly delivery?: { readonly vector: number; readonly errorCode?: number; readonly fromPc: bigint };
  readonly activity: 'active' | 'halted' | 'waitSipi' | 'shutdown';
  /** Events that BLOCKIRQ (or stepIrq hold) keeps from this vCPU at this moment. */
  readonly heldEvents: { readonly nmi: boolean; readonly smi: boolean; readonly interrupt: boolean };
  readonly stepCancelled?: boolean;
  readonly alsoPending: readonly {
    readonly vcpu: number;
    readonly kind: StopKind;
    readonly ownerIds: readonly number[];
  }[];
  readonly detail?: StopDetail;
}
/** What a stop says beyond the fields of its record. */
export type StopDetail =
  /** A step that waited for this handler, and stops where its vCPU is instead of waiting longer (STEP-7). */
  | { readonly kind: 'handlerRuns'; readonly vector: number }
  | TripleFault
  | { readonly kind: 'internalError'; readonly fault: InternalFault };
export interface TripleFault {
  readonly kind: 'tripleFault';
  readonly vcpu: number;
  readonly rip: bigint;
  /** The exceptions that led there, the first being the oldest. */
  readonly chain: readonly { readonly vector: number; readonly rip: bigint }[];
}
/** What went against the rules of the layer itself (guest-debug-spec 2.9). */
export type InternalFault =
  /** The guest got a #DB or #BP that no row of the ownership table claims. */
  | { readonly code: 'unattributed'; readonly vcpu: number; readonly vector: number; readonly rip: bigint }
  /** A step saw no boundary for so many instructions. */
  | { readonly code: 'lostLease'; readonly vcpu: number; readonly instructions: bigint }
  | { readonly code: 'slotAccounting'; readonly vcpu: number; readonly violation: SlotViolation }
  | { readonly code: 'stopWithoutEvent'; readonly vcpu: number };
/** What is wrong with the account of a vCPU's host slots (guest-debug-spec 3.2). */
export type SlotViolation =
  | { readonly kind: 'count'; readonly vcpu: number; readonly used: number; readonly free: number }
  | { readonly kind: 'noOwner'; readonly vcpu: number; readonly slot: number }
  | { readonly kind: 'unknownOwner'; readonly vcpu: number; readonly slot: number; readonly id: number };
export interface VcpuStatus {
  readonly vcpu: number;
  readonly state: RunState;
  readonly activity: 'active' | 'halted' | 'waitSipi' | 'shutdown';
  /** The event that this vCPU shows or waits to show. */
  readonly record?: StopRecord;
  readonly pc: bigint;
  readonly cpl: number;
  readonly mode: 'real' | 'protected16' | 'protected32' | 'compatibility' | 'long';
  /** Owner and disposition of this vCPU's last debug trap. */
  readonly lastTrap?: LedgerEntry;
}
/** One row of "Debug Registers": four guest and four host rows per vCPU. */
export interface SlotRow {
  readonly vcpu: number;
  readonly bank: 'guest' | 'host';
  readonly index: number;
  readonly enabled: boolean;
  /** 'free': nothing is in the slot (host bank only). A shared slot names its first breakpoint here and all in owners. */
  readonly owner: 'guest' | 'raw' | 'free' | { readonly breakpoint: number };
  readonly owners: readonly number[];
  readonly address: bigint;
  readonly length: 1 | 2 | 4 | 8;
  readonly type: 'execute' | 'write' | 'readWrite' | 'io';
  readonly hits: number;
  readonly filteredHits: number;
  readonly references: number;
}
export type Disposition = 'stopped' | 'reinjected' | 'caughtDelivered' | 'caughtDropped' | 'discarded' | 'continued';
/** The rule that decided: a row of the ownership table (guest-debug-spec 2.4), or one of 2.1, 4.3, 4.6. */
export type Rule =
  | ('overlay' | 'hostExecute' | 'hostData' | 'hostIo' | 'hostStep' | 'hostBranchStep' | 'hostGeneralDetect')
  | ('int3' | 'softwareInt3' | 'guestExecute' | 'guestData' | 'guestStep' | 'guestGeneralDetect' | 'taskSwitch')
  | ('busLock' | 'icebp' | 'softwareInt1' | 'injected' | 'guestDebug')
  | ('movedAway' | 'ownerGone' | 'stoppedBefore');
/** A cause as a row of the ledger keeps it. */
export interface LedgerCause {
  readonly cause: CauseKind;
  readonly slot?: number;
  /** The user's breakpoints. */
  readonly breakpoints: readonly number[];
  /** What the debugger put there for itself: a step's, the kernel search's. */
  readonly machinery: readonly BreakpointOwner[];
}
/** guest-debug-spec: every decision about a #DB, #BP or host cause. */
export interface LedgerEntry {
  readonly sequence: number;
  readonly clock: bigint;
  readonly vcpu: number;
  readonly vector: number;
  readonly rip: bigint;
  readonly causes: readonly LedgerCause[];
  readonly owner: Owner;
  readonly disposition: Disposition;
  readonly dr6Host: bigint;
  readonly dr6Guest: bigint;
  readonly rule: Rule;
}

/** Where a breakpoint is put: into a table beside the guest's memory, or into host slots (debug registers). */
export type BreakpointMode = 'overlay' | 'hardware';
/**
 * Who wants a breakpoint: the user, an exception filter of the user's, a running step, the search for a kernel. The last
 * two are machinery: never the reason that the user sees, and their ids are negative, so that the user's count 1, 2, 3.
 */
export type BreakpointOwner = 'user' | 'filter' | 'step' | 'locator';
export const isMachinery = (id: number): boolean => id < 0;

/** One arrival at an execution breakpoint, or one instruction's access to watched bytes. */
export interface BreakpointHit {
  readonly vcpu: number;
  /** The breakpoint's address where the vCPU stands, or the first byte of the access. */
  readonly linear: bigint;
  readonly access?: Access;
  /** Which hit of its breakpoint this is, the first being 1. */
  readonly number: number;
}
/** `noHit`: what was asked for is not so here, as with a condition that is false; it does not count. */
export type HitVerdict = 'stop' | 'continue' | 'noHit';
/**
 * Decides at a hit, inside the machine, whether to stop. Compiled in advance; must not await. One that throws stops, and
 * the cause carries its message: never miss.
 */
export type HitFilter = (hit: BreakpointHit) => HitVerdict;

/** What every breakpoint may say beside its place. */
export interface Wanted {
  /** A number that announce() gave. Absent: a new one. */
  readonly id?: number;
  /** Default: the user. */
  readonly owner?: BreakpointOwner;
  /**
   * Without a client every set() makes a breakpoint of its own: two breakpoints of the user's may sit at one address, each
   * is named at the hit, and removing one leaves the other. With a client, the same request of the same client twice is one
   * breakpoint and one id (guest-debug-spec 4.4; protocol clients).
   */
  readonly client?: string;
  /** Absent: all vCPUs. */
  readonly vcpus?: readonly number[];
  readonly filter?: HitFilter;
}
export interface ExecutionBreakpoint extends Wanted {
  readonly kind: 'execution';
  /** One address, or several that are one breakpoint with one count of hits. */
  readonly linear: bigint | readonly bigint[];
  /** Default: overlay. */
  readonly mode?: BreakpointMode;
  /** Overlays only: only when CR3's page-table base equals this. */
  readonly cr3?: bigint;
}
export interface DataBreakpoint extends Wanted {
  readonly kind: 'data';
  readonly linear: bigint;
  readonly size: number;
  readonly access: AccessType;
  /** The only place for watches so far, and the default. */
  readonly mode?: 'hardware';
}
export type BreakpointRequest = ExecutionBreakpoint | DataBreakpoint;
/** Where a breakpoint was put. `slots`: their indexes, and how many of a vCPU's four are in use now. */
export type Placement =
  | { readonly kind: 'overlay'; readonly addresses: readonly bigint[] }
  | { readonly kind: 'slots'; readonly slots: readonly number[]; readonly used: number };
/** What is in a host slot that a breakpoint would have needed. `owners` is empty for the raw control call's. */
export interface SlotHolder {
  readonly index: number;
  readonly type: SlotRow['type'];
  readonly length: SlotRow['length'];
  readonly address: bigint;
  readonly owners: readonly number[];
}
/** Why a breakpoint was not set (guest-debug-spec 3.3); words: words/refusals.ts. */
export type Refusal =
  | { readonly kind: 'detached' }
  | { readonly kind: 'noAddress' }
  | { readonly kind: 'noVcpu' }
  | { readonly kind: 'noSuchVcpu'; readonly vcpu: number; readonly count: number }
  | { readonly kind: 'invalidRange' }
  | { readonly kind: 'invalidAddress'; readonly address: bigint }
  | { readonly kind: 'tooManySlots'; readonly size: number; readonly needs: number }
  | { readonly kind: 'readOnlyExact' }
  | { readonly kind: 'slotWithCr3' }
  | {
      readonly kind: 'noSlotFree';
      readonly vcpu: number;
      readonly needs: number;
      readonly free: number;
      readonly holders: readonly SlotHolder[];
    };
/** Why the raw control call was refused (guest-debug-spec 2.1); words: words/control.ts. */
export type ControlRefusal =
  | { readonly kind: 'noSuchVcpu'; readonly vcpu: number }
  | { readonly kind: 'running'; readonly vcpu: number }
  | { readonly kind: 'slotsHeld'; readonly vcpu: number; readonly holders: readonly SlotHolder[] }
  | { readonly kind: 'exceptionPending'; readonly vcpu: number; readonly half: boolean }
  | { readonly kind: 'noBreakpointStop'; readonly vcpu: number }
  | { readonly kind: 'notAWord' }
  | { readonly kind: 'unknownBits'; readonly bits: number }
  | { readonly kind: 'pad'; readonly pad: number }
  | { readonly kind: 'registerCount'; readonly count: number; readonly wanted: number }
  | { readonly kind: 'tooWide' }
  | { readonly kind: 'bothInjections' }
  | { readonly kind: 'instructionLength'; readonly length: number; readonly most: number }
  | { readonly kind: 'registerNotZero'; readonly index: number; readonly value: bigint; readonly injectDb: boolean }
  | { readonly kind: 'noCause'; readonly bits: bigint }
  | { readonly kind: 'dr7Wide'; readonly value: bigint }
  | { readonly kind: 'slotLength'; readonly slot: number; readonly type: 'execute' | 'io'; readonly length: number }
  | { readonly kind: 'slotAlignment'; readonly slot: number; readonly address: bigint; readonly length: number }
  | { readonly kind: 'slotPort'; readonly slot: number; readonly address: bigint }
  | { readonly kind: 'slotAddress'; readonly slot: number; readonly address: bigint };
export type SetResult =
  | { readonly verified: true; readonly id: number; readonly placement: Placement }
  | { readonly verified: false; readonly refusal: Refusal };

/** What interrupts do to a step (guest-debug-spec STEP-7): run through (default), stop in the handler, or wait. */
export type StepInterrupts = 'through' | 'enter' | 'hold';
export type Resume =
  /** suppressOnce false: a breakpoint where a vCPU stands hits again at once (CTL-15, raw clients). Default true. */
  | { readonly kind: 'continue'; readonly suppressOnce?: boolean }
  /** A lease on this vCPU; everything else runs as it would have. */
  | {
      readonly kind: 'step';
      readonly vcpu: number;
      readonly mode: 'insn' | 'insn-whole' | 'branch';
      readonly interrupts?: StepInterrupts;
    }
  /** Explicit command: this vCPU alone executes one instruction. */
  | { readonly kind: 'stepAlone'; readonly vcpu: number; readonly mode: 'insn' | 'insn-whole' };

/** What runSlice() answers. 'stopped': the world stopped, reporter's record first. */
export type SliceResult =
  | { readonly kind: 'running' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'stopped'; readonly reporter: StopRecord }
  | { readonly kind: 'ended'; readonly status: number; readonly ending: Ending };
/** How the guest ended. */
export type Ending =
  /** It wrote `value` to isa-debug-exit. */
  | { readonly kind: 'exit'; readonly value: number; readonly status: number }
  | { readonly kind: 'powerOff' }
  | { readonly kind: 'reset'; readonly source: string }
  | TripleFault;

export interface GuestDebugApi {
  capabilities(): {
    readonly control: number;
    readonly slots: number;
    readonly lengths: readonly number[];
    readonly policies: readonly SlotPolicy[];
  };
  /** Why the last setGuestDebug did not answer OK; undefined when it did. */
  readonly controlRefusal: ControlRefusal | undefined;
  /** guest-debug-spec 2.1: the raw, KVM-shaped control call. Answers a code, never throws. */
  setGuestDebug(
    vcpu: number,
    request: { control: number; pad: number; debugreg: readonly bigint[]; insnLength?: number },
  ): 'OK' | 'EINVAL' | 'EBUSY' | 'ENOSPC' | 'ENOTSUP';
  /** A breakpoint that has no place yet: refused, or waiting for symbols. `id`: the number that it had in another machine. */
  announce(owner?: BreakpointOwner, id?: number): number;
  /** Numbers up to this one were given by another machine's layer: they are not given again. */
  reserve(id: number): void;
  /** Legal while the guest runs: once it returns, no vCPU passes the address unseen. All or nothing. */
  set(request: BreakpointRequest): SetResult;
  /** Takes some addresses of an execution breakpoint away; the others stay. */
  withdraw(id: number, addresses: readonly bigint[]): void;
  /** Removing what does not exist is no error. */
  remove(id: number): void;
  setEnabled(id: number, enabled: boolean): void;
  /** Hits and dropped queued events of one breakpoint; undefined: it does not exist. */
  counts(id: number): { readonly hits: number; readonly discarded: number } | undefined;
  /**
   * A stopped vCPU stands on execution breakpoints that were not asked when it came, since a step led there or they were
   * set afterwards: asks those now. Answers the ids of those that would have stopped it; stoppers() knows them, too.
   */
  visit(vcpu: number, who: 'users' | 'all'): readonly number[];
  /** Ids of the breakpoints behind a stop of a vCPU that still stands there. */
  stoppers(record: StopRecord): readonly number[];
  /** Those of them whose filter could not decide, and why. */
  undecided(record: StopRecord): readonly Undecided[];
  /** Catch filters for guest events. */
  setCatch(filters: { readonly bp: 'off' | 'exception' | 'both'; readonly db: boolean }): void;
  readonly policy: SlotPolicy;
  slots(vcpu: number): readonly SlotRow[];
  vcpus(): readonly VcpuStatus[];
  readonly stopped: boolean;
  readonly reporter: StopRecord | undefined;
  /** Attach or launch stop: stops the world with one `entry` record. While the world is stopped: its reporter. */
  attach(): StopRecord;
  /** Asks the world to stop; the next runSlice answers 'stopped'. Idempotent. */
  pause(): void;
  /** Acknowledges the reporter's event. May make the next queued event the reporter without running ('stopped' at once). */
  resume(how: Resume): SliceResult;
  /** Runs the machine for at most `ticks` towards the next stop. */
  runSlice(ticks: number, how?: { readonly idleJumps?: boolean }): SliceResult;
  /** Delivers nothing, drops everything host, resumes former activities. A second call does nothing. */
  detach(suspend: boolean): void;
  /** Up to count rows from sequence `from` on (from the oldest that is still kept; the ring is bounded). */
  ledger(from: number, count: number): readonly LedgerEntry[];
  /** Rows ever written: the sequence of the next row. */
  readonly ledgerSize: number;
  onLedger: ((entry: LedgerEntry) => void) | undefined;
}
