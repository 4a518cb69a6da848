// The part of an ELF file that a loader needs: entry point and PT_LOAD segments (ELF specification, "Program Loading").
// Everything is checked against the file's size before it is used; nothing is allocated but one small object a segment.
import { BootError } from './boot-error.ts';

const PT_LOAD = 1;
const PT_NOTE = 4;
const EM_386 = 3;
const EM_X86_64 = 62;
const ELFCLASS64 = 2;

export interface LoadSegment {
  /** Index of its program header. */
  readonly index: number;
  /** Offset of its program header in the file. */
  readonly headerOffset: number;
  readonly physical: number;
  readonly virtual: number;
  readonly memorySize: number;
  /** The bytes of the file; the rest of memorySize is zero. */
  readonly data: Uint8Array;
}
export interface ElfImage {
  readonly bits: 32 | 64;
  readonly entry: number;
  readonly segments: readonly LoadSegment[];
  /** The PT_NOTE segments. */
  readonly notes: readonly { readonly data: Uint8Array }[];
}

/** Whether a file claims to be ELF at all. */
export function isElf(file: Uint8Array): boolean {
  return file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46;
}

/** Reads an executable for x86. Throws BootError. */
export function readElfImage(name: string, file: Uint8Array): ElfImage {
  const fail = (code: 'truncated' | 'badField' | 'unsupported', offset: number, field: string, text: string): never => {
    throw new BootError(code, name, { offset, field }, text);
  };
  const need = (end: number, offset: number, field: string): void => {
    if (end > file.length) {
      fail('truncated', offset, field, `it ends at byte ${end}, but the file has only ${file.length}.`);
    }
  };
  need(16, 0, 'e_ident');
  const wide = file[4] === ELFCLASS64;
  if (file[4] !== 1 && !wide) fail('badField', 4, 'EI_CLASS', `is ${file[4]}, neither ELF32 (1) nor ELF64 (2).`);
  if (file[5] !== 1) fail('unsupported', 5, 'EI_DATA', 'is not little-endian; x86 kernels are.');
  const headerSize = wide ? 64 : 52;
  need(headerSize, 0, 'ELF header');
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  /** An address, offset or size field. Values beyond 2^53 become too large for any check to let them through. */
  const word = (offset: number): number =>
    wide ? Number(view.getBigUint64(offset, true)) : view.getUint32(offset, true);

  const fileType = view.getUint16(16, true);
  if (fileType !== 2 && fileType !== 3) fail('unsupported', 16, 'e_type', `is ${fileType}, not an executable (2).`);
  const machine = view.getUint16(18, true);
  if (machine !== EM_386 && machine !== EM_X86_64) fail('unsupported', 18, 'e_machine', `is ${machine}, not x86.`);
  const tableOffset = word(wide ? 32 : 28);
  const entrySize = view.getUint16(wide ? 54 : 42, true);
  const count = view.getUint16(wide ? 56 : 44, true);
  const leastSize = wide ? 56 : 32;
  if (count === 0) fail('badField', wide ? 56 : 44, 'e_phnum', 'is 0: there is nothing to load.');
  if (entrySize < leastSize)
    fail('badField', wide ? 54 : 42, 'e_phentsize', `is ${entrySize}, less than ${leastSize}.`);

  // Loading does not need the sections, but they are the end of most files: a file that was cut off is told early.
  const sections = word(wide ? 40 : 32);
  const sectionsField = wide ? 40 : 32;
  const sectionsSize = view.getUint16(wide ? 58 : 46, true) * view.getUint16(wide ? 60 : 48, true);
  if (sections !== 0) need(sections + sectionsSize, sectionsField, 'e_shoff (section header table)');

  const segments: LoadSegment[] = [];
  const notes: { data: Uint8Array }[] = [];
  for (let index = 0; index < count; index++) {
    const at = tableOffset + index * entrySize;
    need(at + leastSize, Math.min(at, Number.MAX_SAFE_INTEGER), `program header ${index}`);
    const type = view.getUint32(at, true);
    if (type !== PT_LOAD && type !== PT_NOTE) continue;
    const [offset, virtual, physical, fileSize, memorySize] = (wide ? [8, 16, 24, 32, 40] : [4, 8, 12, 16, 20]).map(
      (field) => word(at + field),
    ) as [number, number, number, number, number];
    if (type === PT_NOTE) {
      need(offset + fileSize, at, `segment ${index}`);
      notes.push({ data: file.subarray(offset, offset + fileSize) });
      continue;
    }
    if (memorySize === 0) continue;
    if (fileSize > memorySize) fail('badField', at, 'p_filesz', `is ${fileSize}, more than p_memsz (${memorySize}).`);
    need(offset + fileSize, at, `segment ${index}`);
    const data = file.subarray(offset, offset + fileSize);
    segments.push({ index, headerOffset: at, physical, virtual, memorySize, data });
  }
  if (segments.length === 0) fail('badField', Math.min(tableOffset, file.length), 'p_type', 'no segment is PT_LOAD.');
  return { bits: wide ? 64 : 32, entry: word(24), segments, notes };
}

/**
 * The descriptor of the first note of an owner and type, looked for in the PT_NOTE segments; undefined when there is none.
 * Throws BootError for a file that readElfImage refuses.
 */
export function findElfNote(name: string, file: Uint8Array, owner: string, type: number): Uint8Array | undefined {
  for (const { data } of readElfImage(name, file).notes) {
    const note = findNote(data, owner, type);
    if (note !== undefined) return note;
  }
  return undefined;
}

/** The same in the bytes of one PT_NOTE segment (ELF specification, "Note Section"). */
export function findNote(data: Uint8Array, owner: string, type: number): Uint8Array | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const align = (size: number): number => Math.ceil(size / 4) * 4;
  for (let at = 0; at + 12 <= data.length;) {
    const nameSize = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    const descriptor = at + 12 + align(nameSize);
    if (descriptor + size > data.length) break;
    const found = String.fromCharCode(...data.subarray(at + 12, at + 12 + Math.min(nameSize, owner.length + 1)));
    if (view.getUint32(at + 8, true) === type && found === `${owner}\0`) {
      return data.subarray(descriptor, descriptor + size);
    }
    at = descriptor + align(size);
  }
  return undefined;
}
