import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { installSystemPackages, systemTools, type Host } from '../../scripts/system-packages.ts';

/** A machine made of words: programs that are there, and what each command line answers and brings. */
function machine(
  programs: string[],
  isRoot: boolean,
  answer: (line: string) => { status: number; output: string; brings?: readonly string[] },
): { host: Host; lines: string[] } {
  const lines: string[] = [];
  const host: Host = {
    isRoot,
    find: (program) => (programs.includes(program) ? `/usr/bin/${program}` : undefined),
    run(program, args) {
      const line = [program, ...args.filter((word) => !/^-|::/.test(word))].join(' ');
      lines.push(line);
      const { brings = [], ...done } = answer(line);
      programs.push(...brings);
      return Promise.resolve(done);
    },
  };
  return { host, lines };
}

const everything = systemTools.map((tool) => tool.program);
const without = (...missing: string[]): string[] => everything.filter((program) => !missing.includes(program));
const quiet = (): void => undefined;
const neverAsked = (line: string): never => assert.fail(`ran ${line}`);

describe('system packages', () => {
  it('does nothing where everything is there', async () => {
    const { host } = machine([...everything, 'apt-get'], true, neverAsked);
    assert.deepEqual(await installSystemPackages(quiet, host), { leftOut: [] });
  });

  it('installs only what is missing, without an update when the package lists are good', async () => {
    const { host, lines } = machine([...without('gdb', 'rg'), 'apt-get'], true, () => ({
      status: 0,
      output: '',
      brings: ['gdb', 'rg'],
    }));
    assert.deepEqual(await installSystemPackages(quiet, host), { leftOut: [] });
    assert.deepEqual(lines, ['apt-get install gdb ripgrep']);
  });

  it('updates the package lists once when the first try fails', async () => {
    let updated = false;
    const { host, lines } = machine([...without('gdb'), 'apt-get'], true, (line) => {
      if (line === 'apt-get update') updated = true;
      else if (!updated) return { status: 100, output: 'E: Unable to locate package gdb' };
      else return { status: 0, output: '', brings: ['gdb'] };
      return { status: 0, output: '' };
    });
    assert.deepEqual(await installSystemPackages(quiet, host), { leftOut: [] });
    assert.deepEqual(lines, ['apt-get install gdb', 'apt-get update', 'apt-get install gdb']);
  });

  it('is a fault when a Debian system cannot install them for root', async () => {
    const { host } = machine([...without('gdb'), 'apt-get'], true, () => ({ status: 100, output: 'E: no network\n' }));
    const { fault, leftOut } = await installSystemPackages(quiet, host);
    assert.equal(fault, 'apt-get install gdb ended with status 100:\nE: no network');
    assert.deepEqual(leftOut, ['the comparison with gdb: gdb is not installed, and apt-get could not install it']);
  });

  it('says what is left out where it may not install', async () => {
    const user = machine([...without('gdb'), 'apt-get'], false, neverAsked);
    assert.deepEqual(await installSystemPackages(quiet, user.host), {
      leftOut: ['the comparison with gdb: gdb is not installed, and only root may install it'],
    });
    const other = machine(without('chromium'), true, neverAsked);
    assert.deepEqual(await installSystemPackages(quiet, other.host), {
      leftOut: ['the tests that drive a real VS Code: chromium is not installed, and this is not a Debian system'],
    });
  });
});
