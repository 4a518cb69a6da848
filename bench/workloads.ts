// What is measured: each workload is one small program that counts to ITERATIONS, built for whoever runs it.
import path from 'node:path';
import { runProgram } from '../scripts/process.ts';

export interface Workload {
  readonly name: string;
  readonly what: string;
  /** loops.S and program.c compute and run anywhere; system.S needs ring 0 and 64-bit code. */
  readonly source: 'loops' | 'system';
  /** Counts for a compiling engine and for an interpreting one: some second each. */
  readonly iterations: { readonly fast: number; readonly slow: number };
  /** Part of the geometric mean over integer code. */
  readonly integer: boolean;
  readonly processors: number;
}
const loop = (name: string, what: string, fast: number, slow: number, integer = true): Workload => ({
  ...{ name, what, source: 'loops', iterations: { fast, slow }, integer, processors: 1 },
});
const system = (name: string, what: string, fast: number, slow: number, processors = 1): Workload => ({
  ...{ name, what, source: 'system', iterations: { fast, slow }, integer: false, processors },
});
export const workloads: readonly Workload[] = [
  loop('alu', 'eleven register operations and a jump', 120_000_000, 5_000_000),
  loop('memory', 'load, add and store over 4 MiB', 300, 15),
  loop('random', 'loads at random places of 32 MiB', 40_000_000, 5_000_000),
  loop('fib', 'recursive Fibonacci numbers', 36, 30),
  loop('sieve', 'primes below 1 Mi', 50, 3),
  loop('collatz', 'short blocks, jumps that nobody can foresee', 6_000_000, 400_000),
  loop('program', 'gcc -O2: SHA-256, quicksort, hash table, bytecode', 600, 30),
  loop('copy', 'REP STOSD and REP MOVSD of 64 KiB', 40_000, 20_000, false),
  loop('sse2', 'packed integers in XMM registers', 80_000_000, 5_000_000, false),
  loop('double', 'scalar SSE2 floating point with a division', 30_000_000, 2_000_000, false),
  loop('x87', 'extended precision with a division', 10_000_000, 1_000_000, false),
  system('syscall', 'SYSCALL and SYSRET', 5_000_000, 1_000_000),
  system('pagefault', 'touch, page fault, map, INVLPG', 1_000_000, 200_000),
  system('switch', 'two processes that yield to each other', 1_000_000, 200_000),
  system('ipi', 'interrupts between two processors, both in HLT', 100_000, 100_000, 2),
];

async function run(program: string, args: readonly string[]): Promise<void> {
  const done = await runProgram(program, args);
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${done.output}`);
}
const source = (name: string): string => path.join(import.meta.dirname, 'guest', name);

/** The objects of a workload: its code, and the program behind the loop of that name. */
async function compile(
  folder: string,
  { name, source: file }: Workload,
  iterations: number,
  bits: 32 | 64,
): Promise<string[]> {
  const base = path.join(folder, `${name}-${iterations}-${bits}`);
  const common = ['-c', `-m${bits}`, `-DLOOP_${name}`, `-DITERATIONS=${iterations}`];
  await run('gcc', [...common, source(`${file}.S`), '-o', `${base}.o`]);
  if (name !== 'program') return [`${base}.o`];
  const flags = ['-O2', '-ffreestanding', '-fno-pic', '-fno-stack-protector', '-mgeneral-regs-only'];
  await run('gcc', [...common, ...flags, source('program.c'), '-o', `${base}-program.o`]);
  return [`${base}.o`, `${base}-program.o`];
}

/** A Multiboot 1 kernel (ELF32, since QEMU's loader takes no other) of 64-bit or 32-bit code. */
export async function buildKernel(
  folder: string,
  workload: Workload,
  iterations: number,
  bits: 32 | 64,
): Promise<string> {
  const objects = await compile(folder, workload, iterations, bits);
  const base = path.join(folder, `${workload.name}-${iterations}-${bits}`);
  await run('gcc', ['-c', `-m${bits}`, source('boot.S'), '-o', `${base}-boot.o`]);
  const emulation = bits === 64 ? 'elf_x86_64' : 'elf_i386';
  const link = ['-m', emulation, '-n', '--no-warn-rwx-segments', '-T', source('link.ld')];
  await run('ld', [...link, `${base}-boot.o`, ...objects, '-o', `${base}.linked`]);
  await run('objcopy', ['-O', 'elf32-i386', `${base}.linked`, `${base}.elf`]);
  return `${base}.elf`;
}

/** The same as a disk image with a boot sector, for emulators that know no Multiboot. */
export async function buildDisk(folder: string, workload: Workload, iterations: number): Promise<string> {
  const kernel = await buildKernel(folder, workload, iterations, 64);
  const base = kernel.replace(/\.elf$/, '');
  await run('objcopy', ['-O', 'binary', kernel, `${base}.bin`]);
  const symbols = await runProgram('nm', [kernel]);
  const entry = /^([0-9a-f]+) . _start$/m.exec(symbols.output)?.[1];
  if (entry === undefined) throw new Error(`${kernel} has no _start`);
  const script = [
    `sectors=$(( ($(stat -c %s ${base}.bin) + 511) / 512 ))`,
    `gcc -c -m32 -DSECTORS=$sectors -DENTRY=0x${entry} ${source('bootsector.S')} -o ${base}-sector.o`,
    `ld -m elf_i386 -Ttext 0x7c00 --oformat binary -e start ${base}-sector.o -o ${base}.img`,
    `cat ${base}.bin >> ${base}.img`,
    `truncate -s 10321920 ${base}.img`, // 20 cylinders of 16 heads and 63 sectors
  ];
  await run('sh', ['-ec', script.join('\n')]);
  return `${base}.img`;
}

/** An ordinary process of this machine that prints its own nanoseconds. */
export async function buildNative(folder: string, workload: Workload, iterations: number): Promise<string> {
  const objects = await compile(folder, workload, iterations, 64);
  const output = path.join(folder, `${workload.name}-${iterations}-native`);
  await run('gcc', ['-O2', '-no-pie', source('native.c'), ...objects, '-o', output]);
  return output;
}
