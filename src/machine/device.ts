// What a device is to the machine, and what the machine is to a device. Devices know nothing of the engine: they see
// virtual time, interrupt lines and guest memory, each through a small interface, and are tested with fakes of those.
import type { StateReader, StateWriter } from './state-stream.ts';

/** I/O ports first .. first + count - 1. */
export interface PortRange {
  readonly first: number;
  readonly count: number;
}

/** A device of the machine. Every access does a bounded amount of work and never throws, whatever the guest does. */
export interface Device {
  /** Unique; it names the device's section in a snapshot. */
  readonly name: string;
  /** Back to the state after power-on. Timers of the device are cancelled. */
  reset(): void;
  /** Writes the whole guest-visible state. Timers save themselves (VirtualClock). */
  save(writer: StateWriter): void;
  restore(reader: StateReader): void;
}

/** A device on the I/O port bus. */
export interface PortDevice extends Device {
  readonly ports: readonly PortRange[];
  /** Widest access in bytes that the device decodes as one; wider ones arrive as single bytes. */
  readonly portWidth: 1 | 2 | 4;
  /** Reads size (1, 2 or 4) bytes; the answer is unsigned and below 2^(8 size). */
  readPort(port: number, size: number): number;
  writePort(port: number, size: number, value: number): void;
}

/** A device in the physical address space. Offsets are below the window's size. */
export interface MemoryDevice extends Device {
  /** Reads size (1, 2, 4 or 8) bytes; the answer is unsigned. */
  readMemory(offset: number, size: number): bigint;
  writeMemory(offset: number, size: number, value: bigint): void;
}

/** One deadline of a device. Saved and restored by the clock that made it. */
export interface Timer {
  /** Virtual time at which it fires, or undefined while it is off. */
  readonly deadline: bigint | undefined;
  /** Fires once at `deadline`, at the earliest with the next tick. Deadlines beyond 2^63 never come. */
  arm(deadline: bigint): void;
  cancel(): void;
}

/** Virtual time, in ticks of 1 ns. */
export interface Timers {
  /** Exact inside a device access too: the time in front of the accessing instruction. */
  readonly now: bigint;
  /** Timers that are due together fire in the order in which they were created. */
  create(name: string, fire: () => void): Timer;
}

/** A wire to an interrupt controller. */
export type InterruptLine = (asserted: boolean) => void;

/** Guest RAM as a bus master sees it. */
export interface GuestMemory {
  readonly size: number;
  /** A copy of RAM, or undefined when any of it is not RAM. */
  read(physical: number, size: number): Uint8Array | undefined;
  /** False when any of it is not RAM; nothing is written then. */
  write(physical: number, data: Uint8Array): boolean;
}

/** The fewest ticks between two firings of a periodic timer: what a hostile guest can ask for stays cheap. */
export const MINIMUM_PERIOD = 1000n;
