// Whether a file is a kernel that Trapline boots, by its first bytes.

/** Multiboot specification 0.6.96, 3.1.1: the header is within the first 8192 bytes, aligned to 4. */
export const HEAD_LENGTH = 8192;
const MULTIBOOT_MAGIC = 0x1badb002;
const ELF_MAGIC = 0x7f454c46;
const MACHINE_386 = 3;
const MACHINE_X86_64 = 62;

export type KernelKind = 'elf32' | 'elf64';

/** What kind of Multiboot kernel begins with these bytes; undefined when none does. */
export function kernelKind(head: Uint8Array): KernelKind | undefined {
  const view = new DataView(head.buffer, head.byteOffset, Math.min(head.byteLength, HEAD_LENGTH));
  if (view.byteLength < 64 || view.getUint32(0) !== ELF_MAGIC) return undefined;
  // ELF specification: e_ident[EI_CLASS], e_ident[EI_DATA] (little-endian), e_machine.
  const bits = view.getUint8(4);
  const machine = view.getUint16(18, true);
  if (view.getUint8(5) !== 1 || (machine !== MACHINE_386 && machine !== MACHINE_X86_64)) return undefined;
  if (!hasMultibootHeader(view)) return undefined;
  return bits === 2 ? 'elf64' : bits === 1 ? 'elf32' : undefined;
}

/** 3.1.2: magic, flags and checksum add up to 0. */
function hasMultibootHeader(view: DataView): boolean {
  for (let at = 0; at + 12 <= view.byteLength; at += 4) {
    if (view.getUint32(at, true) !== MULTIBOOT_MAGIC) continue;
    const sum = MULTIBOOT_MAGIC + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
    if (sum % 0x1_0000_0000 === 0) return true;
  }
  return false;
}
