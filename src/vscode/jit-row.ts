// The Machine view's row about the JIT, without VS Code.
import type { MachineBody, MachineJit } from '../dap/custom.ts';
import { leaf, type TreeRow } from './tree-row.ts';

/** Why running regions end, in words. The names are those of the functions that core.wasm's handlers import. */
const CAUSES: Readonly<Record<string, string>> = {
  elsewhere: 'jumps out of the region',
  'system.load': 'slow memory reads',
  'system.store': 'slow memory writes',
  'system.modify': 'slow memory updates',
  'system.probe': 'slow memory checks',
  'system.loadVector': 'slow vector reads',
  'system.storeVector': 'slow vector writes',
  'system.storeExtended': 'slow x87 writes',
  'system.split': 'accesses across two pages',
  'system.moveElements': 'long copies',
  'system.storeElements': 'long fills',
  'system.linear': 'address checks',
  'system.raise': 'exceptions',
  'system.simdException': 'SIMD exceptions',
  'system.floatError': 'x87 exceptions',
  'system.rare': 'system instructions',
  loop: 'string instructions and other loops',
  'dynamic switch': 'instructions that decide what to do by a value',
};
export const causeInWords = (cause: string): string => CAUSES[cause] ?? cause;

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
/** Counts as people read them: 1 234 567. */
const grouped = (count: number): string => String(count).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
const plural = (count: number, noun: string): string => `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
const time = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`;

/** "cause: count", most frequent first, without those that never happened. */
const byCount = (counts: Readonly<Record<string, number>>): readonly (readonly [string, number])[] =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a);

function details({ share, regions, modules, compileMs, exits, failures }: MachineJit): readonly TreeRow[] {
  const causes = byCount(exits);
  const refused = byCount(failures);
  const total = causes.reduce((sum, [, count]) => sum + count, 0);
  return [
    leaf('jit.share', 'Compiled', `${percent(share)} of the instructions`),
    leaf('jit.regions', 'Regions', `${grouped(regions)} compiled, ${plural(modules, 'module')} alive`),
    leaf('jit.time', 'Compile time', time(compileMs)),
    {
      ...leaf('jit.exits', 'Exits', plural(total, 'exit')),
      tooltip: causes.map(([cause, count]) => `${causeInWords(cause)}: ${grouped(count)}`).join('\n') || 'no exits',
      children: causes.map(([cause, count]) => leaf(`jit.exits.${cause}`, causeInWords(cause), grouped(count))),
    },
    ...refused.map(([reason, count]) =>
      leaf(`jit.failures.${reason}`, 'Refused', `${plural(count, 'region')}: ${reason}`, 'warning'),
    ),
  ];
}

/** The last row of the Machine view. */
export function jitRow({ jit }: Pick<MachineBody, 'jit'>): TreeRow {
  if (jit === undefined) {
    return { ...leaf('jit', 'JIT', 'off', 'zap'), tooltip: 'JIT: off, every instruction is interpreted' };
  }
  const children = details(jit);
  const summary = `${percent(jit.share)} · ${plural(jit.regions, 'region')} · ${time(jit.compileMs)}`;
  return {
    ...leaf('jit', 'JIT', summary, 'zap'),
    tooltip: [...children.map(({ label, description }) => `${label}: ${description}`)].join('\n'),
    accessible: `JIT: ${percent(jit.share)} of the instructions compiled, ${plural(jit.regions, 'region')}`,
    children,
  };
}
