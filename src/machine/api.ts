// What the rooms above see of the machine. The PC itself is machine.ts; this file holds types, and what follows from them alone.
import type { Engine } from '../core/engine.ts';
import type { JitStatistics } from '../jit/jit.ts';
import type { PciDeviceOptions } from './pci-devices.ts';

/** Ticks are instructions retired plus events delivered; the virtual clock runs at 1 GHz, so one tick is one nanosecond. */
export type Ticks = number;

export interface MachineOptions extends PciDeviceOptions {
  /** 1 to 16. */
  readonly cpus: number;
  /** Bytes of RAM, a multiple of 1 MiB, at least 2 MiB, at most 3 GiB. */
  readonly memorySize: number;
  readonly profile?: 'intel' | 'amd';
  /** Whether CPUID announces bus-lock detection, which gives DEBUGCTL and DR6 a bit more; default false. */
  readonly busLockDetection?: boolean;
  /** What RDRAND and RDSEED answer follows from these 64 bits; machine state, default DEFAULT_RANDOM_SEED of the engine. */
  readonly randomSeed?: bigint;
  /** Start value of the RTC, seconds since 1970. */
  readonly rtcSeconds?: number;
  /** Instructions a vCPU runs before the next one's turn; machine state, default 10,000. */
  readonly quantum?: Ticks;
  /** false: interpret everything. A number: executions after which a block is compiled. Never changes what the guest sees. */
  readonly jit?: boolean | number;
}

/** Why Machine.run() came back. */
export type MachineStop =
  | { readonly kind: 'spent' }
  /** Every vCPU is halted and no timer is armed: only input can go on. */
  | { readonly kind: 'idle' }
  /** The observer answered 'stop' at a boundary of this vCPU. */
  | { readonly kind: 'observed'; readonly vcpu: number }
  /** isa-debug-exit was written; status = ((value << 1) | 1) & 0xff. */
  | { readonly kind: 'exit'; readonly value: number; readonly status: number }
  | { readonly kind: 'powerOff' }
  | { readonly kind: 'reset'; readonly source: string }
  /** Triple fault: the vectors that led there, first first, with the linear RIP of each. */
  | { readonly kind: 'shutdown'; readonly vcpu: number; readonly rip: bigint; readonly chain: readonly VectorAt[] };
export interface VectorAt {
  readonly vector: number;
  readonly rip: bigint;
}

/** A trap that the guest got: called at delivery, before the handler's first instruction. */
export interface Delivery {
  readonly vcpu: number;
  readonly vector: number;
  readonly kind: 'exception' | 'softwareInterrupt' | 'interrupt' | 'nmi';
  readonly errorCode?: number;
  /** Linear address of the interrupted instruction (faults) or of the next one (traps). */
  readonly rip: bigint;
  /** Guest DR6 after the commit, for vector 1. */
  readonly dr6?: bigint;
}

/** The debugger's end of the observer. All methods run inside Machine.run() and must not run the machine. */
export interface MachineObserver {
  /** Exception vectors (bit i: vector i) besides 1 and 3 whose delivery is reported; read when the observer is set. */
  readonly observedVectors?: number;
  splitAt(linear: bigint): boolean;
  splitCount(): number;
  /** A line of the boundary table acted for the observer on the selected vCPU; causes: OBSERVED_*. 'stop' ends run(). */
  onObserved(vcpu: number, causes: number): 'resume' | 'stop';
  /** Vector 1 and 3 always; others as far as observedVectors asks for them. */
  onDelivery(delivery: Delivery): void;
  /** A vCPU came up by SIPI (its slots must be set before its first instruction). */
  onStartup(vcpu: number): void;
  onLog(code: number, vcpu: number, a: bigint, b: bigint): void;
}

/** The PC. One thread; run() is called in slices by whoever owns the thread. */
export interface MachineApi {
  readonly engine: Engine;
  readonly options: MachineOptions;
  /** Virtual clock in nanoseconds since power-on: ticks of all vCPUs plus what idle time skipped. */
  readonly clock: bigint;
  /** Ticks of all vCPUs since power-on. */
  readonly instructions: bigint;
  /** What the JIT did so far; undefined: everything is interpreted. */
  readonly jitStatistics: JitStatistics | undefined;
  /** vCPU whose turn it is (the next instruction of the schedule is its). */
  readonly turn: number;
  /** When the next timer expires, if one is armed: how far an idle machine may be let sleep. */
  readonly nextDeadline: bigint | undefined;
  /**
   * While run() answers 'idle': moves the clock to `until`, but not past the next deadline. This is how whoever paces an
   * interactive run by the wall clock feeds elapsed time in; a headless run lets run() jump by itself.
   */
  skipIdle(until: bigint): void;
  observer: MachineObserver | undefined;
  /** Bytes that the guest sent to the first UART (and, separately, to port 0xE9). */
  onSerial: (bytes: Uint8Array) => void;
  onDebugConsole: (bytes: Uint8Array) => void;
  /** Bytes that the guest sent to the virtio console. */
  onPort: (bytes: Uint8Array) => void;
  /** Something worth a line for the user, said once per cause: unknown port, unknown opcode... */
  onMessage: (text: string) => void;
  /** For how long, in virtual time, a vCPU has had its interrupts off, as far as seen between runs; undefined: they are on. */
  interruptsOffFor(vcpu: number): bigint | undefined;
  /** Input to the first UART; takes effect at the current virtual time. */
  sendSerial(bytes: Uint8Array): void;
  /** Input to the virtio console, as far as there is one. */
  sendPort(bytes: Uint8Array): void;
  /**
   * Runs the unchanged schedule for at most `ticks`. `only`: runs this vCPU alone (explicit command, not the schedule).
   * With idleJumps false, returns 'idle' instead of jumping the clock to the next timer.
   */
  run(ticks: Ticks, how?: { readonly only?: number; readonly idleJumps?: boolean }): MachineStop;
  /** Ends the run() in progress (or the next) with 'spent' after the current instruction; for use in onSerial and the like. */
  interrupt(): void;
  /** Guest state, complete: RAM, vCPUs, architectural TLBs, devices, clock, schedule. Host and derived state are not in it. */
  save(): Uint8Array;
  /** Restores what save() gave on a machine of the same options. Throws a typed error when it does not fit. */
  restore(snapshot: Uint8Array): void;
  /** Hex digest over exactly what save() covers. */
  digest(): string;
  /** Debugger's access by physical address; devices are not touched; undefined bytes outside RAM. */
  readPhysical(physical: bigint, size: number): Uint8Array;
  writePhysical(physical: bigint, data: Uint8Array): void;
  /** Debugger's access by linear address of a vCPU, page by page; answers the readable prefix. Never changes A/D bits. */
  readLinear(vcpu: number, linear: bigint, size: number): Uint8Array;
  /** Writes as far as mapped; answers the number of bytes written. Never triggers watchpoints. */
  writeLinear(vcpu: number, linear: bigint, data: Uint8Array): number;
}

/** Part of a machine's instructions that ran in compiled regions, 0 to 1. */
export function compiledShare({ engine, instructions }: MachineApi): number {
  // compiled ticks are counted since the machine was made; a restored snapshot may put the clock back
  return instructions === 0n ? 0 : Math.min(Number(engine.compiledTicks) / Number(instructions), 1);
}
