// Disks of one debug session. A restart builds the new machine before it leaves the old one, so that a failure changes
// nothing; for that moment both have a writable image open, under one lock.
import path from 'node:path';
import type { OpenDisk } from '../machine/virtio/disk-image.ts';
import { openNodeDisk } from './node-disk.ts';

interface Shared {
  readonly disk: OpenDisk;
  users: number;
}

export class SharedDisks {
  private readonly writable = new Map<string, Shared>();

  /** As openNodeDisk; closing the last of several lets go of the image. */
  open(file: string, writable: boolean): OpenDisk {
    if (!writable) return openNodeDisk(file, false);
    const key = path.resolve(file);
    const shared = this.writable.get(key) ?? { disk: openNodeDisk(file, true), users: 0 };
    this.writable.set(key, shared);
    shared.users++;
    const { disk } = shared;
    let open = true;
    return {
      name: disk.name,
      size: disk.size,
      writable: true,
      read: (offset, length) => disk.read(offset, length),
      write: (offset, bytes) => disk.write(offset, bytes),
      flush: () => disk.flush(),
      close: () => {
        if (!open) return;
        open = false;
        shared.users--;
        if (shared.users > 0) return;
        this.writable.delete(key);
        disk.close();
      },
    };
  }
}
