// The Linux kernel that runs in a machine, found from outside: its own kallsyms, as a symbol file.
import type { MachineApi } from '../machine/api.ts';
import { kallsymsElf, readKallsyms } from '../symbols/index.ts';

/** __START_KERNEL_map (Documentation/x86/x86_64/mm.rst): kernels are linked above it, and KASLR moves them there. */
const KERNEL_MAP = 0xffff_ffff_8000_0000n;
const PAGE = 0x1000;
/** The image around entry_SYSCALL_64: code is before it, the tables are behind it. */
const BEFORE = 32n << 20n;
const SIZE = 96 << 20;

/** An ELF file with the names and run-time addresses of the kernel whose system call entry vCPU 0 has; undefined: none. */
export function kernelInMemory(machine: MachineApi): Uint8Array | undefined {
  const entry = machine.engine.vcpu(0).msrLstar;
  if (entry < KERNEL_MAP) return undefined;
  const start = entry - BEFORE < KERNEL_MAP ? KERNEL_MAP : (entry - BEFORE) & ~BigInt(PAGE - 1);
  const image = new Uint8Array(SIZE);
  // The kernel gives the gaps between its sections back: what is not mapped any more stays zero.
  for (let at = 0; at < SIZE && start + BigInt(at) >= KERNEL_MAP; at += PAGE)
    image.set(machine.readLinear(0, BigInt.asUintN(64, start + BigInt(at)), PAGE), at);
  const kallsyms = readKallsyms(image);
  return kallsyms === undefined ? undefined : kallsymsElf(kallsyms, 0n);
}
