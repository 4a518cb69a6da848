// A lock on a disk image that is written to: a file beside it that names the process. A lock that another kind of program
// would respect does not exist anyway.
import { realpathSync } from 'node:fs';
import { fileLockOwner, takeFileLock, type FileLock, type LockOwner } from './file-lock.ts';

const SUFFIX = '.trapline-lock';

/** The lock file of an image, whatever links lead to it. */
const lockFile = (image: string): string => `${realpathSync(image)}${SUFFIX}`;

/** One sentence for the user: who has an image open, and what to do. */
function lockedBy(image: string, { pid, elsewhere }: LockOwner): Error {
  if (elsewhere === undefined)
    return new Error(`${image}: process ${pid} has the image open for writing; end it first, or work on a copy.`);
  return new Error(
    `${image}: process ${pid} of ${elsewhere} has the image open for writing; if it has ended, remove ${lockFile(image)}.`,
  );
}

/** Locks an image for writing. Throws the sentence when somebody else has it, and file system errors. */
export function lockDisk(image: string): FileLock {
  const lock = takeFileLock(lockFile(image));
  if ('owner' in lock) throw lockedBy(image, lock.owner);
  return lock;
}

/** Throws the sentence when somebody has the image open for writing, and file system errors. */
export function expectNoWriter(image: string): void {
  const owner = fileLockOwner(lockFile(image));
  if (owner !== undefined) throw lockedBy(image, owner);
}
