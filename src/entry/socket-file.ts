// Where `trapline dap --socket` listens: a Unix socket that its owner alone can reach, or a named pipe of Windows.
import { chmodSync, lstatSync, realpathSync, statSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { takeFileLock, type FileLock } from './file-lock.ts';
import { explainFileError } from './regular-file.ts';

const SUFFIX = '.trapline-lock';
/** Bytes of a socket's path that every system takes (sockaddr_un: 104 on macOS, 108 on Linux, with the zero at the end). */
const LONGEST = 103;

/** A pipe's name on Windows. Its rights are the system's default: full access for the owner and administrators alone. */
export const isPipeName = (name: string): boolean => process.platform === 'win32' && /^\\\\[.?]\\pipe\\./i.test(name);

export interface SocketPlace {
  /** What to listen on. */
  readonly path: string;
  /** Runs the listening itself, so that the file never exists with more rights than its owner's. */
  listen<Result>(action: () => Promise<Result>): Promise<Result>;
  /** Removes the socket file. Idempotent. */
  release(): void;
}

/** Makes room for a socket. Throws one sentence: the folder is not safe, the name is taken, somebody listens there. */
export function socketPlace(name: string): SocketPlace {
  if (process.platform === 'win32') {
    if (!isPipeName(name))
      throw new Error(`${name}: on Windows a pipe's name is wanted, such as \\\\.\\pipe\\trapline.`);
    return { path: name, listen: (action) => action(), release: () => undefined };
  }
  const file = path.resolve(name);
  if (Buffer.byteLength(file) > LONGEST) {
    throw new Error(`${file}: a socket's path has at most ${LONGEST} bytes; use a shorter one.`);
  }
  checkFolder(path.dirname(file));
  // Whoever has the lock alone listens here and removes the file: what a killed adapter left behind can be told from a living one's.
  const lock = takeFileLock(`${file}${SUFFIX}`);
  if ('owner' in lock) {
    throw new Error(`${file}: process ${lock.owner.pid} listens there already; end it, or choose another path.`);
  }
  try {
    removeStale(file);
  } catch (error) {
    lock.release();
    throw error;
  }
  return unixPlace(file, lock);
}

function unixPlace(file: string, lock: FileLock): SocketPlace {
  let open = true;
  return {
    path: file,
    async listen(action) {
      const before = process.umask(0o177); // bind(2) follows it, and happens before listen() comes back
      try {
        const listening = action();
        process.umask(before);
        const result = await listening;
        chmodSync(file, 0o600);
        return result;
      } finally {
        process.umask(before);
      }
    },
    release() {
      if (!open) return;
      open = false;
      if (isSocket(file)) unlinkSync(file);
      lock.release();
    },
  };
}

/** Others must not be able to put a socket of their own in the place of ours. */
function checkFolder(folder: string): void {
  let status;
  try {
    status = statSync(realpathSync(folder));
  } catch (error) {
    throw explainFileError(folder, error);
  }
  if (!status.isDirectory()) throw new Error(`${folder}: it is no folder.`);
  const sticky = (status.mode & 0o1000) !== 0;
  if ((status.mode & 0o022) !== 0 && !sticky) {
    throw new Error(`${folder}: other users may write to this folder; put the socket in one of your own, mode 0700.`);
  }
  if (status.uid !== process.getuid?.() && status.uid !== 0) {
    throw new Error(`${folder}: this folder is another user's; put the socket in one of your own.`);
  }
}

const isSocket = (file: string): boolean => lstatSync(file, { throwIfNoEntry: false })?.isSocket() === true;

function removeStale(file: string): void {
  const status = lstatSync(file, { throwIfNoEntry: false });
  if (status === undefined) return;
  if (!status.isSocket()) throw new Error(`${file}: there is something that is no socket; choose another path.`);
  unlinkSync(file);
}
