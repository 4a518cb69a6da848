// A lock on a disk image that is written to: a file beside it that names the process. Node has no flock(2), and a lock
// that another kind of program would respect does not exist anyway.
//
// A process that was killed leaves its lock file behind. Whether a lock is alive is asked of the system: the process it
// names must run, and (where /proc tells) have this very file open, since process ids come round again.
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import process from 'node:process';

const SUFFIX = '.trapline-lock';

export interface DiskLock {
  /** Idempotent. */
  release(): void;
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** The lock file of an image, whatever links lead to it. */
const lockFile = (image: string): string => `${realpathSync(image)}${SUFFIX}`;

function hasOpen(pid: number, file: string): boolean {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).some((descriptor) => {
    try {
      return readlinkSync(`${folder}/${descriptor}`) === file;
    } catch {
      return false; // closed in between
    }
  });
}

function isAlive(pid: number, file: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  try {
    return hasOpen(pid, file);
  } catch {
    return true; // there is no /proc, or it is another user's process: it runs, and that must do
  }
}

/** The process that writes to an image now, or undefined. */
export function lockOwner(image: string): number | undefined {
  const file = lockFile(image);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const pid = Number(text.trim());
  return Number.isInteger(pid) && pid > 0 && isAlive(pid, file) ? pid : undefined;
}

/** Locks an image; answers the process that has it locked when that fails. Throws file system errors. */
export function lockDisk(image: string): DiskLock | { readonly owner: number } {
  const file = lockFile(image);
  for (let attempt = 0; ; attempt++) {
    try {
      const descriptor = openSync(file, 'wx', 0o644);
      writeSync(descriptor, `${process.pid}\n`);
      let held = true;
      return {
        release: () => {
          if (!held) return;
          held = false;
          unlinkSync(file);
          closeSync(descriptor);
        },
      };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      const owner = lockOwner(image);
      if (owner !== undefined) return { owner };
      if (attempt > 2) throw error;
      unlinkSync(file); // its owner is gone
    }
  }
}
