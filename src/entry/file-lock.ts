// A lock that is a file: whoever could create it has the lock, and who that is stands in it. Node has no flock(2).
//
// A lock file appears whole or not at all, by link(2). A process that was killed leaves its own behind; whoever finds one asks
// the system whether the owner still lives. To take a dead owner's file away is the dangerous part: between reading it and
// unlinking, another process may have put a living one in its place. So the right to remove one certain lock file is a lock
// itself, named after the id in that file, which no other file ever has. Its holder alone may unlink, and reads once more
// before it does. A holder who is killed just then leaves a dead lock of the same kind, which is taken over in the same way.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import process from 'node:process';

export interface FileLock {
  /** Idempotent. */
  release(): void;
}

/** Who holds a lock. */
export interface LockOwner {
  readonly pid: number;
  /** The computer or container it runs in, when that is another one, so that nobody here can tell whether it lives. */
  readonly elsewhere?: string;
}

/** What stands in a lock file, as JSON. */
interface LockRecord {
  readonly pid: number;
  /** When the process began, in clock ticks since the system did (proc(5), stat, field 22): process ids come round again. */
  readonly started?: string;
  /** Where the process id means something: the host's name, and its namespace of process ids. */
  readonly host: string;
  readonly id: string;
}

/** What link(2) answers on a file system without hard links, such as FAT. */
const WITHOUT_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];
/** Milliseconds in which another process that is just taking the same dead lock over gets done. */
const PATIENCE = 2000;

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

const attempt = <Result>(action: () => Result): Result | undefined => {
  try {
    return action();
  } catch {
    return undefined;
  }
};

const startOf = (pid: number | 'self'): string | undefined =>
  attempt(() => {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return line.slice(line.lastIndexOf(')') + 2).split(' ')[19]; // the name in parentheses may hold anything
  });
const here = (): string => `${hostname()} ${attempt(() => readlinkSync('/proc/self/ns/pid')) ?? ''}`.trim();

function parse(text: string): LockRecord | undefined {
  // Releases before this form wrote the process id alone.
  if (/^\d{1,10}\s*$/.test(text)) return { pid: Number(text), host: here(), id: `pid${Number(text)}` };
  const value: unknown = attempt(() => JSON.parse(text) as unknown);
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, started, host, id } = value as Readonly<Record<string, unknown>>;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0 || typeof host !== 'string') return undefined;
  if (typeof id !== 'string' || !/^[0-9a-f]{1,64}$/.test(id)) return undefined;
  return { pid, host, id, ...(typeof started === 'string' ? { started } : {}) };
}

/** Whether a process has this very file open, under whatever name; undefined when that cannot be seen. */
function hasOpen(pid: number, device: bigint, inode: bigint): boolean | undefined {
  const folder = `/proc/${pid}/fd`;
  return attempt(() => readdirSync(folder))?.some((descriptor) => {
    const status = attempt(() => statSync(`${folder}/${descriptor}`, { bigint: true }));
    return status?.dev === device && status.ino === inode;
  });
}

interface Found {
  readonly record: LockRecord;
  readonly owner: LockOwner | undefined;
}

/** The lock file as it is, and its owner if that lives; undefined when there is none. */
function look(file: string): Found | undefined {
  const contents = read(file);
  if (contents === undefined) return undefined;
  const { text, device, inode } = contents;
  const record = parse(text);
  // What is no record was not written by this program: nobody can hold it.
  if (record === undefined) return { record: { pid: 0, host: here(), id: `inode${inode}` }, owner: undefined };
  return { record, owner: ownerOf(record, device, inode) };
}

/** What stands in a lock file, and which file that is; undefined when there is none, or not quite yet. */
function read(file: string): { readonly text: string; readonly device: bigint; readonly inode: bigint } | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { dev, ino, mtimeMs } = fstatSync(descriptor, { bigint: true });
    const text = readFileSync(descriptor, 'utf8');
    // Without hard links a lock file is empty for a moment.
    return text === '' && Date.now() - Number(mtimeMs) < PATIENCE ? undefined : { text, device: dev, inode: ino };
  } finally {
    closeSync(descriptor); // before anybody asks which processes have it open
  }
}

function ownerOf({ pid, started, host }: LockRecord, device: bigint, inode: bigint): LockOwner | undefined {
  if (host !== here()) return { pid, elsewhere: host.split(' ')[0] ?? host };
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return undefined;
  }
  const now = startOf(pid);
  if (started !== undefined && now !== undefined && now !== started) return undefined;
  // A lock is held by a descriptor: it ends with the thread that opened it, while the process may live on.
  return hasOpen(pid, device, inode) === false ? undefined : { pid };
}

/** Locks that this thread holds; what is left at the end is let go. */
const held = new Set<FileLock>();
process.on('exit', () => {
  for (const lock of held) attempt(() => lock.release());
});

/** Creates a file with contents; answers its descriptor, or undefined when there is one already. */
function createWith(file: string, id: string, text: string): number | undefined {
  const fresh = `${file}.${id}`;
  const descriptor = openSync(fresh, 'wx', 0o644);
  let linked = false;
  try {
    writeSync(descriptor, text);
    linkSync(fresh, file);
    linked = true;
    return descriptor;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    if (!WITHOUT_LINKS.includes(codeOf(error))) throw error;
  } finally {
    unlinkSync(fresh);
    if (!linked) closeSync(descriptor);
  }
  return createInPlace(file, text);
}

/** The next best: exclusive, though not complete at once. */
function createInPlace(file: string, text: string): number | undefined {
  try {
    const descriptor = openSync(file, 'wx', 0o644);
    writeSync(descriptor, text);
    return descriptor;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
}

/** Creates the lock file and holds it; undefined when there is one already. */
function create(file: string): FileLock | undefined {
  const id = randomBytes(16).toString('hex');
  const started = startOf('self');
  const record: LockRecord = {
    pid: process.pid,
    ...(started === undefined ? {} : { started }),
    host: here(),
    id,
  };
  const descriptor = createWith(file, id, `${JSON.stringify(record)}\n`);
  if (descriptor === undefined) return undefined;
  const lock: FileLock = {
    release: () => {
      if (!held.delete(lock)) return;
      if (look(file)?.record.id === id) unlinkSync(file);
      closeSync(descriptor);
    },
  };
  held.add(lock);
  return lock;
}

/** Lets the thread rest: locks are taken where nothing can be awaited. */
const pause = (milliseconds: number): void =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

/**
 * Takes a lock; answers its living owner when there is one. Exactly one of many that try at once gets it.
 * Throws file system errors.
 */
export function takeFileLock(file: string): FileLock | { readonly owner: LockOwner } {
  for (let waited = 0; ;) {
    const lock = create(file);
    if (lock !== undefined) return lock;
    const found = look(file);
    if (found?.owner !== undefined) return { owner: found.owner };
    const remover = found === undefined ? undefined : removeDead(file, found.record);
    if (remover === undefined) continue; // it was let go, or is now
    if (waited >= PATIENCE) return { owner: remover };
    pause(5);
    waited += 5;
  }
}

/** Removes a dead owner's lock file; answers who is about to do that already, if somebody is. */
function removeDead(file: string, { id }: LockRecord): LockOwner | undefined {
  const right = takeFileLock(`${file}-${id}`);
  if ('owner' in right) return right.owner;
  try {
    if (look(file)?.record.id === id) unlinkSync(file);
  } finally {
    right.release();
  }
  return undefined;
}

/** The living owner of a lock, or undefined. */
export function fileLockOwner(file: string): LockOwner | undefined {
  return look(file)?.owner;
}
