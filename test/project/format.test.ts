import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assemblyFaults, mendAssembly } from '../../scripts/format.ts';

const faults = (text: string): string[] => assemblyFaults('a.ts', text);

describe('the formatting check of AssemblyScript', () => {
  it('accepts tidy code, with comments whose lines stand under the star', () => {
    assert.deepEqual(faults('/**\n * What it does.\n */\nfunction f(): void {\n  g();\n}\n'), []);
  });

  it('names the line of each fault', () => {
    assert.deepEqual(faults('a;\n\tb;\n'), [
      'a.ts:2: a tab; indent with two spaces',
      'a.ts:2: indented by 1 columns; by multiples of two',
    ]);
    assert.deepEqual(faults('a; \n'), ['a.ts:1: spaces at the end of the line']);
    assert.deepEqual(faults('   a;\n'), ['a.ts:1: indented by 3 columns; by multiples of two']);
    assert.deepEqual(faults(`${'a'.repeat(121)}\n`), ['a.ts:1: 121 columns; at most 120']);
    assert.deepEqual(faults('a;'), ['a.ts:1: no line feed at the end of the file']);
    assert.deepEqual(faults('a;\n\n'), ['a.ts:2: empty lines at the end of the file']);
  });

  it('mends what needs no judgement', () => {
    assert.equal(mendAssembly('\ta;  \r\n\n\n'), '  a;\n');
  });
});
