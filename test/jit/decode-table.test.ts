// One semantics, two engines, row by row: cases of every form of the decode table that does not jump, interpreted and
// compiled. What the JIT leaves to the interpreter (imports, loops) is the same by construction, so rows that run compiled
// are counted.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { A_ENDS_BLOCK } from '../../src/core/layout.ts';
import type { OpcodeRow } from '../../src/core/opcodes/index.ts';
import { dataPages } from '../oracle/cpu/campaign.ts';
import { classOfRow } from '../oracle/cpu/classes.ts';
import { describeCase, differences } from '../oracle/cpu/compare.ts';
import { EngineProcessor } from '../oracle/cpu/engine.ts';
import { generateCase, testedRows } from '../oracle/cpu/generate.ts';
import { campaignSeed, randomOf } from '../harness/random.ts';

const RETIRED = 1;
const CASES = 3;
/** Classes whose handlers use WebAssembly's floating-point instructions: the JIT may leave those to the interpreter. */
const FLOATING = /float|x87|mmx/;
/** The generator may have to try again: an instruction can come out as another, or fault. */
const TRIES = 60;

describe('interpreter and JIT, row by row', () => {
  it('agree', (t) => {
    const random = randomOf(campaignSeed(0x5eed));
    const data = dataPages();
    const [interpreter, compiler] = [new EngineProcessor(data), new EngineProcessor(data)];
    const jit = compiler.compile(readFileSync(join(import.meta.dirname, '../../dist/core.wasm')));
    const rows = testedRows[64].filter(({ attributes }) => (attributes & A_ENDS_BLOCK) === 0);
    const isFloating = (row: OpcodeRow): boolean => FLOATING.test(classOfRow(row));
    const failures: string[] = [];
    const compiledRows = new Set<OpcodeRow>();
    let cases = 0;
    for (const row of rows) {
      const known = { ...jit.statistics().failures };
      // one that could run compiled goes on until a case did: operands may cross pages, and then the interpreter takes them
      const wanted = (made: number): boolean =>
        made < CASES || (typeof row.handler === 'string' && !isFloating(row) && !compiledRows.has(row));
      for (let made = 0, tries = 0; wanted(made) && tries < TRIES; tries++) {
        const generated = generateCase({ codeSize: 64, segmented: false }, random, row);
        if (generated === undefined) continue;
        const { item, decoded } = generated;
        const expected = interpreter.run(item);
        if (expected.vector !== RETIRED) continue;
        made++;
        cases++;
        const before = compiler.compiledTicks;
        const lines = differences(item, decoded, expected, compiler.run(item), { everyFlag: true });
        if (lines.length > 0) failures.push(describeCase(item, lines));
        if (compiler.compiledTicks > before + 1n) compiledRows.add(row);
      }
      if (!isFloating(row)) assert.deepEqual(jit.statistics().failures, known, row.mnemonic);
    }
    t.diagnostic(`seed ${random.seed}: ${cases} cases of ${rows.length} rows, ${compiledRows.size} of them compiled`);
    assert.deepEqual(failures.slice(0, 10), [], `seed ${random.seed}: ${failures.length} differences`);
    const rest = rows.filter((row) => !compiledRows.has(row) && typeof row.handler === 'string' && !isFloating(row));
    assert.deepEqual(
      [...new Set(rest.map(({ mnemonic }) => mnemonic))],
      [],
      'rows that have a handler but never ran compiled',
    );
  });
});
