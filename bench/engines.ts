// Who runs the workloads. Each engine answers the seconds between the two marks that the guest prints (the native process: its
// own clock), so nobody's firmware or start-up counts; what an engine has to compile on the way does.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { findOnPath, repositoryRoot, runProgram } from '../scripts/process.ts';
import { buildDisk, buildKernel, buildNative, type Workload } from './workloads.ts';

export interface Engine {
  readonly name: string;
  /** Which of a workload's two counts it gets. */
  readonly speed: 'fast' | 'slow';
  readonly bits: 32 | 64;
  /** Whether it can run a workload at all. */
  readonly runs: (workload: Workload) => boolean;
  /** Whether this machine has it. */
  readonly present: () => boolean;
  /** Seconds; undefined: it did not come to the end. */
  readonly measure: (folder: string, workload: Workload, iterations: number) => Promise<number | undefined>;
}
const LIMIT_MS = 180_000;
const computes = ({ source }: Workload): boolean => source === 'loops';
const always = (): boolean => true;

const START = '\x01'; // ASCII start of heading
const END = '\x04'; // end of transmission
/** Seconds between the marks on a stream; undefined when it ends before. */
function stopwatch(stream: Readable): Promise<number | undefined> {
  return new Promise((resolve) => {
    let started: number | undefined;
    stream.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      if (started === undefined && text.includes(START)) started = performance.now();
      if (started !== undefined && text.includes(END)) resolve((performance.now() - started) / 1000);
    });
    stream.on('close', () => resolve(undefined));
  });
}
/** Starts a program, measures a stream of it and ends it. */
async function timed(program: string, args: readonly string[]): Promise<number | undefined> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const seconds = await stopwatch(child.stdout);
  clearTimeout(timer);
  child.kill('SIGKILL');
  return seconds;
}
function trapline(name: string, bits: 32 | 64, options: readonly string[]): Engine {
  return {
    ...{ name, bits, speed: options.includes('--no-jit') ? 'slow' : 'fast', present: always },
    runs: bits === 32 ? computes : always, // system.S is 64-bit code
    // our own clock: what the guest prints reaches a pipe only between two slices of the run
    measure: async (folder, workload, iterations) =>
      (await runTrapline(folder, await buildKernel(folder, workload, iterations, bits), workload, options)).wallMs /
      1000,
  };
}
function v86(name: string, speed: 'fast' | 'slow'): Engine {
  return {
    ...{ name, bits: 32, speed, runs: computes, present: always },
    async measure(folder, workload, iterations) {
      const kernel = await buildKernel(folder, workload, iterations, 32);
      const script = path.join(import.meta.dirname, 'v86.mjs');
      return timed(process.execPath, [script, kernel, speed === 'slow' ? 'interpreter' : 'jit']);
    },
  };
}

export const engines: readonly Engine[] = [
  trapline('Trapline JIT', 64, []),
  trapline('Trapline interpreter', 64, ['--no-jit']),
  trapline('Trapline JIT, 32-bit', 32, []),
  trapline('Trapline interpreter, 32-bit', 32, ['--no-jit']),
  {
    ...{ name: 'QEMU TCG', bits: 64, speed: 'fast', runs: always },
    present: () => findOnPath('qemu-system-x86_64') !== undefined,
    async measure(folder, workload, iterations) {
      const kernel = await buildKernel(folder, workload, iterations, 64);
      const machine = `-accel tcg -m 128 -smp ${workload.processors} -display none -monitor none -no-reboot -nodefaults`;
      return timed('qemu-system-x86_64', [...machine.split(' '), '-serial', 'stdio', '-kernel', kernel]);
    },
  },
  v86('v86 JIT', 'fast'),
  v86('v86 interpreter', 'slow'),
  {
    ...{ name: 'Bochs', bits: 64, speed: 'slow', runs: computes },
    present: () => findOnPath('bochs') !== undefined,
    measure: measureBochs,
  },
  {
    ...{ name: 'native', bits: 64, speed: 'fast', runs: computes, present: always },
    async measure(folder, workload, iterations) {
      const done = await runProgram(await buildNative(folder, workload, iterations), []);
      return done.status === 0 ? Number(done.output) / 1e9 : undefined;
    },
  },
];

/**
 * Bochs shows its screen on a terminal and copies port E9h to it. Debian's build has the debugger compiled in, which reads a
 * `continue` from a file.
 */
async function measureBochs(folder: string, workload: Workload, iterations: number): Promise<number | undefined> {
  const disk = await buildDisk(folder, workload, iterations);
  const configuration = [
    'megs: 128',
    'cpu: model=corei7_sandy_bridge_2600k, count=1, ips=100000000, reset_on_triple_fault=0',
    'romimage: file=/usr/share/seabios/bios.bin',
    'vgaromimage: file=/usr/share/seabios/vgabios-stdvga.bin',
    `ata0-master: type=disk, path=${disk}, mode=flat, cylinders=20, heads=16, spt=63`,
    'boot: disk',
    'port_e9_hack: enabled=1',
    'display_library: term',
    'sound: waveoutdrv=dummy',
    'speaker: enabled=0',
    `log: ${disk}.log`,
    'panic: action=fatal',
  ];
  writeFileSync(`${disk}.bochsrc`, `${configuration.join('\n')}\n`);
  writeFileSync(`${disk}.commands`, 'continue\n');
  rmSync(`${disk}.lock`, { force: true }); // a run that was ended leaves it
  return timed('script', ['-qec', `exec bochs -q -f ${disk}.bochsrc -rc ${disk}.commands`, '/dev/null']);
}

interface Stats {
  readonly instructions: number;
  readonly wallMs: number;
  readonly jit: { readonly share: number };
}
async function runTrapline(
  folder: string,
  kernel: string,
  workload: Workload,
  options: readonly string[],
): Promise<Stats> {
  const file = path.join(folder, 'stats.json');
  const machine = ['--memory', '128M', '--smp', String(workload.processors), '--stats', file, ...options];
  const cli = path.join(repositoryRoot, 'dist/cli.js');
  const done = await runProgram(process.execPath, [cli, 'run', '--kernel', kernel, ...machine]);
  if (done.status !== 3) throw new Error(`${workload.name} ended with status ${done.status}: ${done.output}`);
  return JSON.parse(readFileSync(file, 'utf8')) as Stats;
}
/** Guest instructions of a workload (everybody runs the same bytes), and the part that our JIT compiled. */
export async function countInstructions(
  folder: string,
  workload: Workload,
  iterations: number,
  bits: 32 | 64,
): Promise<{ readonly instructions: number; readonly compiledShare: number }> {
  const { instructions, jit } = await runTrapline(
    folder,
    await buildKernel(folder, workload, iterations, bits),
    workload,
    [],
  );
  return { instructions, compiledShare: jit.share };
}
