// Disk images in files.
import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { DiskError, SECTOR, type OpenDisk } from '../machine/virtio/disk-image.ts';
import { expectNoWriter, lockDisk } from './disk-lock.ts';
import type { FileLock } from './file-lock.ts';
import { explainFileError, notRegular } from './regular-file.ts';

/** An image that is open, and that nobody has locked yet. */
export interface OpenImage {
  /** As it was asked for. */
  readonly path: string;
  readonly descriptor: number;
  /** Bytes. */
  readonly size: number;
  readonly writable: boolean;
  /** The same for every name of one image: its device and inode, or the device that it is. */
  readonly identity: string;
}

/** Size of a block device, in bytes (Linux: /sys counts units of 512 bytes). Throws where that cannot be known. */
function blockDeviceSize(path: string, device: bigint): number {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn); // makedev(3)
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  try {
    return Number(readFileSync(`/sys/dev/block/${major}:${minor}/size`, 'utf8')) * 512;
  } catch (error) {
    throw new Error(`${path}: the size of this block device is not known; use an image in a file.`, { cause: error });
  }
}

/** Opens a raw image, a regular file or a block device. Throws one sentence: it is missing, something else, of a wrong size. */
export function openImage(path: string, writable: boolean): OpenImage {
  const access = writable ? constants.O_RDWR : constants.O_RDONLY;
  let descriptor: number;
  try {
    descriptor = openSync(path, access | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0));
  } catch (error) {
    throw explainFileError(path, error);
  }
  try {
    const status = fstatSync(descriptor, { bigint: true });
    const isDevice = status.isBlockDevice();
    const fault = isDevice ? undefined : notRegular(path, fstatSync(descriptor));
    if (fault !== undefined) throw fault;
    const size = isDevice ? blockDeviceSize(path, status.rdev) : Number(status.size);
    if (size === 0 || size % SECTOR !== 0) {
      throw new Error(`${path}: its ${size} bytes are not a whole number of ${SECTOR}-byte sectors.`);
    }
    const identity = isDevice ? `device ${status.rdev}` : `${status.dev} ${status.ino}`;
    return { path, descriptor, size, writable, identity };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Runs a step of taking an image; when it fails the image is closed, and the error is one sentence. */
function orClose<Result>({ path, descriptor }: OpenImage, step: () => Result): Result {
  try {
    return step();
  } catch (error) {
    closeSync(descriptor);
    throw error instanceof Error && error.message.startsWith(path) ? error : explainFileError(path, error);
  }
}

/**
 * Takes an open image: locks it when it is writable. Throws one sentence, and closes it, when somebody else writes to it.
 * @param beside the writer is known and allowed: another machine of this session that is about to end
 */
export function takeImage(image: OpenImage, beside = false): OpenDisk {
  const lock = orClose(image, () => {
    if (image.writable) return lockDisk(image.path);
    if (!beside) expectNoWriter(image.path);
    return undefined;
  });
  return new NodeDisk(image, lock);
}

/** A raw image for one machine. Throws one sentence: as openImage and takeImage. */
export function openNodeDisk(path: string, writable: boolean): OpenDisk {
  return takeImage(openImage(path, writable));
}

class NodeDisk implements OpenDisk {
  readonly name: string;
  readonly size: number;
  private readonly descriptor: number;
  private readonly device: boolean;
  private readonly lock: FileLock | undefined;
  private open = true;

  constructor({ path, descriptor, size, identity }: OpenImage, lock: FileLock | undefined) {
    this.name = path;
    this.descriptor = descriptor;
    this.size = size;
    this.device = identity.startsWith('device');
    this.lock = lock;
  }
  get writable(): boolean {
    return this.lock !== undefined;
  }
  private attempt<Result>(action: () => Result): Result {
    if (!this.open) throw new DiskError(`${this.name}: the image was closed.`);
    try {
      return action();
    } catch (error) {
      if (error instanceof DiskError) throw error;
      throw new DiskError(explainFileError(this.name, error).message, { cause: error });
    }
  }
  private shrank(): DiskError {
    const now = fstatSync(this.descriptor).size;
    return new DiskError(`${this.name}: the image shrank from ${this.size} to ${now} bytes while it was in use.`);
  }
  read(offset: number, length: number): Uint8Array {
    return this.attempt(() => {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const count = readSync(this.descriptor, bytes, done, length - done, offset + done);
        if (count === 0) throw this.shrank();
        done += count;
      }
      return bytes;
    });
  }
  write(offset: number, bytes: Uint8Array): void {
    this.attempt(() => {
      // A file would grow again by the write.
      if (!this.device && fstatSync(this.descriptor).size < this.size) throw this.shrank();
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.descriptor, bytes, done, bytes.length - done, offset + done);
      }
    });
  }
  flush(): void {
    this.attempt(() => fdatasyncSync(this.descriptor));
  }
  close(): void {
    if (!this.open) return;
    this.open = false;
    try {
      if (this.writable) fdatasyncSync(this.descriptor);
    } finally {
      this.lock?.release();
      closeSync(this.descriptor);
    }
  }
}
