// Where an initial RAM disk goes: as high as the kernel allows, so that it is out of the way of everything that grows.
import { BootError } from './boot-error.ts';
import type { BootFile } from './boot-file.ts';

const PAGE = 4096;

/** A page-aligned address in [start, limit) for a whole initrd. Throws BootError when it does not fit. */
export function placeInitrd({ name, bytes }: BootFile, start: number, limit: number): number {
  const at = Math.floor((limit - bytes.length) / PAGE) * PAGE;
  if (at < start) {
    const room = Math.max(Math.floor(limit / PAGE) * PAGE - start, 0);
    const text = `its ${bytes.length} bytes do not fit behind the kernel, where ${room} are free; give the machine more memory.`;
    throw new BootError('noRoom', name, {}, text);
  }
  return at;
}
