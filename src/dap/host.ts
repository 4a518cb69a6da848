/** What the adapter needs of the world; supplied by the composition roots in src/entry. */
import type { GuestDebugApi } from '../guestdebug/api.ts';
import type { BootProtocol } from '../machine/boot/load-kernel.ts';
import type { MachineApi } from '../machine/api.ts';
import type { Symbols } from '../symbols/index.ts';
import type { LaunchConfiguration } from './configuration.ts';

export interface Files {
  /** Contents of a file. Rejects when it cannot be read; the message is shown to the user. */
  read(path: string): Promise<Uint8Array>;
  exists(path: string): Promise<boolean>;
  /** An absolute path; relative ones are taken from the working directory. */
  resolve(path: string): string;
}

export interface Guest {
  readonly machine: MachineApi;
  readonly debug: GuestDebugApi;
  /** How the kernel was loaded. */
  readonly protocol: BootProtocol;
  /** Lets go of the files that the machine has open. Idempotent. */
  release(): void;
}

export interface AdapterHost {
  readonly files: Files;
  readonly symbols: Symbols;
  readonly scheduler: {
    /** Lets messages, timers and I/O in, then goes on. */
    yield(): Promise<void>;
    wait(milliseconds: number): Promise<void>;
  };
  /** Milliseconds of a monotone clock: for pacing events and idle time. */
  now(): number;
  /**
   * Powers a machine on with the kernel loaded; nothing has been executed. Rejects with an Error whose message names the
   * file or the property that is wrong.
   */
  createGuest(configuration: LaunchConfiguration): Promise<Guest>;
  readonly version: string;
}
