/** What the adapter needs of the world; supplied by the composition roots in src/entry. */
import type { GuestDebugApi } from '../guestdebug/api.ts';
import type { BootProtocol } from '../machine/boot/load-kernel.ts';
import type { MachineApi } from '../machine/api.ts';
import type { Symbols } from '../symbols/index.ts';
import type { LaunchConfiguration } from './configuration.ts';
import type { ResourceScope } from './resource-scope.ts';
import type { Translate } from '../words/translate.ts';

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
   * Powers a machine on with the kernel loaded; nothing has been executed. What the machine has open is held by the scope.
   * Rejects with an Error whose message names the file or the property that is wrong; with ScopeOver when the scope is over
   * before the machine is there.
   */
  createGuest(configuration: LaunchConfiguration, scope: ResourceScope): Promise<Guest>;
  /** Registers who hears of what failed in the host and the session outlives: one sentence for the user. */
  onTrouble(listener: (sentence: string) => void): void;
  /** Ends what the host itself has for a session: its symbol worker. Resolves when it is gone. Idempotent. */
  dispose(): void | Promise<void>;
  readonly version: string;
  /** Says sentences in the user's language. Absent: in English. */
  readonly translate?: Translate;
}
