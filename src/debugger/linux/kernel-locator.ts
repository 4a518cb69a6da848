/**
 * Finds the Linux kernel that a compressed image unpacks, at the very moment when it begins to run.
 *
 * The first instruction of an unpacked kernel (startup_64, the first byte of the image) is executed at its physical
 * address, which the unpacker has mapped to itself, and that is a multiple of 2 MiB wherever KASLR puts it
 * (Documentation/x86/boot.rst: kernel_alignment; CONFIG_PHYSICAL_ALIGN). So an overlay waits at each such address. They
 * cost nothing: overlays only matter where code is decoded, and nothing else of a boot begins exactly there. When one is
 * hit, relocations have been applied and no instruction of the kernel has run: no breakpoint in it can have been missed.
 */
import type { StopRecord } from '../../guestdebug/api.ts';
import type { MachineApi } from '../../machine/api.ts';
import type { OverlayOwner, Overlays } from '../overlays.ts';
import type { KernelImage } from './kernel-image.ts';
import { readKernelImage } from './kernel-image.ts';

const ALIGNMENT = 0x20_0000;
/** Hits that turn out to be something else, after which it is no Linux that boots. */
const ATTEMPTS = 8;

export class KernelLocator {
  private readonly machine: MachineApi;
  private readonly overlays: Overlays;
  private readonly owner: OverlayOwner = { id: 0, temporary: true, arrive: () => 'stop' };
  private places: bigint[] = [];
  private attempts = 0;

  constructor(machine: MachineApi, overlays: Overlays) {
    this.machine = machine;
    this.overlays = overlays;
  }

  /** Whether a kernel is still awaited. */
  get waiting(): boolean {
    return this.places.length > 0;
  }

  arm(): void {
    const { memorySize } = this.machine.options;
    // The first MiB belongs to the firmware, and no kernel is unpacked to it.
    for (let at = ALIGNMENT; at < memorySize; at += ALIGNMENT) {
      const linear = BigInt(at);
      if (this.overlays.add(linear, this.owner).verified) this.places.push(linear);
    }
  }

  disarm(): void {
    for (const linear of this.places.splice(0)) this.overlays.remove(linear, this.owner);
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
  isAlone({ kind, vcpu, pc }: StopRecord): boolean {
    const owners = this.overlays.arrivalOf(vcpu, pc)?.owners ?? [];
    return kind === 'bp' && owners.length > 0 && owners.every((owner) => owner === this.owner);
  }
}
