// Linux by its 64-bit boot protocol (Documentation/x86/boot.rst, "64-bit Boot Protocol"): the kernel image is entered at
// load address + 200h in 64-bit mode, RSI pointing to the "zero page" (Documentation/x86/zero-page.rst).
import type { Engine } from '../../core/engine.ts';
import { BootError } from './boot-error.ts';
import { whole, type BootFile, type MemoryWrite } from './boot-file.ts';
import { enterLongMode, writeMemory } from './entry-state.ts';
import { placeInitrd } from './initrd.ts';
import { E820_RAM, E820_RESERVED, memoryRegions, usableEnd } from './memory-regions.ts';
import { ENTRY_64, readSetupHeader, SETUP_HEADER, type SetupHeader } from './setup-header.ts';

// Everything that lives only until the kernel has its own copy or tables is put into low memory.
const ZERO_PAGE = 0x1_0000;
const GDT = 0x1_1000;
const PAGE_TABLES = 0x1_2000;
const COMMAND_LINE = 0x2_0000;
const COMMAND_LINE_ROOM = 0x1_0000;

const LOADER_TYPE_UNDEFINED = 0xff;
const PAGE = 4096;
const PRESENT_WRITABLE = 3n;
const LARGE_PAGE = 0x80n;

export interface LinuxRequest {
  readonly kernel: BootFile;
  readonly initrd?: BootFile | undefined;
  /** Physical address of the RSDP. */
  readonly rsdp: number;
}
export interface LinuxPlan {
  readonly writes: readonly MemoryWrite[];
  /** Physical address. */
  readonly entry: number;
  readonly zeroPage: number;
}

/** Checks a kernel image against a machine of memorySize bytes. Copies no file contents. Throws BootError. */
export function planLinux({ kernel, initrd, rsdp }: LinuxRequest, memorySize: number): LinuxPlan {
  const header = readSetupHeader(kernel.name, kernel.bytes);
  const { preferredAddress: start, initSize } = header;
  const kernelEnd = start + initSize;
  const memoryEnd = usableEnd(memorySize);
  if (kernelEnd > memoryEnd) {
    const least = Math.ceil((kernelEnd + memorySize - memoryEnd) / 2 ** 20);
    const text = `needs memory up to 0x${kernelEnd.toString(16)} to unpack itself, but the machine's ends at 0x${memoryEnd.toString(16)}; give it at least ${least}M with --memory.`;
    throw new BootError('outsideMemory', kernel.name, { offset: 0x260, field: 'init_size' }, text);
  }
  const commandLine = encodeCommandLine(kernel, header.commandLineSize);
  const limit = Math.min(memoryEnd, header.initrdAddressMax + 1);
  const initrdAt = initrd === undefined ? 0 : placeInitrd(initrd, kernelEnd, limit);
  const writes = [
    whole(start, header.kernel),
    whole(COMMAND_LINE, commandLine),
    whole(ZERO_PAGE, buildZeroPage(header, { memorySize, rsdp, initrdAt, initrdSize: initrd?.bytes.length ?? 0 })),
    whole(GDT, buildGdt()),
    whole(PAGE_TABLES, buildPageTables()),
    ...(initrd === undefined ? [] : [whole(initrdAt, initrd.bytes)]),
  ];
  return { writes, entry: start + ENTRY_64, zeroPage: ZERO_PAGE };
}

/** Loads a bzImage and leaves vCPU 0 at its 64-bit entry. Nothing is written before everything was checked. Throws BootError. */
export function loadLinux(engine: Engine, request: LinuxRequest): void {
  const { writes, entry, zeroPage } = planLinux(request, engine.memorySize);
  writeMemory(engine, writes);
  enterLongMode(engine, { entry, rsi: zeroPage, pageTables: PAGE_TABLES, gdt: GDT, gdtSize: buildGdt().length });
}

/** @param limit the most bytes that the kernel reads, without the zero at the end. */
function encodeCommandLine({ name, commandLine = '' }: BootFile, limit: number): Uint8Array {
  const bytes = new TextEncoder().encode(`${commandLine}\0`);
  const most = Math.min(limit, COMMAND_LINE_ROOM - 1);
  if (bytes.length - 1 > most) {
    const text = `its command line has ${bytes.length - 1} bytes; this kernel reads at most ${most}.`;
    throw new BootError('badField', name, { offset: 0x238, field: 'cmdline_size' }, text);
  }
  return bytes;
}

interface ZeroPageContents {
  readonly memorySize: number;
  readonly rsdp: number;
  readonly initrdAt: number;
  readonly initrdSize: number;
}
function buildZeroPage(header: SetupHeader, { memorySize, rsdp, initrdAt, initrdSize }: ZeroPageContents): Uint8Array {
  const page = new Uint8Array(PAGE);
  page.set(header.raw, SETUP_HEADER);
  const view = new DataView(page.buffer);
  view.setBigUint64(0x70, BigInt(rsdp), true); // acpi_rsdp_addr
  view.setUint8(0x210, LOADER_TYPE_UNDEFINED);
  view.setUint32(0x218, initrdAt, true); // ramdisk_image
  view.setUint32(0x21c, initrdSize, true);
  view.setUint32(0x228, COMMAND_LINE, true); // cmd_line_ptr
  const regions = memoryRegions(memorySize);
  view.setUint8(0x1e8, regions.length); // e820_entries
  regions.forEach(({ base, length, available }, i) => {
    const at = 0x2d0 + i * 20;
    view.setBigUint64(at, BigInt(base), true);
    view.setBigUint64(at + 8, BigInt(length), true);
    view.setUint32(at + 16, available ? E820_RAM : E820_RESERVED, true);
  });
  return page;
}

/** Flat code and data segments at the selectors __BOOT_CS and __BOOT_DS (10h, 18h). */
function buildGdt(): Uint8Array {
  const gdt = new Uint8Array(32);
  const view = new DataView(gdt.buffer);
  view.setBigUint64(0x10, 0x00af_9b00_0000_ffffn, true);
  view.setBigUint64(0x18, 0x00cf_9300_0000_ffffn, true);
  return gdt;
}

/** The first 4 GiB mapped to themselves in pages of 2 MiB: the level-4 table, the level-3 table, four level-2 tables. */
function buildPageTables(): Uint8Array {
  const tables = new Uint8Array(6 * PAGE);
  const view = new DataView(tables.buffer);
  const set = (table: number, index: number, entry: bigint): void =>
    view.setBigUint64(table * PAGE + index * 8, entry | PRESENT_WRITABLE, true);
  const addressOf = (table: number): bigint => BigInt(PAGE_TABLES + table * PAGE);
  set(0, 0, addressOf(1));
  for (let gigabyte = 0; gigabyte < 4; gigabyte++) {
    set(1, gigabyte, addressOf(2 + gigabyte));
    for (let i = 0; i < 512; i++) set(2 + gigabyte, i, (BigInt(gigabyte * 512 + i) << 21n) | LARGE_PAGE);
  }
  return tables;
}
