// Many cases through the processor and the engine.
import { arithmeticRows } from '../../../src/core/opcodes/arithmetic.ts';
import { controlTransferRows } from '../../../src/core/opcodes/control-transfer.ts';
import { dataTransferRows } from '../../../src/core/opcodes/data-transfer.ts';
import type { OpcodeRow } from '../../../src/core/opcodes/index.ts';
import { shiftAndBitRows } from '../../../src/core/opcodes/shift-bit.ts';
import { sseIntegerRows } from '../../../src/core/opcodes/sse-integer.ts';
import { sseMoveRows } from '../../../src/core/opcodes/sse-move.ts';
import { stringRows } from '../../../src/core/opcodes/string.ts';
import type { Decoded } from '../../../src/core/disassembler/instruction.ts';
import { type Random, randomOf } from '../random.ts';
import { describeCase, differences } from './compare.ts';
import { EngineProcessor } from './engine.ts';
import { generateCase, pickKind } from './generate.ts';
import type { Processor } from './processor.ts';
import { type Case, DATA_SIZE, type Result } from './protocol.ts';

const CLASSES: readonly (readonly [string, readonly OpcodeRow[]])[] = [
  ['arithmetic', arithmeticRows],
  ['shift and bit', shiftAndBitRows],
  ['data transfer', dataTransferRows],
  ['control transfer', controlTransferRows],
  ['string', stringRows],
  ['SSE move', sseMoveRows],
  ['SSE integer', sseIntegerRows],
];
const classOf = new Map(CLASSES.flatMap(([name, rows]) => rows.map((row): [OpcodeRow, string] => [row, name])));

/** Contents of the data pages. */
export function dataPages(): Uint8Array {
  const random: Random = randomOf(0xda7a);
  return Uint8Array.from({ length: DATA_SIZE }, () => random(256));
}

export interface Outcome {
  /** One description for each mnemonic and kind of difference. */
  readonly failures: ReadonlyMap<string, string>;
  readonly failed: number;
  /** By class: cases and those that retired. */
  readonly classes: ReadonlyMap<string, { cases: number; retired: number }>;
}

const BATCH = 25_000;

export function runCampaign(processor: Processor, count: number, seed: number): Outcome {
  const random = randomOf(seed);
  const data = dataPages();
  const engine = new EngineProcessor(data);
  const failures = new Map<string, string>();
  const classes = new Map<string, { cases: number; retired: number }>();
  let failed = 0;
  let made = 0;
  while (made < count) {
    const batch: { item: Case; decoded: Decoded }[] = [];
    while (batch.length < Math.min(BATCH, count - made)) {
      const generated = generateCase(pickKind(processor.kinds, random), random);
      if (generated !== undefined) batch.push(generated);
    }
    made += batch.length;
    const results = processor.run(
      batch.map(({ item }) => item),
      data,
    );
    batch.forEach(({ item, decoded }, i) => {
      const expected = results[i];
      if (expected === undefined) return;
      const lines = differences(item, decoded, expected, engine.run(item));
      count_(decoded, expected);
      if (lines.length === 0) return;
      failed++;
      const key = `${item.codeSize}${item.segmented ? ' segmented' : ''} ${decoded.row.mnemonic} ${lines.map((line) => line.replace(/:.*/, '')).join()}`;
      if (!failures.has(key)) failures.set(key, describeCase(item, lines));
    });
  }
  return { failures, failed, classes };

  function count_(decoded: Decoded, result: Result): void {
    const name = classOf.get(decoded.row) ?? 'flags and system';
    const entry = classes.get(name) ?? { cases: 0, retired: 0 };
    entry.cases++;
    if (result.vector === 1) entry.retired++;
    classes.set(name, entry);
  }
}
