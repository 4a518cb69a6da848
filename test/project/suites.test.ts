// A test file that no suite runs is worse than none: everybody believes it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allTestFiles, coreFor, filesOf, fileSuites } from '../../scripts/suites.ts';

describe('suites', () => {
  it('every *.test.ts of the checkout belongs to exactly one', () => {
    const files = allTestFiles();
    assert.ok(files.length > 100);
    for (const file of files) {
      const suites = fileSuites.filter(({ has }) => has(file)).map(({ name }) => name);
      assert.equal(suites.length, 1, `${file} belongs to ${suites.length === 0 ? 'no suite' : suites.join(' and ')}`);
    }
  });

  it('no suite is empty', () => {
    for (const suite of fileSuites) assert.ok(filesOf(suite).length > 0, suite.name);
  });

  it('files that boot Linux get the optimised core, others are content with the fast one', () => {
    const integration = fileSuites.find(({ name }) => name === 'integration');
    assert.ok(integration !== undefined);
    assert.equal(coreFor(integration, ['test/core/modes.test.ts', 'test/machine/linux-boot.test.ts']), 'optimised');
    assert.equal(coreFor(integration, ['test/core/modes.test.ts']), 'fast');
  });
});
