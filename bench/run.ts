// `npm run bench`: measures the engines side by side in one run, and writes bench/results/README.md and figures.json. For people: no
// test judges by these numbers.
// usage: run.ts [--rounds N] [--only NAME,...] [--engines NAME,...] [--shorten N] [--no-growth] [--no-linux] [--dry]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot, runProgram } from '../scripts/process.ts';
import { type Growth, measureGrowth } from './growth.ts';
import { type LinuxFigures, measureLinux } from './linux.ts';
import { measure } from './measure.ts';
import { loopTables, table } from './report.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    engines: { type: 'string' },
    shorten: { type: 'string', default: '1' },
    growth: { type: 'boolean', default: true },
    linux: { type: 'boolean', default: true },
    dry: { type: 'boolean', default: false },
  },
  allowNegative: true,
});
function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is a whole number from 1, not ${text}`);
  return value;
}
const rounds = positive('rounds', values.rounds);
const shorten = positive('shorten', values.shorten);
const list = (text: string | undefined): readonly string[] | undefined => text?.split(',');
const say = (line: string): void => console.log(line);

async function version(program: string, args: readonly string[], pattern: RegExp): Promise<string> {
  const { output } = await runProgram(program, args).catch(() => ({ output: '' }));
  return pattern.exec(output)?.[0] ?? `no ${program}`;
}
const machine = [
  `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`,
  `Node ${process.version}`,
  await version('qemu-system-x86_64', ['--version'], /QEMU emulator version [\d.]+/),
  await version('bochs', ['--help'], /Bochs x86 Emulator [\d.]+/),
].join(', ');
say(machine);

const growthTable = ({ of, points }: Growth): string =>
  table(
    [of, ...points.map(({ value }) => String(value))],
    [
      ['start, ms', ...points.map(({ startMs }) => startMs.toFixed(0))],
      ['program, ms', ...points.map(({ runMs }) => runMs.toFixed(0))],
      ...(points.some(({ refused }) => refused > 0)
        ? [['refused', ...points.map((point) => String(point.refused))]]
        : []),
    ],
  );

const linuxTable = (rows: readonly LinuxFigures[]): string =>
  table(
    [
      ...[
        'processors',
        'instructions',
        'Trapline JIT, s',
        'Trapline interpreter, s',
        'interpreter, MIPS',
        'QEMU TCG, s',
      ],
      ...['JIT / QEMU (time)', "JIT's memory, MiB"],
    ],
    rows.map(({ processors, instructions, trapline, interpreter, qemu, peakMiB }) => [
      String(processors),
      `${(instructions / 1e6).toFixed(0)} M`,
      ...[trapline, interpreter].map((value) => value.toFixed(1)),
      (instructions / interpreter / 1e6).toFixed(0),
      ...[qemu?.toFixed(1) ?? '', qemu === undefined ? '' : (trapline / qemu).toFixed(2), peakMiB?.toFixed(0) ?? ''],
    ]),
  );

const folder = mkdtempSync(path.join(tmpdir(), 'trapline-bench-'));
try {
  const selection = { rounds, shorten, workloads: list(values.only), engines: list(values.engines) };
  const measured = await measure(folder, selection, say);
  const linux = values.linux ? await measureLinux(folder, rounds, say) : undefined;
  const growth = values.growth ? await measureGrowth(folder, rounds, say) : [];
  const text = [
    '# Measured',
    '',
    `Made by \`npm run bench\`: medians of ${rounds} rounds, all engines in turn within a round.`,
    `Machine: ${machine}. Debian's Bochs has its debugger compiled in.`,
    'Long REP MOVS and REP STOS run many iterations at once in both of our engines: no compiled code has a share in `copy`.',
    '',
    loopTables(measured),
    ...(linux === undefined
      ? []
      : [
          '',
          "## Debian's kernel, from the start of the process to user space's marker (512 MiB)",
          '',
          linuxTable(linux),
        ]),
    ...(growth.length === 0 ? [] : ['', '## How cost grows', '', growth.map(growthTable).join('\n\n')]),
    '',
  ].join('\n');
  say(`\n${text}`);
  if (!values.dry) {
    const results = path.join(repositoryRoot, 'bench/results');
    mkdirSync(results, { recursive: true });
    writeFileSync(path.join(results, 'README.md'), text);
    writeFileSync(
      path.join(results, 'figures.json'),
      `${JSON.stringify({ machine, rounds, measured, linux, growth }, null, 2)}\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
