/**
 * Compressed debugging sections, in every spelling of zlib: SHF_COMPRESSED (gABI, "Section Compression") and the older
 * .zdebug_* of GNU. They are decompressed when a file is opened and put behind its end, so that nobody else has to know.
 */

import { SymbolError, type ElfSection, type ReadableBytes } from './api.ts';
import { elfError, type ElfFile } from './elf.ts';
import { SHF_COMPRESSED, SHT_NOBITS } from './elf-constants.ts';
import type { Reader } from './reader.ts';

const ELFCOMPRESS_ZLIB = 1;
const ELFCOMPRESS_ZSTD = 2;
/** Of one section; a kernel's .debug_info has 300 MB. */
const sizeLimit = 1 << 30;
const gnuPrefix = '.zdebug';

/** A file with its compressed sections laid open. */
export interface ExpandedFile {
  readonly bytes: ReadableBytes;
  /** Where the contents of sections are, by index. */
  readonly places: ReadonlyMap<number, ExpandedPlace>;
  /** Sections that cannot be read, each with its reason. */
  readonly problems: readonly SymbolError[];
}

export interface ExpandedPlace {
  readonly name: string;
  readonly fileOffset: number;
  readonly size: number;
}

/** Decompresses what is compressed in a file. What cannot be is a problem, not an error. */
export async function expandSections(elf: ElfFile): Promise<ExpandedFile> {
  const places = new Map<number, ExpandedPlace>();
  const problems: SymbolError[] = [];
  const pieces: Uint8Array[] = [];
  let end = elf.bytes.size;
  for (const section of elf.sections) {
    if (section.type === SHT_NOBITS || !isCompressed(section)) continue;
    try {
      const contents = await expand(elf, section);
      const name = section.name.startsWith(gnuPrefix) ? `.debug${section.name.slice(gnuPrefix.length)}` : section.name;
      places.set(section.index, { name, fileOffset: end, size: contents.length });
      pieces.push(contents);
      end += contents.length;
    } catch (error) {
      if (!(error instanceof SymbolError)) throw error;
      problems.push(error);
    }
  }
  return { bytes: pieces.length === 0 ? elf.bytes : new AppendedBytes(elf.bytes, pieces, end), places, problems };
}

/** Whether the contents of a section are not what its name says, but a compressed form of it. */
export function isCompressed({ flags, name }: ElfSection): boolean {
  return (flags & SHF_COMPRESSED) !== 0n || name.startsWith(gnuPrefix);
}

async function expand(elf: ElfFile, section: ElfSection): Promise<Uint8Array> {
  const { name, fileOffset, size } = section;
  const fail = (code: 'unsupported' | 'malformed', problem: string): SymbolError =>
    elfError(code, elf.name, fileOffset, `has a section ${name} that ${problem}`, name);
  const reader = elf.reader(fileOffset, size, name, name);
  const { kind, expanded } = (section.flags & SHF_COMPRESSED) === 0n ? gnuHeader(reader) : header(reader, elf.class);
  if (kind === ELFCOMPRESS_ZSTD) {
    throw fail(
      'unsupported',
      'is compressed with zstd, which cannot be read yet: use objcopy --decompress-debug-sections',
    );
  }
  if (kind !== ELFCOMPRESS_ZLIB) throw fail('unsupported', `is compressed in an unknown way (${kind})`);
  if (expanded > sizeLimit) throw fail('unsupported', `would have ${expanded} bytes when decompressed: too many`);
  const contents = await inflate(reader.take(reader.remaining), expanded);
  if (contents === null) throw fail('malformed', 'cannot be decompressed: its data is damaged');
  return contents;
}

/** Elf32_Chdr and Elf64_Chdr. */
function header(reader: Reader, elfClass: 32 | 64): { readonly kind: number; readonly expanded: number } {
  const kind = reader.u32();
  if (elfClass === 64) reader.skip(4);
  const wide = elfClass === 64 ? 8 : 4;
  const expanded = reader.offset(wide);
  reader.skip(wide); // ch_addralign
  return { kind, expanded };
}

/** "ZLIB" and the size, in big-endian order. */
function gnuHeader(reader: Reader): { readonly kind: number; readonly expanded: number } {
  const isZlib = String.fromCharCode(...reader.take(4)) === 'ZLIB';
  const expanded = reader.take(8).reduce((sum, byte) => sum * 256 + byte, 0);
  return { kind: isZlib ? ELFCOMPRESS_ZLIB : -1, expanded };
}

/** Decompresses zlib's format (RFC 1950) to exactly `size` bytes; null when that is not what comes of it. */
async function inflate(data: Uint8Array, size: number): Promise<Uint8Array | null> {
  const contents = new Uint8Array(size);
  let length = 0;
  try {
    // Of the platform: in Node as in browsers.
    const stream = new DecompressionStream('deflate');
    const writer = stream.writable.getWriter();
    const written = writer.write(data.slice()).then(() => writer.close());
    written.catch(() => undefined); // the reading end tells
    const source: AsyncIterable<Uint8Array> = stream.readable;
    for await (const piece of source) {
      // What would not fit is damage, and must not fill the memory.
      if (piece.length > size - length) return null;
      contents.set(piece, length);
      length += piece.length;
    }
  } catch {
    return null;
  }
  return length === size ? contents : null;
}

/** A file, and pieces behind its end. */
class AppendedBytes implements ReadableBytes {
  readonly size: number;
  readonly #file: ReadableBytes;
  readonly #pieces: readonly Uint8Array[];

  constructor(file: ReadableBytes, pieces: readonly Uint8Array[], size: number) {
    this.#file = file;
    this.#pieces = pieces;
    this.size = size;
  }

  close(): void {
    this.#file.close?.();
  }

  read(offset: number, length: number): Uint8Array {
    if (offset + length <= this.#file.size) return this.#file.read(offset, length);
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    const bytes = new Uint8Array(wanted);
    let at = 0;
    const copy = (source: Uint8Array): void => {
      bytes.set(source, at);
      at += source.length;
    };
    if (offset < this.#file.size) copy(this.#file.read(offset, this.#file.size - offset));
    let start = this.#file.size;
    for (const piece of this.#pieces) {
      const from = Math.max(0, offset + at - start);
      if (at < wanted && from < piece.length) {
        // The usual case costs no copy.
        if (at === 0 && from + wanted <= piece.length) return piece.subarray(from, from + wanted);
        copy(piece.subarray(from, from + wanted - at));
      }
      start += piece.length;
    }
    return bytes;
  }
}
