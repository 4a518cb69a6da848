// The quick ones of the mutants, and what has to be true of all: see test/mutants. `npm run test:mutants` plants every one.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { repositoryRoot } from '../../scripts/process.ts';
import { MutantBed } from '../mutants/mutant-bed.ts';
import { mutants } from '../mutants/mutants.ts';

describe('mutants', () => {
  it('are at least sixty, each with a place that is there once, and tests that exist', () => {
    assert.ok(mutants.length >= 60, String(mutants.length));
    for (const { file, find, replace, tests } of mutants) {
      const places = readFileSync(path.join(repositoryRoot, file), 'utf8').split(find).length - 1;
      assert.equal(places, 1, `${file} has the text of the mutant ${places} times, not once: ${find}`);
      assert.notEqual(find, replace);
      assert.ok(tests.length > 0);
      for (const test of tests) assert.ok(existsSync(path.join(repositoryRoot, test)), test);
    }
  });

  let bed: MutantBed | undefined;
  before(() => {
    bed = new MutantBed();
  });
  after(() => bed?.dispose());
  const quick = mutants.filter((mutant) => mutant.quick === true);
  it('twelve or more are quick', () => assert.ok(quick.length >= 12, String(quick.length)));
  for (const mutant of quick) {
    it(`caught: ${mutant.why} (${mutant.file})`, async () => {
      assert.ok(bed !== undefined);
      const { file, output } = await bed.judge(mutant);
      assert.ok(file !== undefined, `survived ${mutant.tests.join(', ')}:\n${output.slice(-2000)}`);
    });
  }
});
