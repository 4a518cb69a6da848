// ELF kernels with a PVH entry point (Xen's "x86/HVM direct boot ABI", public/arch-x86/hvm/start_info.h): an uncompressed
// vmlinux. The kernel is entered in 32-bit protected mode, EBX pointing to hvm_start_info.
import type { Engine } from '../../core/engine.ts';
import { HIGH_MEMORY_START } from '../memory-map.ts';
import { BootError } from './boot-error.ts';
import { whole, type BootFile, type MemoryWrite } from './boot-file.ts';
import { findElfNote, readElfImage } from './elf-image.ts';
import { enterProtectedMode, writeMemory } from './entry-state.ts';
import { placeInitrd } from './initrd.ts';
import { E820_RAM, E820_RESERVED, memoryRegions, usableEnd } from './memory-regions.ts';

/** XEN_ELFNOTE_PHYS32_ENTRY */
export const PVH_ENTRY_NOTE = { owner: 'Xen', type: 18 } as const;

const START_INFO = 0x1_0000;
const START_INFO_SIZE = 56;
const MAGIC = 0x336e_c578;
const VERSION = 1; // with a memory map
const COMMAND_LINE = 0x2_0000;
const MAXIMUM_COMMAND_LINE = 0x1_0000;
const MODULE_SIZE = 32;
const REGION_SIZE = 24;

export interface PvhRequest {
  readonly kernel: BootFile;
  readonly initrd?: BootFile | undefined;
  /** Physical address of the RSDP. */
  readonly rsdp: number;
}
export interface PvhPlan {
  readonly writes: readonly MemoryWrite[];
  /** Physical address. */
  readonly entry: number;
  readonly startInfo: number;
}

/** The entry point of a PVH kernel, or undefined when an ELF file has none. */
export function findPvhEntry(name: string, file: Uint8Array): number | undefined {
  const note = findElfNote(name, file, PVH_ENTRY_NOTE.owner, PVH_ENTRY_NOTE.type);
  if (note === undefined || note.length < 4) return undefined;
  return new DataView(note.buffer, note.byteOffset, note.length).getUint32(0, true);
}

/** Checks a kernel against a machine of memorySize bytes. Copies no file contents. Throws BootError. */
export function planPvh({ kernel, initrd, rsdp }: PvhRequest, memorySize: number): PvhPlan {
  const { name, bytes } = kernel;
  const entry = findPvhEntry(name, bytes);
  if (entry === undefined) {
    throw new BootError('notBootable', name, { offset: 0 }, 'an ELF file without a PVH entry point.');
  }
  const { segments } = readElfImage(name, bytes);
  let kernelEnd = 0;
  for (const { physical, memorySize: size, headerOffset, index } of segments) {
    const place = { offset: headerOffset, field: `program header ${index}` };
    const range = `0x${physical.toString(16)}..0x${(physical + size).toString(16)}`;
    if (physical < HIGH_MEMORY_START) {
      const text = `asks for memory at ${range}; below 1 MiB lies the boot information.`;
      throw new BootError('unsupported', name, place, text);
    }
    if (physical + size > memorySize) {
      const text = `asks for memory at ${range}, but the machine's ends at 0x${memorySize.toString(16)}; give it more with --memory.`;
      throw new BootError('outsideMemory', name, place, text);
    }
    kernelEnd = Math.max(kernelEnd, physical + size);
  }
  if (entry < HIGH_MEMORY_START || entry >= kernelEnd) {
    const text = `the PVH entry point 0x${entry.toString(16)} lies in no segment.`;
    throw new BootError('badField', name, { field: 'XEN_ELFNOTE_PHYS32_ENTRY' }, text);
  }
  const initrdAt = initrd === undefined ? 0 : placeInitrd(initrd, kernelEnd, usableEnd(memorySize));
  const commandLine = new TextEncoder().encode(`${kernel.commandLine ?? ''}\0`);
  if (commandLine.length > MAXIMUM_COMMAND_LINE) {
    throw new BootError('badField', name, {}, `its command line is longer than ${MAXIMUM_COMMAND_LINE - 1} bytes.`);
  }
  const information = buildStartInfo({ memorySize, rsdp, initrdAt, initrdSize: initrd?.bytes.length ?? 0 });
  const writes = [
    ...segments.map(({ physical, data, memorySize: size }) => ({ physical, data, memorySize: size })),
    whole(COMMAND_LINE, commandLine),
    whole(START_INFO, information),
    ...(initrd === undefined ? [] : [whole(initrdAt, initrd.bytes)]),
  ];
  return { writes, entry, startInfo: START_INFO };
}

/** Loads a PVH kernel and leaves vCPU 0 at its entry. Nothing is written before everything was checked. Throws BootError. */
export function loadPvh(engine: Engine, request: PvhRequest): void {
  const { writes, entry, startInfo } = planPvh(request, engine.memorySize);
  writeMemory(engine, writes);
  enterProtectedMode(engine, { entry, rbx: startInfo });
}

interface StartInfoContents {
  readonly memorySize: number;
  readonly rsdp: number;
  readonly initrdAt: number;
  readonly initrdSize: number;
}
/** hvm_start_info, and behind it the list of modules and the memory map. */
function buildStartInfo({ memorySize, rsdp, initrdAt, initrdSize }: StartInfoContents): Uint8Array {
  const regions = memoryRegions(memorySize);
  const modules = initrdSize === 0 ? 0 : 1;
  const modulesAt = START_INFO_SIZE;
  const mapAt = modulesAt + modules * MODULE_SIZE;
  const bytes = new Uint8Array(mapAt + regions.length * REGION_SIZE);
  const view = new DataView(bytes.buffer);
  const set32 = (at: number, value: number): void => view.setUint32(at, value, true);
  const set64 = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  set32(0, MAGIC);
  set32(4, VERSION);
  set32(12, modules);
  set64(16, modules === 0 ? 0 : START_INFO + modulesAt);
  set64(24, COMMAND_LINE);
  set64(32, rsdp);
  set64(40, START_INFO + mapAt);
  set32(48, regions.length);
  if (modules > 0) {
    set64(modulesAt, initrdAt);
    set64(modulesAt + 8, initrdSize);
  }
  regions.forEach(({ base, length, available }, i) => {
    const at = mapAt + i * REGION_SIZE;
    set64(at, base);
    set64(at + 8, length);
    set32(at + 16, available ? E820_RAM : E820_RESERVED);
  });
  return bytes;
}
