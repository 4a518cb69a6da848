// A run inside the extension host counts as passed only when VS Code's exit code and the suite's own report agree.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultOf } from '../harness/host-suite.ts';

const passed = { path: ['a'], state: 'passed' } as const;
const failed = { path: ['b'], state: 'failed', error: 'no' } as const;

describe('a run inside the extension host', () => {
  it('passes when both say so', () => assert.equal(faultOf({ exitCode: 0, tests: [passed] }), undefined));

  it('fails when the host died, although VS Code then says 0', () => {
    assert.match(faultOf({ exitCode: 0, tests: undefined }) ?? '', /wrote no report/);
  });

  it('fails when a test failed, whatever the exit code', () => {
    assert.equal(faultOf({ exitCode: 0, tests: [passed, failed] }), '1 of 2 tests failed in the extension host');
  });

  it('fails when VS Code says so although every test passed', () => {
    assert.match(faultOf({ exitCode: 1, tests: [passed] }) ?? '', /ended with 1/);
  });

  it('fails without any test', () => assert.match(faultOf({ exitCode: 0, tests: [] }) ?? '', /no test/));
});
