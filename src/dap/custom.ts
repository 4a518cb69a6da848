/**
 * Requests and events of our own, beside the Debug Adapter Protocol. Everything is JSON: 64-bit numbers are hexadecimal
 * strings such as "0xffffffff81000000", bytes are base64.
 */
import type { RunState, SlotPolicy } from '../guestdebug/api.ts';
import type { LedgerRow } from '../words/ledger.ts';

/** Thread ids of the protocol are vCPU numbers plus one: 0 is not a good id everywhere. */
export const FIRST_THREAD_ID = 1;

/** `trapline/machine`: the Machine view. Answered while the guest runs, too. */
export interface MachineBody {
  readonly running: boolean;
  readonly ended: boolean;
  /** Virtual time since power-on in nanoseconds, decimal. */
  readonly clock: string;
  /** Instructions of all vCPUs since power-on, decimal. */
  readonly instructions: string;
  readonly memory: number;
  readonly profile: 'intel' | 'amd';
  /** Absent: everything is interpreted. */
  readonly jit?: MachineJit;
  readonly vcpus: readonly MachineVcpu[];
}
/** What the JIT did since power-on. */
export interface MachineJit {
  /** Part of the instructions that ran in compiled regions, 0 to 1. */
  readonly share: number;
  /** Regions that were compiled, and the modules that are alive of those that held them. */
  readonly regions: number;
  readonly modules: number;
  /** Host time that translation took, in milliseconds. */
  readonly compileMs: number;
  /** How often running regions ended, by cause: `elsewhere`, or the name of what a handler needed. */
  readonly exits: Readonly<Record<string, number>>;
  /** Regions that were refused, by reason. */
  readonly failures: Readonly<Record<string, number>>;
}
export interface MachineVcpu {
  readonly vcpu: number;
  readonly threadId: number;
  readonly state: RunState;
  readonly activity: 'active' | 'halted' | 'waitSipi' | 'shutdown';
  /** Reason of its own in at most 12 characters, and as a sentence. Empty while it runs. */
  readonly badge: string;
  readonly sentence: string;
  /** This vCPU's event is the one that is being reported. */
  readonly reporting: boolean;
  readonly ring: number;
  readonly mode: 'real' | 'protected16' | 'protected32' | 'compatibility' | 'long';
  readonly pc: string;
  /** `symbol+offset`, absent outside known code. */
  readonly symbol?: string;
  readonly place?: PlaceBody;
  readonly lastTrap?: LedgerRow;
  /** Interrupts are off, and have been for so many nanoseconds of virtual time (decimal); absent: they are on. */
  readonly interruptsOffFor?: string;
}

/** A place in source or in a listing of machine code. */
export interface PlaceBody {
  readonly path?: string;
  /** For source-less code: what the `source` request takes. */
  readonly sourceReference?: number;
  readonly line: number;
}

/** `trapline/debugRegisters`: both banks, eight rows for each vCPU. */
export interface DebugRegistersBody {
  readonly policy: SlotPolicy;
  readonly vcpus: readonly {
    readonly vcpu: number;
    readonly threadId: number;
    readonly hostInUse: number;
    readonly guestInUse: number;
    readonly rows: readonly DebugRegisterRow[];
  }[];
}
export interface DebugRegisterRow {
  readonly bank: 'guest' | 'host';
  readonly index: number;
  readonly enabled: boolean;
  /** `guest`, `raw`, `free`, or the description of the user's breakpoint. */
  readonly owner: string;
  /** DAP id of the breakpoint that owns it. */
  readonly breakpointId?: number;
  readonly address: string;
  readonly symbol?: string;
  readonly length: number;
  readonly type: 'execute' | 'write' | 'readWrite' | 'io';
  readonly hits: number;
  readonly filteredHits: number;
  readonly references: number;
}

/** `trapline/ledger`: rows [from, from + count) of the trap ledger; `from` counts from 0. */
export interface LedgerArguments {
  readonly from: number;
  /** At most 2,000. */
  readonly count: number;
}
export interface LedgerBody {
  /** Rows that exist. */
  readonly size: number;
  /** As it was asked for. Rows that the ledger has dropped meanwhile are missing: look at their `sequence`. */
  readonly from: number;
  readonly rows: readonly LedgerRow[];
}

/** `trapline/place`: where an address is in source, for clicks in views. */
export interface PlaceArguments {
  readonly address: string;
}

/** `trapline/serialInput`: bytes for the guest's first serial port. */
export interface SerialInputArguments {
  /** Base64. */
  readonly data: string;
}

/** The custom requests by name: what they take and what they answer. */
export interface CustomRequests {
  'trapline/machine': { readonly arguments: undefined; readonly body: MachineBody };
  'trapline/debugRegisters': { readonly arguments: undefined; readonly body: DebugRegistersBody };
  'trapline/ledger': { readonly arguments: LedgerArguments; readonly body: LedgerBody };
  'trapline/place': { readonly arguments: PlaceArguments; readonly body: PlaceBody | null };
  'trapline/serialInput': { readonly arguments: SerialInputArguments; readonly body: undefined };
}

/** The custom events by name, with their bodies. */
export interface CustomEvents {
  /** The guest wrote to its first serial port. Sent at most some 60 times a second, in order, nothing is dropped. */
  'trapline/serial': { readonly data: string };
  /** The ledger has grown to `size` rows; sent at most some 10 times a second. */
  'trapline/ledgerAppended': { readonly size: number };
  /** vCPUs, slots or breakpoints changed: ask again. Sent at stops, when running begins and when breakpoints are set. */
  'trapline/machineChanged': { readonly running: boolean };
}
