// Whether a file is a kernel that Trapline boots, by its first bytes and its ELF notes: what bootProtocolOf (machine/boot) finds
// in a whole file, without reading one.
import { findNote } from '../machine/boot/elf-image.ts';
import { findMultibootHeader } from '../machine/boot/multiboot.ts';
import { PVH_ENTRY_NOTE } from '../machine/boot/pvh.ts';
import { isLinuxImage } from '../machine/boot/setup-header.ts';

/** Multiboot specification 0.6.96, 3.1.1: the header is within the first 8192 bytes. The other marks are, too. */
export const HEAD_LENGTH = 8192;
const ELF_MAGIC = 0x7f454c46;
const ET_EXEC = 2;
const ET_DYN = 3;
const MACHINE_386 = 3;
const MACHINE_X86_64 = 62;
const PT_NOTE = 4;
/** Notes are short; a damaged header may ask for more. */
const MOST_NOTES = 64 << 10;
const MOST_SEGMENTS = 64;

/** A Linux kernel image, a vmlinux with a PVH entry point, and Multiboot kernels: ELF, or whatever else has the header. */
export type KernelKind = 'bzImage' | 'pvh' | 'elf64' | 'elf32' | 'multiboot';

/** Bytes of the file from an offset on, at most `length`. */
export type ReadPart = (offset: number, length: number) => Promise<Uint8Array>;

/** What kind of kernel begins with these bytes; undefined when none does, or when only an ELF file's notes can tell. */
export function kernelKind(head: Uint8Array): KernelKind | undefined {
  const bytes = head.subarray(0, HEAD_LENGTH);
  const elf = elfHeader(bytes);
  if (elf === 'foreign') return undefined;
  if (elf === undefined && isLinuxImage(bytes)) return 'bzImage';
  if (findMultibootHeader(bytes) === undefined) return undefined;
  return elf === undefined ? 'multiboot' : elf.bits === 64 ? 'elf64' : 'elf32';
}

/** The same of a whole file. Rejects when it cannot be read. */
export async function kernelKindOf(read: ReadPart): Promise<KernelKind | undefined> {
  const head = await read(0, HEAD_LENGTH);
  const kind = kernelKind(head);
  if (kind !== undefined) return kind;
  const elf = elfHeader(head);
  if (elf === undefined || elf === 'foreign') return undefined;
  for (const { offset, size } of noteSegments(head, elf.bits)) {
    const notes = await read(offset, Math.min(size, MOST_NOTES));
    if (findNote(notes, PVH_ENTRY_NOTE.owner, PVH_ENTRY_NOTE.type) !== undefined) return 'pvh';
  }
  return undefined;
}

/** An ELF file's class, as far as it is for x86 and executable; 'foreign': another ELF file; undefined: no ELF file. */
function elfHeader(head: Uint8Array): { readonly bits: 32 | 64 } | 'foreign' | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.byteLength < 4 || view.getUint32(0) !== ELF_MAGIC) return undefined;
  if (view.byteLength < 64) return 'foreign';
  // ELF specification: e_ident[EI_CLASS], e_ident[EI_DATA] (little-endian), e_type, e_machine.
  const bits = view.getUint8(4) === 2 ? 64 : 32;
  const type = view.getUint16(16, true);
  const machine = view.getUint16(18, true);
  const isForX86 = machine === MACHINE_386 || machine === MACHINE_X86_64;
  const isExecutable = type === ET_EXEC || type === ET_DYN;
  const isKnown = view.getUint8(4) === 1 || view.getUint8(4) === 2;
  return isKnown && view.getUint8(5) === 1 && isForX86 && isExecutable ? { bits } : 'foreign';
}

/** Where the notes are; program headers behind the head are left out. */
function noteSegments(head: Uint8Array, bits: 32 | 64): readonly { readonly offset: number; readonly size: number }[] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const word = (at: number): number => (bits === 64 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));
  const [table, stride, count] =
    bits === 64
      ? [word(32), view.getUint16(54, true), view.getUint16(56, true)]
      : [word(28), view.getUint16(42, true), view.getUint16(44, true)];
  const found: { offset: number; size: number }[] = [];
  for (let index = 0; index < Math.min(count, MOST_SEGMENTS); index++) {
    const at = table + index * stride;
    if (at + 56 > view.byteLength) break;
    if (view.getUint32(at, true) !== PT_NOTE) continue;
    found.push(
      bits === 64 ? { offset: word(at + 8), size: word(at + 32) } : { offset: word(at + 4), size: word(at + 16) },
    );
  }
  return found;
}
