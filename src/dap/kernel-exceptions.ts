/** Exception filters that are functions of the Linux kernel: where it gives up, and where it begins to report a fault. */
import type { BreakpointWish, ResolvedPlace } from '../debugger/user-breakpoints.ts';
import type { Target } from '../debugger/target.ts';
import type { ModuleSet } from '../debugger/modules.ts';
import { oopsSentence, panicSentence } from '../words/kernel.ts';
import type { Translate } from '../words/translate.ts';
import { type LinuxBoot, WAITS_FOR_KERNEL } from './linux.ts';

/**
 * Filter and functions, the first that exists. panic() (kernel/panic.c) has the format of its message in RDI; oops_enter()
 * (kernel/panic.c) is the first thing that die() does, __die() (arch/x86/kernel/dumpstack.c) the next.
 */
export const kernelExceptions: ReadonlyMap<string, readonly string[]> = new Map([
  ['panic', ['panic']],
  ['oops', ['oops_enter', '__die']],
]);

/** A breakpoint at the very entry of the function: its arguments are still in registers there. */
export function kernelExceptionWish(kernel: () => KernelNames, filter: string): BreakpointWish {
  return { key: filter, resolve: () => placeOf(kernel(), kernelExceptions.get(filter) ?? []) };
}

/** Where names of the kernel are found. */
export interface KernelNames {
  readonly linux: Pick<LinuxBoot, 'waiting'> | undefined;
  readonly debugger: { readonly modules: ModuleSet };
}

async function placeOf(
  { linux, debugger: { modules } }: KernelNames,
  names: readonly string[],
): Promise<ResolvedPlace> {
  if (linux?.waiting === true) return { kind: 'nowhere', message: WAITS_FOR_KERNEL, waits: true };
  for (const name of names) {
    const found = (await modules.symbolsNamed(name)).filter(({ symbol }) => symbol.kind === 'function');
    const addresses = found.map(({ module, symbol }) => module.run(symbol.address));
    if (addresses.length > 0) return { kind: 'code', addresses: [...new Set(addresses)] };
  }
  return {
    kind: 'nowhere',
    message: `This filter is for Linux: the kernel's symbols have no function ${names.join(' or ')}.`,
  };
}

const FORMAT_LIMIT = 200;

export function kernelExceptionSentence(target: Target, vcpu: number, filter: string, t: Translate): string {
  if (filter === 'oops') return oopsSentence(vcpu, t);
  const bytes = target.readLinear(vcpu, target.slots.vcpu(vcpu).rdi, FORMAT_LIMIT);
  const end = bytes.indexOf(0);
  const format = String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
  return panicSentence(vcpu, /^[\x20-\x7e\n]+$/.test(format) ? format.trimEnd() : undefined, t);
}
