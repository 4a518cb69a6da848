/** An unpacked Linux kernel in the guest's memory: what its own bytes say about it. */
import type { MachineApi } from '../../machine/api.ts';
import type { Kallsyms, SymbolFile } from '../../symbols/index.ts';
import { readKallsyms } from '../../symbols/index.ts';

/** Where kernels are linked to: __START_KERNEL_map + CONFIG_PHYSICAL_START (16 MiB wherever KASLR may move it). */
export const DEFAULT_LINK_BASE = 0xffff_ffff_8100_0000n;
/** No kernel's tables lie further behind its first byte. */
const IMAGE_LIMIT = 96 << 20;
const BANNER = 'Linux version ';
const BANNER_LIMIT = 400;

export interface KernelImage {
  readonly physical: bigint;
  readonly bytes: Uint8Array;
  readonly kallsyms: Kallsyms | undefined;
  /** `Linux version 6.1.0-…`, without its line end. */
  readonly banner: string | undefined;
}

/** Looks at the image whose first byte is at a physical address. Undefined: no Linux kernel is there. */
export function readKernelImage(machine: MachineApi, physical: bigint): KernelImage | undefined {
  const { memorySize } = machine.options;
  const size = Math.min(IMAGE_LIMIT, memorySize - Number(physical));
  if (size <= 0) return undefined;
  const bytes = machine.readPhysical(physical, size);
  const kallsyms = readKallsyms(bytes);
  const banner = bannerOf(bytes, kallsyms);
  return banner === undefined ? undefined : { physical, bytes, kallsyms, banner };
}

/** `linux_banner` (init/version.c); without a table the first text of its form. */
function bannerOf(bytes: Uint8Array, kallsyms: Kallsyms | undefined): string | undefined {
  const symbol = kallsyms?.symbols.find(({ name }) => name === 'linux_banner');
  if (kallsyms !== undefined && symbol !== undefined) {
    const text = textAt(bytes, Number(symbol.address - kallsyms.relativeBase));
    if (text?.startsWith(BANNER) === true) return text;
  }
  const first = BANNER.charCodeAt(0);
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    // "Linux version %s (%s)" is a format of other messages.
    if (bytes[at + 1] !== BANNER.charCodeAt(1) || bytes[at + BANNER.length] === 0x25) continue;
    const text = textAt(bytes, at);
    if (text?.startsWith(BANNER) === true) return text;
  }
  return undefined;
}

function textAt(bytes: Uint8Array, at: number): string | undefined {
  if (at < 0 || at >= bytes.length) return undefined;
  const end = bytes.subarray(at, at + BANNER_LIMIT).findIndex((byte) => byte === 0 || byte === 0x0a);
  return end < 0 ? undefined : String.fromCharCode(...bytes.subarray(at, at + end));
}

/** `6.1.0-56-cloud-amd64` of the banner. */
export function releaseOf({ banner }: KernelImage): string {
  return banner?.slice(BANNER.length).split(' ')[0] ?? '';
}

/**
 * The build IDs (ELF note NT_GNU_BUILD_ID) of the image: of its .notes section when the table says where that is, else
 * all that are in it, those of the vDSOs among them.
 */
export function buildIdsOf({ bytes, kallsyms }: KernelImage): readonly string[] {
  const offset = (name: string): number | undefined => {
    const symbol = kallsyms?.symbols.find((one) => one.name === name);
    return symbol === undefined || kallsyms === undefined ? undefined : Number(symbol.address - kallsyms.relativeBase);
  };
  const from = offset('__start_notes') ?? 0;
  const to = offset('__stop_notes') ?? bytes.length;
  // namesz 4, descsz 20, type 3, "GNU\0"
  const head = [4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0];
  const found: string[] = [];
  for (let at = from & ~3; at >= 0 && at + 36 <= Math.min(to, bytes.length) && found.length < 16; at += 4) {
    if (bytes[at] !== 4 || !head.every((byte, index) => bytes[at + index] === byte)) continue;
    const id = bytes.subarray(at + 16, at + 36);
    found.push(Array.from(id, (byte) => byte.toString(16).padStart(2, '0')).join(''));
  }
  return found;
}

/** Link-time address of the image's first byte, as a symbol file says. Undefined: it is not a kernel's. */
export async function linkBaseOf(file: SymbolFile): Promise<bigint | undefined> {
  const symbol = (await file.symbolsNamed('_text'))[0] ?? (await file.symbolsNamed('startup_64'))[0];
  return symbol !== undefined && symbol.address >= DEFAULT_LINK_BASE - 0x100_0000n ? symbol.address : undefined;
}

/**
 * Run-time minus link-time address. By the kernel's own table; without one by a pointer in the image: `initial_code`
 * (arch/x86/kernel/head_64.S) holds the address of x86_64_start_kernel when the kernel begins.
 */
export async function slideOf(image: KernelImage, file: SymbolFile | undefined): Promise<bigint | undefined> {
  const linkBase = file === undefined ? DEFAULT_LINK_BASE : ((await linkBaseOf(file)) ?? DEFAULT_LINK_BASE);
  if (image.kallsyms !== undefined) return image.kallsyms.relativeBase - linkBase;
  const pointer = (await file?.symbolsNamed('initial_code'))?.[0];
  const target = (await file?.symbolsNamed('x86_64_start_kernel'))?.[0];
  if (pointer === undefined || target === undefined) return undefined;
  const at = Number(pointer.address - linkBase);
  if (at < 0 || at + 8 > image.bytes.length) return undefined;
  const slide = new DataView(image.bytes.buffer, image.bytes.byteOffset).getBigUint64(at, true) - target.address;
  // KASLR moves by CONFIG_PHYSICAL_ALIGN, within the 1 GiB of KERNEL_IMAGE_SIZE.
  return slide >= 0n && slide < 1n << 30n && (slide & 0x1f_ffffn) === 0n ? slide : undefined;
}
