// The integer loops, side by side: our JIT, our interpreter, QEMU TCG. Each loop is an ELF that all of them boot; the time of
// the same ELF with one iteration is taken off, so that start-up and (for QEMU) firmware do not count.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runProgram } from '../scripts/process.ts';

export interface LoopFigures {
  readonly loop: string;
  readonly instructions: number;
  /** Million guest instructions a second, the median of the rounds; undefined: this engine is not on the machine. */
  readonly jit: number;
  readonly interpreter: number;
  readonly qemu: number | undefined;
  readonly compiledShare: number;
}
interface Stats {
  readonly instructions: number;
  readonly wallMs: number;
  readonly jit: { readonly share: number };
}

/** Iterations for the fast engines; the interpreter runs a tenth, at least one. */
const LOOPS: Readonly<Record<string, number>> = {
  alu: 100_000_000,
  memory: 250,
  random: 30_000_000,
  fib: 34,
  sieve: 40,
  collatz: 5_000_000,
  copy: 3000,
  sse2: 60_000_000,
};
const INTERPRETER_ITERATIONS: Readonly<Record<string, number>> = {
  alu: 1_000_000,
  memory: 3,
  random: 1_000_000,
  fib: 24,
  sieve: 1,
  collatz: 60_000,
  copy: 200,
  sse2: 1_000_000,
};
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

async function buildLoop(folder: string, loop: string, iterations: number): Promise<string> {
  const source = path.join(import.meta.dirname, 'guest');
  const output = path.join(folder, `${loop}-${iterations}.elf`);
  const objects: string[] = [];
  for (const name of ['boot', 'loops']) {
    const object = path.join(folder, `${loop}-${name}.o`);
    const defines = [`-DLOOP_${loop}`, `-DITERATIONS=${iterations}`];
    const compiled = await runProgram('gcc', ['-c', '-m64', ...defines, path.join(source, `${name}.S`), '-o', object]);
    if (compiled.status !== 0) throw new Error(`gcc failed on ${name}.S: ${compiled.output}`);
    objects.push(object);
  }
  const wide = `${output}64`;
  const linked = await runProgram('ld', ['-n', '-T', path.join(source, 'link.ld'), ...objects, '-o', wide]);
  if (linked.status !== 0) throw new Error(`ld failed: ${linked.output}`);
  // QEMU's Multiboot loader takes ELF32 only
  const narrow = await runProgram('objcopy', ['-O', 'elf32-i386', wide, output]);
  if (narrow.status !== 0) throw new Error(`objcopy failed on ${wide}: ${narrow.output}`);
  return output;
}

async function runOurs(elf: string, folder: string, jit: boolean): Promise<Stats> {
  const file = path.join(folder, 'stats.json');
  const options = [
    '--kernel',
    elf,
    '--memory',
    '128M',
    '--timeout',
    '120',
    '--stats',
    file,
    ...(jit ? [] : ['--no-jit']),
  ];
  const done = await runProgram(process.execPath, ['dist/cli.js', 'run', ...options]);
  if (done.status !== 3) throw new Error(`${elf} ended with status ${done.status}: ${done.output}`);
  return JSON.parse(readFileSync(file, 'utf8')) as Stats;
}
async function runQemu(elf: string): Promise<number | undefined> {
  const started = performance.now();
  const options = '-accel tcg -m 128 -display none -serial none -monitor none -no-reboot -nodefaults';
  const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04', '-kernel', elf];
  const done = await runProgram('qemu-system-x86_64', [...options.split(' '), ...exit]).catch(() => undefined);
  return done?.status === 3 ? performance.now() - started : undefined;
}

/** Measures every loop `rounds` times, the engines in turn within a round. */
export async function measureLoops(rounds: number, say: (line: string) => void): Promise<LoopFigures[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-loops-'));
  const figures: LoopFigures[] = [];
  try {
    for (const [loop, iterations] of Object.entries(LOOPS)) {
      const long = await buildLoop(folder, loop, iterations);
      const short = await buildLoop(folder, loop, 1);
      const slow = await buildLoop(folder, loop, INTERPRETER_ITERATIONS[loop] ?? 1);
      const rates = { jit: [] as number[], interpreter: [] as number[], qemu: [] as number[] };
      let [instructions, share] = [0, 0];
      for (let round = 0; round < rounds; round++) {
        const ours = await runOurs(long, folder, true);
        ({ instructions } = ours);
        ({ share } = ours.jit);
        rates.jit.push(instructions / ours.wallMs / 1000);
        const interpreted = await runOurs(slow, folder, false);
        rates.interpreter.push(interpreted.instructions / interpreted.wallMs / 1000);
        const [whole, start] = [await runQemu(long), await runQemu(short)];
        if (whole !== undefined && start !== undefined && whole > start) {
          rates.qemu.push(instructions / (whole - start) / 1000);
        }
      }
      const row: LoopFigures = {
        loop,
        instructions,
        jit: Math.round(median(rates.jit)),
        interpreter: Math.round(median(rates.interpreter)),
        qemu: rates.qemu.length > 0 ? Math.round(median(rates.qemu)) : undefined,
        compiledShare: share,
      };
      figures.push(row);
      const against = row.qemu === undefined ? '' : `, ${(row.jit / row.qemu).toFixed(2)} x QEMU`;
      say(`${loop}: JIT ${row.jit}, interpreter ${row.interpreter}, QEMU TCG ${row.qemu ?? '-'} MIPS${against}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}
