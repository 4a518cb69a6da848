/**
 * The kernel before it runs where it was linked to. From startup_64 to the jump into x86_64_start_kernel (head_64.S,
 * head64.c: __startup_64) the first vCPU executes the kernel at its physical address, mapped to itself. For that while
 * there is a second module with the same symbols, so that names, lines and stacks are right there, too, and breakpoints
 * have both places. Afterwards these addresses belong to programs.
 */
import type { StopRecord } from '../../guestdebug/api.ts';
import type { Debugger } from '../debugger.ts';
import type { Module } from '../modules.ts';
import type { OverlayOwner } from '../overlays.ts';

/** The first function that is only executed where it was linked to. */
const FIRST_IN_PLACE = 'x86_64_start_kernel';
/** __START_KERNEL_map (Documentation/x86/x86_64/mm.rst) */
const KERNEL_MAP = 0xffff_ffff_8000_0000n;

export class IdentityMapped {
  private readonly debugger: Debugger;
  private readonly kernel: Module;
  private readonly early: Module;
  private readonly end: bigint;
  private readonly owner: OverlayOwner = { id: 0, temporary: true, arrive: () => 'stop' };
  private over = false;

  private constructor(debugger_: Debugger, kernel: Module, bias: bigint, end: bigint) {
    this.debugger = debugger_;
    this.kernel = kernel;
    this.end = end;
    this.early = debugger_.addModule(`${kernel.name} (physical)`, kernel.file, bias);
    debugger_.overlays.add(end, this.owner);
  }

  /** `bias`: physical minus link-time address. Undefined when nothing tells where this phase ends. */
  static async begin(debugger_: Debugger, kernel: Module, bias: bigint): Promise<IdentityMapped | undefined> {
    const [symbol] = await kernel.file.symbolsNamed(FIRST_IN_PLACE);
    return symbol === undefined
      ? undefined
      : new IdentityMapped(debugger_, kernel, BigInt.asUintN(64, bias), kernel.run(symbol.address));
  }

  /** Looks at a stop: the phase is over when a vCPU is up there. True: the stop has no other reason than this look. */
  look({ kind, vcpu, pc }: StopRecord): boolean {
    if (this.over || pc < KERNEL_MAP) return false;
    const { breakpoints, modules, overlays } = this.debugger;
    const owners = overlays.arrivalOf(vcpu, pc)?.owners ?? [];
    const alone = kind === 'bp' && owners.length > 0 && owners.every((owner) => owner === this.owner);
    this.over = true;
    overlays.remove(this.end, this.owner);
    modules.remove(this.early);
    // What the user has put at a physical address by number stays.
    breakpoints.drop(
      (address, all) => all.includes(this.kernel.run(this.early.link(address))) && !this.kernel.covers(address),
    );
    return alone;
  }
}
