// One run of a Linux guest from power-on to its end, in Trapline's command line or in QEMU.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LinuxGuest } from '../../../scripts/linux-guest.ts';
import { linuxGuest } from '../../../scripts/linux-guest.ts';
import { messageOf, repositoryRoot, runProgram } from '../../../scripts/process.ts';

/** The guest, or why there is none: Debian's packages cannot be fetched. */
export async function guestOrReason(): Promise<LinuxGuest | string> {
  try {
    return await linuxGuest((line) => console.log(line));
  } catch (error) {
    return `the Linux guest could not be made: ${messageOf(error)}`;
  }
}

export interface GuestOptions {
  readonly kernel: string;
  readonly initrd: string;
  readonly cpus: number;
  readonly append: string;
}
export interface GuestRun {
  readonly status: number;
  /** What the guest wrote to its serial port. */
  readonly console: string;
  /** Everything, with what the program itself had to say. */
  readonly output: string;
}
export interface TraplineRun extends GuestRun {
  readonly statistics: unknown;
}

const MEMORY_MIB = 512;
const LIMIT_SECONDS = 400;

/** crypto self-tests off: they are 60 % of a boot's instructions, the same few loops over and over. */
export const COMMON_APPEND = 'console=ttyS0 cryptomgr.notests';

export async function runInTrapline({ kernel, initrd, cpus, append }: GuestOptions, more: readonly string[] = []) {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-linux-'));
  try {
    const stats = path.join(folder, 'stats.json');
    const files = ['--kernel', kernel, '--initrd', initrd, '--append', append, '--stats', stats];
    const size = ['--smp', String(cpus), '--memory', `${MEMORY_MIB}M`, '--timeout', String(LIMIT_SECONDS)];
    const program = path.join(repositoryRoot, 'dist/cli.js');
    const done = await runProgram(process.execPath, [program, 'run', ...files, ...size, ...more]);
    const statistics: unknown = done.status === 2 ? undefined : JSON.parse(readFileSync(stats, 'utf8'));
    return { status: done.status, console: done.stdout, output: done.output, statistics } satisfies TraplineRun;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A processor as ours tells of itself: one that executes in order, so that no kernel guards it against speculation. */
const QEMU_PROCESSOR = [
  'Conroe,model=54,stepping=1,model-id=Trapline x86-64 virtual processor',
  ...['-hypervisor', '-vme', '+pdpe1gb', '+umip', '+rdrand'],
].join(',');
/** No sleeping states and no hot-plug. */
const QEMU_POWER = [
  'disable_s3=1',
  'disable_s4=1',
  'acpi-pci-hotplug-with-bridge-support=off',
  'acpi-root-pci-hotplug=off',
];
/** No device that ours has not: no VGA, network, HPET or keyboard. */
const QEMU_MACHINE = [
  ...['-M', 'pc,hpet=off,i8042=off', '-cpu', QEMU_PROCESSOR, '-vga', 'none', '-nic', 'none'],
  ...QEMU_POWER.flatMap((property) => ['-global', `PIIX4_PM.${property}`]),
  ...['-rtc', 'base=2025-01-01T00:00:00'],
];
const QEMU_SCREEN = ['-display', 'none', '-monitor', 'none', '-no-reboot'];

export async function runInQemu({ kernel, initrd, cpus, append }: GuestOptions): Promise<GuestRun> {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-qemu-'));
  try {
    const console = path.join(folder, 'console'); // a file: into a pipe that is full, QEMU drops characters
    const files = ['-kernel', kernel, '-initrd', initrd, '-append', append, '-serial', `file:${console}`];
    const size = ['-smp', String(cpus), '-m', String(MEMORY_MIB)];
    const done = await runProgram('qemu-system-x86_64', [...QEMU_MACHINE, ...QEMU_SCREEN, ...size, ...files], {
      timeout: LIMIT_SECONDS * 1000,
    });
    return { status: done.status, console: readFileSync(console, 'utf8'), output: done.output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
