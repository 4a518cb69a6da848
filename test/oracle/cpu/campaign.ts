// Many cases through the processor and the engine.
import type { OpcodeRow } from '../../../src/core/opcodes/index.ts';
import type { Decoded } from '../../../src/core/disassembler/instruction.ts';
import { pick, type Random, randomOf } from '../../harness/random.ts';
import { classOfRow } from './classes.ts';
import { differences } from './compare.ts';
import { EngineProcessor } from './engine.ts';
import { generateCase, pickKind, testedRows } from './generate.ts';
import { privileged } from './left-out.ts';
import type { Processor } from './processor.ts';
import { type Case, DATA_SIZE, type Result } from './protocol.ts';

/** Contents of the data pages. */
export function dataPages(): Uint8Array {
  const random: Random = randomOf(0xda7a);
  return Uint8Array.from({ length: DATA_SIZE }, () => random(256));
}

/** What the two made of one case. */
export interface Difference {
  readonly item: Case;
  readonly decoded: Decoded;
  readonly processor: Result;
  readonly engine: Result;
  readonly lines: readonly string[];
}
/** The same for differences that are of one kind: code size, instruction, and what differs. */
export function kindOfDifference({ codeSize, segmented }: Case, decoded: Decoded, lines: readonly string[]): string {
  const parts = lines.map((line) => line.replace(/:.*/, ''));
  return `${codeSize}${segmented ? ' segmented' : ''} ${decoded.row.mnemonic} ${parts.join()}`;
}

/** Both sides of the comparison. */
export class Comparison {
  readonly processor: Processor;
  private readonly data = dataPages();
  private readonly engine = new EngineProcessor(this.data);
  constructor(processor: Processor) {
    this.processor = processor;
  }
  /** Calls `each` with what the processor made of each case, and with what differs in the engine. */
  run(
    cases: readonly { readonly item: Case; readonly decoded: Decoded }[],
    each: (difference: Difference, at: number) => void,
  ): void {
    const items = cases.map(({ item }) => item);
    const results = this.processor.run(items, this.data);
    cases.forEach(({ item, decoded }, at) => {
      const processor = results[at];
      if (processor === undefined) return;
      const engine = this.engine.run(item);
      each({ item, decoded, processor, engine, lines: differences(item, decoded, processor, engine) }, at);
    });
  }
}

export interface Counts {
  cases: number;
  retired: number;
  /** Those that agreed. */
  passed: number;
}
export interface RowCounts extends Counts {
  /** Those that agreed, by code size. */
  readonly passedBySize: Record<16 | 32 | 64, number>;
}
export interface Outcome {
  /** One for each kind of difference. */
  readonly failures: ReadonlyMap<string, Difference>;
  readonly failed: number;
  readonly rows: ReadonlyMap<OpcodeRow, RowCounts>;
  /** By class; forms that ring 3 may not execute are a class of their own. */
  readonly classes: ReadonlyMap<string, Counts>;
}
/** Cases that fault by design: nothing is asked of the share that retires. */
export const PRIVILEGED_CLASS = 'privileged (faults in ring 3)';

export interface CampaignOptions {
  readonly count: number;
  readonly seed: number;
  /** Only rows of this class, or of this mnemonic. */
  readonly only?: string | undefined;
  /** Told the number of cases so far, now and then. */
  readonly progress?: (cases: number) => void;
}
const BATCH = 25_000;

export function runCampaign(processor: Processor, options: CampaignOptions): Outcome {
  const { count, only } = options;
  const random = randomOf(options.seed);
  const comparison = new Comparison(processor);
  const failures = new Map<string, Difference>();
  const rows = new Map<OpcodeRow, RowCounts>();
  const candidates = new Map(
    Object.entries(testedRows).map(([size, list]) => [
      Number(size),
      list.filter((row) => only === undefined || classOfRow(row) === only || row.mnemonic.split('|').includes(only)),
    ]),
  );
  if ([...candidates.values()].every(({ length }) => length === 0))
    throw new RangeError(`no tested form is of ${only}`);
  let failed = 0;
  for (let made = 0; made < count;) {
    const batch: { item: Case; decoded: Decoded }[] = [];
    while (batch.length < Math.min(BATCH, count - made)) {
      const kind = pickKind(processor.kinds, random);
      const list = candidates.get(kind.codeSize) ?? [];
      const generated = list.length === 0 ? undefined : generateCase(kind, random, pick(random, list));
      if (generated !== undefined) batch.push(generated);
    }
    made += batch.length;
    comparison.run(batch, (difference) => {
      const { item, decoded, lines } = difference;
      const counts = countsOf(decoded.row);
      counts.cases++;
      if (difference.processor.vector === 1) counts.retired++;
      if (lines.length === 0) {
        counts.passed++;
        counts.passedBySize[item.codeSize]++;
        return;
      }
      failed++;
      const key = kindOfDifference(item, decoded, lines);
      if (!failures.has(key)) failures.set(key, difference);
    });
    options.progress?.(made);
  }
  return { failures, failed, rows, classes: sumByClass(rows) };

  function countsOf(row: OpcodeRow): RowCounts {
    const counts = rows.get(row) ?? { cases: 0, retired: 0, passed: 0, passedBySize: { 16: 0, 32: 0, 64: 0 } };
    rows.set(row, counts);
    return counts;
  }
}

function sumByClass(rows: ReadonlyMap<OpcodeRow, RowCounts>): ReadonlyMap<string, Counts> {
  const classes = new Map<string, Counts>();
  for (const [row, { cases, retired, passed }] of rows) {
    const name = privileged(row) ? PRIVILEGED_CLASS : classOfRow(row);
    const entry = classes.get(name) ?? { cases: 0, retired: 0, passed: 0 };
    entry.cases += cases;
    entry.retired += retired;
    entry.passed += passed;
    classes.set(name, entry);
  }
  return new Map([...classes].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Part of the cases of a class that has to retire: cases that fault say little about an instruction. */
export const LEAST_RETIRED = 0.6;
/** Classes of which too few cases retired. */
export function tooFewRetired({ classes }: Outcome): string[] {
  return [...classes]
    .filter(([name, { cases, retired }]) => name !== PRIVILEGED_CLASS && retired < LEAST_RETIRED * cases)
    .map(([name]) => name);
}
/** A line for each class. */
export function classLines({ classes }: Outcome): string[] {
  return [...classes].map(
    ([name, { cases, retired, passed }]) =>
      `${name}: ${cases} cases, ${Math.round((100 * retired) / cases)} % retired, ${cases - passed} differ`,
  );
}
