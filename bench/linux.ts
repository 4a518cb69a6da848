// Debian's kernel from power-on to the marker of its user space, beside QEMU TCG: seconds, and our instructions.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot, runProgram } from '../scripts/process.ts';

export interface LinuxFigures {
  readonly processors: number;
  readonly instructions: number;
  /** Medians, seconds of wall clock from the start of the process to the marker. */
  readonly trapline: number;
  readonly interpreter: number;
  readonly qemu: number | undefined;
  /** Resident memory of our process at the marker, the most it ever was, MiB (Linux's VmHWM); undefined elsewhere. */
  readonly peakMiB: number | undefined;
}
const MARKER = 'TRAPLINE-GUEST-OK';
const LIMIT_MS = 240_000;
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function peakOf(pid: number | undefined): number | undefined {
  const status = `/proc/${pid ?? 0}/status`;
  const found = existsSync(status) ? /VmHWM:\s+(\d+) kB/.exec(readFileSync(status, 'utf8')) : null;
  return found === null ? undefined : Number(found[1]) / 1024;
}
interface Boot {
  readonly seconds: number;
  readonly peakMiB: number | undefined;
}
/** Until a program prints the marker; undefined: it ended before. */
function bootToMarker(program: string, args: readonly string[]): Promise<Boot | undefined> {
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  let text = '';
  return new Promise((resolve) => {
    const finish = (seconds: number | undefined): void => {
      clearTimeout(timer);
      const peakMiB = peakOf(child.pid);
      child.kill('SIGKILL');
      resolve(seconds === undefined ? undefined : { seconds, peakMiB });
    };
    child.stdout.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('latin1')).slice(-2000);
      if (text.includes(MARKER)) finish((performance.now() - started) / 1000);
    });
    child.on('error', () => finish(undefined));
    child.on('close', () => finish(undefined));
  });
}

/** Undefined when the guest cannot be made: it comes from Debian's mirrors. */
export async function measureLinux(
  folder: string,
  rounds: number,
  say: (line: string) => void,
): Promise<LinuxFigures[] | undefined> {
  const made = await runProgram(process.execPath, [
    ...['--import', 'tsx', path.join(repositoryRoot, 'scripts/linux-guest.ts')],
  ]);
  const line = made.output.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) return undefined;
  const guest = JSON.parse(line) as { kernel: string; initrd: string };
  const cli = path.join(repositoryRoot, 'dist/cli.js');
  const figures: LinuxFigures[] = [];
  for (const processors of [1, 2, 4]) {
    const append = `console=ttyS0 cryptomgr.notests trapline.cpus=${processors}`;
    const common = ['--kernel', guest.kernel, '--initrd', guest.initrd, '--append', append];
    const ours = [cli, 'run', ...common, '--memory', '512M', '--smp', String(processors)];
    const machine = `-M pc -accel tcg -m 512 -smp ${processors} -display none -monitor none -no-reboot -serial stdio`;
    const qemu = [...machine.split(' '), '-kernel', guest.kernel, '-initrd', guest.initrd, '-append', append];
    const seconds = { trapline: [] as number[], interpreter: [] as number[], qemu: [] as number[] };
    const note = (list: number[], boot: Boot | undefined): void => {
      if (boot !== undefined) list.push(boot.seconds);
    };
    let peakMiB: number | undefined;
    for (let round = 0; round < rounds; round++) {
      const boot = await bootToMarker(process.execPath, ours);
      note(seconds.trapline, boot);
      peakMiB = boot?.peakMiB ?? peakMiB;
      note(seconds.interpreter, await bootToMarker(process.execPath, [...ours, '--no-jit']));
      note(seconds.qemu, await bootToMarker('qemu-system-x86_64', qemu));
    }
    const stats = path.join(folder, 'linux.json');
    await runProgram(process.execPath, [...ours, '--until', MARKER, '--stats', stats]);
    const { instructions } = JSON.parse(readFileSync(stats, 'utf8')) as { instructions: number };
    const row: LinuxFigures = {
      processors,
      instructions,
      trapline: median(seconds.trapline),
      interpreter: median(seconds.interpreter),
      qemu: seconds.qemu.length > 0 ? median(seconds.qemu) : undefined,
      peakMiB,
    };
    figures.push(row);
    say(
      `Debian, ${processors} CPUs: JIT ${row.trapline.toFixed(1)} s, interpreter ${row.interpreter.toFixed(1)} s, ` +
        `QEMU ${row.qemu?.toFixed(1) ?? '-'} s`,
    );
  }
  return figures;
}
