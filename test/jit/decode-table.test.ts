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
import { describeCase, differences } from '../oracle/cpu/compare.ts';
import { EngineProcessor } from '../oracle/cpu/engine.ts';
import { generateCase, testedRows } from '../oracle/cpu/generate.ts';
import { randomOf, seedOf } from '../oracle/random.ts';

const RETIRED = 1;
const CASES = 3;
/** The generator may have to try again: an instruction can come out as another, or fault. */
const TRIES = 60;

describe('interpreter and JIT, row by row', () => {
  it('agree', (t) => {
    const random = randomOf(seedOf(0x5eed));
    const data = dataPages();
    const [interpreter, compiler] = [new EngineProcessor(data), new EngineProcessor(data)];
    const jit = compiler.compile(readFileSync(join(import.meta.dirname, '../../dist/core.wasm')));
    const rows = testedRows[64].filter(({ attributes }) => (attributes & A_ENDS_BLOCK) === 0);
    const failures: string[] = [];
    const compiledRows = new Set<OpcodeRow>();
    let cases = 0;
    for (const row of rows) {
      for (let made = 0, tries = 0; made < CASES && tries < TRIES; tries++) {
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
    }
    t.diagnostic(`seed ${random.seed}: ${cases} cases of ${rows.length} rows, ${compiledRows.size} of them compiled`);
    assert.deepEqual(failures.slice(0, 10), [], `seed ${random.seed}: ${failures.length} differences`);
    assert.deepEqual(jit.statistics().failures, {});
    const rest = rows.filter((row) => !compiledRows.has(row) && typeof row.handler === 'string');
    assert.deepEqual(
      [...new Set(rest.map(({ mnemonic }) => mnemonic))],
      [],
      'rows that have a handler but never ran compiled',
    );
  });
});
