// The figures as tables of Markdown.
import { type Figure, type Measured, mips, rate } from './measure.ts';
import { workloads } from './workloads.ts';

/** Engines whose quotient has a column, and the ratio that we want at least. */
interface Comparison {
  readonly of: string;
  readonly to: string;
  readonly goal: number;
}
const comparisons: readonly Comparison[] = [
  { of: 'Trapline JIT', to: 'QEMU TCG', goal: 1 },
  { of: 'Trapline JIT, 32-bit', to: 'v86 JIT', goal: 1.5 },
  { of: 'Trapline JIT', to: 'Trapline interpreter', goal: 1 },
  { of: 'Trapline interpreter, 32-bit', to: 'v86 interpreter', goal: 1.5 },
  { of: 'Trapline interpreter', to: 'Bochs', goal: 1.2 },
];
const columns = ['Trapline JIT', 'Trapline interpreter', 'QEMU TCG', 'v86 JIT', 'v86 interpreter', 'Bochs', 'native'];

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
const find = ({ figures }: Measured, name: string): Figure | undefined => figures.find(({ engine }) => engine === name);
const number = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));

/** Speed of one engine over another on one workload, both on the same build: by instructions, since fib's work is not its count. */
function quotient(measured: Measured, { of, to }: Comparison): number | undefined {
  const [a, b] = [find(measured, of), find(measured, to)];
  return a === undefined || b === undefined ? undefined : mips(a) / mips(b);
}
export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Two tables: speeds, and ratios with the geometric mean over integer code. */
export function loopTables(measured: readonly Measured[]): string {
  const byName = new Map(workloads.map((workload) => [workload.name, workload]));
  const speeds = measured.map((row) => {
    const privileged = byName.get(row.workload)?.source === 'system';
    const cells = columns.map((name) => {
      const figure = find(row, name);
      return figure === undefined ? '' : privileged ? `${number(rate(figure) / 1000)} k/s` : number(mips(figure));
    });
    return [`${row.workload}: ${byName.get(row.workload)?.what ?? ''}`, ...cells];
  });
  const ratios = measured.map((row) => [
    row.workload,
    ...comparisons.map((comparison) => {
      const value = quotient(row, comparison);
      return value === undefined ? '' : value.toFixed(2);
    }),
    `${(row.compiledShare * 100).toFixed(1)} %`,
  ]);
  const means = comparisons.map((comparison) => {
    const values = measured.filter(({ workload }) => byName.get(workload)?.integer === true);
    const known = values.map((row) => quotient(row, comparison)).filter((value) => value !== undefined);
    return known.length === 0 ? '' : `**${geometricMean(known).toFixed(2)}** (goal ${comparison.goal})`;
  });
  return [
    'Million guest instructions a second; for the privileged workloads thousand operations a second. v86 runs 32-bit builds.',
    '',
    table(['', ...columns], speeds),
    '',
    'Ratios of work done in the same time. The mean is geometric, over the integer workloads: alu to program.',
    '',
    table(
      ['', ...comparisons.map(({ of, to }) => `${of} / ${to}`), 'ran compiled'],
      [...ratios, ['mean', ...means, '']],
    ),
  ].join('\n');
}
