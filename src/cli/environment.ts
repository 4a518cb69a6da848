// What the command line needs of the world. src/entry implements it with Node; tests implement it with arrays.
import type { EngineModules } from '../core/engine.ts';
import type { OpenDisk } from '../machine/virtio/disk-image.ts';
import type { DiskOption } from './run-options.ts';

/** A text file that is being written. */
export interface TextSink {
  write(text: string): void;
  close(): void;
}

/** A file of bytes that is being written. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** Standard input. */
export interface ConsoleInput {
  /** A person types here: idle virtual time then follows the wall clock. */
  readonly interactive: boolean;
  /** Nothing more will come. */
  readonly ended: boolean;
  /** Starts reading. Bytes may come between any two turns of the event loop. */
  start(onBytes: (bytes: Uint8Array) => void): void;
  /** Gives standard input back as it was. */
  stop(): void;
}

export interface RunEnvironment {
  /** The engine's WebAssembly modules. */
  loadModules(): Promise<EngineModules>;
  /**
   * Reads a regular file. Rejects with an error whose message says what is wrong with it.
   * @param limit bytes; a larger file is refused
   */
  readFile(path: string, limit?: number): Promise<Uint8Array>;
  createTextFile(path: string): TextSink;
  /** Throws, here and in the sink's methods, with a sentence that names the file. */
  createByteFile(path: string): ByteSink;
  /** Opens all images, or none. Throws with a sentence that says what is wrong with one, or who has it locked. */
  openDisks(disks: readonly DiskOption[]): readonly OpenDisk[];
  /** The guest's console. */
  output(bytes: Uint8Array): void;
  /**
   * Undefined as long as whoever reads the output keeps up; else resolves when it has caught up or has gone, after
   * `milliseconds`, or when `endStatus` comes to be known.
   */
  outputRead(milliseconds: number): Promise<void> | undefined;
  /** One line for the user, on standard error. */
  say(line: string): void;
  readonly input: ConsoleInput;
  /** Milliseconds of a monotone clock. */
  now(): number;
  /** Lets events in; comes back after `milliseconds`, or earlier when there was input. 0: as soon as possible. */
  pause(milliseconds: number): Promise<void>;
  /** The exit status that a signal of the system asks for, once one has come: the run ends between two slices. */
  readonly endStatus: number | undefined;
}
