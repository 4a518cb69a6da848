// `npm run bench`: measures the engines side by side in one run and writes bench/results/<date>.json and the table in
// bench/results/README.md. For people: no test judges by these numbers.
// usage: run.ts [ROUNDS]
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { repositoryRoot, runProgram } from '../scripts/process.ts';
import { type LoopFigures, measureLoops } from './loops.ts';

const rounds = Number(process.argv[2] ?? 3);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`ROUNDS is a whole number from 1, not ${process.argv[2]}`);

const qemu = (await runProgram('qemu-system-x86_64', ['--version'])).output.split('\n')[0] ?? 'no QEMU';
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}, ${qemu}`;
console.log(machine);
const figures = await measureLoops(rounds, (line) => console.log(line));

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
const ratio = (row: LoopFigures, peer: number | undefined): string =>
  peer === undefined ? '-' : (row.jit / peer).toFixed(2);
const ratios = figures.flatMap((row) => (row.qemu === undefined ? [] : [row.jit / row.qemu]));
const mean = ratios.length > 0 ? geometricMean(ratios).toFixed(2) : '-';
const overInterpreter = geometricMean(figures.map((row) => row.jit / row.interpreter)).toFixed(1);

const table = [
  '# Measured',
  '',
  `Million guest instructions a second, medians of ${rounds} rounds in one run; ratios are JIT to peer.`,
  `Machine: ${machine}.`,
  '',
  '| loop | JIT | interpreter | QEMU TCG | JIT / QEMU | JIT / interpreter | compiled |',
  '|---|---|---|---|---|---|---|',
  ...figures.map(
    (row) =>
      `| ${row.loop} | ${row.jit} | ${row.interpreter} | ${row.qemu ?? '-'} | ${ratio(row, row.qemu)} | ` +
      `${ratio(row, row.interpreter)} | ${(row.compiledShare * 100).toFixed(1)} % |`,
  ),
  `| geometric mean | | | | ${mean} | ${overInterpreter} | |`,
  '',
  'Made by `npm run bench`. Whole processes: the JIT has to find its hot code and compile it within these times.',
  '',
].join('\n');
const results = path.join(repositoryRoot, 'bench/results');
mkdirSync(results, { recursive: true });
writeFileSync(path.join(results, 'README.md'), table);
writeFileSync(path.join(results, 'loops.json'), `${JSON.stringify({ machine, rounds, figures }, null, 2)}\n`);
console.log(`\n${table}`);
