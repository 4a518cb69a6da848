// Multiboot 1 (Multiboot Specification 0.6.96): ELF32 and ELF64 kernels, address-override fields ("a.out kludge"),
// command line, memory map, modules.
import type { Engine } from '../../core/engine.ts';
import { HIGH_MEMORY_START, LOW_MEMORY_END } from '../memory-map.ts';
import { BootError } from './boot-error.ts';
import { whole, type BootFile, type MemoryWrite } from './boot-file.ts';
import { isElf, readElfImage } from './elf-image.ts';
import { enterProtectedMode, writeMemory } from './entry-state.ts';
import { E820_RAM, E820_RESERVED, memoryRegions, usableEnd } from './memory-regions.ts';

const HEADER_MAGIC = 0x1bad_b002;
const BOOTLOADER_MAGIC = 0x2bad_b002;
const SEARCH_LENGTH = 8192;
// header flags
const WANTS_ADDRESSES = 1 << 16;
const KNOWN_REQUIREMENTS = 0x0007; // bits 0-15 are requirements: aligned modules, memory information, video mode
// information flags (3.3)
const INFO_MEMORY = 1;
const INFO_COMMAND_LINE = 4;
const INFO_MODULES = 8;
const INFO_MEMORY_MAP = 0x40;
const INFO_LOADER_NAME = 0x200;
const INFO_SIZE = 120;
const STACK_SIZE = 4096;
const LOADER_NAME = 'Trapline';
const MAXIMUM_COMMAND_LINE = 4096;
const MAXIMUM_MODULES = 256;

export interface MultibootRequest {
  readonly kernel: BootFile;
  /** Handed over page-aligned, behind the kernel; an initrd is the first. */
  readonly modules?: readonly BootFile[];
}

interface Piece {
  readonly physical: number;
  readonly data: Uint8Array;
  readonly memorySize: number;
  readonly place: { readonly offset: number; readonly field: string };
}
interface Plan {
  readonly pieces: readonly Piece[];
  readonly entry: number;
}

/** Offset of the Multiboot header, or undefined when the file has none. */
export function findMultibootHeader(file: Uint8Array): number | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let at = 0; at + 12 <= Math.min(file.length, SEARCH_LENGTH); at += 4) {
    if (view.getUint32(at, true) !== HEADER_MAGIC) continue;
    const sum = HEADER_MAGIC + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
    if (sum % 2 ** 32 === 0) return at;
  }
  return undefined;
}

/** What loading a kernel comes to: bytes for RAM (the rest of each piece is zero), entry point, boot information. */
export interface MultibootPlan {
  readonly writes: readonly MemoryWrite[];
  /** Physical address. */
  readonly entry: number;
  /** Physical address of the Multiboot information structure. */
  readonly information: number;
  /** Top of a stack: the specification leaves ESP undefined, kernels that push before they load it find memory there. */
  readonly stack: number;
}

/** Checks a kernel against a machine of memorySize bytes. Copies no file contents. Throws BootError. */
export function planMultiboot({ kernel, modules = [] }: MultibootRequest, memorySize: number): MultibootPlan {
  const { pieces, entry } = planKernel(kernel, memorySize);
  const end = Math.max(...pieces.map((piece) => piece.physical + piece.memorySize), HIGH_MEMORY_START);
  const placed = placeModules(modules, end, memorySize);
  const information = buildInformation(kernel, placed, pieces, memorySize);
  const writes = [
    ...pieces,
    ...placed.map(({ file, start }) => whole(start, file.bytes)),
    whole(information.start, information.bytes),
  ];
  const stack = findRoom(kernel, STACK_SIZE, writes, memorySize) + STACK_SIZE;
  return { writes, entry, information: information.start, stack };
}

/**
 * Loads a Multiboot kernel into RAM and leaves vCPU 0 at its entry, in the machine state of section 3.2. Nothing is
 * written before everything was checked. Throws BootError.
 */
export function loadMultiboot(engine: Engine, request: MultibootRequest): void {
  const { writes, entry, information, stack } = planMultiboot(request, engine.memorySize);
  writeMemory(engine, writes);
  enterProtectedMode(engine, { entry, rax: BOOTLOADER_MAGIC, rbx: information, rsp: stack });
}

function planKernel(kernel: BootFile, memorySize: number): Plan {
  const { name, bytes } = kernel;
  if (bytes.length === 0) throw new BootError('empty', name, {}, 'the file is empty.');
  const header = findMultibootHeader(bytes);
  if (header === undefined) {
    if (isElf(bytes)) readElfImage(name, bytes); // a file that was cut off is told as such
    const what = isElf(bytes)
      ? 'an ELF file without a Multiboot header in its first 8192 bytes and without a PVH entry point'
      : 'neither a Linux kernel image (bzImage), nor an ELF file, nor has it a Multiboot header in its first 8192 bytes';
    const text = `not a kernel that Trapline can boot: it is ${what}.`;
    throw new BootError('notBootable', name, { offset: 0 }, text);
  }
  const flags = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(header + 4, true);
  const unknown = flags & 0xffff & ~KNOWN_REQUIREMENTS;
  if (unknown !== 0) {
    const text = `requires features that are not known: 0x${unknown.toString(16)}.`;
    throw new BootError('unsupported', name, { offset: header + 4, field: 'flags' }, text);
  }
  // An ELF file's own headers are the better description, as GRUB has it too, unless the override is set.
  const plan = (flags & WANTS_ADDRESSES) !== 0 ? planByAddresses(kernel, header) : planByElf(kernel);
  for (const piece of plan.pieces) {
    const { physical, memorySize: size } = piece;
    if (physical + size <= memorySize) continue;
    const text = `asks for memory at 0x${physical.toString(16)}..0x${(physical + size).toString(16)}, but the machine's ends at 0x${memorySize.toString(16)}; give it more with --memory.`;
    throw new BootError('outsideMemory', name, piece.place, text);
  }
  return plan;
}

function planByElf(kernel: BootFile): Plan {
  const { name, bytes } = kernel;
  if (!isElf(bytes)) {
    throw new BootError(
      'notBootable',
      name,
      { offset: 0 },
      'not an ELF file, and its Multiboot header has no addresses.',
    );
  }
  const image = readElfImage(name, bytes);
  const pieces = image.segments.map(({ physical, data, memorySize, headerOffset, index }) => ({
    physical,
    data,
    memorySize,
    place: { offset: headerOffset, field: `program header ${index}` },
  }));
  // e_entry is a virtual address; a kernel that is linked elsewhere than it is loaded means the physical one.
  const home = image.segments.find(
    ({ virtual, memorySize }) => image.entry >= virtual && image.entry < virtual + memorySize,
  );
  const entry = home === undefined ? image.entry : image.entry - home.virtual + home.physical;
  if (entry >= 2 ** 32) {
    throw new BootError('badField', name, { offset: 24, field: 'e_entry' }, 'the entry lies above 4 GiB.');
  }
  return { pieces, entry };
}

function planByAddresses({ name, bytes }: BootFile, header: number): Plan {
  const place = (field: string, offset: number) => ({ offset: header + offset, field });
  if (header + 32 > bytes.length) {
    throw new BootError('truncated', name, place('address fields', 12), `the file has only ${bytes.length} bytes.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [headerAddress, loadAddress, loadEnd, bssEnd, entry] = [12, 16, 20, 24, 28].map((at) =>
    view.getUint32(header + at, true),
  ) as [number, number, number, number, number];
  const start = header - (headerAddress - loadAddress);
  if (loadAddress > headerAddress || start < 0) {
    throw new BootError(
      'badField',
      name,
      place('load_addr', 16),
      'does not fit header_addr: it starts in front of the file.',
    );
  }
  const size = loadEnd === 0 ? bytes.length - start : loadEnd - loadAddress;
  if (size < 0) throw new BootError('badField', name, place('load_end_addr', 20), 'lies in front of load_addr.');
  if (start + size > bytes.length) {
    const text = `ends at byte ${start + size} of the file, which has only ${bytes.length}.`;
    throw new BootError('truncated', name, place('load_end_addr', 20), text);
  }
  const memorySize = bssEnd === 0 ? size : bssEnd - loadAddress;
  if (memorySize < size)
    throw new BootError('badField', name, place('bss_end_addr', 24), 'lies in front of load_end_addr.');
  const data = bytes.subarray(start, start + size);
  return { pieces: [{ physical: loadAddress, data, memorySize, place: place('load_addr', 16) }], entry };
}

interface PlacedModule {
  readonly file: BootFile;
  readonly start: number;
}
function placeModules(modules: readonly BootFile[], end: number, memorySize: number): PlacedModule[] {
  if (modules.length > MAXIMUM_MODULES) {
    const name = modules[MAXIMUM_MODULES]?.name ?? '';
    throw new BootError('noRoom', name, {}, `there are more than ${MAXIMUM_MODULES} modules.`);
  }
  let next = end;
  return modules.map((file) => {
    const start = Math.ceil(next / 4096) * 4096;
    next = start + file.bytes.length;
    if (next > memorySize) {
      const text = `its ${file.bytes.length} bytes do not fit behind the kernel, at 0x${start.toString(16)}; give the machine more memory.`;
      throw new BootError('noRoom', file.name, {}, text);
    }
    return { file, start };
  });
}

/** Lays out the information structure and everything it points to, in low memory if the kernel left room there. */
function buildInformation(
  kernel: BootFile,
  placed: readonly PlacedModule[],
  pieces: readonly Piece[],
  memorySize: number,
): { start: number; bytes: Uint8Array } {
  const encoder = new TextEncoder();
  const strings = [
    kernel.commandLine ?? kernel.name,
    LOADER_NAME,
    ...placed.map(({ file }) => file.commandLine ?? file.name),
  ];
  const encoded = strings.map((text) => encoder.encode(text));
  const long = encoded.findIndex(({ length }) => length > MAXIMUM_COMMAND_LINE);
  if (long >= 0) {
    const name = long < 2 ? kernel.name : (placed[long - 2]?.file.name ?? '');
    throw new BootError('badField', name, {}, `its command line is longer than ${MAXIMUM_COMMAND_LINE} bytes.`);
  }
  const map = memoryRegions(memorySize);
  const moduleList = INFO_SIZE;
  const mapAt = moduleList + placed.length * 16;
  let size = mapAt + map.length * 24;
  const stringAt = encoded.map(({ length }) => {
    const at = size;
    size += length + 1;
    return at;
  });
  const modules = placed.map(({ file, start: physical }) => ({ physical, memorySize: file.bytes.length }));
  const start = findRoom(kernel, size, [...pieces, ...modules], memorySize);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const set = (at: number, value: number): void => view.setUint32(at, value, true);
  set(0, INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_LOADER_NAME);
  set(4, Math.floor(LOW_MEMORY_END / 1024));
  set(8, Math.floor((usableEnd(memorySize) - HIGH_MEMORY_START) / 1024));
  set(16, start + (stringAt[0] ?? 0));
  set(20, placed.length);
  set(24, start + moduleList);
  set(44, map.length * 24);
  set(48, start + mapAt);
  set(64, start + (stringAt[1] ?? 0));
  placed.forEach((module, i) => {
    const at = moduleList + i * 16;
    set(at, module.start);
    set(at + 4, module.start + module.file.bytes.length);
    set(at + 8, start + (stringAt[i + 2] ?? 0));
  });
  map.forEach(({ base, length, available }, i) => {
    const at = mapAt + i * 24;
    set(at, 20); // size of the rest of the entry
    view.setBigUint64(at + 4, BigInt(base), true);
    view.setBigUint64(at + 12, BigInt(length), true);
    set(at + 20, available ? E820_RAM : E820_RESERVED);
  });
  encoded.forEach((text, i) => bytes.set(text, stringAt[i]));
  return { start, bytes };
}

/** Start of `size` free bytes beside what is in use. Throws BootError when there are none. */
function findRoom(
  kernel: BootFile,
  size: number,
  used: readonly Pick<MemoryWrite, 'physical' | 'memorySize'>[],
  memorySize: number,
): number {
  const taken = used.map(({ physical, memorySize: length }) => [physical, physical + length] as const);
  const align = (address: number): number => Math.floor(address / 16) * 16;
  const free = (start: number): boolean =>
    start >= 0x1000 && start + size <= memorySize && taken.every(([from, to]) => start + size <= from || start >= to);
  // below the top of conventional memory, else below a segment that lies there, else behind everything
  const ends = [LOW_MEMORY_END, ...taken.map(([from]) => from).filter((from) => from < LOW_MEMORY_END)];
  const low = ends.map((end) => align(end - size)).find(free);
  const start = low ?? Math.ceil(Math.max(...taken.map(([, to]) => to), HIGH_MEMORY_START) / 4096) * 4096;
  if (!free(start)) {
    throw new BootError('noRoom', kernel.name, {}, `no room is left for ${size} bytes of boot information or stack.`);
  }
  return start;
}
