// Boots whatever the kernel file is: found out by its contents alone.
import type { Engine } from '../../core/engine.ts';
import type { AcpiTables } from '../acpi/tables.ts';
import { BootError } from './boot-error.ts';
import type { BootFile } from './boot-file.ts';
import { isElf } from './elf-image.ts';
import { writeFirmwareTables } from './firmware-tables.ts';
import { loadLinux } from './linux.ts';
import { setMemoryTypes } from './memory-types.ts';
import { findMultibootHeader, loadMultiboot } from './multiboot.ts';
import { findPvhEntry, loadPvh } from './pvh.ts';
import { isLinuxImage } from './setup-header.ts';

/** The machine as far as booting needs it. */
export interface BootTarget {
  readonly engine: Engine;
  readonly acpi: AcpiTables;
}
export interface BootRequest {
  readonly kernel: { readonly name: string; readonly bytes: Uint8Array };
  readonly initrd?: BootFile | undefined;
  /** The command line; a Multiboot kernel gets `programName` in front of it, as its specification asks for. */
  readonly append?: string | undefined;
  readonly programName?: string;
}
export type BootProtocol = 'linux' | 'multiboot' | 'pvh';

/** By which protocol a file can be booted; undefined: by none. Throws BootError for an ELF file that is damaged. */
export function bootProtocolOf(name: string, file: Uint8Array): BootProtocol | undefined {
  if (isLinuxImage(file)) return 'linux';
  if (findMultibootHeader(file) !== undefined) return 'multiboot';
  return isElf(file) && findPvhEntry(name, file) !== undefined ? 'pvh' : undefined;
}

/** Leaves a machine that was just built at the first instruction of a kernel. Throws BootError; then RAM is untouched. */
export function loadKernel({ engine, acpi }: BootTarget, request: BootRequest): BootProtocol {
  const { kernel, initrd, append, programName = kernel.name } = request;
  const { name, bytes } = kernel;
  if (bytes.length === 0) throw new BootError('empty', name, {}, 'the file is empty.');
  const protocol = bootProtocolOf(name, bytes);
  writeFirmwareTables(engine, acpi);
  setMemoryTypes(engine);
  const { rsdp } = acpi;
  switch (protocol) {
    case 'linux':
      loadLinux(engine, { kernel: { name, bytes, commandLine: append ?? '' }, initrd, rsdp });
      return protocol;
    case 'pvh':
      loadPvh(engine, { kernel: { name, bytes, commandLine: append ?? '' }, initrd, rsdp });
      return protocol;
    default: {
      const commandLine = append === undefined || append === '' ? programName : `${programName} ${append}`;
      const modules = initrd === undefined ? [] : [initrd];
      loadMultiboot(engine, { kernel: { name, bytes, commandLine }, modules }); // which also says what is wrong
      return 'multiboot';
    }
  }
}
