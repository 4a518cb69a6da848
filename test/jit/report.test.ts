// `npm run jit:report` lists what the JIT cannot compile, and nothing that it can.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { arithmeticRows } from '../../src/core/opcodes/arithmetic.ts';
import { bitManipulationRows } from '../../src/core/opcodes/bit-manipulation.ts';
import { dataTransferRows } from '../../src/core/opcodes/data-transfer.ts';
import { shiftAndBitRows } from '../../src/core/opcodes/shift-bit.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { type JitReport, jitReport, RARE } from '../../scripts/jit-forms.ts';

let report: JitReport;
before(async () => {
  const modules = await loadEngineModules();
  assert.ok(modules.coreBytes !== undefined);
  report = jitReport(modules, modules.coreBytes);
});

describe('the report of what the JIT leaves to the interpreter', () => {
  it('tries every form of the decode table', () => {
    assert.deepEqual(report.untried, []);
    assert.ok(report.handlers > 1000, `${report.handlers} handlers`);
  });

  it('names the rare operations, with the import that makes them leave', () => {
    const rare = report.leaving.find(({ handler }) => handler === RARE);
    assert.ok(rare !== undefined);
    assert.deepEqual(rare.reasons, ['system.rare']);
    assert.equal(rare.leaving, rare.tried);
    for (const mnemonic of ['CPUID', 'HLT', 'IRET', 'LGDT']) {
      assert.ok(
        rare.mnemonics.some((name) => name.startsWith(mnemonic)),
        `${mnemonic} in ${rare.mnemonics.join(' ')}`,
      );
    }
  });

  it('lists no integer handler', () => {
    const rows = [arithmeticRows, bitManipulationRows, dataTransferRows, shiftAndBitRows].flat();
    const integer = new Set(rows.map(({ handler }) => handler).filter((handler) => typeof handler === 'string'));
    const listed = report.leaving.flatMap(({ handler }) => handler.split(' or '));
    assert.deepEqual(
      listed.filter((handler) => integer.has(handler)),
      [],
    );
    assert.ok(integer.size > 50);
  });
});
