// Disks of one debug session. A restart builds the new machine before it leaves the old one, so that a failure changes
// nothing; for that moment both have a writable image open, under one lock.
import { closeSync } from 'node:fs';
import type { OpenDisk } from '../machine/virtio/disk-image.ts';
import { openImage, takeImage, type OpenImage } from './node-disk.ts';

/** A disk that a launch names. */
export interface DiskRequest {
  readonly file: string;
  readonly writable: boolean;
}
interface Shared {
  readonly disk: OpenDisk;
  users: number;
}

export class SharedDisks {
  /** Images that are written to, by identity. */
  private readonly writable = new Map<string, Shared>();

  /**
   * Opens all disks of one machine, or none. Throws one sentence: as openNodeDisk, or one image stands there twice.
   * @param nameOf how the user named a disk, by its number in the list: `machine.disks[0]`
   */
  openAll(requests: readonly DiskRequest[], nameOf: (index: number) => string): readonly OpenDisk[] {
    const images: OpenImage[] = [];
    const disks: OpenDisk[] = [];
    try {
      requests.forEach(({ file, writable }, index) => {
        named(nameOf(index), () => images.push(openImage(file, writable)));
      });
      images.forEach((image, index) => named(nameOf(index), () => expectOnce(images, image, index, nameOf)));
      for (let index = 0; images.length > 0; index++) {
        const [image] = images.splice(0, 1);
        if (image !== undefined) named(nameOf(index), () => disks.push(this.take(image)));
      }
      return disks;
    } catch (error) {
      for (const { descriptor } of images) closeSync(descriptor);
      for (const disk of disks) disk.close();
      throw error;
    }
  }

  private take(image: OpenImage): OpenDisk {
    const known = this.writable.get(image.identity);
    if (!image.writable) return takeImage(image, known !== undefined);
    if (known !== undefined) closeSync(image.descriptor);
    const shared = known ?? { disk: takeImage(image), users: 0 };
    this.writable.set(image.identity, shared);
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
        this.writable.delete(image.identity);
        disk.close();
      },
    };
  }
}

/** Two disks on one image that is written to would destroy what is on it. Throws the sentence. */
function expectOnce(
  images: readonly OpenImage[],
  image: OpenImage,
  index: number,
  nameOf: (index: number) => string,
): void {
  const first = images.findIndex(({ identity }) => identity === image.identity);
  const other = images[first];
  if (other === undefined || first === index || !(image.writable || other.writable)) return;
  throw new Error(
    `${image.path} is the same image as ${nameOf(first)} (${other.path}), and one of them is writable; give each disk an image of its own.`,
  );
}

/** Puts the user's name of a disk in front of what is wrong with it. */
function named<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
