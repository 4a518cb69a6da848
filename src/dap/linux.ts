/**
 * A session whose guest is a compressed Linux kernel. Until it has unpacked itself nothing is known about it: symbol files
 * wait, breakpoints by name wait. At its first instruction the slide of KASLR is found, symbols are paired with the
 * kernel that really runs, and everything that waited is bound; the guest goes on as if nothing had been.
 */
import type { Debugger } from '../debugger/debugger.ts';
import type { KernelImage } from '../debugger/linux/kernel-image.ts';
import { buildIdsOf, DEFAULT_LINK_BASE, linkBaseOf, releaseOf, slideOf } from '../debugger/linux/kernel-image.ts';
import { IdentityMapped } from '../debugger/linux/identity-mapped.ts';
import { KernelLocator } from '../debugger/linux/kernel-locator.ts';
import type { Module } from '../debugger/modules.ts';
import type { StopRecord } from '../guestdebug/api.ts';
import type { SymbolFile, Symbols } from '../symbols/index.ts';
import { kallsymsElf } from '../symbols/index.ts';

export const WAITS_FOR_KERNEL =
  'Waits for the kernel: it is bound when the kernel has unpacked itself, before its first instruction.';
export const KALLSYMS_MODULE = 'kallsyms';

export interface WaitingSymbols {
  readonly path: string;
  readonly file: SymbolFile;
}
export interface LinuxBootParts {
  readonly debugger: Debugger;
  readonly symbols: Pick<Symbols, 'open'>;
  /** Symbol files without an offset of the user's: of the kernel, or of something else. */
  readonly files: readonly WaitingSymbols[];
  readonly say: (category: 'console' | 'important', text: string) => void;
  /** Names of the kernel can be resolved from now on; awaited before the guest goes on. */
  readonly onKernel: () => Promise<void>;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
const nameOf = (path: string): string => path.replace(/^.*[/\\]/, '');

/** Whether a symbol file may be that of a kernel: something of it is linked into the topmost 2 GiB. */
export function isKernelFile(file: SymbolFile): boolean {
  return file.elf.segments.some(({ isLoad, virtualAddress }) => isLoad && virtualAddress >= 0xffff_ffff_8000_0000n);
}

export class LinuxBoot {
  private readonly parts: LinuxBootParts;
  private readonly locator: KernelLocator;
  private found = false;
  private early: IdentityMapped | undefined;
  private readonly listeners: (() => Promise<void>)[] = [];

  constructor(parts: LinuxBootParts) {
    this.parts = parts;
    this.locator = new KernelLocator(parts.debugger.machine, parts.debugger.api);
    this.locator.arm();
  }

  /** Whether names of the kernel cannot be known yet. */
  get waiting(): boolean {
    return !this.found && this.locator.waiting;
  }

  /** Calls back when names of the kernel can be resolved, before the guest goes on. */
  whenFound(listener: () => Promise<void>): void {
    this.listeners.push(listener);
  }

  /** For `Execution.interlude`. */
  readonly interlude = async (record: StopRecord): Promise<boolean> => {
    if (!this.locator.waiting) return this.early?.look(record) === true;
    const alone = this.locator.isAlone(record);
    const image = this.locator.kernelAt(record);
    if (image !== undefined) await this.meet(image);
    else if (!this.locator.waiting)
      this.parts.say('important', 'No Linux kernel was found in what the image unpacked.');
    if (!alone) return false;
    // A breakpoint at the kernel's very first instruction: the vCPU stands there already.
    return this.parts.debugger.api.visit(record.vcpu, 'all').length === 0;
  };

  private async meet(image: KernelImage): Promise<void> {
    const { debugger: debugger_, files, say } = this.parts;
    const paired = await this.pair(image);
    const slide = await slideOf(image, paired?.file);
    if (slide === undefined) {
      say(
        'important',
        `Kernel ${releaseOf(image)} begins at physical address ${hex(image.physical)}, but it has no kallsyms and no symbol file says where its code will be: names in it are not known. Name its vmlinux under "symbols".`,
      );
      this.found = true;
      return;
    }
    const linkBase = (paired === undefined ? undefined : await linkBaseOf(paired.file)) ?? DEFAULT_LINK_BASE;
    say('console', `Kernel ${releaseOf(image)} at ${hex(linkBase + slide)} (slide ${hex(slide)})`);
    let kernel: Module | undefined;
    for (const { path, file } of files) {
      const ofKernel = isKernelFile(file);
      if (ofKernel && file !== paired?.file) continue;
      const module = debugger_.addModule(nameOf(path), file, ofKernel ? slide : 0n);
      if (ofKernel) kernel = module;
    }
    if (paired === undefined) kernel = await this.addKallsyms(image, slide);
    if (kernel !== undefined) this.early = await IdentityMapped.begin(debugger_, kernel, image.physical - linkBase);
    this.found = true;
    await this.parts.onKernel();
    for (const listener of this.listeners.splice(0)) await listener();
  }

  /** The symbol file of this very kernel. One that is another's would only mislead. */
  private async pair(image: KernelImage): Promise<WaitingSymbols | undefined> {
    const running = buildIdsOf(image);
    for (const one of this.parts.files) {
      if (!isKernelFile(one.file) || (await linkBaseOf(one.file)) === undefined) continue;
      const { buildId } = one.file.elf;
      if (buildId === null || running.length === 0 || running.includes(buildId)) return one;
      const instead = image.kallsyms === undefined ? '' : " Names come from the kernel's own kallsyms instead.";
      this.parts.say(
        'important',
        `${one.path} is not the symbol file of the kernel that runs (${releaseOf(image)}): its build ID is ${buildId}, the kernel's is ${running[0] ?? ''}. It is not used.${instead} Give the vmlinux of exactly this build, or set its "offset" to use it all the same.`,
      );
    }
    return undefined;
  }

  private async addKallsyms(image: KernelImage, slide: bigint): Promise<Module | undefined> {
    const { debugger: debugger_, symbols, say } = this.parts;
    if (image.kallsyms === undefined) return undefined;
    const bytes = kallsymsElf(image.kallsyms, slide);
    const file = await symbols.open({ kind: 'bytes', bytes }, `kallsyms of Linux ${releaseOf(image)}`);
    const module = debugger_.addModule(KALLSYMS_MODULE, file, slide);
    say(
      'console',
      `${image.kallsyms.symbols.length} names come from the kernel's own kallsyms; there are no source lines.`,
    );
    return module;
  }
}
