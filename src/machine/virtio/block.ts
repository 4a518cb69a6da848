// The block device (virtio 1.2, 5.2): one queue, requests of reading, writing, flushing and naming.
import type { StateReader, StateWriter } from '../state-stream.ts';
import type { VirtioBackend } from './backend.ts';
import type { DescriptorChain } from './descriptor-chain.ts';
import { DiskError, SECTOR, type DiskImage } from './disk-image.ts';
import { Overlay } from './overlay.ts';
import type { SplitQueue } from './queue.ts';

const FEATURE_SIZE_MAX = 1n << 1n;
const FEATURE_SEG_MAX = 1n << 2n;
const FEATURE_BLK_SIZE = 1n << 6n;
const FEATURE_FLUSH = 1n << 9n;

const TYPE_IN = 0;
const TYPE_OUT = 1;
const TYPE_FLUSH = 4;
const TYPE_GET_ID = 8;
const STATUS_OK = 0;
const STATUS_IO_ERROR = 1;
const STATUS_UNSUPPORTED = 2;

const HEADER = 16;
const ID_LENGTH = 20;
const QUEUE_SIZE = 128;
/** Pieces of a request, besides header and status, and bytes of each: what a driver may ask for at once is bounded. */
const MAXIMUM_SEGMENTS = QUEUE_SIZE - 2;
const MAXIMUM_SEGMENT = 32 * 1024;
const MAXIMUM_DATA = MAXIMUM_SEGMENTS * MAXIMUM_SEGMENT;
/** A turn ends after so many requests, or so many bytes. */
const BATCH_REQUESTS = 16;
const BATCH_BYTES = 64 * 1024;
/** The time that a disk takes: some of it for each turn, and a nanosecond for each byte. */
const TURN_TICKS = 20_000n;

/** What became of a request: its status, bytes for the driver, bytes of the driver's. */
interface Result {
  readonly status: number;
  readonly read?: number;
  readonly written?: number;
}

export class BlockDevice implements VirtioBackend {
  readonly name: string;
  readonly deviceType = 2;
  readonly classCode = 0x01_0000;
  readonly features = FEATURE_SIZE_MAX | FEATURE_SEG_MAX | FEATURE_BLK_SIZE | FEATURE_FLUSH;
  readonly queueSizes = [QUEUE_SIZE];
  readonly configuration = new Uint8Array(0x18);
  private readonly disk: DiskImage;
  private readonly overlay: Overlay | undefined;
  private readonly id: Uint8Array;
  private readonly say: (text: string) => void;

  /**
   * @param number from 0 on, in the order of the machine's disks.
   * @param image if it is not writable, the guest's writes stay in memory.
   */
  constructor(number: number, image: DiskImage, say: (text: string) => void) {
    this.name = `virtio-blk${number}`;
    this.overlay = image.writable ? undefined : new Overlay(image);
    this.disk = this.overlay ?? image;
    this.say = say;
    this.id = new TextEncoder().encode(`trapline-disk-${number}`.padEnd(ID_LENGTH, '\0'));
    const view = new DataView(this.configuration.buffer);
    view.setBigUint64(0x00, BigInt(image.size / SECTOR), true); // capacity
    view.setUint32(0x08, MAXIMUM_SEGMENT, true); // size_max
    view.setUint32(0x0c, MAXIMUM_SEGMENTS, true); // seg_max
    view.setUint32(0x14, SECTOR, true); // blk_size
  }

  service(_index: number, queue: SplitQueue): bigint | undefined {
    let bytes = 0;
    for (let requests = 0; requests < BATCH_REQUESTS && bytes < BATCH_BYTES; requests++) {
      const chain = queue.take();
      if (chain === undefined) return undefined;
      if (chain.readableLength < HEADER || chain.writableLength < 1) {
        queue.broken = 'a request without header or status';
        return undefined;
      }
      bytes += this.request(chain, queue);
    }
    return TURN_TICKS + BigInt(bytes);
  }
  /** Does one request; answers the bytes that it moved. */
  private request(chain: DescriptorChain, queue: SplitQueue): number {
    const room = chain.writableLength - 1;
    const { status, read = 0, written = 0 } = this.attempt(chain, room);
    chain.write(room, Uint8Array.of(status)); // the last byte, wherever the data ended
    queue.complete(chain, read === room ? room + 1 : read);
    return read + written;
  }
  private attempt(chain: DescriptorChain, room: number): Result {
    try {
      return this.perform(chain, room);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.say(`${this.name}: ${error.message}`);
      return { status: STATUS_IO_ERROR };
    }
  }
  /** @param room bytes for the driver in front of the status. */
  private perform(chain: DescriptorChain, room: number): Result {
    const header = new DataView(chain.read(0, HEADER).buffer);
    const offset = Number(header.getBigUint64(8, true)) * SECTOR;
    switch (header.getUint32(0, true)) {
      case TYPE_IN:
        if (!this.mayMove(offset, room)) return { status: STATUS_IO_ERROR };
        return { status: STATUS_OK, read: chain.write(0, this.disk.read(offset, room)) };
      case TYPE_OUT: {
        const length = chain.readableLength - HEADER;
        if (!this.mayMove(offset, length)) return { status: STATUS_IO_ERROR };
        this.disk.write(offset, chain.read(HEADER, length));
        return { status: STATUS_OK, written: length };
      }
      case TYPE_FLUSH:
        this.disk.flush();
        return { status: STATUS_OK };
      case TYPE_GET_ID:
        return { status: STATUS_OK, read: chain.write(0, this.id.subarray(0, room)) };
      default:
        return { status: STATUS_UNSUPPORTED };
    }
  }
  private mayMove(offset: number, length: number): boolean {
    return length % SECTOR === 0 && length <= MAXIMUM_DATA && offset + length <= this.disk.size;
  }

  reset(): void {
    // requests are not remembered between turns
  }
  save(writer: StateWriter): void {
    this.overlay?.save(writer);
  }
  restore(reader: StateReader): void {
    this.overlay?.restore(reader);
  }
}
