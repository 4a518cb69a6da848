/** ELF headers, sections and segments (System V gABI, chapters 4 and 5), bounds-checked. */

import {
  SymbolError,
  type ElfMachine,
  type ElfSection,
  type ElfSegment,
  type ElfSummary,
  type ReadableBytes,
  type SymbolErrorCode,
} from './api.ts';
import type { ExpandedPlace } from './compressed-sections.ts';
import {
  EM_386,
  EM_X86_64,
  PT_LOAD,
  PT_NOTE,
  SHF_COMPRESSED,
  SHF_EXECINSTR,
  SHT_NOBITS,
  SHT_NOTE,
} from './elf-constants.ts';
import { Placement } from './placement.ts';
import { decodeUtf8, Reader } from './reader.ts';
import { StringSection } from './string-section.ts';

const types = ['other', 'relocatable', 'executable', 'shared', 'core'] as const;

export class ElfFile {
  readonly name: string;
  readonly bytes: ReadableBytes;
  readonly class: 32 | 64;
  readonly machine: ElfMachine;
  readonly type: ElfSummary['type'];
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
  readonly sections: readonly ElfSection[];
  readonly buildId: string | null;
  readonly debugLink: ElfSummary['debugLink'];
  readonly placement: Placement;
  readonly #byName = new Map<string, ElfSection>();

  /**
   * Reads and checks all headers. Throws SymbolError.
   *
   * @param expanded the contents of sections that the file has in compressed form
   */
  constructor(bytes: ReadableBytes, name: string, expanded: ReadonlyMap<number, ExpandedPlace> = new Map()) {
    this.name = name;
    this.bytes = bytes;
    const header = parseHeader(bytes, name);
    this.class = header.class;
    this.machine = header.machine;
    this.type = header.type;
    this.entry = header.entry;
    const rawSections = this.#readSections(header);
    this.segments = this.#readSegments(header, rawSections[0]);
    this.sections = this.#nameSections(rawSections, header.sectionNames).map((section) => {
      const place = expanded.get(section.index);
      return place === undefined ? section : { ...section, ...place, flags: section.flags & ~SHF_COMPRESSED };
    });
    for (const section of this.sections) {
      if (!this.#byName.has(section.name)) this.#byName.set(section.name, section);
    }
    this.buildId = this.#findBuildId();
    this.debugLink = this.#readDebugLink();
    this.placement = new Placement(this);
  }

  /** The first section of this name, or null. */
  section(name: string): ElfSection | null {
    return this.#byName.get(name) ?? null;
  }

  /** A reader of the file's bytes [offset, offset + length); clipped reads fail as truncated. */
  reader(offset: number, length: number, what: string, section: string | null = null): Reader {
    if (offset > this.bytes.size || length > this.bytes.size - offset) {
      throw elfError('truncated', this.name, offset, `is truncated: ${what} reaches beyond its end`, section);
    }
    const bytes = this.bytes.read(offset, length);
    if (bytes.length !== length) {
      throw elfError('unreadable', this.name, offset, `cannot be read: ${what} came back too short`, section);
    }
    return new Reader(bytes, { file: this.name, section, fileOffset: offset });
  }

  /** See `SymbolFile.readImage`. */
  readImage(address: bigint, length: number): Uint8Array | null {
    const segment = this.segments.find(
      (candidate) =>
        candidate.isLoad &&
        address >= candidate.virtualAddress &&
        address + BigInt(length) <= candidate.virtualAddress + candidate.memorySize,
    );
    if (segment === undefined || length < 0 || length > 1 << 26) return null;
    // Files that hold the debugging information alone keep the headers of code, not the code.
    const isLeftOut = ({ type, flags, address: start, size }: ElfSection): boolean =>
      type === SHT_NOBITS && (flags & SHF_EXECINSTR) !== 0n && address >= start && address < start + BigInt(size);
    if (this.sections.some(isLeftOut)) return null;
    const skip = Number(address - segment.virtualAddress);
    const image = new Uint8Array(length);
    const inFile = Math.max(0, Math.min(length, segment.fileSize - skip));
    if (inFile > 0) image.set(this.bytes.read(segment.fileOffset + skip, inFile));
    return image;
  }

  #readSections(header: Header): readonly RawSection[] {
    if (header.sectionOffset === 0) return [];
    const entrySize = header.sectionEntrySize;
    const minimum = this.class === 64 ? 64 : 40;
    if (entrySize < minimum) {
      throw elfError('malformed', this.name, null, `is malformed: its section headers have ${entrySize} bytes each`);
    }
    const readAt = (index: number): RawSection => {
      const offset = header.sectionOffset + index * entrySize;
      return parseSection(this.reader(offset, minimum, `section header ${index}`), this.class);
    };
    const first = readAt(0);
    // gABI: more than 0xff00 sections put their number into the first header.
    const count = header.sectionCount === 0 ? first.size : header.sectionCount;
    if (count > (this.bytes.size - header.sectionOffset) / entrySize) {
      const what = `is truncated: ${count} section headers reach beyond its end`;
      throw elfError('truncated', this.name, header.sectionOffset, what);
    }
    return Array.from({ length: count }, (_, index) => readAt(index));
  }

  #readSegments(header: Header, firstSection: RawSection | undefined): readonly ElfSegment[] {
    // gABI: PN_XNUM means that the number is in the first section header.
    const count = header.segmentCount === 0xffff ? (firstSection?.info ?? 0) : header.segmentCount;
    if (count === 0) return [];
    const minimum = this.class === 64 ? 56 : 32;
    if (header.segmentEntrySize < minimum) {
      const what = `is malformed: its program headers have ${header.segmentEntrySize} bytes each`;
      throw elfError('malformed', this.name, null, what);
    }
    const table = this.reader(header.segmentOffset, count * header.segmentEntrySize, 'the program header table');
    return Array.from({ length: count }, (_, index) => {
      const start = index * header.segmentEntrySize;
      const segment = parseSegment(table.at(start, start + header.segmentEntrySize), this.class);
      if (segment.isLoad && segment.fileOffset + segment.fileSize > this.bytes.size) {
        throw elfError(
          'truncated',
          this.name,
          segment.fileOffset,
          `is truncated: program header ${index} describes bytes beyond its end`,
        );
      }
      return segment;
    });
  }

  #nameSections(sections: readonly RawSection[], namesIndex: number): readonly ElfSection[] {
    // gABI: SHN_XINDEX means that the index is in the first section header.
    const names = sections[namesIndex === 0xffff ? (sections[0]?.link ?? 0) : namesIndex];
    const strings =
      names === undefined || names.type === SHT_NOBITS
        ? null
        : new StringSection(this.bytes, names.fileOffset, names.size);
    return sections.map((section, index) => {
      const { nameOffset, ...rest } = section;
      if (section.type !== SHT_NOBITS && section.type !== 0) {
        if (section.fileOffset > this.bytes.size || section.size > this.bytes.size - section.fileOffset) {
          throw elfError(
            'truncated',
            this.name,
            section.fileOffset,
            `is truncated: section ${index} reaches beyond its end`,
          );
        }
      }
      return { ...rest, index, name: strings?.at(nameOffset) ?? '' };
    });
  }

  /** gdb's manual, "Separate Debug Files": a name with its NUL, padding to a multiple of four, and the checksum. */
  #readDebugLink(): ElfSummary['debugLink'] {
    const section = this.section('.gnu_debuglink');
    if (section === null || section.type === SHT_NOBITS || section.size > 4096) return null;
    const reader = this.reader(section.fileOffset, section.size, '.gnu_debuglink', section.name);
    const nul = reader.bytes.indexOf(0);
    const at = (nul + 4) & ~3;
    if (nul < 1 || at + 4 > section.size) return null;
    return { name: reader.cString(), checksum: reader.at(at).u32() };
  }

  #findBuildId(): string | null {
    const places = [
      ...this.sections.filter(({ type }) => type === SHT_NOTE),
      ...this.segments
        .filter(({ type }) => type === PT_NOTE)
        .map(({ fileOffset, fileSize }) => ({ fileOffset, size: fileSize })),
    ];
    for (const { fileOffset, size } of places.slice(0, 64)) {
      try {
        const reader = this.reader(fileOffset, Math.min(size, 1 << 16), 'a note');
        while (reader.remaining >= 12) {
          const nameSize = reader.u32();
          const descriptionSize = reader.u32();
          const type = reader.u32();
          const owner = decodeUtf8(reader.take(nameSize));
          reader.skip(Math.min(-nameSize & 3, reader.remaining));
          const description = reader.take(descriptionSize);
          reader.skip(Math.min(-descriptionSize & 3, reader.remaining));
          if (type === 3 && owner === 'GNU\0') {
            return Array.from(description, (byte) => byte.toString(16).padStart(2, '0')).join('');
          }
        }
      } catch (error) {
        // A damaged note only means that there is no build id.
        if (!(error instanceof SymbolError)) throw error;
      }
    }
    return null;
  }
}

/** A SymbolError about a file, in one sentence that begins with its name. */
export function elfError(
  code: SymbolErrorCode,
  file: string,
  offset: number | null,
  problem: string,
  section: string | null = null,
): SymbolError {
  const place = offset === null ? '' : `, at file offset 0x${offset.toString(16)}`;
  return new SymbolError({ code, file, offset, section, message: `${file} ${problem}${place}.` });
}

interface Header {
  readonly class: 32 | 64;
  readonly machine: ElfMachine;
  readonly type: ElfSummary['type'];
  readonly entry: bigint;
  readonly segmentOffset: number;
  readonly segmentEntrySize: number;
  readonly segmentCount: number;
  readonly sectionOffset: number;
  readonly sectionEntrySize: number;
  readonly sectionCount: number;
  readonly sectionNames: number;
}

type RawSection = Omit<ElfSection, 'index' | 'name'> & { readonly nameOffset: number };

function parseHeader(bytes: ReadableBytes, name: string): Header {
  if (bytes.size === 0) throw elfError('empty', name, 0, 'is empty');
  const identification = bytes.read(0, 16);
  const magic = [0x7f, 0x45, 0x4c, 0x46];
  if (!magic.every((byte, index) => index >= identification.length || identification[index] === byte)) {
    throw elfError('not-elf', name, 0, 'is not an ELF file: it does not begin with 7f 45 4c 46');
  }
  if (identification.length < 16) throw elfError('truncated', name, bytes.size, 'is truncated in the ELF header');
  const elfClass = identification[4] === 2 ? 64 : identification[4] === 1 ? 32 : null;
  if (elfClass === null) throw elfError('malformed', name, 4, 'is malformed: its ELF class is neither 32 nor 64 bits');
  if (identification[5] !== 1) throw elfError('unsupported', name, 5, 'is not supported: it is not little-endian');

  const size = elfClass === 64 ? 64 : 52;
  if (bytes.size < size) throw elfError('truncated', name, bytes.size, 'is truncated in the ELF header');
  const reader = new Reader(bytes.read(0, size), { file: name, section: null, fileOffset: 0 }, 16);
  const type = types[reader.u16()] ?? 'other';
  const machineNumber = reader.u16();
  const machine = machineNumber === EM_X86_64 ? 'x86-64' : machineNumber === EM_386 ? 'i386' : null;
  if (machine === null) {
    const what = `is not supported: it is for ELF machine ${machineNumber}, not for x86-64 or i386`;
    throw elfError('unsupported', name, 18, what);
  }
  reader.skip(4);
  const wide = elfClass === 64 ? 8 : 4;
  const entry = reader.unsigned(wide);
  const segmentOffset = reader.offset(wide);
  const sectionOffset = reader.offset(wide);
  reader.skip(6);
  return {
    class: elfClass,
    machine,
    type,
    entry,
    segmentOffset,
    sectionOffset,
    segmentEntrySize: reader.u16(),
    segmentCount: reader.u16(),
    sectionEntrySize: reader.u16(),
    sectionCount: reader.u16(),
    sectionNames: reader.u16(),
  };
}

function parseSection(reader: Reader, elfClass: 32 | 64): RawSection {
  const wide = elfClass === 64 ? 8 : 4;
  const nameOffset = reader.u32();
  const type = reader.u32();
  const flags = reader.unsigned(wide);
  const address = reader.unsigned(wide);
  const fileOffset = reader.offset(wide);
  const size = reader.offset(wide);
  const link = reader.u32();
  const info = reader.u32();
  reader.unsigned(wide);
  const entrySize = reader.offset(wide);
  return { nameOffset, type, flags, address, fileOffset, size, link, info, entrySize };
}

function parseSegment(reader: Reader, elfClass: 32 | 64): ElfSegment {
  const type = reader.u32();
  let flags = elfClass === 64 ? reader.u32() : 0;
  const wide = elfClass === 64 ? 8 : 4;
  const fileOffset = reader.offset(wide);
  const virtualAddress = reader.unsigned(wide);
  const physicalAddress = reader.unsigned(wide);
  const fileSize = reader.offset(wide);
  const memorySize = reader.unsigned(wide);
  if (elfClass === 32) flags = reader.u32();
  const alignment = reader.unsigned(wide);
  const isLoad = type === PT_LOAD;
  return {
    type,
    isLoad,
    flags,
    fileOffset,
    virtualAddress,
    physicalAddress,
    fileSize,
    memorySize,
    alignment,
  };
}
