// What a virtio device is besides its transport: an identity, features, configuration, and work on its queues.
import type { StateReader, StateWriter } from '../state-stream.ts';
import type { SplitQueue } from './queue.ts';

/** Feature bits that do not belong to a device type (virtio 1.2, ch. 6). */
export const FEATURE_INDIRECT_DESCRIPTORS = 1n << 28n;
export const FEATURE_VERSION_1 = 1n << 32n;

/** A device type of virtio 1.2, ch. 5. It completes buffers only inside service(). */
export interface VirtioBackend {
  /** Unique in the machine. */
  readonly name: string;
  /** Device type (ch. 5). */
  readonly deviceType: number;
  /** PCI class code, for guests that list devices. */
  readonly classCode: number;
  /** Features of the device type that are offered. */
  readonly features: bigint;
  /** Largest size of each queue; powers of two. */
  readonly queueSizes: readonly number[];
  /** The device-specific configuration, read-only to the guest. */
  readonly configuration: Uint8Array;
  /**
   * A queue's turn: a bounded amount of work. Answers after how many ticks the queue wants its next turn, or undefined when
   * it waits for the driver's next notification (or for attend()).
   */
  service(index: number, queue: SplitQueue): bigint | undefined;
  /** The device was reset: forget requests. What the outside sent or the disk holds stays. */
  reset(): void;
  save(writer: StateWriter): void;
  restore(reader: StateReader): void;
}
