/**
 * The kernel before it runs where it was linked to. From startup_64 to the jump into x86_64_start_kernel (head_64.S,
 * head64.c: __startup_64) the first vCPU executes the kernel at its physical address, mapped to itself. For that while
 * there is a second module with the same symbols, so that names, lines and stacks are right there, too, and breakpoints
 * have both places. Afterwards these addresses belong to programs.
 */
import type { StopRecord } from '../../guestdebug/api.ts';
import type { Debugger } from '../debugger.ts';
import type { Module } from '../modules.ts';

/** The first function that is only executed where it was linked to. */
const FIRST_IN_PLACE = 'x86_64_start_kernel';
/** __START_KERNEL_map (Documentation/x86/x86_64/mm.rst) */
const KERNEL_MAP = 0xffff_ffff_8000_0000n;

export class IdentityMapped {
  private readonly debugger: Debugger;
  private readonly kernel: Module;
  private readonly early: Module;
  /** The breakpoint at the end of this phase; undefined: it could not be set. */
  private readonly end: number | undefined;
  private over = false;

  private constructor(debugger_: Debugger, kernel: Module, bias: bigint, end: bigint) {
    this.debugger = debugger_;
    this.kernel = kernel;
    this.early = debugger_.addModule(`${kernel.name} (physical)`, kernel.file, bias);
    const result = debugger_.api.set({ kind: 'execution', linear: end, owner: 'locator' });
    this.end = result.verified ? result.id : undefined;
  }

  /** `bias`: physical minus link-time address. Undefined when nothing tells where this phase ends. */
  static async begin(debugger_: Debugger, kernel: Module, bias: bigint): Promise<IdentityMapped | undefined> {
    const [symbol] = await kernel.file.symbolsNamed(FIRST_IN_PLACE);
    return symbol === undefined
      ? undefined
      : new IdentityMapped(debugger_, kernel, BigInt.asUintN(64, bias), kernel.run(symbol.address));
  }

  /** Looks at a stop: the phase is over when a vCPU is up there. True: the stop has no other reason than this look. */
  look(record: StopRecord): boolean {
    if (this.over || record.pc < KERNEL_MAP) return false;
    const { breakpoints, modules, api } = this.debugger;
    const stoppers = record.kind === 'bp' ? api.stoppers(record) : [];
    const alone = stoppers.length > 0 && stoppers.every((id) => id === this.end);
    this.over = true;
    if (this.end !== undefined) api.remove(this.end);
    modules.remove(this.early);
    // What the user has put at a physical address by number stays.
    breakpoints.drop(
      (address, all) => all.includes(this.kernel.run(this.early.link(address))) && !this.kernel.covers(address),
    );
    return alone;
  }
}
