/**
 * Finds the Linux kernel that a compressed image unpacks, at the very moment when it begins to run.
 *
 * The first instruction of an unpacked kernel (startup_64, the first byte of the image) is executed at its physical
 * address, which the unpacker has mapped to itself, and that is a multiple of 2 MiB wherever KASLR puts it
 * (Documentation/x86/boot.rst: kernel_alignment; CONFIG_PHYSICAL_ALIGN). So a breakpoint waits at each such address. They
 * cost nothing: overlays only matter where code is decoded, and nothing else of a boot begins exactly there. When one is
 * hit, relocations have been applied and no instruction of the kernel has run: no breakpoint in it can have been missed.
 */
import type { GuestDebugApi, StopRecord } from '../../guestdebug/api.ts';
import type { MachineApi } from '../../machine/api.ts';
import type { KernelImage } from './kernel-image.ts';
import { readKernelImage } from './kernel-image.ts';

const ALIGNMENT = 0x20_0000;
/** Hits that turn out to be something else, after which it is no Linux that boots. */
const ATTEMPTS = 8;

export class KernelLocator {
  private readonly machine: MachineApi;
  private readonly api: Pick<GuestDebugApi, 'set' | 'remove' | 'stoppers'>;
  /** One breakpoint at all the addresses, while the kernel is awaited. */
  private id: number | undefined;
  private attempts = 0;

  constructor(machine: MachineApi, api: Pick<GuestDebugApi, 'set' | 'remove' | 'stoppers'>) {
    this.machine = machine;
    this.api = api;
  }

  /** Whether a kernel is still awaited. */
  get waiting(): boolean {
    return this.id !== undefined;
  }

  arm(): void {
    const { memorySize } = this.machine.options;
    // The first MiB belongs to the firmware, and no kernel is unpacked to it.
    const linear: bigint[] = [];
    for (let at = ALIGNMENT; at < memorySize; at += ALIGNMENT) linear.push(BigInt(at));
    const result = this.api.set({ kind: 'execution', linear, owner: 'locator' });
    this.id = result.verified ? result.id : undefined;
  }

  disarm(): void {
    if (this.id !== undefined) this.api.remove(this.id);
    this.id = undefined;
  }

  /** The kernel at whose first instruction the vCPU of a stop stands. */
  kernelAt({ pc, vcpu }: StopRecord): KernelImage | undefined {
    if (!this.waiting || pc % BigInt(ALIGNMENT) !== 0n || pc >= BigInt(this.machine.options.memorySize))
      return undefined;
    // Mapped to itself, or it is some other code that happens to have this address.
    const probe = this.machine.readLinear(vcpu, pc, 64);
    const physical = this.machine.readPhysical(pc, 64);
    const same = probe.length === physical.length && probe.every((byte, index) => byte === physical[index]);
    const image = same ? readKernelImage(this.machine, pc) : undefined;
    if (image !== undefined || ++this.attempts >= ATTEMPTS) this.disarm();
    return image;
  }

  /** Whether a stop has no other reason than this search. */
  isAlone(record: StopRecord): boolean {
    const stoppers = record.kind === 'bp' ? this.api.stoppers(record) : [];
    return stoppers.length > 0 && stoppers.every((id) => id === this.id);
  }
}
