// Disk images in files.
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { DiskError, SECTOR, type OpenDisk } from '../machine/virtio/disk-image.ts';
import { lockDisk, lockOwner, type DiskLock } from './disk-lock.ts';
import { explainFileError } from './node-files.ts';

const lockedBy = (path: string, pid: number): Error =>
  new Error(`${path}: process ${pid} has the image open for writing; end it first, or work on a copy.`);

function takeLock(path: string): DiskLock {
  const lock = lockDisk(path);
  if ('owner' in lock) throw lockedBy(path, lock.owner);
  return lock;
}

/** A raw image. Throws one sentence: it is missing, no file, of a wrong size, locked, or must not be written. */
export function openNodeDisk(path: string, writable: boolean): OpenDisk {
  let descriptor: number;
  try {
    descriptor = openSync(path, writable ? 'r+' : 'r');
  } catch (error) {
    throw explainFileError(path, error);
  }
  let lock: DiskLock | undefined;
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new Error(`${path}: it is not a file; a disk image has to be one.`);
    if (status.size === 0 || status.size % SECTOR !== 0) {
      throw new Error(`${path}: its ${status.size} bytes are not a whole number of ${SECTOR}-byte sectors.`);
    }
    if (writable) {
      lock = takeLock(path);
    } else {
      const owner = lockOwner(path);
      if (owner !== undefined) throw lockedBy(path, owner);
    }
    return new NodeDisk(path, descriptor, status.size, lock);
  } catch (error) {
    lock?.release();
    closeSync(descriptor);
    throw error instanceof Error && error.message.startsWith(path) ? error : explainFileError(path, error);
  }
}

class NodeDisk implements OpenDisk {
  readonly name: string;
  readonly size: number;
  private readonly descriptor: number;
  private readonly lock: DiskLock | undefined;
  private open = true;

  constructor(name: string, descriptor: number, size: number, lock: DiskLock | undefined) {
    this.name = name;
    this.descriptor = descriptor;
    this.size = size;
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
      if (fstatSync(this.descriptor).size < this.size) throw this.shrank(); // or the write would make it grow again
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.descriptor, bytes, done, bytes.length - done, offset + done);
      }
    });
  }
  flush(): void {
    this.attempt(() => fsyncSync(this.descriptor));
  }
  close(): void {
    if (!this.open) return;
    this.open = false;
    if (this.writable) fsyncSync(this.descriptor);
    this.lock?.release();
    closeSync(this.descriptor);
  }
}
