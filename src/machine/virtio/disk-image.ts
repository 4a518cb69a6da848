// A disk as the block device sees it. Reading and writing are synchronous: what the guest gets may not depend on the
// host's event loop. src/entry implements it with files.
export const SECTOR = 512;

/** An image cannot be read or written (any more); the message is one sentence for the user. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code = 'disk';
}

export interface DiskImage {
  /** For messages. */
  readonly name: string;
  /** Bytes; a multiple of SECTOR. */
  readonly size: number;
  /** The guest's writes go to the image itself. */
  readonly writable: boolean;
  /** Reads a range within the size. Throws DiskError. */
  read(offset: number, length: number): Uint8Array;
  /** Writes a range within the size. Throws DiskError. */
  write(offset: number, bytes: Uint8Array): void;
  /** Comes back when everything written is on stable storage. Throws DiskError. */
  flush(): void;
}

/** An image that somebody opened, and has to let go of. */
export interface OpenDisk extends DiskImage {
  /** Gives the lock back, if there is one. Idempotent. */
  close(): void;
}
