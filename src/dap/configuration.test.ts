import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { launchProperties, parseSize, validateLaunch } from './configuration.ts';

describe('launch configuration', () => {
  it('fills in every default', () => {
    const result = validateLaunch({ type: 'trapline', request: 'launch', name: 'x', kernel: 'k.elf' });
    assert.ok(result.ok);
    const { configuration } = result;
    assert.equal(configuration.machine.cpus, 1);
    assert.equal(configuration.machine.memory, 256 << 20);
    assert.equal(configuration.slotPolicy, 'hardware');
    assert.equal(configuration.stopOnEntry, false);
    assert.equal(configuration.machine.rtc, Date.UTC(2025, 0, 1) / 1000);
  });

  it('has the defaults that the table tells', () => {
    const result = validateLaunch({ kernel: 'k' });
    assert.ok(result.ok);
    for (const [name, { default: expected }] of Object.entries(launchProperties)) {
      const actual: unknown = Object.entries(result.configuration).find(([key]) => key === name)?.[1];
      if (typeof expected === 'string' || typeof expected === 'boolean') assert.equal(actual, expected, name);
    }
  });

  const wrong: readonly (readonly [unknown, string, RegExp])[] = [
    [{}, 'kernel', /'kernel' is missing/],
    [{ kernel: '' }, 'kernel', /'kernel' is empty/],
    [{ kernel: 7 }, 'kernel', /must be a string, not 7/],
    [{ kernel: 'k', slotpolicy: 'hardware' }, 'slotpolicy', /Did you mean 'slotPolicy'/],
    [{ kernel: 'k', colour: 1 }, 'colour', /Use one of these: kernel/],
    [{ kernel: 'k', slotPolicy: 'all' }, 'slotPolicy', /must be hardware, not "all"/],
    // Software watchpoints are not built: no value promises them.
    [{ kernel: 'k', slotPolicy: 'hybrid' }, 'slotPolicy', /must be hardware, not "hybrid"/],
    [{ kernel: 'k', slotPolicy: 'soft' }, 'slotPolicy', /must be hardware, not "soft"/],
    [{ kernel: 'k', coverPolicy: 'all' }, 'coverPolicy', /one of windows, exact/],
    [{ kernel: 'k', machine: { cpus: 0 } }, 'machine.cpus', /from 1 to 16, not 0/],
    [{ kernel: 'k', machine: { cpus: 2.5 } }, 'machine.cpus', /whole number/],
    [{ kernel: 'k', machine: { memory: '5X' } }, 'machine.memory', /512M/],
    [{ kernel: 'k', machine: { memory: '1M' } }, 'machine.memory', /from 2M to 3G/],
    [{ kernel: 'k', machine: { memory: '4G' } }, 'machine.memory', /from 2M to 3G/],
    [{ kernel: 'k', machine: { rtc: 'soon' } }, 'machine.rtc', /a date/],
    [{ kernel: 'k', machine: { cpu: 4 } }, 'machine.cpu', /'machine.cpus'|'cpus'/],
    [{ kernel: 'k', machine: { disks: ['a'] } }, 'machine.disks[0]', /must be an object, not "a"/],
    [{ kernel: 'k', machine: { disks: [{ writable: true }] } }, 'machine.disks[0].file', /missing/],
    [{ kernel: 'k', machine: { rngSeed: -1 } }, 'machine.rngSeed', /from 0 to 4294967295/],
    [{ kernel: 'k', symbols: [{}] }, 'symbols[0].file', /missing/],
    [{ kernel: 'k', symbols: [{ file: 'a', offset: 'x' }] }, 'symbols[0].offset', /0x200000/],
    [{ kernel: 'k', sourceMap: { a: 1 } }, 'sourceMap.a', /a string, not 1/],
    [{ kernel: 'k', stopOnEntry: 3 }, 'stopOnEntry', /true or false or a string|a string or true or false/],
    [[], '', /must be an object/],
  ];
  for (const [input, property, message] of wrong) {
    it(`names what is wrong with ${JSON.stringify(input)}`, () => {
      const result = validateLaunch(input);
      assert.ok(!result.ok);
      assert.equal(result.problems[0]?.property, property);
      assert.match(result.problems[0]?.message ?? '', message);
    });
  }

  it('never throws, whatever a client sends', () => {
    const names = fc.constantFrom(
      'kernel',
      'machine',
      'symbols',
      'sourceMap',
      'stopOnEntry',
      'slotPolicy',
      '__proto__',
      'constructor',
    );
    fc.assert(fc.property(fc.dictionary(names, fc.jsonValue()), (input) => void validateLaunch(input)));
  });

  it('understands sizes', () => {
    assert.equal(parseSize('512M'), 512 << 20);
    assert.equal(parseSize('64k'), 65536);
    assert.equal(parseSize('1G'), 2 ** 30);
    assert.equal(parseSize('4096'), 4096);
    for (const bad of ['', 'M', '-1M', '1.5G', '1T']) assert.equal(parseSize(bad), undefined);
  });
});
