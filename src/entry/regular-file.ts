// Files that are only read. They must be regular ones: a pipe, a device or a directory is refused at once and not waited for. The
// descriptor is asked what it is, since a name may change hands between a look and the opening.
import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'reading or writing it is not allowed',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  ENOSPC: 'the disk is full',
  ENXIO: 'it is a socket, or a device that is not there',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
};

/** One clear sentence for an error of the file system. */
export function explainFileError(path: string, error: unknown): Error {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return new Error(`${path}: ${reason}.`, { cause: error });
}

/** Reading only; a FIFO without a writer is not waited for, and a terminal does not become ours. */
const READING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** What a name stands for that is no file. */
function kindOf(status: Stats): string {
  if (status.isDirectory()) return 'a directory';
  if (status.isFIFO()) return 'a pipe (FIFO)';
  if (status.isSocket()) return 'a socket';
  if (status.isCharacterDevice()) return 'a character device';
  return status.isBlockDevice() ? 'a block device' : 'something else';
}

/** Why a descriptor is not one of a regular file; undefined when it is. The descriptor is asked: a name may change hands. */
export function notRegular(file: string, status: Stats): Error | undefined {
  return status.isFile() ? undefined : new Error(`${file}: it is ${kindOf(status)}, where a regular file is wanted.`);
}

/** Opens a regular file for reading; answers its descriptor. Throws a sentence that names it, at once whatever it is. */
export function openRegularFile(file: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(file, READING);
  } catch (error) {
    throw explainFileError(file, error);
  }
  const fault = notRegular(file, fstatSync(descriptor));
  if (fault === undefined) return descriptor;
  closeSync(descriptor);
  throw fault;
}

/** Bytes of the largest kernel that is read; one with all its debugging information has some hundred million. */
export const KERNEL_LIMIT = 2 ** 30;

/**
 * Reads a whole regular file. Rejects with a sentence that names it: it is missing, no regular file, or too large.
 * @param limit bytes; nothing is read of a larger file
 */
export function readWholeFile(path: string, limit = KERNEL_LIMIT): Promise<Uint8Array> {
  return withRegularFile(path, (handle, size) => {
    if (size > limit) throw new Error(`${path}: it has ${size} bytes, more than the ${limit} that can be read.`);
    return readBytes(handle, size);
  });
}

/** Reads bytes of a regular file from `offset` on, at most `length`. Rejects with a sentence that names it. */
export function readPart(path: string, offset: number, length: number): Promise<Uint8Array> {
  return withRegularFile(path, (handle, size) =>
    readBytes(handle, Math.max(0, Math.min(size - offset, length)), offset),
  );
}

async function withRegularFile<Result>(
  path: string,
  work: (handle: FileHandle, size: number) => Promise<Result>,
): Promise<Result> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, READING);
    const status = await handle.stat();
    const fault = notRegular(path, status);
    if (fault !== undefined) throw fault;
    return await work(handle, status.size);
  } catch (error) {
    throw error instanceof Error && error.message.startsWith(`${path}: `) ? error : explainFileError(path, error);
  } finally {
    await handle?.close();
  }
}

/** The first `size` bytes, or fewer if the file ends before: a file that grows meanwhile is not followed. */
async function readBytes(handle: FileHandle, size: number, offset = 0): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let done = 0;
  while (done < size) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(size - done, 2 ** 30), offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
