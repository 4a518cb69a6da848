// A process that tries for a lock whenever it is told to, at a given moment: the other end of file-lock.test.ts.
import process from 'node:process';
import { takeFileLock, type FileLock } from '../../src/entry/file-lock.ts';

/** What the parent says: try for a lock at a time (milliseconds since 1970), or let go. */
export type Order = { readonly take: string; readonly at: number } | 'release';
/** What the contender answers: it has the lock, who has it, or what was thrown. */
export type Answer = 'ready' | 'locked' | 'released' | { readonly owner: number } | { readonly error: string };

const say = (answer: Answer): void => void process.send?.(answer);
let lock: FileLock | undefined;

function take(file: string): Answer {
  try {
    const taken = takeFileLock(file);
    if ('owner' in taken) return { owner: taken.owner.pid };
    lock = taken;
    return 'locked';
  } catch (error) {
    return { error: String(error) };
  }
}

process.on('message', (order: Order) => {
  if (order === 'release') {
    lock?.release();
    lock = undefined;
    say('released');
    return;
  }
  while (Date.now() < order.at); // all at the same moment, as near as it goes
  say(take(order.take));
});
say('ready');
